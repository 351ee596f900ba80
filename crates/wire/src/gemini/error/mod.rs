//! Google's errors: `google.rpc.Status` as JSON, with its details, in the wrappers that its endpoints use.
//! `build.rs` writes them, `read.rs` reads them. What an error means for a key is not decided here.

mod build;
mod read;
mod text;

pub use build::{ErrorBody, QuotaViolation, Shape, interaction_code, status_of};
pub(crate) use read::salvaged;
pub use read::{Detail, Fault, Violation};
