//! Callers without a client key: how often their address may ask (`limits.rs`), bans (`bans.rs`), wrong keys (`keys.rs`),
//! and that some are turned away while few keys are usable (`shedding.rs`). Time passes by skipping it.

mod bans;
mod keys;
mod limits;
mod shedding;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::support::{Answer, Builder, MODEL, TestGateway, generate_path, prompt, request};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Where most callers of these tests come from.
const HERE: &str = "203.0.113.9";
const THERE: &str = "203.0.113.10";

/// Open to callers without a client key, behind a proxy that is trusted.
fn open() -> Builder {
    TestGateway::new()
        .setting("server.auth", "open")
        .setting("server.trusted_proxies", "[127.0.0.1/32]")
}

/// The same, with so many requests a minute and an hour.
fn limited(per_minute: u32, ban_above_per_hour: u32) -> Builder {
    open()
        .setting("ip_limits.per_minute", &per_minute.to_string())
        .setting(
            "ip_limits.ban_above_per_hour",
            &ban_above_per_hour.to_string(),
        )
}

/// A request for the model's answer from an address, with more headers.
fn generate_from(address: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let headers = [&[("x-forwarded-for", address)], headers].concat();
    request("POST", &generate_path(MODEL), &headers, prompt("hi"))
}

impl TestGateway {
    /// Asks the model from an address, without a key.
    async fn ask_from(&self, address: &str) -> Answer {
        self.send(generate_from(address, &[])).await
    }

    /// Asks the model from an address, with a key.
    async fn ask_with(&self, address: &str, key: &str) -> Answer {
        self.send(generate_from(address, &[("x-goog-api-key", key)]))
            .await
    }

    /// What becomes of so many requests from an address without a key.
    async fn statuses(&self, address: &str, count: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.ask_from(address).await.status);
        }
        statuses
    }

    /// A number among the metrics.
    async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}"))
            .trim()
            .parse()
            .unwrap()
    }
}
