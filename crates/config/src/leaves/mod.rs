//! The types that are one text: numbers, durations, sizes, addresses, URLs, secrets.

mod duration;
mod number;
mod size;
mod text;
mod url;

pub use size::Bytes;
pub use url::{HttpUrl, ProxyUrl};
