//! Google's Gemini API (`generativelanguage.googleapis.com`).
//! `operation.rs` reads what is asked, `error.rs` and `quota.rs` judge refusals, `success.rs` judges answers.

mod case;
mod credential;
mod error;
mod live;
mod operation;
mod quota;
mod success;
mod texts;

pub use credential::authenticate;
pub use error::judge_error;
pub use live::judge_close;
pub use operation::operation;
pub use success::judge_success;
