//! Whose fault it is when a provider refuses: the key's, or the proxy's by which it was asked. The rule is `keypool`'s
//! (`blame.rs`); here it is told what happened on each way, and what it finds is done: keys are forgiven in their pools,
//! proxies are set aside or brought back. Ways that do not lead to the provider are no matter of this file.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::{Class, Key, UnixMs, Verdict};
use keypool::{Blame, EgressId, Failure, Pool, ProjectTag, Receipt, Track};

use super::{Egress, Proxies, Proxy, ProxyId, REFUSED_EVERYBODY};

/// What is known of the ways to one provider. Checks cost no quota: they are compared with checks, and requests with
/// requests.
#[derive(Debug, Default)]
pub(crate) struct Attributions {
    pub(crate) requests: Attribution,
    pub(crate) checks: Attribution,
}

impl Attributions {
    /// Forgets proxies that are in use no more.
    pub(crate) fn forget_gone(&self) {
        self.requests.forget_gone();
        self.checks.forget_gone();
    }
}

/// What calls of one kind tell of the ways.
#[derive(Debug)]
pub(crate) struct Attribution {
    blame: Blame<Undo>,
    direct: Track,
    /// Written when a proxy is used first and when it has left; all others only read.
    by_proxy: RwLock<HashMap<ProxyId, Way>>,
}

#[derive(Debug)]
struct Way {
    proxy: Arc<Proxy>,
    track: Arc<Track>,
}

/// A key that the provider refused, as its pool has heard already.
#[derive(Debug)]
pub(crate) struct Refused<'a> {
    pub(crate) key: &'a Key,
    pub(crate) pool: &'a Arc<Pool>,
    pub(crate) verdict: &'a Verdict,
    pub(crate) receipt: Receipt,
}

/// What a refusal did, and where it is undone.
#[derive(Debug)]
struct Undo {
    pool: Arc<Pool>,
    receipt: Receipt,
}

/// Whose fault a refusal is, as far as it shows at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The key's, as long as nothing else is known.
    Key,
    /// The proxy's: the key is as it was before.
    Proxy,
}

impl Default for Attribution {
    fn default() -> Self {
        Self {
            blame: Blame::default(),
            direct: Track::new(EgressId::DIRECT),
            by_proxy: RwLock::default(),
        }
    }
}

impl Attribution {
    /// The provider has answered by this egress.
    pub(crate) fn answered(&self, by: &Egress, now: UnixMs) {
        match by {
            Egress::Direct => self.blame.answered(&self.direct, now),
            Egress::Proxy(proxy) => self.blame.answered(&self.track(proxy), now),
        }
    }

    /// The provider has refused a key by this egress.
    pub(crate) fn refused(
        &self,
        by: &Egress,
        refused: Refused<'_>,
        proxies: &Proxies,
        now: UnixMs,
    ) -> Fault {
        let Some(class) = watched(&refused) else {
            return Fault::Key;
        };
        let undo = Undo {
            pool: refused.pool.clone(),
            receipt: refused.receipt,
        };
        let has_other_ways = by.proxy().is_some_and(|it| proxies.have_another(it, now));
        if let Some(proxy) = by.proxy().filter(|proxy| proxy.has_refused_everybody()) {
            if has_other_ways {
                // It still does, to whoever it was that tried it out.
                return punish(proxy, vec![undo], proxies, now);
            }
            proxies.acquit(proxy, now);
        }
        let failure = Failure {
            project: ProjectTag::of(refused.key),
            class,
            receipt: undo,
            has_other_ways,
        };
        let finding = match by {
            Egress::Direct => self.blame.failed(&self.direct, failure, now),
            Egress::Proxy(proxy) => self.blame.failed(&self.track(proxy), failure, now),
        };
        for EgressId(id) in finding.acquitted {
            if let Some(member) = proxies.member(ProxyId(id)) {
                proxies.acquit(&member.proxy, now);
            }
        }
        match by {
            Egress::Proxy(proxy) if !finding.forgiven.is_empty() => {
                punish(proxy, finding.forgiven, proxies, now)
            }
            _ => Fault::Key,
        }
    }

    /// Forgets proxies that are in use no more.
    pub(crate) fn forget_gone(&self) {
        let is_gone = |way: &Way| way.proxy.is_gone();
        let any_is = |known: &HashMap<ProxyId, Way>| known.values().any(is_gone);
        if any_is(&self.by_proxy.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut known = self
                .by_proxy
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, way| !is_gone(way));
        }
    }

    fn track(&self, proxy: &Arc<Proxy>) -> Arc<Track> {
        let known = self.by_proxy.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(way) = known.get(&proxy.id) {
            return way.track.clone();
        }
        drop(known);
        let mut known = self
            .by_proxy
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let way = known.entry(proxy.id).or_insert_with(|| Way {
            proxy: proxy.clone(),
            track: Arc::new(Track::new(EgressId(proxy.id.0))),
        });
        way.track.clone()
    }
}

/// The class of a refusal that can be a proxy's fault.
fn watched(refused: &Refused<'_>) -> Option<Class> {
    let status = refused.pool.status(refused.key.id)?;
    let is_watched = Blame::<Undo>::watches(refused.verdict, status.state.has_worked);
    is_watched.then_some(refused.verdict.class)
}

/// Sets the proxy aside, and then gives the keys back that have suffered by it: they leave by others.
fn punish(proxy: &Arc<Proxy>, undone: Vec<Undo>, proxies: &Proxies, now: UnixMs) -> Fault {
    proxies.failed(proxy, REFUSED_EVERYBODY, now);
    // What one pool has suffered is undone at once, the last of it first.
    let mut by_pool: Vec<(Arc<Pool>, Vec<Receipt>)> = Vec::new();
    for Undo { pool, receipt } in undone {
        match by_pool.iter_mut().find(|(it, _)| Arc::ptr_eq(it, &pool)) {
            Some((_, receipts)) => receipts.push(receipt),
            None => by_pool.push((pool, vec![receipt])),
        }
    }
    for (pool, receipts) in by_pool {
        pool.forgive(receipts, now);
    }
    Fault::Proxy
}
