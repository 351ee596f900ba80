//! The pool of one provider's keys: choose one, cool it, retire it, bring it back.
//! Pure: no async, no clock, no I/O; time is an argument and verdicts come from `providers`.
//! Read `pool.rs` for the verbs, `want.rs` for what a request gets, `lane.rs` for what is ready, `quota.rs` and `health.rs`
//! for what a verdict does, `by_model.rs` for what is known of models, `blame.rs` for when it is the egress that is at fault;
//! `schedule/` says which key is to be checked next, and `checked.rs` what a check changes.

mod account;
mod bit_tree;
mod blame;
mod breaker;
mod by_model;
mod cell;
mod census;
mod checked;
mod choose;
mod forgive;
mod health;
mod lane;
mod ledger;
mod pacific;
mod pool;
mod quota;
mod report;
mod retry_budget;
mod roster;
mod schedule;
mod scores;
mod timers;
mod want;
mod warmth;

pub use blame::{Blame, EgressId, Failure, Finding, ProjectTag, Track};
pub use by_model::{CoolingPair, ModelDay, ModelSummary};
pub use cell::{KeyCell, Lease};
pub use census::{Census, Changes, KeyStatus, Member, Out, Outlook};
pub use checked::Checked;
pub use choose::{Chosen, Eligible, Strategy};
pub use forgive::Receipt;
pub use pacific::PacificDay;
pub use pool::{Pool, PoolRules};
pub use retry_budget::RetryBudget;
pub use schedule::{
    CheckRow, CheckRules, Due, Existence, MOST_MODELS, ModelChecks, Planned, Schedule, Span,
};
pub use want::{Exhausted, Place, Want};
pub use warmth::{Prefix, Warmth};
