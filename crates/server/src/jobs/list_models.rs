//! Asks every provider which models it has, and keeps the catalogue of them fresh. A provider that is configured with its
//! models is not asked; one that cannot be asked keeps the list that it gave before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Class, UnixMs, Verdict};
use keypool::{Place, Want};

use crate::app::App;
use crate::inquiry::Asking;
use crate::snapshot::Provider;

/// After a failure the next try comes sooner.
const AGAIN: Duration = Duration::from_secs(60);
/// How often it is looked whether there is something to ask: a provider may have got its first key.
const LOOK: Duration = Duration::from_secs(2);
/// One provider that stalls keeps the others waiting for this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Keys that are tried for one list.
const MOST_KEYS: usize = 3;

/// Runs until the program stops.
pub(super) async fn run(app: Arc<App>) {
    let mut due: HashMap<Arc<str>, UnixMs> = HashMap::new();
    loop {
        let snapshot = app.snapshot.load_full();
        app.catalog.keep(|name| snapshot.provider(name).is_some());
        let now = app.clock.now();
        let asked = snapshot.providers.iter().filter(|provider| {
            let is_due = due.get(&provider.name).is_none_or(|due| *due <= now);
            let is_asked = provider.models.is_empty() && !provider.models_refresh.is_zero();
            is_asked && is_due && provider.pool().usable("", now) > 0
        });
        let asked: Vec<Arc<Provider>> = asked.cloned().collect();
        let lists = asked.iter().map(|provider| async {
            let list = refresh(&app, provider);
            tokio::time::timeout(PATIENCE, list).await.unwrap_or(false)
        });
        let lists = futures_util::future::join_all(lists);
        let outcomes = tokio::select! {
            outcomes = lists => outcomes,
            () = app.tasks.stopping() => return,
        };
        let now = app.clock.now();
        for (provider, is_listed) in asked.iter().zip(outcomes) {
            due.insert(
                provider.name.clone(),
                now + if is_listed {
                    provider.models_refresh
                } else {
                    AGAIN
                },
            );
        }
        app.catalog.settled();
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.tasks.stopping() => return,
        }
    }
}

/// Keys that may not list models may well be used for them.
fn is_about_the_key(verdict: &Verdict) -> bool {
    matches!(
        verdict.class,
        Class::KeyInvalid | Class::AcctSuspended | Class::Billing
    )
}

/// Asks one provider with up to three keys. Their failures are told to the pool, which callers' requests would meet too.
async fn refresh(app: &App, provider: &Provider) -> bool {
    let mut tried = Vec::new();
    for _ in 0..MOST_KEYS {
        let want = Want {
            model: "",
            tried: &tried,
            again: false,
            place: Place::Anywhere,
        };
        let Ok(lease) = provider.pool().lease(&want, app.clock.now()) else {
            break;
        };
        tried.push(lease.key().id);
        let began = std::time::Instant::now();
        let asking = Asking {
            provider,
            key: lease.key(),
            proxies: &app.proxies,
            clock: &app.clock,
        };
        let listed = asking.models().await;
        let now = app.clock.now();
        match listed {
            Ok(models) => {
                tracing::debug!(
                    provider = &*provider.name,
                    models = models.len(),
                    "models listed"
                );
                app.catalog.set(&provider.name, &models.into());
                return true;
            }
            Err(verdict) => {
                let reason = verdict.reason;
                tracing::info!(provider = &*provider.name, reason, "models not listed");
                if is_about_the_key(&verdict) {
                    provider
                        .pool()
                        .report(&lease, "", &verdict, began.elapsed(), now);
                }
            }
        }
    }
    false
}
