//! The pool as callers meet it: which key a request gets (`choosing.rs`), what siblings share (`projects.rs`), how often a
//! request is tried (`repeating.rs`, `creating.rs`), and what is said when no key is left (`exhausted.rs`).

mod choosing;
mod creating;
mod exhausted;
mod projects;
mod repeating;

use futures_util::future::join_all;

use crate::support::{Answer, Connection, TestGateway, generate};

/// So many plain keys, `AIza-key-1` and on.
fn keys(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("AIza-key-{number}"))
}

/// Sends so many requests for the model's answer over so many connections.
async fn generate_many(gateway: &TestGateway, connections: usize, each: usize) -> Vec<Answer> {
    let caller = async |_| {
        let mut connection = Connection::open(gateway.address).await;
        let mut answers = Vec::new();
        for _ in 0..each {
            answers.push(connection.send(generate()).await);
        }
        answers
    };
    let answers = join_all((0..connections).map(caller)).await;
    answers.into_iter().flatten().collect()
}

/// How often each of the first `count` keys was shown to the provider.
fn uses(gateway: &TestGateway, count: usize) -> Vec<usize> {
    keys(count)
        .map(|key| gateway.upstream.count_for_key(&key))
        .collect()
}
