//! Plain data that every crate may name: ids, keys, clients, verdicts, records.
//! No I/O, no HTTP, no SQL, no clock. Start at `key.rs` and `verdict.rs`.

mod client;
mod id;
mod key;
mod record;
mod secret;
mod state;
mod time;
mod usage;
mod verdict;

pub use client::{Client, ClientLimits};
pub use id::{ClientId, KeyId, RequestId};
pub use key::{Key, KeyDraft, KeySource, MAX_WEIGHT};
pub use record::{Attempt, AttemptOutcome, Dialect, RequestRecord};
pub use secret::{Fingerprint, Secret};
pub use state::{Cooling, KeyHealth, KeyState, PairId, PairState, RetiredReason};
pub use time::UnixMs;
pub use usage::Usage;
pub use verdict::{Again, Certainty, Class, Harm, QuotaHint, Scope, Verdict};
