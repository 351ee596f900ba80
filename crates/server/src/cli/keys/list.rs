//! `keymux keys list`: one line a key, with where it comes from, how it stands and what its last check found; and what is
//! wrong with key files.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use config::Config;
use domain::{Class, Key, KeyCheck, KeyHealth, KeyId, KeySource, KeyState, UnixMs};
use store::Store;

use super::keys_of;
use crate::cli::{complain, say};
use crate::clock::Clock;
use crate::key_files;

const PAGE: u64 = 2000;

pub(super) async fn list(
    store: &Store,
    config: &Config,
    provider: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let keys = keys_of(store, config, provider).await?;
    let checks = last_checks(store).await?;
    let now = Clock::start().now();
    say(&format!(
        "{:>6}  {:<12} {:<12} {:<20} {:<16} {:<24} {:<24} last check",
        "id", "provider", "key", "label", "project", "source", "state"
    ));
    for (key, state) in &keys {
        say(&format!(
            "{:>6}  {:<12} {:<12} {:<20} {:<16} {:<24} {:<24} {}",
            key.id,
            key.provider,
            key.secret.masked(),
            key.label.as_deref().unwrap_or("-"),
            key.project.as_deref().unwrap_or("-"),
            source_of(key),
            state_of(key, state, now),
            check_of(checks.get(&key.id), now),
        ));
    }
    for report in key_files::inspect(config, now) {
        if provider.is_none_or(|name| *report.provider == *name) {
            report.complaints().iter().for_each(|text| complain(text));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Of each key the last check, whatever the model.
async fn last_checks(store: &Store) -> anyhow::Result<HashMap<KeyId, KeyCheck>> {
    let mut newest: HashMap<KeyId, KeyCheck> = HashMap::new();
    let mut last = None;
    loop {
        let page = store.load_checks(last.as_ref(), PAGE).await?;
        for check in page.checks {
            let known = newest.get(&check.key);
            if known.is_none_or(|known| known.checked_at < check.checked_at) {
                newest.insert(check.key, check);
            }
        }
        match page.last {
            Some(place) => last = Some(place),
            None => return Ok(newest),
        }
    }
}

fn source_of(key: &Key) -> String {
    match (key.source, &key.file) {
        (KeySource::Config, _) => "config".to_owned(),
        (KeySource::Env, _) => "env".to_owned(),
        (KeySource::Admin, _) => "admin".to_owned(),
        (KeySource::File, Some(file)) => format!("file {file}"),
        (KeySource::File, None) => "no file any more".to_owned(),
    }
}

fn state_of(key: &Key, state: &KeyState, now: UnixMs) -> String {
    match state.health {
        _ if !key.enabled => "disabled".to_owned(),
        KeyHealth::Active => "active".to_owned(),
        KeyHealth::Cooling(cooling) => {
            let left = now.until(cooling.until);
            format!(
                "cooling for {} s ({})",
                left.as_secs(),
                cooling.class.name()
            )
        }
        KeyHealth::Retired { reason, .. } => format!("invalid ({})", reason.name()),
    }
}

fn check_of(check: Option<&KeyCheck>, now: UnixMs) -> String {
    let Some(check) = check else {
        return "-".to_owned();
    };
    let found = match check.result.class {
        Class::Ok => "works",
        _ => check.result.reason,
    };
    let model = if check.model.is_empty() {
        String::new()
    } else {
        format!(" with {}", check.model)
    };
    let ago = rounded(check.checked_at.until(now));
    format!("{found}{model}, {ago} ago")
}

/// The largest unit that it fills.
fn rounded(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let largest = units.iter().find(|(length, _)| seconds >= *length);
    largest.map_or_else(
        || format!("{seconds} s"),
        |(length, unit)| format!("{} {unit}", seconds / length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (61, "1 min"), (7_300, "2 h")] {
            assert_eq!(rounded(Duration::from_secs(seconds)), text);
        }
        assert_eq!(rounded(Duration::from_secs(900_000)), "10 d");
    }
}
