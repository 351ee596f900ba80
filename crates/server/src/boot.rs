//! Configuration to [`App`]: the only place that builds one. It opens the store, brings keys and client keys of the
//! configuration into it, and makes on first start what is missing.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arc_swap::ArcSwap;
use config::{Config, Kind, Placed};
use domain::{
    Client, ClientLimits, Key, KeyDraft, KeyHealth, KeyId, KeySource, KeyState, RequestRecord,
    Secret,
};
use keypool::{Pool, PoolRules, RetryBudget, Strategy};
use store::{MasterKey, Store};
use tokio::sync::mpsc;

use crate::app::{App, DatabaseHealth, Phase, Tasks};
use crate::clock::Clock;
use crate::egress::{Origin, OriginOptions};
use crate::gateway::{RecordSink, Uploads};
use crate::secrets;
use crate::snapshot::{Provider, Snapshot, header_map};
use crate::telemetry::Metrics;

/// Records that may wait for the database: some seconds of a busy program, and some megabytes.
const RECORD_QUEUE: usize = 16_384;
const MASTER_KEY_FILE: &str = "master.key";
const ADMIN: &str = "admin";

/// A program that is ready to serve.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) app: Arc<App>,
    /// The other end of the record queue, for the writer.
    pub(crate) records: mpsc::Receiver<RequestRecord>,
    /// The store's revision before anything was read out of it.
    pub(crate) revision: i64,
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
    let mut made = Made::default();
    let (store, has_master_key) = open_store(&config).await?;
    made.has_master_key = has_master_key;
    sync_keys(&store, &config, clock).await?;
    made.client_key = sync_clients(&store, &config, clock).await?;
    made.password = ensure_admin(&store, &config, clock).await?;

    let revision = store.revision().await?;
    let providers = build_providers(&config, &store, clock).await?;
    let empty = Snapshot {
        config: Arc::new(config),
        clients: HashMap::new(),
        providers,
    };
    let clients = clients(&store, &empty.config).await?;
    let (queue, records) = mpsc::channel(RECORD_QUEUE);
    let metrics = Metrics::new()?;
    let uploads = Uploads::default();
    uploads.restore(store.load_uploads(clock.now()).await?);
    let app = App {
        clock,
        snapshot: ArcSwap::from_pointee(empty.with_clients(clients)),
        store,
        records: RecordSink::new(queue, metrics.dropped_records.clone()),
        uploads,
        retry_budget: RetryBudget::default(),
        metrics,
        phase: Phase::default(),
        database: DatabaseHealth::default(),
        tasks: Tasks::default(),
        direct: "direct".into(),
    };
    Ok(Booted {
        app: Arc::new(app),
        records,
        revision,
        made,
    })
}

/// Opens the store of the configuration. Says whether the master key was made just now.
pub(crate) async fn open_store(config: &Config) -> anyhow::Result<(Store, bool)> {
    let file = Path::new(&config.server.data_dir).join(MASTER_KEY_FILE);
    let (master, is_new) = if let Some(text) = &config.master_key {
        (
            MasterKey::from_text(text.expose()).context("KEYMUX_MASTER_KEY")?,
            false,
        )
    } else {
        let (key, created) = MasterKey::load_or_create(&file)
            .with_context(|| format!("master key file {}", file.display()))?;
        (key, created == store::Created::Yes)
    };
    let store = Store::open(config.database.url.expose(), master)
        .await
        .context("open the database")?;
    Ok((store, is_new))
}

/// Takes over keys and client keys that were changed in the store.
pub(crate) async fn reload(app: &App) -> anyhow::Result<()> {
    let snapshot = app.snapshot.load_full();
    let clients = clients(&app.store, &snapshot.config).await?;
    let keys = app.store.load_keys().await?;
    for provider in snapshot.providers.iter() {
        let own = |(key, _): &&(Key, KeyState)| key.provider == provider.name;
        let present: HashSet<KeyId> = keys.iter().filter(own).map(|(key, _)| key.id).collect();
        let known = provider.pool.statuses().into_iter().map(|status| status.id);
        let gone: Vec<KeyId> = known.filter(|id| !present.contains(id)).collect();
        provider
            .pool
            .upsert(keys.iter().filter(own).cloned(), app.clock.now());
        provider.pool.remove(gone, app.clock.now());
        for id in revived(&provider.pool, keys.iter().filter(own)) {
            provider.pool.reset(id, app.clock.now());
        }
    }
    app.snapshot.store(Arc::new(snapshot.with_clients(clients)));
    Ok(())
}

/// Keys that are retired here and active in the store: somebody has revived them there.
fn revived<'a>(
    pool: &Pool,
    stored: impl Iterator<Item = &'a (Key, KeyState)>,
) -> impl Iterator<Item = KeyId> {
    let is_retired = |state: &KeyState| matches!(state.health, KeyHealth::Retired { .. });
    let statuses = pool.statuses().into_iter();
    let retired: HashSet<KeyId> = statuses
        .filter(|status| is_retired(&status.state) && status.is_saved)
        .map(|status| status.id)
        .collect();
    stored
        .filter(move |(key, state)| state.health == KeyHealth::Active && retired.contains(&key.id))
        .map(|(key, _)| key.id)
}

/// The client keys of the store, with what the configuration says of its own.
async fn clients(store: &Store, config: &Config) -> anyhow::Result<Vec<Client>> {
    let mut clients = store.load_clients().await?;
    for fixed in &config.clients {
        let fingerprint = fixed.value.key.fingerprint();
        for client in clients
            .iter_mut()
            .filter(|client| client.fingerprint == fingerprint)
        {
            client.enabled &= fixed.value.enabled;
            client.expires_at = fixed.value.expires_at.or(client.expires_at);
        }
    }
    Ok(clients)
}

async fn sync_keys(store: &Store, config: &Config, clock: Clock) -> anyhow::Result<()> {
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
        ..KeyDraft::plain(provider, key.value.key.expose(), source(&key.origin))
    }
}

fn source(origin: &config::Origin) -> KeySource {
    match origin {
        config::Origin::Env { .. } => KeySource::Env,
        config::Origin::File { .. } | config::Origin::Default => KeySource::Config,
    }
}

/// Gives the client key that was made because there was none.
async fn sync_clients(
    store: &Store,
    config: &Config,
    clock: Clock,
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
    let limits = ClientLimits::default();
    store
        .create_client("default", &key, limits, KeySource::Admin, clock.now())
        .await?;
    Ok(Some(key))
}

/// Gives the password that was made because there was no administrator.
async fn ensure_admin(
    store: &Store,
    config: &Config,
    clock: Clock,
) -> anyhow::Result<Option<Secret>> {
    let name = &config.admin.username;
    if let Some(fixed) = config.admin.password.clone() {
        let user = store.user(name).await?;
        let is_known =
            user.is_some_and(|user| secrets::is_password(&fixed, user.password_hash.expose()));
        if !is_known {
            store
                .set_password(name, ADMIN, &secrets::hash_password(&fixed)?, clock.now())
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
            ADMIN,
            &secrets::hash_password(&password)?,
            clock.now(),
        )
        .await?;
    Ok(Some(password))
}

/// The providers that this version speaks to, each with its keys and what is known of them.
async fn build_providers(
    config: &Config,
    store: &Store,
    clock: Clock,
) -> anyhow::Result<Arc<[Arc<Provider>]>> {
    let now = clock.now();
    let mut keys = store.load_keys().await.context("load the keys")?;
    let pairs = store
        .load_pairs()
        .await
        .context("load what is known of the keys")?;
    let mut providers = Vec::new();
    for (name, settings) in config
        .providers
        .iter()
        .filter(|(_, p)| p.kind == Kind::Gemini)
    {
        let pool = Pool::new(name, rules(config), fastrand::u64(..));
        // Moved, not copied: there may be very many.
        let (own, others): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|(key, _)| *key.provider == **name);
        keys = others;
        pool.upsert(own, now);
        for (id, state) in pairs.iter().filter(|(id, _)| id.provider == *name) {
            pool.restore_pair(id, state.clone(), now);
        }
        providers.push(Arc::new(Provider {
            name: name.as_str().into(),
            kind: settings.kind,
            origin: open_origin(settings, config).with_context(|| format!("providers.{name}"))?,
            pool,
            default_headers: header_map(settings)?,
        }));
    }
    Ok(providers.into())
}

/// The address of a provider, without connections so far.
pub(crate) fn open_origin(settings: &config::Provider, config: &Config) -> anyhow::Result<Origin> {
    Origin::new(&OriginOptions {
        base_url: settings.base_url.as_str().to_owned(),
        ca_file: settings.ca_file.clone(),
        http2: settings.http2,
        allow_link_local: config.server.allow_link_local,
    })
}

fn rules(config: &Config) -> PoolRules {
    let strategy = match config.pool.strategy {
        config::Strategy::LeastLoaded => Strategy::LeastLoaded,
        config::Strategy::RoundRobin => Strategy::RoundRobin,
        config::Strategy::Random => Strategy::Random,
        config::Strategy::FillFirst => Strategy::FillFirst,
        config::Strategy::SelectedFirst => Strategy::SelectedFirst,
    };
    PoolRules {
        strategy,
        max_failures: config.pool.max_failures,
        recheck_interval: config.pool.recheck_interval,
    }
}
