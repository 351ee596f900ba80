//! Configuration to [`App`]: the only place that builds one. It opens the store, brings keys and client keys of the
//! configuration into it, and makes on first start what is missing.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use arc_swap::ArcSwap;
use config::{Config, Placed};
use domain::{ClientDraft, KeyDraft, KeySource, RequestRecord, Role, Secret, UnixMs};
use keypool::{RetryBudget, Warmth};
use metering::{Dice, Familiar, Visitors};
use store::{Created, MasterKey, MasterKeys, Store};
use tokio::sync::mpsc;

use crate::admin::{Jobs, Logins};
use crate::app::{App, DatabaseHealth, Phase, Tasks};
use crate::catalog::Catalog;
use crate::checks::Checks;
use crate::clock::Clock;
use crate::egress::{Proxies, ProxySettings};
use crate::events::Events;
use crate::fresh_bans::FreshBans;
use crate::gateway::{Begun, BodySink, KeptBodies, RecordSink};
use crate::key_files::{KeyFiles, Place};
use crate::live::{self, Live};
use crate::live_sessions::LiveSessions;
use crate::meters::Meters;
use crate::notices::{Notice, Notices};
use crate::proxy_checks::ProxyChecks;
use crate::proxy_sources::ProxySources;
use crate::pulse::Pulse;
use crate::resources::Resources;
use crate::saver::Saver;
use crate::snapshot::{Provider, Snapshot};
use crate::telemetry::Metrics;
use crate::{secrets, upstreams};

/// Records that may wait for the database: some seconds of a busy program, and some megabytes.
const RECORD_QUEUE: usize = 16_384;
/// Bodies that may wait: 32 MiB at most.
const BODY_QUEUE: usize = 256;
const MASTER_KEY_FILE: &str = "master.key";

/// A program that is ready to serve.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) app: Arc<App>,
    /// The other end of the record queue, for the writer.
    pub(crate) records: mpsc::Receiver<RequestRecord>,
    /// The other end of the queue of notices about owners' keys.
    pub(crate) notices: mpsc::Receiver<Notice>,
    /// The other end of the queue of bodies.
    pub(crate) bodies: mpsc::Receiver<KeptBodies>,
    pub(crate) made: Made,
}

/// Secrets that were made at first start, to be shown once.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) client_key: Option<Secret>,
    pub(crate) password: Option<Secret>,
    pub(crate) has_master_key: bool,
}

/// Builds everything.
pub(crate) async fn boot(config: Config) -> anyhow::Result<Booted> {
    let clock = Clock::start();
    let (store, has_master_key) = open_store(&config).await?;
    let mut made = sync(&store, &config, &clock).await?;
    made.has_master_key = has_master_key;
    let key_files = KeyFiles::new(Place::of(&config));
    take_key_files(&key_files, &store, &config, &clock).await?;

    let revision = store.revision().await?;
    let settings = store.load_settings().await?;
    let config = live::with_settings(&config, &settings);
    let providers = upstreams::build(&config, &[])?;
    let egress = ProxySettings::of(&config, None)?;
    let proxies = Proxies::new(&egress, clock.now());
    fill_pools(&providers, &store, &clock).await?;
    let meters = Meters::default();
    meters.restore(
        store
            .load_client_days(first_day_that_counts(clock.now()))
            .await?,
    );
    let snapshot = Snapshot {
        clients: live::load_clients(&store, &config, &meters).await?,
        prices: live::load_prices(&store).await?,
        bans: live::load_bans(&store).await?,
        config: Arc::new(config),
        providers,
        egress,
    };
    let (queue, records) = mpsc::channel(RECORD_QUEUE);
    let (notices, waiting) = Notices::new();
    let saver = Saver::knowing(&snapshot.providers);
    let (body_queue, bodies) = mpsc::channel(BODY_QUEUE);
    let metrics = Metrics::new()?;
    let begun = Begun::default();
    begun.restore(store.load_uploads(clock.now()).await?);
    let app = App {
        clock,
        snapshot: ArcSwap::from_pointee(snapshot),
        live: Live::new(revision, settings),
        store,
        records: RecordSink::new(queue, metrics.dropped_records.clone()),
        notices,
        bodies: BodySink::new(body_queue, metrics.dropped_bodies.clone()),
        meters,
        saver,
        jobs: Jobs::default(),
        begun,
        live_sessions: LiveSessions::default(),
        resources: Resources::default(),
        warmth: Warmth::default(),
        key_files,
        catalog: Catalog::default(),
        checks: Checks::default(),
        proxies,
        proxy_checks: ProxyChecks::default(),
        proxy_sources: ProxySources::default(),
        retry_budget: RetryBudget::default(),
        logins: Logins::default(),
        visitors: Visitors::default(),
        familiar: Familiar::default(),
        fresh_bans: FreshBans::default(),
        dice: Dice::new(fastrand::u64(..)),
        events: Events::default(),
        pulse: Pulse::default(),
        metrics,
        phase: Phase::default(),
        database: DatabaseHealth::default(),
        tasks: Tasks::default(),
        direct: "direct".into(),
    };
    Ok(Booted {
        app: Arc::new(app),
        records,
        notices: waiting,
        bodies,
        made,
    })
}

/// Opens the store of the configuration. Says whether the master key was made just now.
pub(crate) async fn open_store(config: &Config) -> anyhow::Result<(Store, bool)> {
    let (keys, created) = if let Some(current) = &config.master_key {
        (given_master_keys(current, config)?, Created::No)
    } else {
        let file = master_key_file(config);
        MasterKeys::of_file(&file).with_context(|| format!("master key file {}", file.display()))?
    };
    if keys.count() > 1 {
        tracing::warn!(
            "there is more than one master key: run `keymux rotate-master-key`; only the newest is needed then"
        );
    }
    let store = Store::open(config.database.url.expose(), keys)
        .await
        .context("open the database")?;
    Ok((store, created == Created::Yes))
}

/// Where the master key is, unless the environment gives it.
pub(crate) fn master_key_file(config: &Config) -> PathBuf {
    config.server.data_dir.join(MASTER_KEY_FILE)
}

fn given_master_keys(current: &Secret, config: &Config) -> anyhow::Result<MasterKeys> {
    let current = MasterKey::from_text(current.expose()).context("KEYMUX_MASTER_KEY")?;
    let older = config.older_master_keys.iter();
    let older: Result<Vec<_>, _> = older
        .map(|key| MasterKey::from_text(key.expose()))
        .collect();
    older
        .and_then(|older| MasterKeys::given(current, older))
        .context("KEYMUX_MASTER_KEY_PREVIOUS")
}

/// Brings what the configuration fixes into the store. Gives what was made because there was none.
pub(crate) async fn sync(store: &Store, config: &Config, clock: &Clock) -> anyhow::Result<Made> {
    sync_keys(store, config, clock).await?;
    Ok(Made {
        client_key: sync_clients(store, config, clock).await?,
        password: ensure_admin(store, config, clock).await?,
        has_master_key: false,
    })
}

/// Brings what is in the key files of the configuration into the store, as it is at this moment.
pub(crate) async fn take_key_files(
    key_files: &KeyFiles,
    store: &Store,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<()> {
    key_files.follow(config, clock.now()).await?;
    let stated = key_files.state(store, clock.now()).await;
    if let Some(statement) = stated.context("store the keys of key files")? {
        statement.change.publish().await?;
        key_files.stated(statement.version).await;
    }
    Ok(())
}

async fn sync_keys(store: &Store, config: &Config, clock: &Clock) -> anyhow::Result<()> {
    let drafts: Vec<KeyDraft> = config
        .providers
        .iter()
        .flat_map(|(name, provider)| provider.keys.iter().map(move |key| draft(name, key)))
        .collect();
    for source in [KeySource::Config, KeySource::Env] {
        let own: Vec<KeyDraft> = drafts
            .iter()
            .filter(|draft| draft.source == source)
            .cloned()
            .collect();
        store
            .sync_keys(&own, source, clock.now())
            .await
            .context("store the configured keys")?;
    }
    Ok(())
}

fn draft(provider: &str, key: &Placed<config::ProviderKey>) -> KeyDraft {
    KeyDraft {
        label: key.value.label.clone(),
        project: key.value.project.clone(),
        weight: key.value.weight,
        priority: key.value.priority,
        egress: key
            .value
            .egress
            .as_ref()
            .map(|proxy| Secret::new(proxy.expose())),
        ..KeyDraft::plain(provider, key.value.key.expose(), source(&key.origin))
    }
}

fn source(origin: &config::Origin) -> KeySource {
    match origin {
        config::Origin::Env { .. } => KeySource::Env,
        config::Origin::File { .. } | config::Origin::Default | config::Origin::Stored => {
            KeySource::Config
        }
    }
}

/// Gives the client key that was made because there was none.
async fn sync_clients(
    store: &Store,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<Option<Secret>> {
    for from in [KeySource::Config, KeySource::Env] {
        let own = config
            .clients
            .iter()
            .filter(|client| source(&client.origin) == from);
        let own: Vec<(String, Secret)> = own
            .map(|client| (client.value.name.clone(), client.value.key.clone()))
            .collect();
        store
            .sync_clients(from, &own, clock.now())
            .await
            .context("store the client keys")?;
    }
    if !store.load_clients().await?.is_empty() {
        return Ok(None);
    }
    let key = secrets::new_client_key()?;
    let draft = ClientDraft::plain("default", KeySource::Admin);
    store.create_client(&draft, &key, clock.now()).await?;
    Ok(Some(key))
}

/// Gives the password that was made because there was no administrator.
async fn ensure_admin(
    store: &Store,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<Option<Secret>> {
    let name = &config.admin.username;
    if let Some(fixed) = config.admin.password.clone() {
        let user = store.user(name).await?;
        let is_known =
            user.is_some_and(|user| secrets::is_password(&fixed, user.password_hash.expose()));
        if !is_known {
            store
                .set_password(
                    name,
                    Role::Admin,
                    &secrets::hash_password(&fixed)?,
                    clock.now(),
                )
                .await?;
        }
        return Ok(None);
    }
    if store.has_admin().await? {
        return Ok(None);
    }
    let password = secrets::new_password()?;
    store
        .set_password(
            name,
            Role::Admin,
            &secrets::hash_password(&password)?,
            clock.now(),
        )
        .await?;
    Ok(Some(password))
}

/// Fills the pools with the keys of the store and what is known of them.
async fn fill_pools(
    providers: &[Arc<Provider>],
    store: &Store,
    clock: &Clock,
) -> anyhow::Result<()> {
    let now = clock.now();
    let mut keys = store.load_keys().await.context("load the keys")?;
    let pairs = store
        .load_pairs()
        .await
        .context("load what is known of the keys")?;
    for provider in providers {
        // Moved, not copied: there may be very many.
        let own = keys.extract_if(.., |(key, _)| key.provider == provider.name);
        provider.pools.upsert(own, now);
        for (id, state) in pairs
            .iter()
            .filter(|(id, _)| *id.provider == *provider.name)
        {
            provider.pools.restore_pair(id, state, now);
        }
    }
    Ok(())
}

/// The first UTC day whose use may still count towards a budget: the earliest that this month can have begun.
fn first_day_that_counts(now: UnixMs) -> i32 {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    (now.0 / DAY_MS) as i32 - 31
}
