//! Access tokens that a provider gives for keys (GigaChat's OAuth): kept until shortly before they end, and fetched once
//! however many requests wait. What is sent, and what answers mean, is in `providers::gigachat::oauth`.
//! A fetch is driven by those who wait for it: when the first of them goes away another drives on, and when nobody is
//! left it ends with them. So no task outlives its requests, and a fetch that nobody waits for holds no connection.

mod endpoint;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Class, Fingerprint, Secret, UnixMs, Verdict};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use providers::gigachat::oauth::Token;

use crate::egress::{Egress, EgressFault, Origin, OriginOptions};
use endpoint::Endpoint;

/// A token is not used in its last minute: a request under way must not outlive it.
const MARGIN: Duration = Duration::from_secs(60);
/// How long tokens live whose answers do not say.
const USUAL_LIFE: Duration = Duration::from_secs(30 * 60);
/// Whatever an answer says, a token is forgotten after this.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// After too many token requests for a key nothing is asked for it; the endpoint takes ten a second.
const PAUSE: Duration = Duration::from_secs(1);
/// Entries that are kept without looking for some to forget.
const FEW: usize = 64;

/// The tokens of one provider's keys.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(Arc<Inner>);

/// Why there is no token for a key.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What it means for the key and for the request.
    pub(crate) verdict: Verdict,
    /// What only the log says; without secrets.
    pub(crate) private: String,
    /// The endpoint's status, where it answered.
    pub(crate) status: Option<u16>,
    /// What it says of the egress that the request for a token left by.
    pub(crate) egress: Option<EgressFault>,
}

type Fetched = Result<Secret, Arc<Refusal>>;
type Fetch = BoxFuture<'static, Fetched>;

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    /// Held for a look-up: fetching is done outside.
    entries: Mutex<Entries>,
}

/// What is known of keys, by their fingerprints.
#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Fingerprint, Entry>,
    /// At this size those that have ended are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
enum Entry {
    /// Some wait for it; none of them: nobody any more.
    Fetching(WeakShared<Fetch>),
    Ready {
        token: Secret,
        until: UnixMs,
    },
    /// There were too many requests.
    Paused {
        refusal: Arc<Refusal>,
        until: UnixMs,
    },
}

impl Tokens {
    /// Tokens of this scope from the endpoint that `origin` is: the whole `token_url`, with the provider's roots.
    pub(crate) fn new(origin: Arc<Origin>, scope: &str) -> Self {
        Self(Arc::new(Inner {
            endpoint: Endpoint::new(origin, scope),
            entries: Mutex::default(),
        }))
    }

    /// Whether these are tokens of that scope from that endpoint.
    pub(crate) fn are(&self, options: &OriginOptions, scope: &str) -> bool {
        self.0.endpoint.is(options, scope)
    }

    /// The endpoint, for closing its idle connections.
    pub(crate) fn origin(&self) -> &Arc<Origin> {
        self.0.endpoint.origin()
    }

    /// A token of the key, which is sent as it is shown in GigaChat's cabinet (base64 of id and secret). It is fetched by
    /// the egress of whoever asks first.
    ///
    /// Those who ask while it is being fetched share what becomes of that, also a failure; who asks after a failure
    /// begins another fetch, except shortly after a 429.
    pub(crate) async fn token(
        &self,
        key: &Secret,
        egress: &Egress,
        now: UnixMs,
    ) -> Result<Secret, Arc<Refusal>> {
        let fingerprint = key.fingerprint();
        let fetch = {
            let mut entries = self.0.lock();
            match entries.by_key.get(&fingerprint).map(|it| it.at(now)) {
                Some(Known::Settled(result)) => return result,
                Some(Known::Fetching(fetch)) => fetch,
                Some(Known::Ended) | None => {
                    let fetch = self.fetch(key.clone(), egress.clone(), fingerprint, now);
                    entries.begin(fingerprint, &fetch, now);
                    fetch
                }
            }
        };
        fetch.await
    }

    /// The provider refused this token: who asks next has another one fetched. A newer token of the key stays.
    pub(crate) fn refuse(&self, key: &Secret, token: &Secret) {
        let fingerprint = key.fingerprint();
        let mut entries = self.0.lock();
        let is_it = |entry: &Entry| matches!(entry, Entry::Ready { token: it, .. } if it == token);
        if entries.by_key.get(&fingerprint).is_some_and(is_it) {
            entries.by_key.remove(&fingerprint);
        }
    }

    fn fetch(
        &self,
        key: Secret,
        egress: Egress,
        fingerprint: Fingerprint,
        now: UnixMs,
    ) -> Shared<Fetch> {
        let inner = self.0.clone();
        let fetch = async move {
            let began = Instant::now();
            let fetched = inner.endpoint.ask(&key, &egress).await;
            // Before those who wait know, so that who asks again because of it finds nothing old.
            inner.settle(fingerprint, fetched, now + began.elapsed())
        };
        fetch.boxed().shared()
    }
}

impl Inner {
    /// Notes what a fetch came to, and gives what those who waited get.
    fn settle(
        &self,
        fingerprint: Fingerprint,
        fetched: Result<Token, Arc<Refusal>>,
        now: UnixMs,
    ) -> Fetched {
        let (entry, result) = match fetched {
            Ok(Token { secret, expires_at }) => {
                let until = now + useful_life(expires_at, now);
                let token = secret.clone();
                (Some(Entry::Ready { token, until }), Ok(secret))
            }
            Err(refusal) => {
                let is_paused = refusal.verdict.class == Class::RateLimited;
                let paused = is_paused.then(|| Entry::Paused {
                    refusal: refusal.clone(),
                    until: now + PAUSE,
                });
                (paused, Err(refusal))
            }
        };
        let mut entries = self.lock();
        match entry {
            Some(entry) => drop(entries.by_key.insert(fingerprint, entry)),
            None => drop(entries.by_key.remove(&fingerprint)),
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry is worth at an instant.
enum Known {
    Settled(Fetched),
    Fetching(Shared<Fetch>),
    Ended,
}

impl Entry {
    fn at(&self, now: UnixMs) -> Known {
        match self {
            Self::Fetching(fetch) => fetch.upgrade().map_or(Known::Ended, Known::Fetching),
            Self::Ready { token, until } if now < *until => Known::Settled(Ok(token.clone())),
            Self::Paused { refusal, until } if now < *until => Known::Settled(Err(refusal.clone())),
            Self::Ready { .. } | Self::Paused { .. } => Known::Ended,
        }
    }

    fn has_ended(&self, now: UnixMs) -> bool {
        match self {
            Self::Fetching(fetch) => fetch.upgrade().is_none(),
            Self::Ready { until, .. } | Self::Paused { until, .. } => *until <= now,
        }
    }
}

impl Entries {
    fn begin(&mut self, fingerprint: Fingerprint, fetch: &Shared<Fetch>, now: UnixMs) {
        if self.by_key.len() >= self.sweep_at.max(FEW) {
            self.by_key.retain(|_, entry| !entry.has_ended(now));
            self.sweep_at = self.by_key.len() * 2;
        }
        if let Some(fetch) = fetch.downgrade() {
            self.by_key.insert(fingerprint, Entry::Fetching(fetch));
        }
    }
}

/// How long a token that has just come is used.
fn useful_life(expires_at: Option<UnixMs>, now: UnixMs) -> Duration {
    let life = match expires_at {
        Some(end) if end > now => now.until(end).min(LONGEST_LIFE),
        // One that had ended when it came was given by a clock that ours is ahead of.
        _ => USUAL_LIFE,
    };
    // What lives for less than two margins would be fetched for nearly every request.
    life.saturating_sub(MARGIN).max(life / 2)
}

#[cfg(test)]
mod tests;
