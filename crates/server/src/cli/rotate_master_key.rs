//! `keymux rotate-master-key`: a new master key for the secrets of the store, while instances serve.
//! What happens in which order is in `store`, `rotate.rs`; here it is driven, and its progress shown.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, anyhow};
use config::Config;
use store::{Progress, RotateError, Rotation, Store};

use super::{block_on, complain, say};
use crate::boot;
use crate::clock::Clock;

/// How many lines of progress there are at most.
const LINES: u64 = 20;

pub(super) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    block_on(1, async {
        let (store, _) = boot::open_store(config).await?;
        let rotation = rotate(&store).await?;
        for place in rotation.unreadable() {
            complain(&format!(
                "{place} did not open before and does not now; left as it is"
            ));
        }
        say(&done(config));
        store.close().await?;
        Ok(ExitCode::SUCCESS)
    })
}

async fn rotate(store: &Store) -> anyhow::Result<Rotation> {
    let mut rotation = store.rotate_master_key().await.map_err(advice)?;
    if rotation.is_resumed() {
        say("going on with a rotation that was not finished");
    }
    let clock = Clock::start();
    let mut shown = 0;
    loop {
        let began = Instant::now();
        let step = rotation.step(clock.now()).await;
        let step = step.context("not finished, and nothing is lost; run it again, it goes on")?;
        let Some(progress) = step else {
            return Ok(rotation);
        };
        if is_worth_a_line(progress, shown) {
            shown = progress.done;
            say(&line(progress));
        }
        // A third of the time belongs to instances that wait to write.
        tokio::time::sleep(began.elapsed() / 2).await;
    }
}

fn advice(error: RotateError) -> anyhow::Error {
    match error {
        RotateError::OneKey => anyhow!(
            "the master key is given by KEYMUX_MASTER_KEY: put a new one there and this one into \
             KEYMUX_MASTER_KEY_PREVIOUS, restart every instance with both, then run this with both"
        ),
        RotateError::Empty => anyhow!(
            "nothing is sealed in this database; is `database.url` that of the running instances?"
        ),
        error @ RotateError::Store(_) => error.into(),
    }
}

fn is_worth_a_line(progress: Progress, shown: u64) -> bool {
    let news = progress.done - shown;
    news > 0 && (progress.done == progress.total || news >= progress.total / LINES)
}

fn line(progress: Progress) -> String {
    let [done, total] = [progress.done, progress.total].map(with_commas);
    format!("{done} of {total}")
}

fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn done(config: &Config) -> String {
    if config.master_key.is_some() {
        return "done: every secret is encrypted under KEYMUX_MASTER_KEY; \
                KEYMUX_MASTER_KEY_PREVIOUS can go"
            .to_owned();
    }
    let file = boot::master_key_file(config);
    format!(
        "done: every secret is encrypted under the new key in {}; back it up with the database",
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(done: u64, total: u64, shown: u64, expected: Option<&str>) {
        let progress = Progress { done, total };
        let line = is_worth_a_line(progress, shown).then(|| line(progress));
        assert_eq!(line.as_deref(), expected);
    }

    #[test]
    fn progress_is_told_now_and_then_and_at_the_end() {
        check(0, 0, 0, None);
        check(3, 3, 0, Some("3 of 3"));
        check(3, 3, 3, None);
        check(4_999, 100_000, 0, None);
        check(12_000, 100_000, 6_912, Some("12,000 of 100,000"));
        check(
            1_000_000,
            1_000_000,
            999_999,
            Some("1,000,000 of 1,000,000"),
        );
    }
}
