//! Which of an owner's keys for a provider is used first, and how that changes: by the owner, by a deletion, or because
//! the key failed. Each change comes with its lines in the activity log. The pools follow by `live::publish`.

use domain::{Action, Key, KeyId, UnixMs};
use store::{Change, Selection, Store, StoreError};

use crate::activity::{KEYMUX, about, shown};
use crate::app::App;
use crate::live::{self, Touched};

/// Keys that a deletion took away, and those that it touched besides.
#[derive(Debug)]
pub(crate) struct Deleted {
    pub(crate) count: u64,
    /// Keys that are selected now, in place of one that is gone.
    pub(crate) selected: Vec<KeyId>,
}

/// Selects a key of an owner, in place of the one that was. Gives the keys that have changed.
pub(crate) async fn select(
    store: &Store,
    change: &Change,
    key: &Key,
    actor: &str,
    now: UnixMs,
) -> Result<Vec<KeyId>, StoreError> {
    let Selection::Selected { instead_of } = change.select_key(key.id).await? else {
        return Ok(Vec::new());
    };
    let mut changed = vec![key.id];
    if let Some(id) = instead_of {
        if let Some(other) = store.key(id).await? {
            let details = format!("{}: key {} is selected", shown(&other), key.id);
            let line = about(&other, actor, Action::Unselect, details);
            change.log(&line, now).await?;
        }
        changed.push(id);
    }
    let line = about(key, actor, Action::Select, shown(key));
    change.log(&line, now).await?;
    Ok(changed)
}

/// Makes a key its owner's selected one no longer. Gives the keys that have changed.
pub(crate) async fn unselect(
    change: &Change,
    key: &Key,
    actor: &str,
    now: UnixMs,
) -> Result<Vec<KeyId>, StoreError> {
    if !change.unselect_key(key.id).await? {
        return Ok(Vec::new());
    }
    let line = about(key, actor, Action::Unselect, shown(key));
    change.log(&line, now).await?;
    Ok(vec![key.id])
}

/// Moves the selection from a key that has failed to one that has answered. Does nothing when the selection is no longer
/// at the first, or the second is gone.
pub(crate) async fn move_on(
    app: &App,
    from: KeyId,
    to: KeyId,
    reason: &str,
) -> Result<(), StoreError> {
    let change = app.store.change().await?;
    let is_still_there = change.unselect_key(from).await?;
    if !is_still_there || change.select_key(to).await? == Selection::Impossible {
        return Ok(());
    }
    let (Some(left), Some(chosen)) = (app.store.key(from).await?, app.store.key(to).await?) else {
        return Ok(());
    };
    let now = app.clock.now();
    let details = format!("{}: {reason}", shown(&left));
    let line = about(&left, KEYMUX, Action::Unselect, details);
    change.log(&line, now).await?;
    let details = format!(
        "{}: answered in place of key {from} ({reason})",
        shown(&chosen)
    );
    let line = about(&chosen, KEYMUX, Action::Select, details);
    change.log(&line, now).await?;
    live::publish(app, change, Touched::Keys(vec![from, to])).await
}

/// Deletes keys. Where one was its owner's selected key, the next one is selected.
pub(crate) async fn delete_keys(
    store: &Store,
    change: &Change,
    keys: &[Key],
    now: UnixMs,
) -> Result<Deleted, StoreError> {
    let mut bereft = Vec::new();
    for key in keys {
        if let Some(owner) = key.owner
            && change.unselect_key(key.id).await?
        {
            bereft.push((owner, key));
        }
    }
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
    let count = change.delete_keys(&ids).await?;
    let mut selected = Vec::new();
    for (owner, gone) in bereft {
        let Some(next) = change.select_next(owner, &gone.provider, gone.id).await? else {
            continue;
        };
        if let Some(key) = store.key(next).await? {
            let details = format!("{}: key {} is deleted", shown(&key), gone.id);
            let line = about(&key, KEYMUX, Action::Select, details);
            change.log(&line, now).await?;
        }
        selected.push(next);
    }
    Ok(Deleted { count, selected })
}
