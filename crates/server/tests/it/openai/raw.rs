//! `/p/{provider}/…`: any endpoint of any provider, with a key of the pool and nothing else changed.

use domain::Class;
use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::{Value, json};

use super::{GROK, HOUSE, XAI_KEY, both, chat, data, get, place, post, post_as, refusal, streamed};
use crate::support::{CLIENT_KEY, Connection, MODEL, TestGateway, eventually, prompt, request};

async fn three() -> TestGateway {
    both(gemini(), xai().says("abcdef"))
        .with_provider("house", openai(), HOUSE)
        .start()
        .await
}

#[tokio::test]
async fn any_method_and_path_passes_with_its_query() {
    let echo = Rule::new().respond_with(207, &[("x-provider-says", "hello")], "{\"a\": 1.50}");
    let gateway = both(gemini(), xai().rule(echo)).start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let headers = [
            ("authorization", &*bearer),
            ("x-caller-says", "hello"),
            ("cookie", "a=b"),
            ("content-type", "application/json"),
        ];
        let path = format!("/p/xai/some/new%20thing:do?a=1&key={CLIENT_KEY}&b=%2F");
        let body = if method == "GET" { "" } else { "{\"x\": 1.0}" };
        let answer = gateway.send(request(method, &path, &headers, body)).await;
        assert_eq!(answer.status, 207, "{method}: {}", answer.text());
        assert_eq!(answer.text(), "{\"a\": 1.50}", "{method}");
        assert_eq!(answer.header("x-provider-says"), "hello", "{method}");
        let seen = gateway.provider("xai").seen().pop().unwrap();
        assert_eq!(seen.method, method);
        assert_eq!(seen.path_and_query, "/v1/some/new%20thing:do?a=1&b=%2F");
        assert_eq!(seen.body, body, "{method}");
        assert_eq!(seen.key.as_deref(), Some(XAI_KEY));
        assert_eq!(seen.header("x-caller-says"), Some("hello"));
        assert_eq!(seen.header("cookie"), None);
        assert!(!format!("{seen:?}").contains(CLIENT_KEY));
    }
}

#[tokio::test]
async fn the_body_is_not_touched() {
    let gateway = three().await;
    let body = format!(
        "{{ \"model\":\"{GROK}\", \"stream\":true,\"presence_penalty\":null, \
         \"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}] }}\n"
    );
    let answer = gateway
        .send(post("/p/xai/chat/completions", body.clone()))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.provider("xai").seen().pop().unwrap();
    assert_eq!(String::from_utf8_lossy(&seen.body), body);
    assert_eq!(data(&answer).last().unwrap(), "[DONE]");
    let record = gateway.record_of(&answer).await;
    assert_eq!(place(&record), format!("xai/{GROK}"));
}

#[tokio::test]
async fn a_model_that_is_limited_is_known_by_the_body() {
    let limited = Rule::new().model(GROK).fixture("xai/errors/429_rpm.json");
    let gateway = both(gemini(), xai().rule(limited)).start().await;
    let raw = |model: &str| post("/p/xai/chat/completions", chat(model).to_string());
    let answer = gateway.send(raw(GROK)).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_ne!(answer.header("retry-after"), "");
    let before = gateway.provider("xai").count();
    for request in [raw(GROK), super::ask(&chat(GROK))] {
        assert_eq!(gateway.send(request).await.status, 503);
    }
    assert_eq!(gateway.provider("xai").count(), before, "it is cooling");
    let other = gateway.send(raw("grok-4.5")).await;
    assert_eq!(other.status, 200, "{}", other.text());
}

#[tokio::test]
async fn dead_keys_are_passed_over_and_what_is_said_of_them_stays_here() {
    let script = xai()
        .key(FakeKey::new("xai-key-1").fault(KeyFault::Invalid))
        .key(FakeKey::new("xai-key-2"));
    let gateway = TestGateway::new()
        .with_provider(
            "xai",
            script,
            "keys: [xai-key-1, xai-key-2]\nmodels_refresh: 0s",
        )
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = get(&gateway, "/p/xai/models").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gateway.provider("xai").count(), 2);
    let last = FakeKey::new("xai-key-2").fault(KeyFault::PrepayDepleted);
    gateway.provider("xai").set_key(last);
    let answer = get(&gateway, "/p/xai/models").await;
    assert!(refusal(&answer).starts_with("503 server_error"));
    assert!(!answer.text().contains("team"), "{}", answer.text());
}

#[tokio::test]
async fn a_callers_mistake_comes_in_the_providers_own_words() {
    let gateway = three().await;
    let answer = gateway.send(post("/p/xai/chat/completions", "{}")).await;
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    assert!(
        answer.text().starts_with("Failed to deserialize"),
        "{}",
        answer.text()
    );
    let missing = get(&gateway, "/p/xai/nothing/here").await;
    assert_eq!(
        (missing.status, missing.text().as_str()),
        (404, "Not Found")
    );
}

#[tokio::test]
async fn a_model_that_is_not_there_leaves_the_rest_of_the_api_as_it_was() {
    let gateway = three().await;
    for provider in ["xai", "house"] {
        let missing = get(&gateway, &format!("/p/{provider}/models/nothing-like-it")).await;
        assert_eq!(missing.status, 404, "{}", missing.text());
        assert!(missing.text().contains("does not exist"), "{provider}");
        let list = get(&gateway, &format!("/p/{provider}/models")).await;
        assert_eq!(list.status, 200, "{provider}: {}", list.text());
    }
}

#[tokio::test]
async fn nobody_is_shown_what_the_provider_was_sent() {
    let gateway = three().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [("authorization", &*bearer)];
    for path in ["/p/xai/models", "/v1beta/models"] {
        let answer = gateway.send(request("TRACE", path, &headers, "")).await;
        assert_eq!(answer.status, 501, "{path}: {}", answer.text());
    }
    let asked = gateway.provider("xai").count() + gateway.upstream.count();
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn an_unknown_provider_is_refused_with_those_that_there_are() {
    let gateway = three().await;
    for path in ["/p/nobody/models", "/p/XAI/models", "/p/", "/p//models"] {
        let answer = get(&gateway, path).await;
        assert_eq!(
            refusal(&answer),
            "404 invalid_request_error unknown_provider -",
            "{path}"
        );
        let text = answer.text();
        for name in ["google", "xai", "house"] {
            assert!(text.contains(name), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_path_cannot_climb_out_of_its_provider() {
    let gateway = three().await;
    for path in [
        "/p/xai/../google/v1beta/models",
        "/p/xai/./models",
        "/p/xai/%2e%2e/models",
        "/p/xai/.%2E/models",
        "/p/xai/a/../../models",
        "/p/xai/..%2Fmodels",
        "/p/xai/a%2F..%2F..%2Fmodels",
        "/p/xai/..%5cmodels",
        "/p/xai/%2e%2e%2fmodels",
    ] {
        let answer = get(&gateway, path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
    assert_eq!(gateway.provider("xai").count(), 0);
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn limits_of_a_client_key_hold() {
    let gateway = both(gemini(), xai())
        .with_provider("house", openai(), HOUSE)
        .clients(&format!(
            "- {{ name: x, key: sk-xai-only-001, allowed_providers: [xai] }}\n\
             - {{ name: g, key: sk-grok-only-01, allowed_models: [{GROK}] }}"
        ))
        .start()
        .await;
    let path = "/p/xai/chat/completions";
    let named = |model: &str| chat(model).to_string();
    let twice = format!(r#"{{"model":"{GROK}","model":"grok-4.5"}}"#);
    let spelt = format!(r#"{{"model":"{GROK}","mod\u0065l":"grok-4.5"}}"#);
    let cased = format!(r#"{{"Model":"{GROK}"}}"#);
    for (secret, path, body, is_allowed) in [
        ("sk-xai-only-001", path, named(GROK), true),
        (
            "sk-xai-only-001",
            "/p/house/chat/completions",
            named("gpt-6-mini"),
            false,
        ),
        (
            "sk-xai-only-001",
            "/p/google/v1beta/models",
            String::new(),
            false,
        ),
        ("sk-grok-only-01", path, named(GROK), true),
        ("sk-grok-only-01", path, named("grok-4.5"), false),
        ("sk-grok-only-01", path, "{}".to_owned(), false),
        ("sk-grok-only-01", path, String::new(), false),
        ("sk-grok-only-01", path, twice, false),
        ("sk-grok-only-01", path, spelt, false),
        ("sk-grok-only-01", path, cased, false),
        (
            "sk-grok-only-01",
            "/p/xai/responses",
            named("grok-4.5"),
            false,
        ),
        (
            "sk-grok-only-01",
            "/p/xai/new/endpoint",
            named("grok-4.5"),
            false,
        ),
        (
            "sk-grok-only-01",
            "/p/google/v1beta/models/gemini-3.8-flash:generateContent",
            "{}".to_owned(),
            false,
        ),
        (
            "sk-grok-only-01",
            "/p/google/v1beta/openai/chat/completions",
            named(MODEL),
            false,
        ),
    ] {
        let answer = gateway.send(post_as(secret, path, body.clone())).await;
        let status = if is_allowed { 200 } else { 403 };
        assert_eq!(
            answer.status,
            status,
            "{secret} {path} {body}: {}",
            answer.text()
        );
    }
    assert_eq!(gateway.provider("xai").count(), 2);
    assert_eq!(
        gateway.provider("house").count() + gateway.upstream.count(),
        0
    );
}

#[tokio::test]
async fn a_form_cannot_name_a_model_that_is_not_allowed() {
    let gateway = both(gemini(), xai())
        .clients(&format!(
            "- {{ name: g, key: sk-grok-only-01, allowed_models: [{GROK}] }}"
        ))
        .start()
        .await;
    let headers = [
        ("authorization", "Bearer sk-grok-only-01"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let body = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\ngrok-4.5\r\n--b--\r\n";
    for path in ["/p/xai/audio/transcriptions", "/p/xai/images/edits"] {
        let answer = gateway.send(request("POST", path, &headers, body)).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn a_form_is_streamed_past_what_a_body_may_be() {
    let took = Rule::new().respond(200, "{\"id\": \"file-1\"}");
    let gateway = TestGateway::new()
        .with_provider("house", openai().rule(took), HOUSE)
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{}\r\n--b--\r\n",
        "x".repeat(3_000_000)
    );
    let length = body.len();
    let answer = gateway
        .send(request("POST", "/p/house/files", &headers, body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.provider("house").seen().pop().unwrap();
    assert_eq!(seen.body_len, length);
    assert_eq!(
        seen.header("content-type"),
        Some("multipart/form-data; boundary=b")
    );
    assert_eq!(seen.key.as_deref(), Some("house-key-1"));
}

#[tokio::test]
async fn googles_own_api_is_there_too() {
    let gateway = three().await;
    let path = format!("/p/google/v1beta/models/{MODEL}:generateContent");
    let answer = gateway.send(post(&path, prompt("Say hello"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    assert_eq!(place(&record), format!("google/{MODEL}"));
    assert_eq!(record.endpoint, "generateContent");
    let seen = gateway.upstream.seen().pop().unwrap();
    assert_eq!(
        seen.path_and_query,
        format!("/v1beta/models/{MODEL}:generateContent")
    );
    assert_eq!(seen.header("authorization"), None);
    let path = format!("/p/google/v1beta/models/{MODEL}:streamGenerateContent?alt=sse");
    let stream = gateway.send(post(&path, prompt("Say hello"))).await;
    assert!(
        stream
            .header("content-type")
            .starts_with("text/event-stream"),
        "{}",
        stream.text()
    );
    let compatible = "/p/google/v1beta/openai/chat/completions";
    let answer = gateway
        .send(post(compatible, chat(MODEL).to_string()))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["choices"].is_array());
}

#[tokio::test]
async fn streams_pass_break_and_are_let_go() {
    let gateway = three().await;
    let path = "/p/xai/chat/completions";
    let cut = Rule::new().cut_after_chunks(3).times(1);
    gateway.provider("xai").add_rule(cut);
    let request = || post(path, streamed(GROK).to_string());
    let broken = gateway.send(request()).await;
    assert_eq!((broken.status, broken.is_whole), (200, true));
    let last: Value = serde_json::from_str(data(&broken).last().unwrap()).unwrap();
    assert!(last["error"]["message"].is_string(), "{last}");
    let record = gateway.record_of(&broken).await;
    assert_eq!(record.error, Some(Class::Truncated));
    gateway
        .provider("xai")
        .add_rule(Rule::new().stall_after_chunks(3));
    let mut caller = Connection::open(gateway.address).await;
    let answer = caller.begin(request()).await;
    drop((answer, caller));
    eventually("the provider is let go", async || {
        gateway.provider("xai").seen()[1].disconnected.then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_stream_took_is_counted_where_it_says_so() {
    let gateway = three().await;
    let body = json!({
        "model": GROK, "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "hi"}],
    });
    let answer = gateway
        .send(post("/p/xai/chat/completions", body.to_string()))
        .await;
    assert!(answer.text().contains("cost_in_usd_ticks"));
    let record = gateway.record_of(&answer).await;
    assert!(record.usage.is_some() && record.cost.is_some());
}
