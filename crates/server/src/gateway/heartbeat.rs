//! A stream that is answered before there is anything to say: SSE comments keep proxies and impatient callers from
//! hanging up while keys are tried. Off by default, because the status is then 200 whatever comes (`retry.heartbeat`).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body::Body as _;
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use wire::gemini::error::Shape;

use super::call::Reply;
use super::error::{ErrorShape, GatewayError};
use super::exchange::Exchange;
use super::record::Recording;
use super::relay::Ending;
use crate::http::{Body, BoxError};

const COMMENT: &[u8] = b": waiting\r\n\r\n";

type Serving = Pin<Box<dyn Future<Output = Result<Response<Body>, GatewayError>> + Send>>;

/// The body of such an answer.
pub(crate) struct Waiting {
    state: State,
    beat: Interval,
    recording: Recording,
    /// How the caller reads errors.
    shape: ErrorShape,
}

enum State {
    Serving(Serving),
    Answered(Box<Body>),
    Over,
}

impl Waiting {
    /// Answers at once, and serves the exchange while the body is read.
    pub(crate) fn begin(exchange: Box<Exchange>) -> Response<Body> {
        let every = exchange.snapshot.config.retry.heartbeat;
        let mut beat = interval_at(tokio::time::Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let recording = exchange.recording.clone();
        let shape = match exchange.call.reply {
            Reply::AsItIs => ErrorShape::Gemini(Shape::Object),
            Reply::OpenAi { .. } => ErrorShape::OpenAi,
        };
        let state = State::Serving(Box::pin(exchange.run()));
        let mut response = Response::new(Body::waiting(Self {
            state,
            beat,
            recording,
            shape,
        }));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            match &mut self.state {
                State::Serving(serving) => match serving.as_mut().poll(cx) {
                    Poll::Ready(Ok(response)) if response.status().is_success() => {
                        self.state = State::Answered(Box::new(response.into_body()));
                    }
                    Poll::Ready(done) => {
                        self.state = State::Over;
                        return Poll::Ready(Some(Ok(self.failure(done))));
                    }
                    Poll::Pending => {
                        ready!(self.beat.poll_tick(cx));
                        return Poll::Ready(Some(Ok(Bytes::from_static(COMMENT))));
                    }
                },
                State::Answered(body) => {
                    let frame = ready!(Pin::new(body.as_mut()).poll_frame(cx));
                    let data =
                        |frame: http_body::Frame<Bytes>| frame.into_data().unwrap_or_default();
                    return Poll::Ready(frame.map(|frame| frame.map(data)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    /// The failure as an event.
    fn failure(&self, done: Result<Response<Body>, GatewayError>) -> Bytes {
        let body = match done {
            Ok(refusal) => refusal.into_body().into_full(),
            Err(error) => {
                error.log(self.recording.id());
                self.recording.refused(error.status.as_u16(), error.class);
                error.body(self.shape).into()
            }
        };
        let line: Vec<u8> = body
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        [b"data: ", &*line, b"\r\n\r\n"].concat().into()
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        match &self.state {
            State::Answered(body) => body.ending(),
            State::Serving(_) | State::Over => None,
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}
