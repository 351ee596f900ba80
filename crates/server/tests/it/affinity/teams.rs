//! What a team of xAI's owns, and an organisation of any provider of OpenAI's shape: responses, and completions that are
//! made later.

use fake_upstream::{FakeKey, Script, xai};
use serde_json::{Value, json};

use super::OTHER_KEY;
use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

const GROK: &str = "grok-4.5";

async fn gateway() -> TestGateway {
    let keys: Vec<String> = (1..=12).map(|key| format!("xai-key-{key:02}")).collect();
    let script: Script = keys
        .iter()
        .fold(xai(), |script, key| script.key(FakeKey::new(key)));
    let fields = format!(
        "models_refresh: 0s
keys: [{}]",
        keys.join(", ")
    );
    TestGateway::new()
        .with_provider("xai", script, &fields)
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await
}

async fn ask(gateway: &TestGateway, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    gateway.send(request(method, path, &headers, body)).await
}

fn id_in(text: &str) -> String {
    let behind = text.split("\"id\":").nth(1).unwrap();
    behind.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_response_is_read_and_continued_with_the_key_that_made_it() {
    let gateway = gateway().await;
    for stream in [false, true] {
        let body = json!({"model": GROK, "input": "my secret is 42", "stream": stream});
        let made = ask(&gateway, CLIENT_KEY, "POST", "/p/xai/responses", body).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let id = id_in(&made.text());
        let path = format!("/p/xai/responses/{id}");
        let follow = json!({"model": GROK, "input": "and?", "previous_response_id": id});
        for _ in 0..4 {
            let found = ask(&gateway, CLIENT_KEY, "GET", &path, Value::Null).await;
            assert_eq!(found.status, 200, "stream {stream}: {}", found.text());
            let on = ask(
                &gateway,
                CLIENT_KEY,
                "POST",
                "/p/xai/responses",
                follow.clone(),
            )
            .await;
            assert_eq!(on.status, 200, "stream {stream}: {}", on.text());
        }
        gateway.provider("xai").clear_seen();
        for (method, path, body) in [
            ("GET", &*path, Value::Null),
            ("DELETE", &*path, Value::Null),
            ("POST", "/p/xai/responses", follow),
        ] {
            let refused = ask(&gateway, OTHER_KEY, method, path, body).await;
            assert_eq!(refused.status, 404, "{method} {path}: {}", refused.text());
        }
        assert_eq!(gateway.provider("xai").seen().len(), 0);
        let deleted = ask(&gateway, CLIENT_KEY, "DELETE", &path, Value::Null).await;
        assert_eq!(deleted.status, 200, "{}", deleted.text());
    }
}

#[tokio::test]
async fn a_deferred_completion_is_fetched_with_the_key_that_began_it() {
    let gateway = gateway().await;
    for (path, model) in [
        ("/p/xai/chat/completions", GROK.to_owned()),
        ("/v1/chat/completions", format!("xai/{GROK}")),
    ] {
        let body = json!({"model": model, "deferred": true, "messages": [{"role": "user", "content": "hi"}]});
        let made = ask(&gateway, CLIENT_KEY, "POST", path, body).await;
        assert_eq!(made.status, 200, "{path}: {}", made.text());
        let id = made.json()["request_id"].as_str().unwrap().to_owned();
        let poll = format!("/p/xai/chat/deferred-completion/{id}");
        let refused = ask(&gateway, OTHER_KEY, "GET", &poll, Value::Null).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.text());
        let pending = ask(&gateway, CLIENT_KEY, "GET", &poll, Value::Null).await;
        assert_eq!(pending.status, 202, "{path}: {}", pending.text());
        let done = ask(&gateway, CLIENT_KEY, "GET", &poll, Value::Null).await;
        assert_eq!(done.status, 200, "{path}: {}", done.text());
    }
}
