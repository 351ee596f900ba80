//! What an upstream answer means: whose fault it is, whom it hurts, and whether to try again.
//! Providers make verdicts; the pool and the failover loop read them.
//! The classes are those of the project's failover table, one row each in [`Class::harm`] and [`Class::again`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happened to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// An answer with content, or one that ends for length.
    Ok,
    /// The caller's request is wrong.
    BadRequest,
    /// The key is wrong, expired, leaked or revoked.
    KeyInvalid,
    /// The key's restrictions or its project's switched-off API forbid the use.
    KeyRestricted,
    /// The account is suspended, denied or policy-limited.
    AcctSuspended,
    /// Credits, prepayment or a spending cap are exhausted.
    Billing,
    /// A per-minute or concurrency limit.
    RateLimited,
    /// A per-day quota.
    QuotaDaily,
    /// The model is unknown to, or not granted to, this project.
    ModelUnavailable,
    /// A tool's quota (grounding, URL context), not the model's.
    ToolQuota,
    /// The egress's location is not served.
    Region,
    /// The model has no capacity now.
    Overloaded,
    /// The provider failed, or sent what is no answer.
    ServerError,
    /// No answer in time.
    Timeout,
    /// The provider was not reached: DNS, TLS, connection reset.
    Network,
    /// A success without content.
    EmptyAnswer,
    /// The answer broke off after its first content.
    Truncated,
    /// Stopped for safety or policy reasons.
    Blocked,
    /// The resource belongs to another account, or is gone.
    AffinityMiss,
    /// The caller went away.
    ClientGone,
    /// keymux itself sent something wrong.
    GatewayBug,
    /// keymux itself refused the request: no client key, one of its limits, a ban.
    Refused,
}

impl Class {
    /// Every class, in the order of the failover table, and then keymux's own.
    pub const ALL: [Self; 22] = [
        Self::Ok,
        Self::BadRequest,
        Self::KeyInvalid,
        Self::KeyRestricted,
        Self::AcctSuspended,
        Self::Billing,
        Self::RateLimited,
        Self::QuotaDaily,
        Self::ModelUnavailable,
        Self::ToolQuota,
        Self::Region,
        Self::Overloaded,
        Self::ServerError,
        Self::Timeout,
        Self::Network,
        Self::EmptyAnswer,
        Self::Truncated,
        Self::Blocked,
        Self::AffinityMiss,
        Self::ClientGone,
        Self::GatewayBug,
        Self::Refused,
    ];

    /// Its name in logs, metrics, records and the admin API, for example `rate_limited`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadRequest => "bad_request",
            Self::KeyInvalid => "key_invalid",
            Self::KeyRestricted => "key_restricted",
            Self::AcctSuspended => "acct_suspended",
            Self::Billing => "billing",
            Self::RateLimited => "rate_limited",
            Self::QuotaDaily => "quota_daily",
            Self::ModelUnavailable => "model_unavailable",
            Self::ToolQuota => "tool_quota",
            Self::Region => "region",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::EmptyAnswer => "empty_answer",
            Self::Truncated => "truncated",
            Self::Blocked => "blocked",
            Self::AffinityMiss => "affinity_miss",
            Self::ClientGone => "client_gone",
            Self::GatewayBug => "gateway_bug",
            Self::Refused => "refused",
        }
    }

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whom the verdict hurts.
    pub const fn harm(self) -> Harm {
        match self {
            Self::KeyInvalid | Self::KeyRestricted | Self::AcctSuspended | Self::Billing => {
                Harm::Key
            }
            Self::RateLimited | Self::QuotaDaily | Self::ModelUnavailable => Harm::Pair,
            Self::Overloaded | Self::ServerError | Self::Timeout => Harm::Briefly,
            Self::Ok
            | Self::BadRequest
            | Self::ToolQuota
            | Self::Region
            | Self::Network
            | Self::EmptyAnswer
            | Self::Truncated
            | Self::Blocked
            | Self::AffinityMiss
            | Self::ClientGone
            | Self::GatewayBug
            | Self::Refused => Harm::Nobody,
        }
    }

    /// Whether the request may be tried again, and what that costs.
    pub const fn again(self) -> Again {
        match self {
            Self::KeyInvalid
            | Self::KeyRestricted
            | Self::AcctSuspended
            | Self::Billing
            | Self::QuotaDaily => Again::Free,
            Self::RateLimited | Self::ToolQuota => Again::AtOnce { at_most: u8::MAX },
            Self::Region | Self::Network | Self::ServerError | Self::EmptyAnswer => {
                Again::AtOnce { at_most: 2 }
            }
            Self::ModelUnavailable | Self::Timeout => Again::AtOnce { at_most: 1 },
            Self::Overloaded => Again::Backoff { at_most: 3 },
            Self::Ok
            | Self::BadRequest
            | Self::Truncated
            | Self::Blocked
            | Self::AffinityMiss
            | Self::ClientGone
            | Self::GatewayBug
            | Self::Refused => Again::Never,
        }
    }

    /// The failure is about keys, billing or projects: its text never reaches a caller.
    pub const fn is_private(self) -> bool {
        matches!(
            self,
            Self::KeyInvalid
                | Self::KeyRestricted
                | Self::AcctSuspended
                | Self::Billing
                | Self::GatewayBug
        )
    }
}

/// Whom a verdict hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// No key and no pair.
    Nobody,
    /// The key, or all keys of its project ([`Verdict::scope`]).
    Key,
    /// The (project, model) pair.
    Pair,
    /// The pair is avoided for seconds while others are usable; it is never refused.
    Briefly,
}

/// Whether a request may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// No: the answer goes to the caller.
    Never,
    /// With another key, at once, and without counting: this key was dead, unpaid or out of its day.
    Free,
    /// With another key at once, this often for this class.
    AtOnce {
        /// Repetitions for this class in one request.
        at_most: u8,
    },
    /// After a growing pause, this often for this class; with the same key where there is no other.
    Backoff {
        /// Repetitions for this class in one request.
        at_most: u8,
    },
}

/// How sure a verdict about a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certainty {
    /// Final: the key is retired at once.
    Decisive,
    /// A key that has worked is set aside for a minute, and retired when it fails alike again.
    #[default]
    Suspected,
    /// One of `pool.max_failures`.
    Counted,
}

/// Whom a verdict of a class that hurts keys ([`Harm::Key`]) reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// This key.
    #[default]
    Key,
    /// Every key of its project.
    Project,
    /// Only the (project, model) pair: the account pays for each model apart.
    Pair,
    /// No key and no pair: the account may not use this one endpoint.
    Nobody,
}

/// What a 429 said of the quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaHint {
    /// The quota's value, where it was given.
    pub limit: Option<u64>,
    /// The model it counts, where it differs from the one asked for (an alias).
    pub model: Option<String>,
}

/// What one upstream answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happened.
    pub class: Class,
    /// How sure it is, for classes that hurt a key.
    pub certainty: Certainty,
    /// Whom it reaches, for classes that hurt a key.
    pub scope: Scope,
    /// How long the provider asks to wait; for [`Class::ModelUnavailable`] how long the pair is off.
    pub delay: Option<Duration>,
    /// What it said of the quota.
    pub quota: QuotaHint,
    /// The provider's name of the project (`projects/123`), where the answer gave it.
    pub consumer: Option<String>,
    /// A short stable code for logs and records, for example `api_key_invalid`.
    pub reason: &'static str,
}

impl Verdict {
    /// A verdict with nothing more to say than its class.
    pub fn new(class: Class, reason: &'static str) -> Self {
        Self {
            class,
            certainty: Certainty::default(),
            scope: Scope::default(),
            delay: None,
            quota: QuotaHint::default(),
            consumer: None,
            reason,
        }
    }

    /// The verdict on an answer that is as it should be.
    pub fn ok() -> Self {
        Self::new(Class::Ok, "ok")
    }

    /// The same, surer or less sure.
    #[must_use]
    pub fn certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// The same, for all keys of the project.
    #[must_use]
    pub fn project_wide(mut self) -> Self {
        self.scope = Scope::Project;
        self
    }

    /// The same, reaching others than the key alone.
    #[must_use]
    pub fn reaching(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The same, with a time to wait.
    #[must_use]
    pub fn delay(mut self, delay: Option<Duration>) -> Self {
        self.delay = delay;
        self
    }

    /// Whom it hurts: as its class says, unless it reaches less than a key.
    pub const fn harm(&self) -> Harm {
        match (self.class.harm(), self.scope) {
            (Harm::Key, Scope::Pair) => Harm::Pair,
            (Harm::Key, Scope::Nobody) => Harm::Nobody,
            (harm, _) => harm,
        }
    }

    /// Whether to try again: what a key is refused without harm, other keys would be refused alike.
    pub const fn again(&self) -> Again {
        if self.is_harmless_refusal() {
            Again::Never
        } else {
            self.class.again()
        }
    }

    /// Its text never reaches a caller, see [`Class::is_private`].
    pub const fn is_private(&self) -> bool {
        self.class.is_private() && !self.is_harmless_refusal()
    }

    /// A refusal about the key that hurts nobody: it is the caller's to read.
    const fn is_harmless_refusal(&self) -> bool {
        matches!((self.class.harm(), self.scope), (Harm::Key, Scope::Nobody))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
        assert_eq!(Class::from_name("nonsense"), None);
    }

    fn check_reach(scope: Scope, harm: Harm, again: Again, is_private: bool) {
        let verdict = Verdict::new(Class::Billing, "any").reaching(scope);
        assert_eq!(verdict.harm(), harm, "{scope:?}");
        assert_eq!(verdict.again(), again, "{scope:?}");
        assert_eq!(verdict.is_private(), is_private, "{scope:?}");
    }

    #[test]
    fn a_verdict_may_reach_less_than_the_key() {
        check_reach(Scope::Key, Harm::Key, Again::Free, true);
        check_reach(Scope::Project, Harm::Key, Again::Free, true);
        check_reach(Scope::Pair, Harm::Pair, Again::Free, true);
        check_reach(Scope::Nobody, Harm::Nobody, Again::Never, false);
    }

    #[test]
    fn what_hurts_a_key_is_never_shown_to_a_caller() {
        for class in Class::ALL {
            if class.harm() == Harm::Key {
                assert!(class.is_private(), "{class:?}");
            }
        }
    }
}
