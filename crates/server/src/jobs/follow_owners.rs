//! Follows what requests notice about the keys of an owner: moves the selection away from a key that has failed to the
//! one that answered, and writes into the activity log when none of an owner's keys worked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Action, Event, KeyId, UserId};
use store::StoreError;
use tokio::sync::mpsc::Receiver;

use crate::activity::KEYMUX;
use crate::app::App;
use crate::notices::{Ending, FailedKey, Notice};
use crate::selection;

/// How often at most it is told that none of an owner's keys for a provider works.
const TELL_EVERY: Duration = Duration::from_secs(60);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Keys that a line names.
const NAMED: usize = 5;

/// When it was last told of an owner's keys for a provider that none works.
type Told = HashMap<(UserId, Arc<str>), Instant>;

pub(super) async fn run(app: Arc<App>, mut notices: Receiver<Notice>) {
    let mut told = Told::new();
    loop {
        let notice = tokio::select! {
            biased;
            notice = notices.recv() => notice,
            () = app.tasks.stopping() => return,
        };
        let Some(notice) = notice else { return };
        // A notice that the database did not take is tried again before the next.
        while let Err(error) = follow(&app, &notice, &mut told).await {
            tracing::warn!(%error, "what became of an owner's keys could not be stored; trying on");
            tokio::select! {
                () = tokio::time::sleep(AFTER_FAILURE) => {}
                () = app.tasks.stopping() => return,
            }
        }
    }
}

async fn follow(app: &App, notice: &Notice, told: &mut Told) -> Result<(), StoreError> {
    match notice.ending {
        Ending::Answered(chosen) => match selected(app, notice) {
            Some(failed) => selection::move_on(app, failed.id, chosen, failed.reason).await,
            None => Ok(()),
        },
        Ending::Exhausted => tell_exhausted(app, notice, told).await,
    }
}

/// The key that went out of use while it was the selected one. Looked up in memory first: most failures concern keys
/// that the selection has left already.
fn selected(app: &App, notice: &Notice) -> Option<FailedKey> {
    let snapshot = app.snapshot.load();
    let pool = snapshot
        .provider(&notice.provider)?
        .pools
        .of(notice.owner)?;
    let is_selected = |id: KeyId| {
        pool.status(id)
            .is_some_and(|status| status.cell.key.selected)
    };
    let mut out = notice.failed.iter().filter(|failed| failed.is_out);
    out.find(|failed| is_selected(failed.id)).copied()
}

async fn tell_exhausted(app: &App, notice: &Notice, told: &mut Told) -> Result<(), StoreError> {
    told.retain(|_, at| at.elapsed() < TELL_EVERY);
    let whose = (notice.owner, notice.provider.clone());
    if told.contains_key(&whose) {
        return Ok(());
    }
    app.store.log(&[exhausted(notice)], app.clock.now()).await?;
    told.insert(whose, Instant::now());
    Ok(())
}

fn exhausted(notice: &Notice) -> Event {
    let (named, more) = notice.failed.split_at(NAMED.min(notice.failed.len()));
    let named = named.iter();
    let mut failed: Vec<String> = named
        .map(|key| format!("key {} {}", key.id, key.reason))
        .collect();
    if !more.is_empty() {
        failed.push(format!("{} more", more.len()));
    }
    Event::new(KEYMUX, Action::FailoverExhausted, "keys")
        .of(notice.owner)
        .at(&notice.provider)
        .details(format!(
            "no key of the owner's answered: {}",
            failed.join(", ")
        ))
}
