//! How a session is closed: the code and the words, without what is nobody's business, and the parting of two sockets.

use std::time::Duration;

use bytes::Bytes;
use domain::Verdict;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::super::error::GatewayError;
use super::passing::Malformed;
use super::socket::Socket;
use crate::live_sessions::EndedBy;

/// A close frame has room for so many bytes of text (RFC 6455, 5.5.1).
const LONGEST_REASON: usize = 123;
/// How long the other side may take to say goodbye too.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Codes of RFC 6455, 7.4.1, and of the registry that it began.
const GOING_AWAY: u16 = 1001;
const PROTOCOL: u16 = 1002;
const NO_CODE: u16 = 1005;
const INVALID: u16 = 1007;
const POLICY: u16 = 1008;
const TOO_LARGE: u16 = 1009;
const INTERNAL: u16 = 1011;
const TRY_LATER: u16 = 1013;

/// What a session is closed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(super) code: u16,
    pub(super) reason: String,
}

/// What is said to one side at the end.
#[derive(Debug)]
pub(super) enum Goodbye {
    /// Nothing: it is not there.
    None,
    /// It has said goodbye itself, and is answered.
    Answer,
    /// This.
    Say(Farewell),
}

impl Farewell {
    pub(super) fn new(code: u16, reason: &str) -> Self {
        let longest = reason.len().min(LONGEST_REASON);
        let end = (0..=longest).rfind(|end| reason.is_char_boundary(*end));
        let reason = reason[..end.unwrap_or_default()].to_owned();
        Self { code, reason }
    }

    /// What a side has closed with, without what the other side must not read.
    pub(super) fn read(frame: Option<CloseFrame>, secrets: &[&str]) -> Self {
        let Some(frame) = frame else {
            return Self::new(NO_CODE, "");
        };
        let reason = Bytes::copy_from_slice(frame.reason.as_bytes());
        let reason = wire::redact::redact(reason, secrets);
        Self::new(frame.code.into(), &String::from_utf8_lossy(&reason))
    }

    /// The same as the caller may read it: what is about keys is not for it.
    pub(super) fn for_caller(self, verdict: &Verdict) -> Self {
        if verdict.is_private() {
            return Self::lost();
        }
        self
    }

    /// The other side, which began it, is gone.
    pub(super) fn left() -> Self {
        Self::new(GOING_AWAY, "")
    }

    /// The provider's side has broken off.
    pub(super) fn lost() -> Self {
        Self::new(INTERNAL, "the provider ended the session; connect again")
    }

    /// The provider's side has gone silent.
    pub(super) fn silent() -> Self {
        Self::new(INTERNAL, "the provider has gone silent; connect again")
    }

    /// The caller's messages are larger than any may be.
    pub(super) fn too_large() -> Self {
        Self::new(TOO_LARGE, "messages of a session have at most 16 MiB")
    }

    /// A side has not kept to the protocol.
    pub(super) fn malformed(how: Malformed) -> Self {
        match how {
            Malformed::Frame => Self::new(PROTOCOL, "this is no frame of a WebSocket (RFC 6455)"),
            Malformed::Text => Self::new(INVALID, "a message of text is not UTF-8"),
        }
    }

    /// The caller's limits have no room for more.
    pub(super) fn limited() -> Self {
        let text = "the limit of tokens or money of this client key is reached";
        Self::new(TRY_LATER, text)
    }

    /// Neither side has ended it.
    pub(super) fn ended(by: EndedBy) -> Self {
        let text = match by {
            EndedBy::Operator => "the session was closed by an operator",
            EndedBy::Shutdown => "keymux is stopping; connect again",
        };
        Self::new(GOING_AWAY, text)
    }
}

impl From<&GatewayError> for Farewell {
    fn from(error: &GatewayError) -> Self {
        let code = match error.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => POLICY,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => TRY_LATER,
            status if status.is_client_error() => INVALID,
            _ => INTERNAL,
        };
        Self::new(code, &error.public)
    }
}

impl From<Farewell> for Message {
    fn from(farewell: Farewell) -> Self {
        let code = CloseCode::from(farewell.code);
        if farewell.code == NO_CODE {
            return Self::Close(None);
        }
        // Some codes only say how a connection ended, and are never sent.
        let code = if code.is_allowed() {
            code
        } else {
            CloseCode::from(INTERNAL)
        };
        Self::Close(Some(CloseFrame {
            code,
            reason: farewell.reason.into(),
        }))
    }
}

/// Parts from one side in order, as far as it joins in.
pub(super) async fn part<S>(
    mut from: SplitStream<Socket<S>>,
    mut to: SplitSink<Socket<S>, Message>,
    goodbye: Goodbye,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let parting = async {
        match goodbye {
            Goodbye::None => return,
            Goodbye::Answer => {}
            Goodbye::Say(farewell) => {
                if to.send(farewell.into()).await.is_err() {
                    return;
                }
            }
        }
        // Reading on sends what is still to be sent, and hears the answer.
        while let Some(Ok(_)) = from.next().await {}
        if let Ok(mut socket) = to.reunite(from) {
            socket.end().await;
        }
    };
    // Whoever does not join in has nothing more to hear.
    let _ = tokio::time::timeout(PATIENCE, parting).await;
}
