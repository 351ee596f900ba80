//! WebSockets: the handshake, and the line that a talk is held on, which scripted faults cut.
//! What is said on it is in the providers' folders.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Request, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use crate::body::Stake;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::{Deed, Midway, Then};
use crate::socket::Cord;

/// A close frame has room for so many bytes of text (RFC 6455, 5.5.1).
const LONGEST_REASON: usize = 123;

/// The talk is over; there is nothing left to say.
#[derive(Debug)]
pub(crate) struct Over;

/// What can be talked about on a line.
pub(crate) trait Talk: Send + 'static {
    /// Talks until either side has enough.
    fn hold(self: Box<Self>, line: Line) -> futures_util::future::BoxFuture<'static, ()>;
}

/// A client's wish to speak WebSocket.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: String,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// The wish that a request brings, if it does.
    pub(crate) fn asked_for<B>(request: &mut Request<B>) -> Option<Self> {
        let wanted = request.headers().get(UPGRADE)?;
        if !wanted.as_bytes().eq_ignore_ascii_case(b"websocket") {
            return None;
        }
        let key = request.headers().get(SEC_WEBSOCKET_KEY)?;
        let accept = derive_accept_key(key.as_bytes());
        let upgrade = hyper::upgrade::on(request);
        Some(Self { accept, upgrade })
    }

    /// The answer that grants it.
    pub(crate) fn reply(&self) -> Reply {
        let reply = Reply::new(StatusCode::SWITCHING_PROTOCOLS, "text/plain", Bytes::new());
        let headers: [(HeaderName, &str); 3] = [
            (UPGRADE, "websocket"),
            (CONNECTION, "Upgrade"),
            (SEC_WEBSOCKET_ACCEPT, &self.accept),
        ];
        headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    }

    /// The line, once the answer has been sent; none when the client did not wait for it.
    pub(crate) async fn line(self, deed: Deed, stake: Stake, cord: Arc<Cord>) -> Option<Line> {
        let io = TokioIo::new(self.upgrade.await.ok()?);
        Some(Line {
            socket: WebSocketStream::from_raw_socket(io, Role::Server, None).await,
            sent: 0,
            midway: deed.midway().cloned(),
            stake,
            cord,
        })
    }
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct Line {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    /// Messages so far.
    sent: usize,
    midway: Option<Midway>,
    stake: Stake,
    cord: Arc<Cord>,
}

impl Line {
    /// Says JSON in a binary message, as Google does.
    pub(crate) async fn say(&mut self, value: &Value) -> Result<(), Over> {
        self.send(Message::Binary(value.to_string().into())).await
    }

    /// Says JSON in a text message, as everybody else does.
    pub(crate) async fn say_in_text(&mut self, value: &Value) -> Result<(), Over> {
        self.send(Message::Text(value.to_string().into())).await
    }

    /// The next message; its first one is what the record shows as the body.
    pub(crate) async fn hear(&mut self) -> Result<Bytes, Over> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text.into(),
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(_))) => {
                    // Reading on sends the answer to it.
                    while let Some(Ok(_)) = self.socket.next().await {}
                    self.stake.complete();
                    return Err(Over);
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(Over),
            };
            if let Some(visit) = &self.stake.visit {
                visit.body(&message);
            }
            return Ok(message);
        }
    }

    /// Says goodbye with a code and a text, and waits for the answer to it.
    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: shortened(reason).into(),
        };
        self.stake.complete();
        let _ = self.socket.close(Some(frame)).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Says goodbye as Google does for such an error.
    pub(crate) async fn refuse(&mut self, refusal: &Refusal) {
        let code = match refusal.status.as_u16() {
            400 => 1007,
            401 | 403 | 404 => 1008,
            _ => 1011,
        };
        self.close(code, &refusal.message()).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        if let Some(midway) = self.midway.take_if(|midway| midway.after <= self.sent) {
            return self.break_off(midway.then).await;
        }
        self.sent += 1;
        self.socket.send(message).await.map_err(|_| Over)
    }

    async fn break_off(&mut self, then: Then) -> Result<(), Over> {
        self.stake.complete();
        match then {
            Then::Stall => pending().await,
            Then::Reset => self.cord.reset(),
            Then::Cut => self.cord.close(),
            Then::End => {
                self.close(1000, "").await;
                return Err(Over);
            }
            Then::Error(refusal) => {
                self.refuse(&refusal).await;
                return Err(Over);
            }
        }
        pending().await
    }
}

fn shortened(reason: &str) -> &str {
    let longest = reason.len().min(LONGEST_REASON);
    let end = (0..=longest).rfind(|end| reason.is_char_boundary(*end));
    &reason[..end.unwrap_or_default()]
}
