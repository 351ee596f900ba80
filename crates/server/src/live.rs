//! How a change reaches the running program: what the admin API has written is read back and swapped in before the call
//! is answered; what another instance or the command line has written is noticed by its revision (`jobs/reload.rs`).
//! Requests under way keep the snapshot that they began with.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use config::Config;
use domain::{Action, Ban, Client, Event, Fingerprint, KeyId, User};
use metering::{Access, PriceTable};
use serde_json::Value;
use store::{Change, Store, StoreError};
use tokio::sync::Mutex;

use crate::app::App;
use crate::egress::ProxySettings;
use crate::meters::Meters;
use crate::snapshot::{KnownClient, Snapshot};
use crate::{boot, upstreams};

/// Keys up to this many are read one by one; beyond it all are.
const FEW: usize = 500;

/// What of the store the program runs on.
#[derive(Debug)]
pub(crate) struct Live {
    /// The revision that has been taken over.
    revision: AtomicI64,
    /// The settings that were stored at that revision. Held while a snapshot is built or pools are told, so that nothing
    /// is lost.
    settings: Mutex<BTreeMap<String, Value>>,
}

/// What a change was about.
#[derive(Debug)]
pub(crate) enum Touched {
    Keys(Vec<KeyId>),
    KeysAndClients(Vec<KeyId>),
    Clients,
    Prices,
    Bans,
    Settings,
    /// Nothing that requests read.
    Nothing,
}

impl Live {
    pub(crate) fn new(revision: i64, settings: BTreeMap<String, Value>) -> Self {
        Self {
            revision: AtomicI64::new(revision),
            settings: Mutex::new(settings),
        }
    }

    pub(crate) fn revision(&self) -> i64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Notes that a change has been taken over; not when another one came in between, which is still to be read.
    fn took_over(&self, revision: i64) {
        let before = revision - 1;
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        let _ = self.revision.compare_exchange(before, revision, set, fetch);
    }
}

/// Commits a change, and lets the program follow it before this returns.
pub(crate) async fn publish(app: &App, change: Change, touched: Touched) -> Result<(), StoreError> {
    let revision = change.publish().await?;
    match take_over(app, touched).await {
        Ok(()) => app.live.took_over(revision),
        // It is committed: the reload that follows the revision will bring it.
        Err(error) => tracing::warn!(%error, "a change is stored, and will be followed soon"),
    }
    Ok(())
}

async fn take_over(app: &App, touched: Touched) -> anyhow::Result<()> {
    // One after the other, keys too: who reads the store first must not be the last to tell the pools.
    let mut stored = app.live.settings.lock().await;
    match &touched {
        Touched::Nothing => return Ok(()),
        Touched::Keys(ids) => return take_over_keys(app, ids).await,
        Touched::KeysAndClients(ids) => take_over_keys(app, ids).await?,
        Touched::Clients | Touched::Prices | Touched::Bans | Touched::Settings => {}
    }
    let mut next = Snapshot::clone(&app.snapshot.load());
    match touched {
        Touched::Clients | Touched::KeysAndClients(_) => {
            next.clients = load_clients(&app.store, &next.config, &app.meters).await?;
        }
        Touched::Prices => next.prices = load_prices(&app.store).await?,
        Touched::Bans => next.bans = load_bans(&app.store).await?,
        Touched::Settings => {
            let fresh = app.store.load_settings().await?;
            follow_settings(&mut next, &stored, &fresh)?;
            *stored = fresh;
        }
        Touched::Keys(_) | Touched::Nothing => {}
    }
    put_in_force(app, next);
    Ok(())
}

/// From now on requests see this, and pools, proxies and log lines follow it.
fn put_in_force(app: &App, next: Snapshot) {
    app.proxies.follow(&next.egress, app.clock.now());
    for provider in next.providers.iter() {
        provider.pools.set_rules(upstreams::rules(&next.config));
        provider.close_idle();
    }
    crate::telemetry::follow_logs(&next.config.logs);
    let before = app.snapshot.swap(Arc::new(next));
    follow_bans(app, &before.bans);
    app.checks.settings_changed();
    app.proxy_checks.settings_changed();
    app.proxy_sources.settings_changed();
}

/// Who is banned or let in again begins with nothing counted; not when a ban goes that was over before.
fn follow_bans(app: &App, before: &Arc<HashMap<IpAddr, Ban>>) {
    let bans = &app.snapshot.load().bans;
    if Arc::ptr_eq(before, bans) {
        return;
    }
    let now = app.clock.now();
    let held = |network: &IpAddr| before.get(network).filter(|ban| ban.is_in_force(now));
    let holds = |network: &IpAddr| bans.get(network).filter(|ban| ban.is_in_force(now));
    let is_other = |network: &&IpAddr| held(network) != holds(network);
    let changed = before.keys().chain(bans.keys()).filter(is_other);
    changed.for_each(|network| app.visitors.forget(*network));
    app.fresh_bans.followed(bans, now);
}

/// Takes over everything in the store, after a change that was made elsewhere.
pub(crate) async fn reload(app: &App, revision: i64) -> anyhow::Result<()> {
    let mut stored = app.live.settings.lock().await;
    let mut next = Snapshot::clone(&app.snapshot.load());
    let fresh = app.store.load_settings().await?;
    follow_settings(&mut next, &stored, &fresh)?;
    next.clients = load_clients(&app.store, &next.config, &app.meters).await?;
    next.prices = load_prices(&app.store).await?;
    next.bans = load_bans(&app.store).await?;
    replace_keys(app, &next).await?;
    put_in_force(app, next);
    // Only now: had one of these steps failed, the next try must find the change again.
    *stored = fresh;
    app.live.revision.store(revision, Ordering::Release);
    Ok(())
}

/// Reads the configuration file and `.env` again. A wrong file changes nothing.
pub(crate) async fn reconfigure(app: &App) -> anyhow::Result<()> {
    let before = app.snapshot.load_full();
    let fresh = before.config.reload()?;
    for setting in before.config.restart_needed(&fresh) {
        tracing::warn!(
            setting,
            "changed in the configuration; a restart is needed for it"
        );
    }
    // Before anything is written: what cannot be built, such as a certificate that is not there, changes nothing.
    upstreams::build(&fresh, &before.providers)?;
    ProxySettings::of(&fresh, None)?;
    boot::sync(&app.store, &fresh, &app.clock).await?;
    // At once: a key that has moved from the configuration into a file is not missed for a moment.
    boot::take_key_files(&app.key_files, &app.store, &fresh, &app.clock).await?;
    let mut stored = app.live.settings.lock().await;
    let mut next = Snapshot::clone(&app.snapshot.load());
    let settings = app.store.load_settings().await?;
    follow_config(&mut next, with_settings(&fresh, &settings))?;
    next.clients = load_clients(&app.store, &next.config, &app.meters).await?;
    replace_keys(app, &next).await?;
    for warning in &next.config.warnings {
        tracing::warn!("{warning}");
    }
    put_in_force(app, next);
    *stored = settings;
    drop(stored);
    app.key_files.look_again();
    let event = Event::new("keymux", Action::Reload, "settings")
        .details("the configuration was read again");
    app.store.log(&[event], app.clock.now()).await?;
    Ok(())
}

/// The configuration with what is stored of settings; what no longer fits is left out, and logged.
pub(crate) fn with_settings(config: &Config, stored: &BTreeMap<String, Value>) -> Config {
    let (config, problems) = config.with_stored_leniently(stored);
    for problem in problems {
        tracing::error!("a stored setting no longer fits and is left out: {problem}");
    }
    config
}

fn follow_settings(
    next: &mut Snapshot,
    stored: &BTreeMap<String, Value>,
    fresh: &BTreeMap<String, Value>,
) -> anyhow::Result<()> {
    if fresh == stored {
        return Ok(());
    }
    let config = with_settings(&next.config, fresh);
    follow_config(next, config)
}

fn follow_config(next: &mut Snapshot, config: Config) -> anyhow::Result<()> {
    next.providers = upstreams::build(&config, &next.providers)?;
    next.egress = ProxySettings::of(&config, Some(&next.egress))?;
    next.config = Arc::new(config);
    Ok(())
}

async fn take_over_keys(app: &App, ids: &[KeyId]) -> anyhow::Result<()> {
    let snapshot = app.snapshot.load_full();
    if ids.len() > FEW {
        return replace_keys(app, &snapshot).await;
    }
    let now = app.clock.now();
    let keys = app.store.keys_by_id(ids).await?;
    let is_gone = |id: &&KeyId| keys.iter().all(|(key, _)| key.id != **id);
    let gone: Vec<KeyId> = ids.iter().filter(is_gone).copied().collect();
    for provider in snapshot.providers.iter() {
        let own = keys.iter().filter(|(key, _)| key.provider == provider.name);
        provider.pools.upsert(own.cloned(), now);
        provider.pools.remove(&gone, now);
    }
    Ok(())
}

async fn replace_keys(app: &App, snapshot: &Snapshot) -> anyhow::Result<()> {
    // Looked at while the store has all of it, and before it is read: what is retired now and active there was brought
    // back by somebody; what is retired later is only not saved yet.
    let retired = app.saver.settled(app, || retired(snapshot)).await?;
    let mut keys = app.store.load_keys().await?;
    for provider in snapshot.providers.iter() {
        // Moved, not copied: there may be very many.
        let own = keys
            .extract_if(.., |(key, _)| key.provider == provider.name)
            .collect();
        provider.pools.replace(own, &retired, app.clock.now());
    }
    Ok(())
}

fn retired(snapshot: &Snapshot) -> HashSet<KeyId> {
    let pools = snapshot.providers.iter().map(|provider| &provider.pools);
    pools.flat_map(|pools| pools.retired()).collect()
}

/// The client keys of the store, with what the configuration says of its own.
pub(crate) async fn load_clients(
    store: &Store,
    config: &Config,
    meters: &Meters,
) -> anyhow::Result<Arc<HashMap<Fingerprint, Arc<KnownClient>>>> {
    let mut clients = store.load_clients().await?;
    let users = store.users().await?;
    for fixed in &config.clients {
        let fingerprint = fixed.value.key.fingerprint();
        let own = clients
            .iter_mut()
            .filter(|client| client.fingerprint == fingerprint);
        own.for_each(|client| fix(client, &fixed.value, &users));
    }
    // Whoever may not log in any more may not call either.
    let is_off = |owner| {
        users
            .iter()
            .any(|user| Some(user.id) == owner && !user.enabled)
    };
    for client in clients.iter_mut().filter(|client| is_off(client.owner)) {
        client.enabled = false;
    }
    // Those that are left out below too: they have used what they have used.
    meters.keep_only(&clients.iter().map(|client| client.id).collect());
    let known = clients
        .into_iter()
        .filter_map(|client| match Access::of(&client.limits) {
            Ok(access) => {
                let meter = meters.of(client.id);
                let fingerprint = client.fingerprint;
                let known = KnownClient {
                    client,
                    access,
                    meter,
                };
                Some((fingerprint, Arc::new(known)))
            }
            Err(error) => {
                // Whoever cannot be limited as was meant is not let in.
                tracing::error!(client = client.name, %error, "client key left out");
                None
            }
        });
    Ok(Arc::new(known.collect()))
}

/// What the configuration says of a client key holds, whatever the store says.
fn fix(client: &mut Client, fixed: &config::ClientKey, users: &[User]) {
    client.enabled &= fixed.enabled;
    client.expires_at = fixed.expires_at.or(client.expires_at);
    client.limits = fixed.limits();
    client.owner = fixed.owner.as_ref().and_then(|name| {
        let user = users.iter().find(|user| user.username == *name);
        if user.is_none() {
            tracing::warn!(
                client = client.name,
                owner = name,
                "there is no such user: the client key has no owner"
            );
        }
        user.map(|user| user.id)
    });
}

pub(crate) async fn load_prices(store: &Store) -> anyhow::Result<Arc<PriceTable>> {
    let rows = store.load_prices().await?;
    let rows = rows
        .iter()
        .map(|(provider, model, price)| (provider.as_str(), model.as_str(), *price));
    Ok(Arc::new(PriceTable::builtin().with(rows)?))
}

pub(crate) async fn load_bans(store: &Store) -> anyhow::Result<Arc<HashMap<IpAddr, Ban>>> {
    let bans = store.load_bans().await?.into_iter();
    let by_address = bans.filter_map(|ban| Some((ban.address.parse().ok()?, ban)));
    Ok(Arc::new(by_address.collect()))
}
