//! The body of an answer on its way to the caller: bytes as they come, read while they pass, never replayed.
//! It ends a broken stream with an error in the dialect. Dropping it, when the caller goes away, cancels upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use domain::{Class, Nanodollars, Usage};
use http::response::Parts;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};
use wire::gemini::AnswerScan;
use wire::gemini::error::ErrorBody;

use super::credential::Credential;
use super::hold::{Answer, Flow};
use crate::egress::UpstreamBody;

/// How an answer ended, as far as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) class: Class,
    pub(crate) usage: Option<Usage>,
    /// What it cost, where the provider says so itself.
    pub(crate) cost: Option<Nanodollars>,
    /// The model that the provider says has answered.
    pub(crate) model: Option<Arc<str>>,
}

impl Ending {
    /// An ending of which no more is known.
    pub(crate) fn of(class: Class) -> Self {
        Self {
            class,
            usage: None,
            cost: None,
            model: None,
        }
    }
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Relay {
    flow: Flow,
    /// None: the provider has nothing more to send.
    rest: Option<UpstreamBody>,
    /// Keeps the key counted as busy.
    _credential: Credential,
    pause: Pause,
    broken: Option<Class>,
}

impl Relay {
    /// The head and the body of the caller's answer. A stream may pause for `idle` at most.
    pub(crate) fn new(answer: Answer, credential: Credential, idle: Duration) -> (Parts, Self) {
        let mut relay = Self {
            flow: answer.flow,
            rest: answer.rest.filter(|rest| !rest.is_end_stream()),
            _credential: credential,
            pause: Pause::new(idle),
            broken: None,
        };
        if relay.rest.is_none() {
            relay.end();
        }
        (answer.head, relay)
    }

    /// How it ended and what it took, as far as it was read.
    pub(crate) fn ending(&self) -> Ending {
        let judged = self.flow.final_verdict().class;
        let class = match self.broken {
            Some(broken) if judged != Class::Ok || self.flow.is_not_for_us_to_judge() => broken,
            _ => judged,
        };
        let summary = self.flow.scan().map(AnswerScan::summary);
        Ending {
            class,
            usage: summary.and_then(|summary| summary.usage),
            cost: summary.and_then(|summary| summary.cost),
            model: summary.and_then(|summary| summary.model_version.as_deref().map(Arc::from)),
        }
    }

    /// The next bytes for the caller.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokeOff>>> {
        loop {
            if let Some(chunk) = self.flow.pop() {
                return Poll::Ready(Some(Ok(chunk)));
            }
            let Some(rest) = &mut self.rest else {
                return Poll::Ready(None);
            };
            match Pin::new(rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => self.take_in(frame),
                Poll::Ready(None) => self.end(),
                Poll::Ready(Some(Err(_))) => {
                    self.break_off(Class::Truncated, 503, "the provider's stream broke off")?;
                }
                Poll::Pending => {
                    ready!(self.pause.poll_too_long(cx));
                    self.break_off(
                        Class::Timeout,
                        504,
                        "the provider's stream paused for too long",
                    )?;
                }
            }
        }
    }

    /// Nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_none() && self.flow.is_drained()
    }

    fn take_in(&mut self, frame: Frame<Bytes>) {
        self.pause.over();
        if let Ok(chunk) = frame.into_data() {
            self.flow.push(chunk);
        }
        if self.rest.as_ref().is_some_and(Body::is_end_stream) {
            self.end();
        }
    }

    fn end(&mut self) {
        self.rest = None;
        self.flow.finish();
        if self.flow.lacks_its_end() {
            self.broken = Some(Class::Truncated);
            let error = ErrorBody::new(502, "the provider's stream ended before its answer did");
            self.flow.break_off(&error);
        }
    }

    /// Ends the stream with an error in the dialect, or, where that is not possible, with a broken connection.
    fn break_off(&mut self, class: Class, code: u16, text: &str) -> Result<(), BrokeOff> {
        self.rest = None;
        self.broken = Some(class);
        if self.flow.break_off(&ErrorBody::new(code, text)) {
            Ok(())
        } else {
            Err(BrokeOff)
        }
    }
}

/// The provider's answer broke off where the dialect has no way to say so.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer broke off")]
pub(crate) struct BrokeOff;

/// Watches for a pause that is too long. The timer is not moved with every chunk but looked at when it fires.
#[derive(Debug)]
struct Pause {
    longest: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pause {
    fn new(longest: Duration) -> Self {
        Self {
            longest,
            since: None,
            timer: None,
        }
    }

    fn over(&mut self) {
        self.since = None;
    }

    fn poll_too_long(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let ends = *self.since.get_or_insert_with(Instant::now) + self.longest;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(ends)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= ends {
                return Poll::Ready(());
            }
            timer.as_mut().reset(ends);
        }
    }
}
