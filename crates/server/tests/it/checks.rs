//! Checks of keys in the background: which are made and which are not (`schedule.rs`), what they change in the pool
//! (`pool.rs`), models that are not there (`missing.rs`), what each provider is asked (`providers.rs`), checks by hand
//! (`hand.rs`), and what is shown of them (`shown.rs`).

mod hand;
mod missing;
mod pool;
mod providers;
mod schedule;
mod shown;

use std::time::Duration;

use domain::UnixMs;
use fake_upstream::{FakeUpstream, Rule};
use serde_json::Value;

use crate::support::{Operator, eventually};

/// The model that keys are checked with unless the configuration names another one.
const LISTED: &str = "gemini-flash-latest";
const OK: &str = r#"{"totalTokens":1}"#;

/// Calls that count tokens: checks.
fn checks(upstream: &FakeUpstream) -> usize {
    count(upstream, ":countTokens")
}

fn checks_of(upstream: &FakeUpstream, key: &str) -> usize {
    let seen = upstream.seen();
    let of_key = seen.iter().filter(|seen| {
        seen.key.as_deref() == Some(key) && seen.path_and_query.contains(":countTokens")
    });
    of_key.count()
}

fn count(upstream: &FakeUpstream, path: &str) -> usize {
    let seen = upstream.seen();
    seen.iter()
        .filter(|seen| seen.path_and_query.contains(path))
        .count()
}

/// The rows of the list that have been checked, once there are so many.
async fn checked(admin: &Operator, query: &str, at_least: usize) -> Vec<Value> {
    eventually("keys are checked", async || {
        let mut rows = admin.rows(&format!("/api/key_checks?{query}")).await;
        rows.retain(|row| row["checked_at"].is_string());
        (rows.len() >= at_least).then_some(rows)
    })
    .await
}

/// The check of one key with the model that is listed, once it says so.
async fn says(admin: &Operator, key: i64, reason: &str) -> Value {
    eventually(&format!("a check says {reason}"), async || {
        let path = format!("/api/key_checks?key_id={key}&model={LISTED}");
        let rows = admin.rows(&path).await;
        let row = rows.into_iter().next()?;
        (row["reason"] == reason).then_some(row)
    })
    .await
}

/// From a check to the next one.
fn span(row: &Value) -> Duration {
    let at = |name: &str| -> UnixMs {
        let text = row[name].as_str().unwrap();
        let time: jiff::Timestamp = text.parse().unwrap();
        UnixMs(time.as_millisecond())
    };
    at("checked_at").until(at("next_at"))
}

/// Checks with this model are answered so.
fn answer(status: u16, body: &str) -> Rule {
    Rule::new()
        .method("countTokens")
        .respond(status, body.to_owned())
}
