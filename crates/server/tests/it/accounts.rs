//! Users with provider keys of their own: in which order a request uses them (`order.rs`), how the selection moves
//! (`selection.rs`), what the account API does (`keys.rs`, `log.rs`) and whom it lets in (`callers.rs`).

mod callers;
mod keys;
mod log;
mod order;
mod selection;

use fake_upstream::Rule;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, MODEL, Operator, TestGateway, eventually, generate_path, prompt, request,
};

const KEYS: &str = "/api/v1/provider-keys";
const LOG: &str = "/api/v1/activity-logs";
/// The only key of the shared pool.
const SHARED: &str = "AIza-key-1";

/// Somebody with a client key, and so with keys of their own.
#[derive(Clone, Debug)]
struct Member<'a> {
    gateway: &'a TestGateway,
    client: String,
}

impl<'a> Member<'a> {
    /// A new user with a client key named `{name}-app`.
    async fn new(gateway: &'a TestGateway, name: &str) -> Self {
        let admin = Operator::admin(gateway).await;
        admin.make_user(name, "member").await;
        let client = admin.make_client_of(name).await.secret;
        Self { gateway, client }
    }
}

impl Member<'_> {
    /// The same one, at another gateway of the same data.
    fn at<'b>(&self, gateway: &'b TestGateway) -> Member<'b> {
        let client = self.client.clone();
        Member { gateway, client }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.client);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let request = request(method, path, &headers, body);
        self.gateway.send(request).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Adds a key to Google; gives its id.
    async fn add(&self, key: &str) -> i64 {
        let key = json!({"provider_name": "google", "api_key": key});
        let added = self.call("POST", KEYS, &key).await;
        assert_eq!(added.status, 201, "{}", added.text());
        added.json()["id"].as_i64().unwrap()
    }

    async fn select(&self, id: i64) -> Answer {
        let change = json!({"is_selected": true});
        self.call("PATCH", &format!("{KEYS}/{id}"), &change).await
    }

    /// The id of the selected key, where one is.
    async fn selected(&self) -> Option<i64> {
        let keys = self.get(KEYS).await["items"].clone();
        let keys = keys.as_array().unwrap();
        let selected: Vec<_> = keys
            .iter()
            .filter(|key| key["is_selected"] == true)
            .collect();
        assert!(selected.len() <= 1, "{selected:?}");
        selected.first().and_then(|key| key["id"].as_i64())
    }

    /// The lines of the log, newest first.
    async fn lines(&self) -> Vec<Value> {
        self.get(&format!("{LOG}?limit=500")).await["items"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The lines of an action, newest first, once there is one.
    async fn lines_of(&self, action: &str) -> Vec<Value> {
        eventually(action, async || {
            let mut lines = self.lines().await;
            lines.retain(|line| line["action"] == action);
            (!lines.is_empty()).then_some(lines)
        })
        .await
    }

    /// Asks the model, and perhaps brings a key.
    async fn generate_with(&self, brought: Option<&str>) -> Answer {
        let mut headers = vec![("x-goog-api-key", self.client.as_str())];
        headers.extend(brought.map(|key| ("X-Google-API-Key", key)));
        let path = generate_path(MODEL);
        let request = request("POST", &path, &headers, prompt("Say hello"));
        self.gateway.send(request).await
    }

    async fn generate(&self) -> Answer {
        self.generate_with(None).await
    }
}

/// The keys that the provider was shown, in order.
fn shown(gateway: &TestGateway) -> Vec<String> {
    let seen = gateway.upstream.seen().into_iter();
    seen.filter_map(|call| call.key).collect()
}

/// The provider refuses a key from now on, as a fixture says.
fn refuse(gateway: &TestGateway, key: &str, fixture: &str) {
    let fixture = format!("gemini/errors/{fixture}");
    let rule = Rule::new().key(key).fixture(&fixture);
    gateway.upstream.add_rule(rule);
}

/// That an answer is an error of the account API whose text holds this.
fn assert_detail(answer: &Answer, status: StatusCode, text: &str) {
    assert_eq!(answer.status, status.as_u16(), "{}", answer.text());
    let body = answer.json();
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains(text), "{detail:?} without {text:?}");
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
}
