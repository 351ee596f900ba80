//! Who has which resource of a provider's: files, caches, batches and the like, which only keys of the project that made
//! them reach. Known durably before whoever made one hears of it, and found again by every instance. How requests and
//! answers name resources is `wire::gemini::resources`; what is allowed is decided in `gateway/affinity/`.

mod sticky;
mod unsaved;

use std::sync::Arc;
use std::time::Duration;

use domain::{ClientId, Resource, ResourceName, UnixMs};
use quick_cache::sync::Cache;
use store::{Store, StoreError};

pub(crate) use sticky::Sticky;
use unsaved::Unsaved;

/// Resources that are remembered here; of the others the database knows.
const REMEMBERED: usize = 100_000;
/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(3);

/// The resources of all providers.
#[derive(Debug)]
pub(crate) struct Resources {
    known: Cache<Place, Arc<Resource>>,
    unsaved: Unsaved,
    pub(crate) sticky: Sticky,
}

/// Where a resource is.
type Place = (Arc<str>, ResourceName);

/// Who has something cannot be found out now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknowable {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database does not answer.
    #[error("the database does not answer")]
    Silent,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            known: Cache::new(REMEMBERED),
            unsaved: Unsaved::default(),
            sticky: Sticky::default(),
        }
    }
}

impl Resources {
    /// Who has these, in any order; those that nobody is known to have are left out.
    pub(crate) async fn find(
        &self,
        store: &Store,
        provider: &Arc<str>,
        names: &[ResourceName],
        now: UnixMs,
    ) -> Result<Vec<Arc<Resource>>, Unknowable> {
        let mut found = Vec::with_capacity(names.len());
        let mut unknown = Vec::new();
        for name in names {
            match self.known.get(&(provider.clone(), name.clone())) {
                Some(known) if known.expires_at.is_none_or(|at| now < at) => found.push(known),
                _ => unknown.push(name.clone()),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let read = store.resources_named(provider, &unknown, now);
        let read = tokio::time::timeout(PATIENCE, read).await;
        for resource in read.map_err(|_| Unknowable::Silent)?? {
            let resource = Arc::new(resource);
            self.remember(&resource);
            found.push(resource);
        }
        Ok(found)
    }

    /// Takes down what was made, and waits until the database has it. Where that takes long it is taken down later, and
    /// known here meanwhile. Nobody takes a resource over by making it up: what the database has stays as it is there.
    pub(crate) async fn learn(&self, store: &Store, made: Vec<Resource>, now: UnixMs) {
        let is_new = |made: &Resource| {
            let known = self.known.peek(&(made.provider.clone(), made.name.clone()));
            known.is_none_or(|known| known.expires_at.is_some_and(|at| at <= now))
        };
        let (new, known): (Vec<Resource>, Vec<Resource>) = made.into_iter().partition(is_new);
        for resource in known {
            self.prolong(store, resource).await;
        }
        let Some(provider) = new.first().map(|first| first.provider.clone()) else {
            return;
        };
        let names: Vec<ResourceName> = new.iter().map(|made| made.name.clone()).collect();
        let saved = self.unsaved.put(new.clone());
        let is_saved = tokio::time::timeout(PATIENCE, saved).await.is_ok();
        if !is_saved {
            tracing::warn!("who has what was made could not be saved yet; trying on");
            for made in new {
                self.remember(&Arc::new(made));
            }
            return;
        }
        if let Err(error) = self.find(store, &provider, &names, now).await {
            tracing::warn!(%error, "who has what was made is looked up again when it is needed");
        }
    }

    /// What is known lives longer, or shorter, by what its own holder is told of it.
    async fn prolong(&self, store: &Store, told: Resource) {
        let place = (told.provider.clone(), told.name.clone());
        let Some(known) = self.known.get(&place) else {
            return;
        };
        let is_same = known.project == told.project && known.client == told.client;
        if !is_same || told.expires_at.is_none() || known.expires_at == told.expires_at {
            return;
        }
        match store
            .set_expiry(&told.provider, &told.name, told.expires_at)
            .await
        {
            Ok(()) => self.known.insert(
                place,
                Arc::new(Resource {
                    expires_at: told.expires_at,
                    ..Resource::clone(&known)
                }),
            ),
            Err(error) => tracing::warn!(%error, "how long something lives could not be saved"),
        }
    }

    /// The project in which a client key has made something last; none where it has made nothing, or nobody can tell
    /// now.
    pub(crate) async fn last_project(
        &self,
        store: &Store,
        provider: &Arc<str>,
        client: Option<ClientId>,
        now: UnixMs,
    ) -> Option<Arc<str>> {
        if let Some(project) = self.sticky.project(provider, client, now) {
            return Some(project);
        }
        let read = store.last_project(provider, client, now);
        let read = tokio::time::timeout(PATIENCE, read).await.ok()?;
        let project: Arc<str> = read.ok()??.into();
        self.sticky.note(provider, client, project.clone(), now);
        Some(project)
    }

    /// It is gone.
    pub(crate) async fn forget(
        &self,
        store: &Store,
        provider: &Arc<str>,
        name: &ResourceName,
    ) -> Result<bool, StoreError> {
        let forgotten = tokio::time::timeout(PATIENCE, store.forget_resource(provider, name)).await;
        self.known.remove(&(provider.clone(), name.clone()));
        forgotten.unwrap_or(Ok(false))
    }

    /// Saves what waits to be saved, whenever there is something, until `stopping`; then once more.
    pub(crate) async fn keep_saving(&self, store: &Store, stopping: impl Future<Output = ()>) {
        self.unsaved.keep_saving(store, stopping).await;
    }

    fn remember(&self, resource: &Arc<Resource>) {
        let place = (resource.provider.clone(), resource.name.clone());
        self.known.insert(place, resource.clone());
    }
}
