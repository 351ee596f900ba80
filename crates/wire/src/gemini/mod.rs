//! Google's dialect: answers read as they pass, errors read and written, model lists.
//! What a verdict is made of, not the verdict: that is `providers`. Start at `scan.rs`.

mod counts;
pub mod error;
pub(crate) mod fields;
mod finish;
pub mod live;
pub mod models;
mod read;
pub mod resources;
mod scan;
mod summary;
mod tail;

pub use finish::Finish;
pub use scan::AnswerScan;
pub use summary::{Content, Framing, Progress, Summary};
pub use tail::stream_error_tail;
