//! The pool of one provider's keys: choose one, cool it, retire it, bring it back.
//! Pure: no async, no clock, no I/O; time is an argument and verdicts come from `providers`.
//! Read `pool.rs` for the verbs, `lane.rs` for what is ready, `quota.rs` and `health.rs` for what a verdict does.

mod bit_tree;
mod breaker;
mod cell;
mod census;
mod choose;
mod health;
mod lane;
mod ledger;
mod pacific;
mod pool;
mod quota;
mod report;
mod retry_budget;
mod roster;
mod scores;
mod timers;

pub use cell::{KeyCell, Lease};
pub use census::{Census, Changes, KeyStatus};
pub use choose::{Chosen, Eligible, Strategy};

pub use pacific::PacificDay;
pub use pool::{Exhausted, Pool, PoolRules, Want};
pub use retry_budget::RetryBudget;
