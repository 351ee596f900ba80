//! Bodies: what keymux does not know passes untouched both ways, what could be read in two ways is refused, and sizes.

use fake_upstream::{Rule, gemini, openai, xai};
use serde_json::{Value, json};

use super::{CHAT, GROK, ask, both, chat, message, post, refusal, streamed};
use crate::support::{CLIENT_KEY, MODEL, TestGateway, request};

const HOUSE: &str = "keys: [house-key-1]\nmodels_refresh: 0s";

/// Google, xAI and a server of OpenAI's kind.
async fn three() -> TestGateway {
    both(gemini(), xai())
        .with_provider("house", openai(), HOUSE)
        .start()
        .await
}

fn last_sent(gateway: &TestGateway, provider: &str) -> Value {
    let upstream = match provider {
        "google" => &gateway.upstream,
        other => gateway.provider(other),
    };
    serde_json::from_slice(&upstream.seen().pop().unwrap().body).unwrap()
}

#[tokio::test]
async fn nothing_of_a_request_changes_but_its_model() {
    let gateway = three().await;
    for written in [
        "\"house/gpt-6-mini\"",
        r#""house\/gpt-6-mini""#,
        "\"house\\u002fgpt-6-mini\"",
    ] {
        let body = |model: &str| {
            format!(
                "{{ \"x-new\" :{{\"a\":[1.50,2e3,null]}} ,\n\t\"model\":{model},\"n\": 1, \"messages\":\
                 [{{\"role\":\"user\",\"content\":\"h\\u00e9\\ud83d\\ude00\",\"z\":0.10}}],\"seed\":12345678901234567890 }}\n"
            )
        };
        let answer = gateway.send(post(CHAT, body(written))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = gateway.provider("house").seen().pop().unwrap();
        let sent = String::from_utf8_lossy(&seen.body).into_owned();
        assert_eq!(sent, body("\"gpt-6-mini\""));
        assert_eq!(seen.path_and_query, "/v1/chat/completions");
    }
}

#[tokio::test]
async fn nothing_of_an_answer_changes() {
    let document = "{ \"choices\" : [ {\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"h\\u00e9\",\
                    \"new\":1.50},\"finish_reason\":\"stop\"} ],\n \"usage\":{\"prompt_tokens\":1,\
                    \"completion_tokens\":2,\"total_tokens\":3}, \"x_new\":[1e3] }\n";
    let rule = Rule::new().respond_with(200, &[("x-provider-says", "hello")], document);
    let gateway = both(gemini().rule(rule.clone()), xai().rule(rule.clone()))
        .with_provider("house", openai().rule(rule), HOUSE)
        .start()
        .await;
    for model in [MODEL, GROK, "house/gpt-6-mini"] {
        let answer = gateway.send(ask(&chat(model))).await;
        assert_eq!(answer.text(), document, "{model}");
        assert_eq!(answer.header("x-provider-says"), "hello", "{model}");
        let usage = gateway.record_of(&answer).await.usage.unwrap();
        assert_eq!((usage.prompt, usage.output, usage.total), (1, 2, 3));
    }
}

#[tokio::test]
async fn fields_are_dropped_for_those_alone_who_reject_them() {
    let gateway = three().await;
    let more = json!({
        "stop": ["END"], "presence_penalty": 0.5, "frequency_penalty": 0.5, "store": true,
        "user": "u", "metadata": {"a": "b"}, "logit_bias": {}, "prompt_cache_key": "k",
        "search_parameters": {"mode": "off"}, "seed": 7,
    });
    for (model, provider, dropped) in [
        (
            "grok-4.6",
            "xai",
            &[
                "stop",
                "presence_penalty",
                "frequency_penalty",
                "search_parameters",
            ][..],
        ),
        ("grok-4.20-non-reasoning", "xai", &["search_parameters"]),
        ("house/gpt-6-mini", "house", &[]),
    ] {
        let mut body = chat(model);
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let sent = last_sent(&gateway, provider);
        for (name, value) in more.as_object().unwrap() {
            let expected = (!dropped.contains(&name.as_str())).then_some(value);
            assert_eq!(sent.get(name), expected, "{model} {name}");
        }
    }
}

#[tokio::test]
async fn google_gets_no_field_of_openais_own_that_it_rejects() {
    let gateway = three().await;
    let mut body = chat(MODEL);
    let own = json!({
        "store": true, "user": "u", "metadata": {"a": "b"}, "logit_bias": {},
        "prompt_cache_key": "k", "presence_penalty": 0.5, "verbosity": "low", "seed": 7,
    });
    body.as_object_mut()
        .unwrap()
        .extend(own.as_object().unwrap().clone());
    let answer = gateway.send(ask(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = last_sent(&gateway, "google");
    let names: Vec<&str> = sent.as_object().unwrap().keys().map(|n| &**n).collect();
    assert_eq!(names, ["model", "messages", "seed"]);
    assert_eq!(
        gateway.upstream.seen()[0].path_and_query,
        "/v1beta/openai/chat/completions"
    );
}

#[tokio::test]
async fn a_field_that_google_does_not_know_is_the_callers_mistake() {
    let gateway = three().await;
    let mut body = chat(MODEL);
    body["reasoning"] = json!({});
    let answer = gateway.send(ask(&body)).await;
    assert_eq!(refusal(&answer), "400 invalid_request_error - -");
    assert!(message(&answer).contains("Unknown name \"reasoning\""));
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn a_large_picture_passes() {
    let gateway = three().await;
    let picture = format!("data:image/png;base64,{}", "iVBORw0KGgo+".repeat(1_750_000));
    for model in ["house/gpt-6-mini", "google/gemini-3.8-flash"] {
        let body = json!({"model": model, "messages": [{"role": "user", "content": [
            {"type": "text", "text": "what is this?"},
            {"type": "image_url", "image_url": {"url": picture}},
        ]}]});
        let body = body.to_string();
        let length = body.len();
        let answer = gateway.send(post(CHAT, body)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let upstream = if model.starts_with("house") {
            gateway.provider("house")
        } else {
            &gateway.upstream
        };
        let prefix = model.find('/').unwrap() + 1;
        assert_eq!(upstream.seen()[0].body_len, length - prefix, "{model}");
    }
}

/// Refused before any provider is asked; gives nothing away but the member at fault.
async fn check_refused(gateway: &TestGateway, body: &str, param: &str) {
    for path in [CHAT, "/v1/embeddings", "/v1/images/generations"] {
        let answer = gateway.send(post(path, body.to_owned())).await;
        let expected = format!("400 invalid_request_error - {param}");
        assert_eq!(refusal(&answer), expected, "{path} {body}");
    }
}

#[tokio::test]
async fn a_body_that_could_be_read_otherwise_is_refused() {
    let gateway = three().await;
    for (body, param) in [
        (r#"{"model":"grok-4.6","model":"grok-4.5"}"#, "model"),
        (r#"{"model":"grok-4.6","mod\u0065l":"grok-4.5"}"#, "model"),
        (r#"{"model":"grok-4.6","Model":"grok-4.5"}"#, "Model"),
        (
            r#"{"model":"grok-4.6","stream":true,"stream":false}"#,
            "stream",
        ),
        (
            r#"{"model":"grok-4.6","messages":[],"messages":[1]}"#,
            "messages",
        ),
        (
            r#"{"model":"grok-4.6","stream_options":{"include_usage":true,"include_usage":false}}"#,
            "stream_options",
        ),
    ] {
        check_refused(&gateway, body, param).await;
    }
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let gateway = three().await;
    let deep = format!(
        "{{\"model\":\"{GROK}\",\"messages\":{}",
        "[".repeat(100_000)
    );
    for body in [
        "",
        " ",
        "null",
        "[]",
        "\"grok-4.6\"",
        "{",
        "{'model':'grok-4.6'}",
        r#"{"model":"grok-4.6",}"#,
        r#"{"model":"grok-4.6"} {"model":"grok-4.6"}"#,
        "model=grok-4.6",
        &deep,
    ] {
        check_refused(&gateway, body, "-").await;
    }
    let many: Vec<String> = (0..5000).map(|n| format!(",\"m{n}\":1")).collect();
    let many = many.concat();
    check_refused(&gateway, &format!("{{\"model\":\"{GROK}\"{many}}}"), "-").await;
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn members_of_a_wrong_type_are_refused() {
    let gateway = three().await;
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(100_000));
    for (body, param) in [
        (r#"{"model":5}"#, "model"),
        (r#"{"model":["grok-4.6"]}"#, "model"),
        (r#"{"model":{"id":"grok-4.6"}}"#, "model"),
        (&*long, "model"),
        (r#"{"model":"grok-4.6","stream":"true"}"#, "stream"),
        (r#"{"model":"grok-4.6","stream":1}"#, "stream"),
        (
            r#"{"model":"grok-4.6","stream_options":3}"#,
            "stream_options",
        ),
        (
            r#"{"model":"grok-4.6","stream_options":[]}"#,
            "stream_options",
        ),
    ] {
        check_refused(&gateway, body, param).await;
    }
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn what_the_provider_finds_wrong_is_told_in_its_words() {
    let gateway = three().await;
    for model in ["grok-4.6", "house/gpt-6-mini", MODEL] {
        let answer = gateway
            .send(post(CHAT, json!({"model": model}).to_string()))
            .await;
        let line = refusal(&answer);
        assert!(
            line.starts_with("400 invalid_request_error") || line.starts_with("422 "),
            "{model}: {line}"
        );
        assert!(message(&answer).contains("messages"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_request_needs_no_content_type() {
    let gateway = three().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    for kind in [
        None,
        Some("text/plain"),
        Some("application/json; charset=utf-8"),
    ] {
        let mut headers = vec![("authorization", &*bearer)];
        headers.extend(kind.map(|kind| ("content-type", kind)));
        for body in [chat(GROK), streamed(GROK)] {
            let request = request("POST", CHAT, &headers, body.to_string());
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, 200, "{kind:?}: {}", answer.text());
            let seen = gateway.provider("xai").seen().pop().unwrap();
            assert_eq!(seen.header("content-type"), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_openais_shape() {
    let gateway = both(gemini(), xai())
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    for path in [CHAT, "/v1/embeddings", "/p/xai/chat/completions"] {
        let mut body = chat(GROK);
        body["user"] = json!("x".repeat(2000));
        let answer = gateway.send(post(path, body.to_string())).await;
        assert_eq!(refusal(&answer), "413 invalid_request_error - -", "{path}");
        assert!(message(&answer).contains("server.max_body"), "{path}");
    }
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn what_the_caller_says_in_the_query_and_its_headers_goes_to_nobody() {
    let gateway = three().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [
        ("authorization", &*bearer),
        ("cookie", "session=caller"),
        ("x-forwarded-for", "203.0.113.7"),
        ("openai-organization", "org-1"),
        ("x-stainless-lang", "python"),
    ];
    let path = format!("{CHAT}?beta=true&key={CLIENT_KEY}");
    let answer = gateway
        .send(request("POST", &path, &headers, chat(GROK).to_string()))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.provider("xai").seen().remove(0);
    let sent = format!("{} {:?}", seen.path_and_query, seen.headers);
    for secret in [CLIENT_KEY, "caller", "203.0.113.7"] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    assert_eq!(seen.key.as_deref(), Some("xai-key-0001"));
}
