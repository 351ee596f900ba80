//! Deferred completions: made at once, told to be in the making at the first poll, handed out once at
//! the second, and gone after that. Another team's are not there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use super::no_such_path;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::{PLAIN_JSON, Reply};
use crate::stand::Stand;

#[derive(Debug)]
struct Waiting {
    project: String,
    reply: Reply,
    polled: bool,
}

/// All completions that were not handed out yet. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Deferred(Mutex<HashMap<String, Waiting>>);

impl Deferred {
    /// Keeps an answer and says under which id.
    pub(crate) fn keep(&self, stand: &Stand, caller: &Caller, reply: Reply) -> Reply {
        let id = stand.fresh_uuid();
        let waiting = Waiting {
            project: caller.project.clone(),
            reply,
            polled: false,
        };
        self.lock().insert(id.clone(), waiting);
        Reply::compact(&json!({"request_id": id}))
    }

    /// 202 without a body, then the answer, then 404.
    pub(crate) fn poll(&self, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
        let mut waiting = self.lock();
        let found = waiting.get_mut(id).filter(|w| w.project == caller.project);
        let found = found.ok_or_else(no_such_path)?;
        if !found.polled {
            found.polled = true;
            return Ok(Reply::new(StatusCode::ACCEPTED, PLAIN_JSON, Bytes::new()));
        }
        let done = waiting.remove(id).ok_or_else(no_such_path)?;
        Ok(done.reply)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
