//! Ephemeral tokens: made with a key, good for so many sessions of its project, until they expire.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::prompt::{field, text_field};
use crate::gemini::strict::json_body;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

/// What is taken from a token's life unless it says otherwise.
const LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// Every token. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Token>>);

#[derive(Debug)]
struct Token {
    caller: Caller,
    /// Sessions that it can still open; none: any number.
    uses: Option<u64>,
    expires: Timestamp,
}

impl Tokens {
    /// `POST /v1alpha/auth_tokens`.
    pub(crate) fn create(
        &self,
        stand: &Stand,
        call: &Call,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let asked = json_body(call)?;
        let name = format!("auth_tokens/{}", stand.fresh_id(40));
        let token = Token {
            caller: caller.clone(),
            uses: uses(&asked),
            expires: expiry(&asked)?,
        };
        self.lock().insert(name.clone(), token);
        Ok(Reply::json(&json!({"name": name})))
    }

    /// Whose sessions a token opens; one use of it is taken.
    pub(super) fn open(&self, name: &str) -> Result<Caller, Refusal> {
        let mut tokens = self.lock();
        let token = tokens
            .get_mut(name)
            .ok_or_else(|| refused("Auth token not found."))?;
        if token.expires <= Timestamp::now() {
            return Err(refused("Auth token expired."));
        }
        match &mut token.uses {
            Some(0) => return Err(refused("Token has been used too many times.")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(token.caller.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uses(asked: &Value) -> Option<u64> {
    let uses = field(asked, "uses").and_then(Value::as_u64).unwrap_or(1);
    (uses > 0).then_some(uses)
}

fn expiry(asked: &Value) -> Result<Timestamp, Refusal> {
    match text_field(asked, "expireTime") {
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::invalid("Invalid value at 'auth_token.expire_time'")),
        None => Ok(Timestamp::now()
            .saturating_add(LIFETIME)
            .unwrap_or(Timestamp::MAX)),
    }
}

fn refused(message: &str) -> Refusal {
    Refusal::new(403, "PERMISSION_DENIED", message, &[])
}
