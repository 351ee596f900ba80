//! Which models the providers say they have, as they were last asked. Requests read it to find out where a bare id belongs;
//! `jobs/list_models.rs` keeps it fresh. What a provider is configured to have is on the provider itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

/// How long a request waits for the first lists.
const PATIENCE: Duration = Duration::from_secs(5);

/// The models of each provider, by the provider's name.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    lists: ArcSwap<Lists>,
    /// Whether every provider has been asked since the start.
    is_settled: watch::Sender<bool>,
}

/// Lists by provider.
pub(crate) type Lists = BTreeMap<Arc<str>, Arc<[String]>>;

impl Catalog {
    /// Every list as it is now.
    pub(crate) fn lists(&self) -> Arc<Lists> {
        self.lists.load_full()
    }

    /// Takes the list of one provider in; the others stay.
    pub(crate) fn set(&self, provider: &Arc<str>, models: &Arc<[String]>) {
        self.lists.rcu(|lists| {
            let mut lists = Lists::clone(lists);
            lists.insert(provider.clone(), models.clone());
            lists
        });
    }

    /// Every provider has been asked, whether it answered or not.
    pub(crate) fn settled(&self) {
        self.is_settled.send_replace(true);
    }

    /// Whether every provider has been asked since the start.
    pub(crate) fn is_settled(&self) -> bool {
        *self.is_settled.borrow()
    }

    /// Waits until every provider has been asked since the start, but not for long.
    pub(crate) async fn wait(&self) {
        let mut is_settled = self.is_settled.subscribe();
        let settled = is_settled.wait_for(|is_settled| *is_settled);
        // The sender lives as long as this, and so late an answer is no better than none.
        drop(tokio::time::timeout(PATIENCE, settled).await);
    }

    /// Forgets the lists of providers that are no more.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        if self.lists.load().keys().all(|name| is_there(name)) {
            return;
        }
        self.lists.rcu(|lists| {
            let mut lists = Lists::clone(lists);
            lists.retain(|name, _| is_there(name));
            lists
        });
    }
}
