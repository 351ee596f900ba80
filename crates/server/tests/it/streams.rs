//! Streams, in both framings: server-sent events and Google's JSON array. Held until the first useful chunk (`held.rs`),
//! passed as they come (`passing.rs`), ended in the dialect when they break (`broken.rs`), cancelled when the caller
//! leaves (`leaving.rs`); comments while a caller waits (`heartbeats.rs`).

mod broken;
mod heartbeats;
mod held;
mod leaving;
mod passing;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::support::{Answer, MODEL, RawAnswer, RawUpstream, TestGateway, post, prompt};

/// How a stream is framed, and how the provider is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Sse,
    Array,
    /// Server-sent events over TLS and HTTP/2.
    SseTls,
    /// A JSON array over TLS and HTTP/2.
    ArrayTls,
}

impl Way {
    const ALL: [Self; 4] = [Self::Sse, Self::Array, Self::SseTls, Self::ArrayTls];

    fn is_sse(self) -> bool {
        matches!(self, Self::Sse | Self::SseTls)
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::SseTls | Self::ArrayTls)
    }

    fn path(self) -> String {
        let query = if self.is_sse() { "?alt=sse" } else { "" };
        format!("/v1beta/models/{MODEL}:streamGenerateContent{query}")
    }

    fn request(self) -> Request<Full<Bytes>> {
        post(&self.path(), prompt("Say hello"))
    }

    fn content_type(self) -> &'static str {
        if self.is_sse() {
            "text/event-stream"
        } else {
            "application/json; charset=UTF-8"
        }
    }

    /// A script that is reached this way.
    fn script(self) -> fake_upstream::Script {
        let script = fake_upstream::gemini();
        if self.is_tls() { script.tls() } else { script }
    }
}

/// One event's JSON that says a text.
fn says(text: &str) -> String {
    format!(r#"{{"candidates": [{{"content": {{"parts": [{{"text": "{text}"}}]}}}}]}}"#)
}

/// The last event's JSON: a text and a finish reason.
fn ends(text: &str) -> String {
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{{"text": "{text}"}}]}}, "finishReason": "STOP"}}]}}"#
    )
}

/// A gateway in front of a provider that the test plays itself.
async fn raw_gateway() -> (TestGateway, RawUpstream) {
    let upstream = RawUpstream::start().await;
    let gateway = TestGateway::new()
        .base_url(format!("http://{}", upstream.address))
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    (gateway, upstream)
}

/// The caller's answer, while the provider plays its part as far as that goes.
async fn answered(
    caller: impl Future<Output = Answer>,
    provider: impl Future<Output = ()>,
) -> Answer {
    tokio::select! {
        answer = caller => answer,
        () = async { provider.await; std::future::pending().await } => unreachable!(),
    }
}

/// Answers with one whole stream.
async fn answer_whole(mut answer: RawAnswer, way: Way, text: &str) {
    answer.begin(way.content_type()).await;
    let event = ends(text);
    let body = if way.is_sse() {
        format!("data: {event}\r\n\r\n")
    } else {
        format!("[{event}]")
    };
    answer.chunk(body).await;
    answer.end().await;
}

/// Reads a body until so many bytes of it are there.
async fn read_at_least(body: &mut Incoming, bytes: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes {
        let frame = body.frame().await.unwrap().unwrap();
        read.extend_from_slice(frame.data_ref().unwrap());
    }
    read
}
