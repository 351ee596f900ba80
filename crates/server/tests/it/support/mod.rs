//! What tests are written in: [`TestGateway`] starts keymux, its answers are [`Answer`]s.

use std::time::Duration;

mod answer;
mod builder;
mod caller;
mod client;
mod gateway;
mod operator;
mod postgres;
mod program;
mod raw;
mod socket;
pub(crate) mod talk;

pub(crate) use answer::Answer;
pub(crate) use builder::Builder;
pub(crate) use caller::{ClientKey, generate, generate_as, generate_path, post, prompt, stream};
pub(crate) use client::{Connection, request};
pub(crate) use gateway::{CLIENT_KEY, MODEL, TestGateway};
pub(crate) use operator::{ADMIN, MEMBERS_PASSWORD, Operator, PASSWORD, log_in};
pub(crate) use postgres::on_postgres;
pub(crate) use program::{Machine, Program, word_after};
pub(crate) use raw::{RawAnswer, RawUpstream};
pub(crate) use socket::Socket;

/// How long a test waits for what must come: what is slow on a busy machine is not wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `look` gives something; fails after [`PATIENCE`].
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what}: not within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
