//! The loop: try, judge, and decide "again" or "answer". Nothing else decides that.
//! How often each class of failure is repeated is a column of the failover table (`domain::Class::again`).

use std::time::{Duration, Instant};

use domain::{Again, Class, Verdict};
use http::StatusCode;
use keypool::Exhausted;

use super::attempt::{self, Failure, Refusal, Tried};
use super::credentials::Credential;
use super::error::GatewayError;
use super::exchange::Exchange;
use super::hold::Answer;

/// The pause before a second try of an overloaded model; doubles.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The shortest time in which an attempt can do anything.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(50);

/// What the caller gets.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer, and the key that it came with.
    Answer(Box<Answer>, Credential),
    /// The provider's own error.
    Refusal(Box<Refusal>, Verdict),
}

/// Tries the call until there is an answer, or no more to be tried.
pub(crate) async fn run(exchange: &mut Exchange) -> Result<Outcome, GatewayError> {
    let mut run = Run::new(exchange);
    loop {
        let credential = match run.next_credential(exchange).await {
            Ok(credential) => credential,
            Err(exhausted) => return run.exhausted(exchange, exhausted),
        };
        let limit = run.limit(exchange);
        let tried = attempt::send(&exchange.provider, &mut exchange.call, &credential, limit).await;
        exchange.recording.attempt(&credential, &tried);
        exchange.report(&credential, &tried);
        let Tried {
            verdict, result, ..
        } = tried;
        let failure = match result {
            Ok(answer) => return Ok(Outcome::Answer(answer, credential)),
            Err(failure) => failure,
        };
        exchange.log_failure(&credential, &verdict, &failure);
        match run.decide(exchange, &verdict, &failure) {
            Next::Answer => return Run::give_up(exchange, verdict, failure, credential),
            Next::Again(pause) => {
                run.last = Some((verdict, failure, credential));
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// No provider of Google's kind is configured.
pub(crate) fn no_provider() -> GatewayError {
    GatewayError::upstream(
        StatusCode::SERVICE_UNAVAILABLE,
        Class::GatewayBug,
        "no provider of kind gemini is configured",
    )
}

enum Next {
    Again(Duration),
    Answer,
}

/// One request's tries so far.
struct Run {
    deadline: Instant,
    /// Until when the request may wait for a key that is cooling.
    wait_until: Instant,
    /// Attempts that count.
    counted: u16,
    /// Repetitions so far, by class.
    repeated: [u8; Class::ALL.len()],
    may_use_again: bool,
    last: Option<(Verdict, Box<Failure>, Credential)>,
}

impl Run {
    fn new(exchange: &Exchange) -> Self {
        let retry = &exchange.snapshot.config.retry;
        let now = Instant::now();
        Self {
            deadline: now + retry.deadline,
            wait_until: now + retry.wait_for_key,
            counted: 0,
            repeated: [0; Class::ALL.len()],
            may_use_again: false,
            last: None,
        }
    }

    /// How long the next attempt may take.
    fn limit(&self, exchange: &Exchange) -> Duration {
        let most = exchange.snapshot.config.pool.request_timeout;
        if exchange.call.is_sent_once() {
            // An upload takes as long as it moves.
            return most;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.min(most).max(SHORTEST_ATTEMPT)
    }

    /// The key for the next attempt; waits for one where the settings allow it.
    async fn next_credential(&self, exchange: &mut Exchange) -> Result<Credential, Exhausted> {
        loop {
            let exhausted = match exchange.next_credential(self.may_use_again) {
                Ok(credential) => return Ok(credential),
                Err(exhausted) => exhausted,
            };
            let Exhausted::Cooling { until, .. } = exhausted else {
                return Err(exhausted);
            };
            let wait = exchange.app.clock.now().until(until);
            let wake = Instant::now() + wait;
            if wake > self.wait_until.min(self.deadline) {
                return Err(exhausted);
            }
            tokio::time::sleep(wait).await;
            // What was waited for may be the very key that this request has used up.
            exchange.start_over();
        }
    }

    fn decide(&mut self, exchange: &Exchange, verdict: &Verdict, failure: &Failure) -> Next {
        let retry = &exchange.snapshot.config.retry;
        let again = if is_not_granted(verdict, failure) {
            // Unlike an unknown model, this says nothing of other projects.
            Class::RateLimited.again()
        } else {
            verdict.class.again()
        };
        let is_last = exchange.call.is_sent_once()
            || exchange.call.outgoing.creates && !failure.is_harmless
            || verdict.class == Class::EmptyAnswer && !retry.empty_response
            || Instant::now() >= self.deadline;
        if is_last || again == Again::Never {
            return Next::Answer;
        }
        self.may_use_again = is_nobodys_fault(verdict.class);
        if again == Again::Free {
            return Next::Again(Duration::ZERO);
        }
        self.counted += 1;
        let repeated = &mut self.repeated[verdict.class as usize];
        let (at_most, pause) = match again {
            Again::Backoff { at_most } => (at_most, backoff(*repeated)),
            Again::AtOnce { at_most } => (at_most, Duration::ZERO),
            Again::Never | Again::Free => (0, Duration::ZERO),
        };
        let pause = pause.max(retry.delay);
        let now = exchange.app.clock.now();
        if *repeated >= at_most
            || self.counted >= retry.max_attempts
            || Instant::now() + pause >= self.deadline
            || exchange.is_overloaded()
            || !exchange.app.retry_budget.retry(now)
        {
            return Next::Answer;
        }
        *repeated += 1;
        Next::Again(pause)
    }

    /// No key is left: the provider's last word, or that every key is out.
    fn exhausted(
        &mut self,
        exchange: &Exchange,
        exhausted: Exhausted,
    ) -> Result<Outcome, GatewayError> {
        match self.last.take() {
            Some((verdict, failure, credential))
                if exhausted == Exhausted::AllTried || !is_about_keys(verdict.class) =>
            {
                Self::give_up(exchange, verdict, failure, credential)
            }
            _ => Err(exchange.nothing_usable(exhausted)),
        }
    }

    /// The last failure is what the caller gets, unless it is about keys.
    fn give_up(
        exchange: &Exchange,
        verdict: Verdict,
        failure: Box<Failure>,
        credential: Credential,
    ) -> Result<Outcome, GatewayError> {
        if verdict.class.is_private() {
            return Err(exchange.no_usable_key(verdict.class));
        }
        if is_not_granted(&verdict, &failure) {
            return Err(exchange.no_such_model());
        }
        let failure = *failure;
        if let Some(empty) = failure.empty {
            return Ok(Outcome::Answer(Box::new(empty), credential));
        }
        if let Some(refusal) = failure.refusal {
            return Ok(Outcome::Refusal(Box::new(refusal), verdict));
        }
        let (status, text) = match verdict.class {
            Class::BadRequest => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the upload is larger than server.max_upload",
            ),
            Class::Timeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "the provider did not answer in time; try again, or raise pool.request_timeout",
            ),
            Class::Network => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the provider could not be reached; try again later",
            ),
            _ => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the provider's answer broke off; try again",
            ),
        };
        Err(GatewayError::upstream(status, verdict.class, text).private(failure.private))
    }
}

/// A failure after which the same key may be tried again when there is no other.
fn is_nobodys_fault(class: Class) -> bool {
    matches!(
        class,
        Class::Overloaded
            | Class::ServerError
            | Class::Network
            | Class::Timeout
            | Class::EmptyAnswer
    )
}

/// The model exists, but our projects may not use it: nothing that the caller could mend.
fn is_not_granted(verdict: &Verdict, failure: &Failure) -> bool {
    let status = failure.refusal.as_ref().map(|refusal| refusal.head.status);
    verdict.class == Class::ModelUnavailable && status != Some(StatusCode::NOT_FOUND)
}

/// A failure that "no key is usable now" says better than the provider's own words.
fn is_about_keys(class: Class) -> bool {
    class.is_private() || matches!(class, Class::RateLimited | Class::QuotaDaily)
}

fn backoff(repeated: u8) -> Duration {
    let span = FIRST_BACKOFF * 2u32.pow(u32::from(repeated.min(6)));
    span.mul_f64(fastrand::f64().mul_add(0.2, 0.9))
}
