//! The tokens given out by the token endpoint, and whose they are. What is checked before one is given
//! is `oauth.rs`; what an account stores is `files.rs`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::files::Files;
use crate::clock::Clock;

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// How tokens are given out.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) lifetime: Duration,
    pub(crate) in_seconds: bool,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            lifetime: HALF_AN_HOUR,
            in_seconds: false,
        }
    }
}

/// For whom a token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Persons,
    Companies,
    Corporations,
}

impl Scope {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "GIGACHAT_API_PERS" => Some(Self::Persons),
            "GIGACHAT_API_B2B" => Some(Self::Companies),
            "GIGACHAT_API_CORP" => Some(Self::Corporations),
            _ => None,
        }
    }

    /// How many requests may be in flight at once.
    pub(crate) fn seats(self) -> usize {
        if self == Self::Persons { 1 } else { 10 }
    }
}

/// Who holds a token.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The authorization key for which it was given.
    pub(crate) key: String,
    pub(crate) scope: Scope,
    pub(crate) expired: bool,
}

#[derive(Debug)]
struct Token {
    key: String,
    scope: Scope,
    expires: Duration,
}

/// All tokens and files. The lock is held for one look or one change.
#[derive(Debug)]
pub(crate) struct Accounts {
    settings: Tokens,
    clock: Arc<Clock>,
    issued: Mutex<HashMap<String, Token>>,
    requests: AtomicUsize,
    pub(crate) files: Files,
}

impl Accounts {
    pub(crate) fn new(settings: Tokens, clock: Arc<Clock>) -> Self {
        Self {
            settings,
            clock,
            issued: Mutex::default(),
            requests: AtomicUsize::new(0),
            files: Files::default(),
        }
    }

    /// Counts a request to the token endpoint.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn token_requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    /// Gives out a token; the answer of the endpoint.
    pub(crate) fn issue(&self, token: String, key: &str, scope: Scope) -> Value {
        let lifetime = self.settings.lifetime;
        // A token that is dead on arrival must look alive, or nobody would try it.
        let promised = if lifetime.is_zero() {
            HALF_AN_HOUR
        } else {
            lifetime
        };
        let at = Timestamp::now().as_millisecond() + promised.as_millis() as i64;
        let expires_at = if self.settings.in_seconds {
            at / 1000
        } else {
            at
        };
        let body = json!({"access_token": token, "expires_at": expires_at});
        let issued = Token {
            key: key.to_owned(),
            scope,
            expires: self.clock.now() + lifetime,
        };
        self.lock().insert(token, issued);
        body
    }

    /// Who holds a token; `None` for one that was never given out.
    pub(crate) fn holder(&self, token: &str) -> Option<Holder> {
        let issued = self.lock();
        let found = issued.get(token)?;
        Some(Holder {
            key: found.key.clone(),
            scope: found.scope,
            expired: self.clock.now() >= found.expires,
        })
    }

    /// Lets every token given out so far expire.
    pub(crate) fn expire_all(&self) {
        let now = self.clock.now();
        self.lock()
            .values_mut()
            .for_each(|token| token.expires = now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
