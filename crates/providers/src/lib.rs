//! How one provider is addressed, authenticated and understood: pure functions from an answer to a verdict.
//! No async, no clock, no I/O, and nothing about a key's health: `keypool` draws the conclusions.
//! One file (or folder) per provider, listed here; the dialects that they read with are in `wire`.

mod answer;
mod api;
mod check;
pub mod gigachat;
pub mod google;
mod limits;
mod lists;
pub mod openai;
mod operation;
pub mod perplexity;
mod prepare;
pub mod quirks;
mod refused;
mod success;
mod translate;
pub mod xai;

pub use answer::{ErrorAnswer, Place};
pub use api::{Api, compatible};
pub use check::{Check, CheckCall, Finding, Step};
pub use gigachat::File;
pub use lists::ModelsPage;
pub use operation::{Operation, Transfer, operation};
pub use prepare::{Asked, Body, Endpoint, Prepared, Translation, WithFiles};
pub use refused::Refused;
pub use translate::Translate;
