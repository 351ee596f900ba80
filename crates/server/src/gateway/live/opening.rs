//! One attempt to open a session with one key: the first message is sent, and held until some key's answer to it is no
//! refusal. How a socket is closed before that is a verdict like that of any other answer.

use bytes::Bytes;
use domain::{Class, Secret, Verdict};
use futures_util::{SinkExt, StreamExt};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::response::Parts;
use http::{Response, StatusCode};
use providers::Api;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::super::failure::{Failure, Judged, Refusal};
use super::super::hold::{Answer, Flow};
use super::setup::bytes_of;
use super::socket::Socket;
use super::{Farewell, handshake};
use crate::egress::Io;

/// The provider's end.
pub(super) type ProviderSocket = Socket<Io>;

/// A session that is to be opened at a provider.
#[derive(Debug)]
pub(crate) struct Opening {
    /// What is said first; none: whatever comes.
    setup: Option<Message>,
    /// An ephemeral token of the provider's, which is shown instead of the key that made it.
    token: Option<Secret>,
    /// The key of the handshake.
    key: Option<HeaderValue>,
    /// What has been opened, and what the provider said first.
    opened: Option<(ProviderSocket, Option<Message>)>,
    /// How the last attempt was closed.
    closed: Option<Farewell>,
}

impl Opening {
    pub(super) fn new(
        setup: Option<Message>,
        token: Option<Secret>,
        key: Option<HeaderValue>,
    ) -> Self {
        Self {
            setup,
            token,
            key,
            opened: None,
            closed: None,
        }
    }

    /// What is said first, as the caller has written it; nothing where that is still to come.
    pub(crate) fn setup(&self) -> &[u8] {
        self.setup.as_ref().map_or(&[], bytes_of)
    }

    /// Shows the token, where there is one.
    pub(crate) fn show_token(&self, headers: &mut HeaderMap) {
        let Some(token) = &self.token else { return };
        let shown = HeaderValue::try_from(format!("Token {}", token.expose()));
        if let Ok(mut value) = shown {
            value.set_sensitive(true);
            headers.remove("x-goog-api-key");
            headers.insert(AUTHORIZATION, value);
        }
    }

    /// Begins on a connection that has become a WebSocket.
    pub(crate) async fn begin(
        &mut self,
        api: Api,
        head: Parts,
        (io, read): (Io, Bytes),
        secrets: &[&str],
    ) -> Judged {
        let status = Some(head.status.as_u16());
        if !handshake::is_answer_to(self.key.as_ref(), &head.headers) {
            return broke_off(status, "no_websocket");
        }
        let mut socket = Socket::new(io, read, Role::Client).await;
        let first = match &self.setup {
            None => None,
            Some(setup) => match first_answer(&mut socket, setup.clone()).await {
                First::Message(message) => Some(message),
                First::Closed(frame) => return self.refused(api, frame, secrets),
                First::Lost => return broke_off(status, "broke_off_before_content"),
            },
        };
        self.opened = Some((socket, first));
        let answer = Answer {
            head,
            flow: Flow::new(api, None, Vec::new()),
            rest: None,
        };
        (status, Verdict::ok(), Ok(Box::new(answer)))
    }

    /// The provider's end and what it said first, once it is open.
    pub(super) fn take_opened(&mut self) -> Option<(ProviderSocket, Option<Message>)> {
        self.opened.take()
    }

    /// How the last attempt was closed, where it was.
    pub(super) fn take_closed(&mut self) -> Option<Farewell> {
        self.closed.take()
    }

    fn refused(&mut self, api: Api, frame: Option<CloseFrame>, secrets: &[&str]) -> Judged {
        let closed = Farewell::read(frame, secrets);
        let mut verdict = api.judge_close(closed.code, &closed.reason);
        if verdict.class == Class::Ok {
            verdict = Verdict::new(Class::ServerError, "closed_before_setup");
        }
        let failure = Failure {
            is_harmless: true,
            private: format!("closed {}: {}", closed.code, closed.reason),
            refusal: Some(as_refusal(&closed, &verdict)),
            ..Failure::default()
        };
        self.closed = Some(closed);
        let status = Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        (status, verdict, Err(Box::new(failure)))
    }
}

/// What a provider says first.
enum First {
    Message(Message),
    Closed(Option<CloseFrame>),
    Lost,
}

async fn first_answer(socket: &mut ProviderSocket, setup: Message) -> First {
    // Whoever has closed already may have said why.
    let _ = socket.send(setup).await;
    loop {
        match socket.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                return First::Message(message);
            }
            Some(Ok(Message::Close(frame))) => return First::Closed(frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return First::Lost,
        }
    }
}

fn broke_off(status: Option<u16>, reason: &'static str) -> Judged {
    let failure = Failure {
        is_harmless: true,
        private: reason.to_owned(),
        ..Failure::default()
    };
    let verdict = Verdict::new(Class::ServerError, reason);
    (status, verdict, Err(Box::new(failure)))
}

/// The close as the error that it would be over HTTP.
fn as_refusal(closed: &Farewell, verdict: &Verdict) -> Refusal {
    let mut response = Response::new(());
    *response.status_mut() = match verdict.class {
        Class::BadRequest | Class::Blocked => StatusCode::BAD_REQUEST,
        Class::ModelUnavailable | Class::AffinityMiss => StatusCode::NOT_FOUND,
        Class::RateLimited | Class::QuotaDaily => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refusal {
        head: response.into_parts().0,
        body: Bytes::from(closed.reason.clone()),
    }
}
