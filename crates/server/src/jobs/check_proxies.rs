//! Checks proxies when that is due: those that are used again and again, and of those that were found in lists as many as it
//! takes until `egress.health_check` is content with `min_healthy` of them. Checks are polled here, in one task, so that
//! they end at once when they are switched off or the program stops. What a check is, and which is due, is in `proxy_checks/`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::app::App;
use crate::egress::{Proxy, ProxyId};
use crate::proxy_checks::{self, Plan};

/// How often it is looked which checks are due.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>) {
    let mut round = Round::default();
    loop {
        round.plan(&app).await;
        let mut look = std::pin::pin!(tokio::time::sleep(LOOK));
        loop {
            round.begin(&app);
            tokio::select! {
                biased;
                () = app.tasks.stopping() => return,
                () = app.proxy_checks.changed_settings() => break,
                () = &mut look => break,
                Some(proxy) = round.running.next() => round.ended(&proxy),
            }
        }
    }
}

#[derive(Default)]
struct Round {
    plan: Plan,
    running: FuturesUnordered<BoxFuture<'static, Arc<Proxy>>>,
    under_way: HashSet<ProxyId>,
}

impl Round {
    /// Looks which checks are due now, in a thread of its own: proxies may be very many.
    async fn plan(&mut self, app: &Arc<App>) {
        let config = app.snapshot.load().config.clone();
        if !config.egress.health_check.enabled {
            *self = Self::default();
            return;
        }
        let known = app.clone();
        let plan = move || Plan::of(&known.proxies.list(), &config.egress, known.clock.now());
        self.plan = tokio::task::spawn_blocking(plan).await.unwrap_or_default();
    }

    /// Begins as many checks as there is room for.
    fn begin(&mut self, app: &Arc<App>) {
        let most = app.snapshot.load().config.egress.health_check.concurrency;
        while let Some(slot) = app.proxy_checks.slots.try_take(most) {
            let Some(proxy) = self.plan.next(&self.under_way) else {
                return;
            };
            self.under_way.insert(proxy.id);
            let app = app.clone();
            self.running.push(Box::pin(async move {
                // Without anything to ask for it is looked again at the next plan.
                let _ = proxy_checks::check(&app, &proxy).await;
                drop(slot);
                proxy
            }));
        }
    }

    fn ended(&mut self, proxy: &Proxy) {
        self.under_way.remove(&proxy.id);
        self.plan.ended(proxy);
    }
}
