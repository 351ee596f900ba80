//! A user of the admin API: logged in, and asking in JSON.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Answer, ClientKey, Connection, TestGateway, request};

/// The administrator of every test gateway.
pub(crate) const ADMIN: &str = "admin";
/// The administrator's password; the configuration fixes it.
pub(crate) const PASSWORD: &str = "correct-horse-battery";
/// The password of members that tests make.
pub(crate) const MEMBERS_PASSWORD: &str = "members-own-password";

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Operator {
    /// The administrator of a test gateway.
    pub(crate) async fn admin(gateway: &TestGateway) -> Self {
        Self::log_in(gateway.address, ADMIN, PASSWORD).await
    }

    /// Whoever has that name and password.
    pub(crate) async fn log_in(address: SocketAddr, name: &str, password: &str) -> Self {
        let answer = log_in(address, name, password, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        Self { address, token }
    }

    /// Makes a member of that name, and logs them in.
    pub(crate) async fn make_member(&self, name: &str) -> Self {
        self.make_user(name, "member").await;
        Self::log_in(self.address, name, MEMBERS_PASSWORD).await
    }

    /// Makes a user, and gives their id.
    pub(crate) async fn make_user(&self, name: &str, role: &str) -> i64 {
        let user = json!({"username": name, "password": MEMBERS_PASSWORD, "role": role});
        let made = self.post("/api/users", user).await.expect(201).json();
        made["id"].as_i64().unwrap()
    }

    /// Makes a client key.
    pub(crate) async fn make_client(&self, client: Value) -> ClientKey {
        let made = self.post("/api/allowed_keys", client).await;
        let made = made.expect(201).json();
        ClientKey {
            id: made["id"].as_i64().unwrap(),
            secret: made["key"].as_str().unwrap().to_owned(),
        }
    }

    /// Makes a client key named `{owner}-app` for its owner.
    pub(crate) async fn make_client_of(&self, owner: &str) -> ClientKey {
        self.make_client(json!({"name": format!("{owner}-app"), "owner": owner}))
            .await
    }

    /// Sets one run-time setting.
    pub(crate) async fn set(&self, name: &str, value: Value) {
        let values = json!({ name: value });
        self.put("/api/settings", values).await.expect(200);
    }

    /// Adds a key of `google`, and gives its id.
    pub(crate) async fn add_key(&self, key: &str) -> i64 {
        let added = self.post("/api/keys", json!({"provider": "google", "key": key}));
        added.await.expect(201).json()["id"].as_i64().unwrap()
    }

    /// The JSON of an answer that is as it should be.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    /// Any call with the session's token as bearer, on a connection of its own.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path, body);
        Connection::open(self.address).await.send(request).await
    }

    /// The same call, not yet sent.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Request<Full<Bytes>> {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(method, path, &headers, body)
    }

    /// All rows of a list, page by page.
    pub(crate) async fn rows(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let next = cursor.map_or(path.to_owned(), |cursor: String| {
                format!("{path}{sign}cursor={cursor}")
            });
            let page = self.read(&next).await;
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return rows,
            }
        }
    }
}

/// Tries to log in, with more headers.
pub(crate) async fn log_in(
    address: SocketAddr,
    name: &str,
    password: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let body = json!({"username": name, "password": password}).to_string();
    let request = request("POST", "/api/login", headers, body);
    Connection::open(address).await.send(request).await
}

impl Answer {
    /// The answer itself, when it has this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Refused with this status and code; gives the field that is blamed, or nothing.
    pub(crate) fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
        error["field"].as_str().unwrap_or_default().to_owned()
    }
}
