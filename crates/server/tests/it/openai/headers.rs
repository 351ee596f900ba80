//! Headers between callers and providers: no key passes in any of them, and what is said of the pool's account and to
//! other origins stays here.

use fake_upstream::{Rule, gemini, openai, xai};

use super::{CHAT, GROK, HOUSE, ask, both, chat, get, post};
use crate::support::{CLIENT_KEY, Socket, request};

const ANOTHER: &str = "sk-proj-0123456789abcdefghijklmnopqrstuv";

#[tokio::test]
async fn a_provider_does_not_say_which_origins_may_read_answers() {
    let told = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "*"),
    ];
    let open = |status| Rule::new().respond_with(status, &told, "{\"data\": []}");
    for status in [200, 400] {
        let gateway = both(gemini().rule(open(status)), xai().rule(open(status)))
            .setting("server.cors_origins", "[\"https://app.test\"]")
            .start()
            .await;
        for (path, origin, allowed) in [
            ("/p/xai/anything", "https://evil.test", ""),
            ("/p/xai/anything", "https://app.test", "https://app.test"),
            ("/v1beta/no/such", "https://evil.test", ""),
            ("/v1beta/no/such", "https://app.test", "https://app.test"),
        ] {
            let headers = [("x-api-key", CLIENT_KEY), ("origin", origin)];
            let answer = gateway.send(request("GET", path, &headers, "")).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            let named = answer.headers.get_all("access-control-allow-origin");
            let named: Vec<_> = named.iter().map(|value| value.to_str().unwrap()).collect();
            assert_eq!(named.join(","), allowed, "{path} for {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
            assert_eq!(
                answer.header("access-control-expose-headers").is_empty(),
                allowed.is_empty()
            );
        }
    }
}

#[tokio::test]
async fn what_is_said_of_the_pools_account_stays_here() {
    let told = [
        ("x-ratelimit-remaining-requests", "41"),
        ("openai-organization", "org-of-the-pool"),
        ("openai-project", "proj_of_the_pool"),
        ("openai-processing-ms", "12"),
        ("via", "1.1 somewhere"),
        ("www-authenticate", "Bearer realm=\"pool\""),
        ("x-debug", ANOTHER),
        ("retry-after-ms", "1500"),
    ];
    for status in [200, 400] {
        let rule = Rule::new().respond_with(status, &told, "{\"id\": 1}");
        let gateway = both(gemini(), xai().rule(rule)).start().await;
        let answer = get(&gateway, "/p/xai/anything").await;
        assert_eq!(answer.status, status);
        for (name, value) in told {
            let is_kept = name == "openai-processing-ms" || name == "retry-after-ms";
            let expected = if is_kept { value } else { "" };
            assert_eq!(answer.header(name), expected, "{status} {name}");
        }
    }
}

#[tokio::test]
async fn a_limit_that_the_caller_does_not_see_still_cools_the_key() {
    let told = [("x-ratelimit-reset-requests", "40s")];
    let rule = Rule::new().respond_with(429, &told, "{\"error\": {\"message\": \"slow down\"}}");
    let gateway = both(gemini(), openai().rule(rule)).start().await;
    let answer = gateway.send(ask(&chat(GROK))).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((30..=50).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_client_key_reaches_no_provider_wherever_else_it_stands() {
    let gateway = both(gemini(), xai()).start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let page = format!("https://app.test/?key={CLIENT_KEY}");
    let headers = [
        ("authorization", &*bearer),
        ("api-key", CLIENT_KEY),
        ("referer", &*page),
        ("x-csrf-token", "token"),
        ("x-keymux-trace", "1"),
        ("x-team-key", CLIENT_KEY),
        ("x-other", "stays"),
        ("content-type", "application/json"),
    ];
    let query = format!("?api_key={CLIENT_KEY}&token={CLIENT_KEY}&a=b");
    for path in [CHAT, "/p/xai/chat/completions", "/v1beta/corpora"] {
        let sent = request(
            "POST",
            &format!("{path}{query}"),
            &headers,
            chat(GROK).to_string(),
        );
        let answer = gateway.send(sent).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let mut seen = gateway.provider("xai").seen();
    seen.extend(gateway.upstream.seen());
    assert_eq!(seen.len(), 3);
    for seen in seen {
        assert!(!format!("{seen:?}").contains(CLIENT_KEY), "{seen:?}");
        for name in [
            "api-key",
            "referer",
            "x-csrf-token",
            "x-keymux-trace",
            "x-team-key",
        ] {
            assert_eq!(seen.header(name), None, "{name}");
        }
        assert_eq!(seen.header("x-other"), Some("stays"));
    }
}

#[tokio::test]
async fn every_line_of_connection_names_headers_that_stay_here() {
    let told = [
        ("connection", "x-one"),
        ("connection", "x-two"),
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3"),
    ];
    let rule = Rule::new().respond_with(200, &told, "{\"id\": 1}");
    let gateway = both(gemini(), xai().rule(rule)).start().await;
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "GET /p/xai/anything HTTP/1.1\r\nhost: keymux\r\nauthorization: Bearer {CLIENT_KEY}\r\n\
             connection: x-first\r\nconnection: x-second\r\nx-first: 1\r\nx-second: 2\r\nx-third: 3\r\n\r\n"
        ))
        .await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.provider("xai").seen().pop().unwrap();
    for (name, expected) in [
        ("x-first", None),
        ("x-second", None),
        ("x-third", Some("3")),
    ] {
        assert_eq!(seen.header(name), expected, "{name}");
    }
    let names = ["x-one", "x-two", "x-three"].map(|name| answer.header(name));
    assert_eq!(names, ["", "", "3"]);
}

#[tokio::test]
async fn keys_of_others_in_errors_are_not_shown_either() {
    let others = [
        format!("xai-{}", "0123456789abcdefghijABCDEFGHIJ"),
        format!("pplx-{}", "0123456789abcdefghijABCDEFGHIJ"),
        ANOTHER.to_owned(),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.signature".to_owned(),
    ];
    let said = others.join(" and ");
    let body =
        format!("{{\"error\": {{\"message\": \"these are over: {said}\", \"type\": \"x\"}}}}");
    let refused = Rule::new().respond(400, body.clone());
    let event = [("content-type", "text/event-stream")];
    let begun = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abc\"}}]}\n\n";
    let broken = Rule::new().respond_with(200, &event, format!("{begun}data: {body}\n\n"));
    for rule in [refused, broken] {
        let gateway = both(gemini(), xai())
            .with_provider("house", openai().rule(rule), HOUSE)
            .start()
            .await;
        let mut body = chat("house/gpt-6-mini");
        body["stream"] = true.into();
        for path in [CHAT, "/p/house/chat/completions"] {
            let answer = gateway.send(post(path, body.to_string())).await;
            let text = answer.text();
            assert!(
                text.contains("these are over: [redacted] and"),
                "{path}: {text}"
            );
            assert!(
                others.iter().all(|key| !text.contains(key)),
                "{path}: {text}"
            );
        }
    }
}
