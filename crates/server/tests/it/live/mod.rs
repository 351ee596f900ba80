//! Live sessions: sockets of Google's Live API and of others, from the caller's side and from the provider's.

use std::time::Duration;

use fake_upstream::{FakeKey, Rule, gemini};
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Builder, CLIENT_KEY, TestGateway};

mod ending;
mod failing;
mod flooding;
mod limits;
mod malformed;
mod naming;
mod passing;
mod realtime;
mod resuming;
mod tokens;
mod ways;

/// Google's path of a session.
const PATH: &str = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
/// The model that sessions are for.
const LIVE_MODEL: &str = "gemini-live-2.5-flash";
/// The patience of every wait; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// A caller's end of a session.
#[derive(Debug)]
struct Session(WebSocketStream<TcpStream>);

impl Session {
    /// Opens the socket with these headers, or gives the status of the refusal.
    async fn try_open(
        gateway: &TestGateway,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let url = format!("ws://{}{path}", gateway.address);
        let mut request: Request<()> = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(gateway.address).await.unwrap();
        match tokio_tungstenite::client_async(request, tcp).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens the socket with the client key.
    async fn open(gateway: &TestGateway) -> Self {
        Self::open_as(gateway, CLIENT_KEY).await
    }

    async fn open_as(gateway: &TestGateway, key: &str) -> Self {
        let headers = [("x-goog-api-key", key)];
        Self::try_open(gateway, PATH, &headers).await.unwrap()
    }

    /// Opens a session of the model.
    async fn begin(gateway: &TestGateway) -> Self {
        let mut session = Self::open(gateway).await;
        session.set_up(json!({})).await;
        session
    }

    /// Sets the session up with more than its model, and waits until it is.
    async fn set_up(&mut self, more: Value) {
        self.say(&setup(more)).await;
        assert_eq!(self.hear().await, json!({"setupComplete": {}}));
    }

    async fn say(&mut self, value: &Value) {
        self.say_as_written(value.to_string()).await;
    }

    async fn say_as_written(&mut self, text: String) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message.
    async fn hear(&mut self) -> Value {
        match self.next().await {
            Message::Binary(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The next message that has this member, and its value.
    async fn hear_of(&mut self, member: &str) -> Value {
        loop {
            let mut message = self.hear().await;
            if !message[member].is_null() {
                return message[member].take();
            }
        }
    }

    /// Says a text, and gives all that is answered until the turn is over.
    async fn ask(&mut self, text: &str) -> String {
        self.say(&turn(text)).await;
        self.answer().await
    }

    /// What is said until the turn is over.
    async fn answer(&mut self) -> String {
        let mut said = String::new();
        loop {
            let content = self.hear_of("serverContent").await;
            let parts = content["modelTurn"]["parts"].as_array();
            for part in parts.into_iter().flatten() {
                said.push_str(part["text"].as_str().unwrap_or_default());
            }
            if content["turnComplete"] == true {
                return said;
            }
        }
    }

    /// The code and the words with which the session is closed; messages before that are passed over.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                let frame: CloseFrame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    async fn close(mut self) {
        self.0.close(None).await.unwrap();
        while let Some(Ok(_)) = self.0.next().await {}
    }

    async fn next(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let message = next.unwrap().unwrap().unwrap();
            if !matches!(message, Message::Ping(_) | Message::Pong(_)) {
                return message;
            }
        }
    }
}

fn setup(more: Value) -> Value {
    let mut setup = json!({"model": format!("models/{LIVE_MODEL}")});
    let (members, more) = (setup.as_object_mut().unwrap(), more);
    members.extend(more.as_object().unwrap().clone());
    json!({"setup": setup})
}

fn turn(text: &str) -> Value {
    let turn = json!({"role": "user", "parts": [{"text": text}]});
    json!({"clientContent": {"turns": [turn], "turnComplete": true}})
}

/// A gateway to be, with so many keys that are used in turns.
fn taking_turns(count: usize) -> Builder {
    let keys = (1..=count).map(|n| format!("AIza-key-{n}"));
    let script = keys
        .clone()
        .fold(gemini(), |script, key| script.key(FakeKey::new(&key)));
    TestGateway::new()
        .upstream(script)
        .keys(keys)
        .setting("pool.strategy", "round_robin")
}

/// A gateway with two keys, of which the first is used first.
async fn with_two_keys(first: FakeKey, rules: impl IntoIterator<Item = Rule>) -> TestGateway {
    let script = gemini().key(first).key(FakeKey::new("AIza-second"));
    let script = rules.into_iter().fold(script, fake_upstream::Script::rule);
    TestGateway::new()
        .upstream(script)
        .setting("pool.request_timeout", "2s")
        .keys([
            "{ key: AIza-first, priority: 0 }",
            "{ key: AIza-second, priority: 1 }",
        ])
        .start()
        .await
}
