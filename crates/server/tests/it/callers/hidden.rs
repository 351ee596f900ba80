//! Nothing secret crosses the gateway in either direction.

use fake_upstream::{Rule, gemini};

use super::{ask, generate_path};
use crate::support::{CLIENT_KEY, MODEL, TestGateway, generate, prompt};

#[tokio::test]
async fn the_provider_learns_nothing_of_the_caller() {
    let gateway = TestGateway::new().start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let path = format!(
        "{}?a=1&key={CLIENT_KEY}&access_token={CLIENT_KEY}&b=%20",
        generate_path()
    );
    let answer = ask(
        &gateway,
        &path,
        &[
            ("authorization", &bearer),
            ("x-goog-api-key", CLIENT_KEY),
            ("x-server-key", CLIENT_KEY),
            ("x-api-key", CLIENT_KEY),
            ("cookie", "session=caller"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "caller.example"),
            ("x-real-ip", "203.0.113.7"),
            ("forwarded", "for=203.0.113.7"),
            ("via", "1.1 caller.example"),
            ("connection", "keep-alive, x-of-this-hop"),
            ("x-of-this-hop", "caller"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic caller"),
            ("te", "trailers"),
            ("upgrade", "caller/1"),
            ("x-goog-api-client", "google-genai-sdk/3.3.0"),
            ("x-server-timeout", "30"),
        ],
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.upstream.seen().remove(0);
    let sent = format!("{} {:?}", seen.path_and_query, seen.headers);
    for secret in [CLIENT_KEY, "caller", "203.0.113.7", "keymux.test"] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let expected = [
        "accept-encoding",
        "content-length",
        "host",
        "x-goog-api-client",
        "x-goog-api-key",
        "x-server-timeout",
    ];
    assert_eq!(names, expected);
    assert_eq!(seen.header("x-goog-api-key"), Some("AIza-key-1"));
    assert!(seen.path_and_query.ends_with("?a=1&b=%20"), "{sent}");
}

#[tokio::test]
async fn a_credential_in_the_query_is_known_however_its_name_is_written() {
    let gateway = TestGateway::new().start().await;
    for name in ["%6Bey", "k%65y", "access%5Ftoken"] {
        let path = format!("{}?{name}={CLIENT_KEY}", generate_path());
        ask(&gateway, &path, &[("x-goog-api-key", CLIENT_KEY)]).await;
        let seen = gateway.upstream.seen().pop().unwrap();
        assert!(!seen.path_and_query.contains(CLIENT_KEY), "{seen:?}");
    }
}

#[tokio::test]
async fn headers_that_quote_the_key_or_set_cookies_are_dropped() {
    let headers = [
        ("set-cookie", "NID=1"),
        ("alt-svc", "h3=\":443\""),
        ("connection", "x-of-that-hop"),
        ("x-of-that-hop", "1"),
        ("x-debug", "used AIza-key-1 here"),
        ("location", "https://elsewhere/?key=AIza-key-1"),
        ("x-goog-api-key", "AIza-key-1"),
        ("x-keymux-key", "forged"),
        ("server-timing", "gfet4t7; dur=12"),
    ];
    let rule = Rule::new().respond_with(200, &headers, r#"{"models": []}"#);
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    let answer = gateway.get("/v1beta/models").await;
    assert_eq!(answer.status, 200);
    let names: Vec<&str> = headers
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| answer.headers.contains_key(*name))
        .collect();
    assert_eq!(names, ["x-keymux-key", "server-timing"]);
    assert_ne!(answer.header("x-keymux-key"), "forged");
    assert!(!format!("{:?}", answer.headers).contains("AIza-key-1"));
}

/// A key in the form that errors quote.
const REAL_KEY: &str = "AIzaSyFAKE00000000000000000000000000000";

/// Nothing of the provider's key is in an answer, whatever the provider says.
async fn check_quoted(rule: Rule, request: http::Request<http_body_util::Full<bytes::Bytes>>) {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .keys([REAL_KEY])
        .start()
        .await;
    let path = request.uri().to_string();
    let answer = gateway.send(request).await;
    let (headers, text) = (format!("{:?}", answer.headers), answer.text());
    for secret in [REAL_KEY, &REAL_KEY[4..], "482913374650"] {
        assert!(!headers.contains(secret), "{path}: {headers}");
        assert!(!text.contains(secret), "{path}: {text}");
    }
}

#[tokio::test]
async fn errors_that_quote_the_key_reach_the_caller_without_it() {
    let fixtures = [
        "400_api_key_invalid_debuginfo.json",
        "403_consumer_suspended.json",
        "403_service_disabled.json",
        "403_api_key_service_blocked.json",
    ];
    for name in fixtures {
        let name = format!("gemini/errors/{name}");
        let rule = || Rule::new().fixture(&name);
        check_quoted(rule(), generate()).await;
        check_quoted(rule(), crate::support::stream()).await;
        check_quoted(
            Rule::new().error_after_chunks(0, &name),
            crate::support::stream(),
        )
        .await;
    }
    let quoting = format!(
        r#"{{"error": {{"code": 400, "status": "INVALID_ARGUMENT", "message": "see https://x/?key={REAL_KEY}&a=b for project 482913374650"}}}}"#
    );
    check_quoted(Rule::new().respond(400, quoting.clone()), generate()).await;
    check_quoted(Rule::new().respond(200, quoting), generate()).await;
}

#[tokio::test]
async fn errors_inside_a_stream_that_has_begun_reach_the_caller_without_the_key() {
    for path in ["streamGenerateContent?alt=sse", "streamGenerateContent"] {
        let path = format!("/v1beta/models/{MODEL}:{path}");
        let rule = Rule::new().error_after_chunks(1, "gemini/errors/403_consumer_suspended.json");
        check_quoted(rule, crate::support::post(&path, prompt("hi"))).await;
    }
}
