//! The types that are one text: numbers, durations, sizes, addresses, URLs, secrets.

mod duration;
mod number;
mod proxy_url;
mod size;
mod text;
mod url;

pub use proxy_url::{Credentials, ProxyUrl};
pub use size::Bytes;
pub use url::HttpUrl;
