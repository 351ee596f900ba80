//! The key of the next attempt where accounts may have only so many requests under way: one with a free turn if there is
//! any, or else the first to become free. Requests queue here; they do not fail.
//! Which key is drawn is `credentials.rs`; the lines are `crate::turns`.

use std::time::{Duration, Instant};

use domain::Class;
use futures_util::future::select_all;
use keypool::Exhausted;

use super::credential::Credential;
use super::exchange::Exchange;
use crate::turns::Turns;

/// Keys that are looked at for a free turn before the request stands in their lines.
const MOST_LOOKED_AT: usize = 8;
/// When a caller that waited in vain may come back.
const LATER: Duration = Duration::from_secs(1);

/// The key for the next attempt, with its turn; a request waits until `until` at most.
pub(crate) async fn next_credential(
    exchange: &mut Exchange,
    again: bool,
    until: Instant,
) -> Result<Credential, Exhausted> {
    let turns = exchange.provider.turns.clone();
    let Some(turns) = turns.filter(|_| exchange.call.asks_a_model()) else {
        return exchange.next_credential(again);
    };
    let mut busy: Vec<Credential> = Vec::new();
    let exhausted = loop {
        let credential = match exchange.next_credential(again) {
            Ok(credential) => credential,
            Err(exhausted) => break exhausted,
        };
        if busy
            .first()
            .is_some_and(|first| !credential.is_of_the_same_source(first))
        {
            // A key that is only busy has not failed: what comes after it in the order is not its turn.
            exchange.give_back(credential);
            break Exhausted::AllTried;
        }
        if let Some(turn) = turns.try_take(credential.account()) {
            give_back(exchange, busy);
            return Ok(credential.with_turn(turn));
        }
        busy.push(credential);
        if busy.len() >= MOST_LOOKED_AT {
            break Exhausted::AllTried;
        }
    };
    if busy.is_empty() {
        return Err(exhausted);
    }
    wait(exchange, &turns, busy, until).await
}

/// Stands in the line of each of the keys, and takes the first turn.
async fn wait(
    exchange: &mut Exchange,
    turns: &Turns,
    mut busy: Vec<Credential>,
    until: Instant,
) -> Result<Credential, Exhausted> {
    let lines = busy
        .iter()
        .map(|credential| Box::pin(turns.take(credential.account())));
    let first = tokio::time::timeout_at(until.into(), select_all(lines)).await;
    let Ok((turn, index, _)) = first else {
        give_back(exchange, busy);
        return Err(Exhausted::Cooling {
            until: exchange.app.clock.now() + LATER,
            class: Class::RateLimited,
        });
    };
    let credential = busy.swap_remove(index);
    give_back(exchange, busy);
    Ok(credential.with_turn(turn))
}

fn give_back(exchange: &mut Exchange, unused: Vec<Credential>) {
    for credential in unused {
        exchange.give_back(credential);
    }
}
