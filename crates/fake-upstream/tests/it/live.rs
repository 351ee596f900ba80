//! The Live API and xAI's realtime API: WebSockets as Google and xAI speak on them, and how they are refused.

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, Rule, gemini, xai};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{eventually, post, within};

const PATH: &str = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

struct Line(WebSocketStream<TcpStream>);

impl Line {
    async fn open(upstream: &FakeUpstream, path: &str, header: (&'static str, &str)) -> Self {
        Self::try_open(upstream, path, header).await.unwrap()
    }

    /// Opens a socket, or gives the status of the refusal.
    async fn try_open(
        upstream: &FakeUpstream,
        path: &str,
        (name, value): (&'static str, &str),
    ) -> Result<Self, u16> {
        let url = format!("ws://{}{path}", upstream.addr());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let tcp = TcpStream::connect(upstream.addr()).await.unwrap();
        match tokio_tungstenite::client_async(request, tcp).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A session of the Live API with that key.
    async fn live(upstream: &FakeUpstream, key: &str, more: Value) -> Self {
        let mut line = Self::open(upstream, PATH, ("x-goog-api-key", key)).await;
        let mut setup = json!({"model": "models/gemini-live"});
        let members = setup.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        line.say(json!({"setup": setup})).await;
        line
    }

    async fn say(&mut self, value: Value) {
        let message = Message::Text(value.to_string().into());
        self.0.send(message).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let message = within(self.0.next()).await.unwrap().unwrap();
        serde_json::from_slice(&message.into_data()).unwrap()
    }

    async fn hear_of(&mut self, member: &str) -> Value {
        loop {
            let message = self.hear().await;
            if !message[member].is_null() {
                return message[member].clone();
            }
        }
    }

    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = within(self.0.next()).await.unwrap().unwrap() {
                let frame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

fn turn(text: &str) -> Value {
    let turn = json!({"role": "user", "parts": [{"text": text}]});
    json!({"clientContent": {"turns": [turn], "turnComplete": true}})
}

#[tokio::test]
async fn a_turn_is_answered_and_counted() {
    let upstream = gemini().says("Hello").start().await;
    let mut line = Line::live(&upstream, "k", json!({})).await;
    assert_eq!(line.hear().await, json!({"setupComplete": {}}));
    line.say(turn("Hi")).await;
    let mut said = String::new();
    let usage = loop {
        let message = line.hear().await;
        let content = &message["serverContent"];
        let part = &content["modelTurn"]["parts"][0]["text"];
        said.push_str(part.as_str().unwrap_or_default());
        if content["turnComplete"] == true {
            break message["usageMetadata"].clone();
        }
    };
    assert_eq!(said, "Hello");
    assert_eq!(usage["responseTokenCount"], 2);
    drop(line);
    eventually(|| upstream.seen()[0].disconnected).await;
}

#[tokio::test]
async fn keys_are_refused_by_how_the_socket_is_closed() {
    for (fault, code, words) in [
        (KeyFault::Invalid, 1007, "API key not valid"),
        (KeyFault::PrepayDepleted, 1011, "prepayment credits"),
        (KeyFault::Leaked, 1008, "leaked"),
    ] {
        let key = FakeKey::new("k").fault(fault);
        let upstream = gemini().key(key).start().await;
        let mut line = Line::open(&upstream, PATH, ("x-goog-api-key", "k")).await;
        let (given, reason) = line.closed().await;
        assert_eq!(given, code, "{reason}");
        assert!(reason.contains(words), "{reason}");
    }
    let key = FakeKey::new("k").rpm("gemini-live", 0);
    let upstream = gemini().key(key).start().await;
    let mut line = Line::live(&upstream, "k", json!({})).await;
    let (code, reason) = line.closed().await;
    assert_eq!(code, 1011);
    assert!(reason.starts_with("You exceeded your current quota"));
}

#[tokio::test]
async fn rules_break_a_session_off_after_so_many_messages() {
    let rule = Rule::new().error_after_chunks(1, "gemini/errors/503_overloaded.json");
    let upstream = gemini().rule(rule).start().await;
    let mut line = Line::live(&upstream, "k", json!({})).await;
    assert_eq!(line.hear().await, json!({"setupComplete": {}}));
    line.say(turn("Hi")).await;
    assert_eq!(line.closed().await.0, 1011);
}

#[tokio::test]
async fn a_handle_goes_on_with_a_session_of_its_project_alone() {
    let upstream = gemini().start().await;
    let mut line = Line::live(&upstream, "k", json!({"sessionResumption": {}})).await;
    line.say(turn("GO_AWAY")).await;
    line.hear_of("goAway").await;
    assert_eq!(line.closed().await.0, 1001);
    let mut line = Line::live(&upstream, "k", json!({"sessionResumption": {}})).await;
    let handle = line.hear_of("sessionResumptionUpdate").await["newHandle"].clone();
    let again = json!({"sessionResumption": {"handle": handle}});
    let mut own = Line::live(&upstream, "k", again.clone()).await;
    own.hear_of("setupComplete").await;
    let mut foreign = Line::live(&upstream, "other", again).await;
    assert_eq!(foreign.closed().await.0, 1008);
}

#[tokio::test]
async fn a_token_is_good_for_so_many_sessions() {
    let upstream = gemini().start().await;
    let made = post("/v1alpha/auth_tokens", r#"{"uses": 1}"#).key("k");
    let token = made.send(&upstream).await.json()["name"].clone();
    let shown = format!("Token {}", token.as_str().unwrap());
    let setup = json!({"setup": {"model": "models/gemini-live"}});
    let mut line = Line::open(&upstream, PATH, ("authorization", &shown)).await;
    line.say(setup).await;
    line.hear_of("setupComplete").await;
    let mut line = Line::open(&upstream, PATH, ("authorization", &shown)).await;
    assert_eq!(line.closed().await.0, 1008);
}

#[tokio::test]
async fn xai_speaks_first_and_refuses_before() {
    let upstream = xai().key(FakeKey::new("xai-1")).says("Hello").start().await;
    let bearer = |key: &str| format!("Bearer {key}");
    let (good, bad) = (bearer("xai-1"), bearer("xai-2"));
    let path = "/v1/realtime?model=grok-voice";
    let refused = Line::try_open(&upstream, path, ("authorization", &bad)).await;
    assert_eq!(refused.err(), Some(400));
    let mut line = Line::open(&upstream, path, ("authorization", &good)).await;
    assert_eq!(line.hear().await["type"], "session.created");
    line.say(json!({"type": "response.create"})).await;
    let done = line.hear_of("response").await;
    assert!(done["id"].is_string());
    while line.hear().await["type"] != "response.done" {}
}
