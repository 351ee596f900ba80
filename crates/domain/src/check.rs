//! What a check of a key has found, as it is kept over a restart.

use std::sync::Arc;

use crate::{Class, KeyId, UnixMs};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The status that the provider answered with; none: no answer.
    pub status: Option<u16>,
    /// What the answer means.
    pub class: Class,
    /// Its short stable code, for example `api_key_invalid`; [`CheckResult::TRAFFIC`]: it was no check.
    pub reason: &'static str,
    /// How long the provider took, in milliseconds.
    pub latency_ms: u32,
}

impl CheckResult {
    /// The reason of a result that a caller's request has brought: an answer is as good as a check.
    pub const TRAFFIC: &'static str = "traffic";
}

/// The last check of a key with a model, and when the next one is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// The key.
    pub key: KeyId,
    /// The model, as the provider names it; empty: the key alone.
    pub model: Arc<str>,
    /// When it was checked.
    pub checked_at: UnixMs,
    /// When it will be checked next.
    pub next_at: UnixMs,
    /// What came of it.
    pub result: CheckResult,
}
