//! A refusal laid out for judging: its status, what the body says, and the time it asks to wait.

use std::time::Duration;

use domain::Verdict;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use wire::duration;
use wire::gemini::error::Fault;

use crate::Place;

/// One refusal.
pub(super) struct Case<'a> {
    /// The HTTP status, or the one that an error inside a success stands for.
    pub(super) status: u16,
    pub(super) fault: Fault<'a>,
    /// The message in lower case; empty where the body is no error of Google's.
    pub(super) text: String,
    pub(super) place: Place,
    pub(super) headers: Option<&'a HeaderMap>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        status: u16,
        fault: Option<Fault<'a>>,
        place: Place,
        headers: Option<&'a HeaderMap>,
    ) -> Self {
        let fault = fault.unwrap_or_default();
        Self {
            status,
            text: fault.message.trim().to_lowercase(),
            fault,
            place,
            headers,
        }
    }

    /// How long to wait: `RetryInfo`, else the message's words, else `quotaResetDelay`, else `Retry-After`.
    pub(super) fn hint(&self) -> Option<Duration> {
        let reset = || duration::read(self.fault.metadata("quotaResetDelay")?);
        self.fault
            .retry_delay()
            .or_else(|| duration::in_text(&self.text))
            .or_else(reset)
            .or_else(|| self.retry_after())
    }

    fn retry_after(&self) -> Option<Duration> {
        let value = self.headers?.get(RETRY_AFTER)?;
        duration::retry_after(value.to_str().ok()?)
    }

    /// The project that the answer names; a consumer may also be a key, which is no project.
    pub(super) fn consumer(&self) -> Option<String> {
        let consumer = self.fault.metadata("consumer")?;
        let project = consumer.strip_prefix("projects/")?;
        (!project.is_empty()).then(|| consumer.to_owned())
    }

    /// The verdict, with the project that the answer names.
    pub(super) fn named(&self, verdict: Verdict) -> Verdict {
        Verdict {
            consumer: self.consumer(),
            ..verdict
        }
    }
}
