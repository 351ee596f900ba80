//! Where each caller has made something last: what is used together, such as two files in one request, has to be made in
//! one project.

use std::sync::Arc;

use domain::ClientId;
use quick_cache::sync::Cache;

/// Callers that are remembered.
const REMEMBERED: usize = 50_000;

/// The project in which each client key has made something last, by provider.
#[derive(Debug)]
pub(crate) struct Sticky(Cache<(Arc<str>, Option<ClientId>), Arc<str>>);

impl Default for Sticky {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Sticky {
    /// Where a caller had better make the next thing.
    pub(crate) fn project(
        &self,
        provider: &Arc<str>,
        client: Option<ClientId>,
    ) -> Option<Arc<str>> {
        self.0.get(&(provider.clone(), client))
    }

    /// It has made something there.
    pub(crate) fn note(&self, provider: &Arc<str>, client: Option<ClientId>, project: Arc<str>) {
        self.0.insert((provider.clone(), client), project);
    }
}
