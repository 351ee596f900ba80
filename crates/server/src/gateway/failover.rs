//! The loop: try, judge, and decide "again" or "answer". Nothing else decides that.
//! How often each class of failure is repeated is a column of the failover table (`domain::Class::again`).

use std::time::{Duration, Instant};

use domain::{Again, Class, Verdict};
use http::StatusCode;
use keypool::Exhausted;

use super::attempt::Tried;
use super::credential::Credential;
use super::error::GatewayError;
use super::exchange::Exchange;
use super::failure::{Failure, Refusal};
use super::hold::Answer;
use super::turn;
use crate::egress::{Fault, NoEgress};

/// The pause before a second try of an overloaded model; doubles.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest pause of an account with all its turns taken after which a request is still in line for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Keys that a request passes over because the proxies that they name cannot be used.
const MOST_PASSED_OVER: u8 = 64;
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

/// Tries the call until there is an answer, or no more to be tried: at one provider, and then at the next of its chain.
pub(crate) async fn run(exchange: &mut Exchange) -> Result<Outcome, GatewayError> {
    let deadline = Instant::now() + exchange.snapshot.config.retry.deadline;
    run_until(exchange, deadline).await
}

/// The same, in less time.
pub(crate) async fn run_until(
    exchange: &mut Exchange,
    deadline: Instant,
) -> Result<Outcome, GatewayError> {
    let mut earliest: Option<Duration> = None;
    let mut exhausted: Option<GatewayError> = None;
    loop {
        let mut ended = at_one_provider(exchange, deadline).await;
        if let Err(error) = &mut ended {
            earliest = [earliest, error.retry_after].into_iter().flatten().min();
            // Whichever of them is free first can answer then.
            error.retry_after = earliest;
        }
        if !leaves_hope(&ended) || Instant::now() >= deadline || !exchange.move_on() {
            // That the last one lacks the model says little where another will have a key for it again.
            return match exhausted {
                Some(error) if class_of(&ended) == Some(Class::ModelUnavailable) => Err(error),
                _ => ended,
            };
        }
        if let Err(error) = ended
            && error.retry_after.is_some()
        {
            exhausted.get_or_insert(error);
        }
        // There it may name what belongs to somebody.
        Box::pin(exchange.bind()).await?;
    }
}

/// Whether another provider may do better.
fn leaves_hope(ended: &Result<Outcome, GatewayError>) -> bool {
    if let Ok(Outcome::Answer(answer, _)) = ended {
        return answer.rest.is_none() && answer.flow.final_verdict().class == Class::EmptyAnswer;
    }
    !matches!(
        class_of(ended),
        Some(
            Class::BadRequest
                | Class::Blocked
                | Class::AffinityMiss
                | Class::ClientGone
                | Class::Refused
        )
    )
}

/// What went wrong; none: there is an answer.
fn class_of(ended: &Result<Outcome, GatewayError>) -> Option<Class> {
    match ended {
        Ok(Outcome::Answer(..)) => None,
        Ok(Outcome::Refusal(_, verdict)) => Some(verdict.class),
        Err(error) => Some(error.class),
    }
}

async fn at_one_provider(
    exchange: &mut Exchange,
    deadline: Instant,
) -> Result<Outcome, GatewayError> {
    let mut run = Run::new(exchange, deadline);
    loop {
        let credential = match run.next_credential(exchange).await {
            Ok(credential) => credential,
            Err(exhausted) => return run.exhausted(exchange, exhausted),
        };
        let egress = match exchange.choose_egress(&credential) {
            Ok(egress) => egress,
            Err(why) if why.is_about_the_key() && run.passed_over < MOST_PASSED_OVER => {
                run.pass_over(why);
                continue;
            }
            Err(why) => return Err(exchange.no_egress(why)),
        };
        let limit = run.limit(exchange);
        let tried = exchange.attempt(&credential, &egress, limit).await;
        exchange.recording.attempt(&credential, &tried);
        let fault = exchange.report(&credential, &tried);
        let Tried {
            verdict, result, ..
        } = tried;
        let failure = match result {
            Ok(answer) => return Ok(Outcome::Answer(answer, credential)),
            Err(failure) => failure,
        };
        exchange.log_failure(&credential, &verdict, &failure);
        match run.decide(exchange, &verdict, &failure, fault) {
            Next::Answer => {
                run.last = Some((verdict, failure, credential));
                return run.end(exchange);
            }
            Next::Again(pause) => {
                // With its turn it would stand in its own way.
                run.last = Some((verdict, failure, credential.without_turn()));
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
    /// Until when this provider may take its time: one that stalls leaves the others of its chain their share.
    deadline: Instant,
    /// Until when the request may wait for a key that is cooling.
    wait_until: Instant,
    /// Attempts that count.
    counted: u16,
    /// Repetitions so far, by class.
    repeated: [u8; Class::ALL.len()],
    may_use_again: bool,
    /// Keys that were not tried, because they cannot leave.
    passed_over: u8,
    no_egress: Option<NoEgress>,
    last: Option<(Verdict, Box<Failure>, Credential)>,
}

impl Run {
    fn new(exchange: &Exchange, deadline: Instant) -> Self {
        let retry = &exchange.snapshot.config.retry;
        let patience = match exchange.targets_left() {
            0 => retry.wait_for_key,
            // Rather than wait, it goes to the next one.
            _ => Duration::ZERO,
        };
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        Self {
            deadline: now + left / (exchange.targets_left() as u32 + 1),
            wait_until: now + patience,
            counted: 0,
            repeated: [0; Class::ALL.len()],
            may_use_again: false,
            passed_over: 0,
            no_egress: None,
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
            let next = turn::next_credential(exchange, self.may_use_again, self.deadline);
            let exhausted = match next.await {
                Ok(credential) => return Ok(credential),
                Err(exhausted) => exhausted,
            };
            let Exhausted::Cooling { until, class } = exhausted else {
                return Err(exhausted);
            };
            let wait = exchange.app.clock.now().until(until);
            let is_short = class == Class::RateLimited && wait <= LONGEST_PAUSE;
            let patience = if is_short && exchange.takes_turns() {
                self.deadline
            } else {
                self.wait_until.min(self.deadline)
            };
            if Instant::now() + wait > patience {
                return Err(exhausted);
            }
            tokio::time::sleep(wait).await;
            // What was waited for may be the very key that this request has used up.
            exchange.start_over();
        }
    }

    /// Leaves a key that cannot be sent on the way that it names. It is sent on no other.
    fn pass_over(&mut self, why: NoEgress) {
        self.passed_over += 1;
        self.no_egress = Some(why);
        self.may_use_again = false;
    }

    fn decide(
        &mut self,
        exchange: &Exchange,
        verdict: &Verdict,
        failure: &Failure,
        fault: Fault,
    ) -> Next {
        if let Some(fault) = &failure.egress
            && fault.is_before_sending
        {
            return self.another_way(exchange);
        }
        let retry = &exchange.snapshot.config.retry;
        let again = if is_not_granted(verdict, failure) {
            // Unlike an unknown model, this says nothing of other projects.
            Class::RateLimited.again()
        } else {
            verdict.again()
        };
        let is_last = exchange.call.is_sent_once()
            || exchange.call.outgoing.creates && !failure.is_harmless
            || verdict.class == Class::EmptyAnswer && !retry.empty_response
            || Instant::now() >= self.deadline;
        if is_last || again == Again::Never {
            return Next::Answer;
        }
        let is_forgiven = fault == Fault::Proxy;
        self.may_use_again = is_forgiven || is_nobodys_fault(verdict.class);
        if is_forgiven || again == Again::Free {
            return Next::Again(Duration::ZERO);
        }
        self.counted += u16::from(!is_in_line(exchange, verdict));
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
            || verdict.class == Class::Overloaded && exchange.is_overloaded()
            || !exchange.app.retry_budget.retry(now)
        {
            return Next::Answer;
        }
        *repeated += 1;
        Next::Again(pause)
    }

    /// Nothing is tried any more: the provider's last word, or that every key is out by now.
    fn end(&mut self, exchange: &mut Exchange) -> Result<Outcome, GatewayError> {
        let exhausted = exchange.cooling().unwrap_or(Exhausted::AllTried);
        self.exhausted(exchange, exhausted)
    }

    /// The attempt did not come to the provider: it costs nothing, and says nothing of the key.
    fn another_way(&mut self, exchange: &Exchange) -> Next {
        self.may_use_again = true;
        if exchange.call.outgoing.body.is_gone() || Instant::now() >= self.deadline {
            return Next::Answer;
        }
        Next::Again(Duration::ZERO)
    }

    /// No key is left: the provider's last word, or that every key is out.
    fn exhausted(
        &mut self,
        exchange: &Exchange,
        exhausted: Exhausted,
    ) -> Result<Outcome, GatewayError> {
        // A pool with nothing to use has not been asked: it was a key of the caller's own that is limited.
        let is_limit_of_own = matches!(exhausted, Exhausted::NoKeys | Exhausted::AllRetired);
        match self.last.take() {
            Some((verdict, failure, credential))
                if exhausted == Exhausted::AllTried
                    || !is_about_keys(verdict.class)
                    || is_limit_of_own && !verdict.is_private() =>
            {
                Self::give_up(exchange, verdict, failure, credential)
            }
            _ => Err(match (exhausted, self.no_egress) {
                (Exhausted::AllTried, Some(why)) => exchange.no_egress(why),
                _ => exchange.nothing_usable(exhausted),
            }),
        }
    }

    /// The last failure is what the caller gets, unless it is about keys.
    fn give_up(
        exchange: &Exchange,
        verdict: Verdict,
        failure: Box<Failure>,
        credential: Credential,
    ) -> Result<Outcome, GatewayError> {
        if verdict.is_private() && !exchange.is_callers_own_path(&verdict) {
            return Err(exchange.no_usable_key(verdict.class));
        }
        if is_not_granted(&verdict, &failure) {
            return Err(exchange.no_such_model());
        }
        let failure = *failure;
        if let Some(empty) = failure.empty {
            if empty.flow.lacks_its_end() {
                // To the caller it would look like an answer.
                let text = "the provider's stream ended before its answer did; try again";
                return Err(GatewayError::upstream(
                    StatusCode::BAD_GATEWAY,
                    verdict.class,
                    text,
                ));
            }
            return Ok(Outcome::Answer(Box::new(empty), credential));
        }
        if let Some(refusal) = failure.refusal {
            return Ok(Outcome::Refusal(Box::new(refusal), verdict));
        }
        if let Some((status, told)) = failure.told {
            let error = GatewayError::upstream(status, verdict.class, told);
            return Err(error.private(failure.private));
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

/// Somebody else has the account's turns: to come back until one is free is to stand in line, and not to try again. Who
/// can go elsewhere does not stand in line for that.
fn is_in_line(exchange: &Exchange, verdict: &Verdict) -> bool {
    let is_taken = exchange.provider.api.says_turns_are_taken(verdict);
    is_taken && exchange.takes_turns() && exchange.targets_left() == 0
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
    let is_unknown = matches!(
        status,
        Some(StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
    );
    verdict.class == Class::ModelUnavailable && !is_unknown
}

/// A failure that "no key is usable now" says better than the provider's own words.
fn is_about_keys(class: Class) -> bool {
    class.is_private() || matches!(class, Class::RateLimited | Class::QuotaDaily)
}

fn backoff(repeated: u8) -> Duration {
    let span = FIRST_BACKOFF * 2u32.pow(u32::from(repeated.min(6)));
    span.mul_f64(fastrand::f64().mul_add(0.2, 0.9))
}
