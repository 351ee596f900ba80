//! Brings what the running program has learnt into the store: how keys and pairs stand, what client keys have used,
//! what checks have found, uploads that have begun; and into the activity log which keys were retired or came back. A job does so twice a
//! second; what must not be lost is saved before it is acknowledged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{
    Action, ClientDay, ClientId, Event, KeyCheck, KeyHealth, KeyId, KeyState, PairId, PairState,
};
use store::{StoreError, UploadSession};
use tokio::sync::Mutex;

use crate::activity::{KEYMUX, about, shown};
use crate::app::App;
use crate::events::Happening;
use crate::snapshot::Provider;

/// Lines for the activity log that may wait for the database.
const MOST_LINES: usize = 10_000;

/// What has not been saved yet. It is kept when the database fails, and goes with the next save.
///
/// An async mutex: it is held while the database works, so that an older state never goes over a newer one.
#[derive(Debug)]
pub(crate) struct Saver(Mutex<Unsaved>);

#[derive(Debug, Default)]
struct Unsaved {
    keys: HashMap<KeyId, KeyState>,
    pairs: HashMap<PairId, PairState>,
    uploads: Vec<UploadSession>,
    client_days: HashMap<(ClientId, i32), ClientDay>,
    checks: HashMap<(KeyId, Arc<str>), KeyCheck>,
    lines: Vec<Event>,
    /// The keys that were retired when their state was last looked at.
    retired: HashSet<KeyId>,
}

/// The longest name of a model that the database is given: callers write what they like, and PostgreSQL's indexes take
/// no more than 2704 bytes.
pub(crate) const LONGEST_MODEL: usize = 256;

/// What a save did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The database has taken what was new.
    Something,
    /// There was nothing new, and the database was not asked.
    Nothing,
}

impl Saver {
    /// A saver that knows how the keys stand when the program begins.
    pub(crate) fn knowing(providers: &[Arc<Provider>]) -> Self {
        let statuses = providers.iter().flat_map(|known| known.pools.statuses());
        let retired = statuses.filter(|status| is_retired(&status.state));
        Self(Mutex::new(Unsaved {
            retired: retired.map(|status| status.id).collect(),
            ..Unsaved::default()
        }))
    }

    /// Saves everything that is new, and looks at what is then known in the store. Nothing is gathered meanwhile.
    pub(crate) async fn settled<T>(
        &self,
        app: &App,
        look: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        let mut unsaved = self.0.lock().await;
        unsaved.gather(app);
        unsaved.save(app).await?;
        Ok(look())
    }

    /// Saves everything that is new.
    pub(crate) async fn save(&self, app: &App) -> Result<Saved, StoreError> {
        let mut unsaved = self.0.lock().await;
        unsaved.gather(app);
        if unsaved.is_empty() {
            return Ok(Saved::Nothing);
        }
        unsaved.save(app).await?;
        Ok(Saved::Something)
    }
}

impl Unsaved {
    fn gather(&mut self, app: &App) {
        for provider in app.snapshot.load().providers.iter() {
            let changes = provider.pools.take_changes();
            for (key, state) in &changes.keys {
                self.note_retirement(provider, *key, state);
                let now = app.clock.now();
                app.checks.stands(&provider.name, *key, &state.health, now);
                app.events.tell(|| Happening::Key {
                    provider: provider.name.clone(),
                    key: *key,
                });
            }
            self.keys.extend(changes.keys);
            let pairs = changes.pairs.into_iter();
            self.pairs
                .extend(pairs.filter(|(id, _)| is_storable(&id.model)));
        }
        self.uploads.extend(app.begun.take_unsaved());
        let checks = app.checks.take_unsaved().into_iter();
        let storable = checks.filter(|check| is_storable(&check.model));
        self.checks
            .extend(storable.map(|check| ((check.key, check.model.clone()), check)));
        let days = app.meters.take_unsaved().into_iter();
        self.client_days
            .extend(days.map(|day| ((day.client, day.day), day)));
    }

    /// Writes a line when a key is retired that was not, or the other way round.
    fn note_retirement(&mut self, provider: &Provider, id: KeyId, state: &KeyState) {
        let (action, why) = match &state.health {
            KeyHealth::Retired { reason, .. } if self.retired.insert(id) => {
                (Action::Retire, reason.name())
            }
            KeyHealth::Active | KeyHealth::Cooling(_) if self.retired.remove(&id) => {
                (Action::Recover, "in use again")
            }
            _ => return,
        };
        // A key that was deleted meanwhile is in no pool: its deletion is in the log.
        let Some(status) = provider.pools.status(id) else {
            return;
        };
        if self.lines.len() < MOST_LINES {
            let key = &status.cell.key;
            let details = format!("{}: {why}", shown(key));
            self.lines.push(about(key, KEYMUX, action, details));
        }
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.pairs.is_empty()
            && self.uploads.is_empty()
            && self.client_days.is_empty()
            && self.checks.is_empty()
            && self.lines.is_empty()
    }

    async fn save(&mut self, app: &App) -> Result<(), StoreError> {
        if !self.keys.is_empty() || !self.pairs.is_empty() {
            let keys: Vec<_> = self.keys.clone().into_iter().collect();
            let pairs: Vec<_> = self.pairs.clone().into_iter().collect();
            app.store
                .save_states(&keys, &pairs, app.clock.now())
                .await?;
            self.keys.clear();
            self.pairs.clear();
        }
        if !self.lines.is_empty() {
            app.store.log(&self.lines, app.clock.now()).await?;
            self.lines.clear();
        }
        if !self.uploads.is_empty() {
            app.store.save_uploads(&self.uploads).await?;
            self.uploads.clear();
        }
        if !self.client_days.is_empty() {
            let days: Vec<ClientDay> = self.client_days.values().copied().collect();
            app.store.save_client_days(&days).await?;
            self.client_days.clear();
        }
        if !self.checks.is_empty() {
            let checks: Vec<KeyCheck> = self.checks.values().cloned().collect();
            app.store.save_checks(&checks).await?;
            self.checks.clear();
        }
        Ok(())
    }
}

fn is_retired(state: &KeyState) -> bool {
    matches!(state.health, KeyHealth::Retired { .. })
}

/// Whether a pair of this model can be saved. One refusal would keep everything else from being saved, again and again;
/// no model is called so. PostgreSQL takes no NUL in texts.
fn is_storable(model: &str) -> bool {
    model.len() <= LONGEST_MODEL && !model.contains('\0')
}
