//! Stores the bans that keymux makes, with their lines in the activity log, so that they survive a restart and other
//! instances follow them. They are in force before (`fresh_bans.rs`).

use std::sync::Arc;
use std::time::Duration;

use domain::{Action, Ban, Event};
use store::StoreError;

use crate::activity::KEYMUX;
use crate::app::App;
use crate::clock;
use crate::live::{self, Touched};

/// The pause after a change: other instances read everything anew after each.
const BETWEEN: Duration = Duration::from_millis(500);
/// Bans that are stored in one change, for which other writers wait.
const AT_ONCE: usize = 500;

pub(super) async fn run(app: Arc<App>) {
    let mut has_failed = false;
    while !app.tasks.are_stopping() {
        let is_waiting = !app.fresh_bans.waiting(app.clock.now()).is_empty();
        if !is_waiting {
            tokio::select! {
                () = app.fresh_bans.woken() => {}
                () = app.tasks.stopping() => break,
            }
        }
        let stored = store_some(&app).await;
        if let Err(error) = &stored
            && !has_failed
        {
            tracing::error!(%error, "bans are in force and cannot be stored; trying on");
        }
        has_failed = stored.is_err();
        tokio::select! {
            () = tokio::time::sleep(BETWEEN) => {}
            () = app.tasks.stopping() => {}
        }
    }
    store_last(&app).await;
}

/// Nobody makes bans any more: what is not stored now is lost.
async fn store_last(app: &App) {
    let waiting = || app.fresh_bans.waiting(app.clock.now());
    while !waiting().is_empty() {
        if let Err(error) = store_some(app).await {
            let addresses: Vec<String> =
                waiting().into_iter().map(|(_, ban)| ban.address).collect();
            tracing::error!(%error, ?addresses, "bans could not be stored and are lost");
            return;
        }
    }
}

async fn store_some(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let change = app.store.change().await?;
    // Looked at when nobody else can make or lift a ban: what was lifted meanwhile must not come back.
    let mut waiting = app.fresh_bans.waiting(now);
    waiting.truncate(AT_ONCE);
    let mut is_new = false;
    for (_, ban) in &waiting {
        // Another instance may have banned the address too, or an operator for longer.
        let known = change.ban_of(&ban.address).await?;
        if known.is_none_or(|known| !known.is_in_force(now)) {
            change.ban(ban).await?;
            change.log(&line(ban), now).await?;
            is_new = true;
        }
    }
    if is_new {
        live::publish(app, change, Touched::Bans).await?;
    }
    app.fresh_bans.stored(&waiting);
    Ok(())
}

fn line(ban: &Ban) -> Event {
    let details = match ban.until {
        Some(until) => format!("until {}: {}", clock::written(until), ban.reason),
        None => ban.reason.clone(),
    };
    Event::new(KEYMUX, Action::Ban, "bans")
        .about(&ban.address)
        .details(details)
}
