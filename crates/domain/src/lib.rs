//! Plain data that every crate may name: ids, keys, clients, users, verdicts, records, money.
//! No I/O, no HTTP, no SQL, no clock. Start at `key.rs` and `verdict.rs`.

mod activity;
mod ban;
mod check;
mod client;
mod id;
mod key;
mod money;
mod record;
mod resource;
mod secret;
mod state;
mod time;
mod usage;
mod user;
mod verdict;

pub use activity::{Action, Activity, Event};
pub use ban::Ban;
pub use check::{CheckResult, KeyCheck};
pub use client::{BudgetPeriod, Client, ClientDay, ClientDraft, ClientLimits};
pub use id::{ClientId, KeyId, RequestId, UserId};
pub use key::{Key, KeyDraft, KeySource, MAX_WEIGHT};
pub use money::{LongPrompt, Nanodollars, Price};
pub use record::{Attempt, AttemptOutcome, Dialect, Elsewhere, RequestRecord};
pub use resource::{Resource, ResourceName};
pub use secret::{Fingerprint, Secret};
pub use state::{Cooling, KeyHealth, KeyState, PairId, PairState, RetiredReason};
pub use time::UnixMs;
pub use usage::Usage;
pub use user::{Role, User};
pub use verdict::{Again, Certainty, Class, Harm, QuotaHint, Scope, Verdict};
