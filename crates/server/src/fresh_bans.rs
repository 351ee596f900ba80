//! Bans that keymux has just made: in force at once, in the store a moment later (`jobs/store_bans.rs`), and from then on
//! in the snapshot like those that operators make. Requests never wait for the database.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Ban, UnixMs};
use tokio::sync::Notify;

/// Bans that may wait for the database. Who is to be banned then is refused all the same, request by request.
const MOST: usize = 10_000;

/// Bans that the snapshot does not have yet, by network.
///
/// A mutex around a map: there is hardly ever one, and then requests only read a counter.
#[derive(Debug, Default)]
pub(crate) struct FreshBans {
    bans: Mutex<HashMap<IpAddr, Fresh>>,
    count: AtomicUsize,
    wake: Notify,
}

#[derive(Debug)]
struct Fresh {
    ban: Ban,
    is_stored: bool,
}

impl FreshBans {
    /// Puts a ban in force. False: it is already, or too many wait.
    pub(crate) fn impose(&self, network: IpAddr, ban: Ban) -> bool {
        let mut bans = self.lock();
        if bans.len() >= MOST || bans.contains_key(&network) {
            return false;
        }
        let is_stored = false;
        bans.insert(network, Fresh { ban, is_stored });
        self.note_count(&bans);
        drop(bans);
        self.wake.notify_one();
        true
    }

    /// The ban of a network that is in force.
    pub(crate) fn of(&self, network: IpAddr, now: UnixMs) -> Option<Ban> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let bans = self.lock();
        let ban = &bans.get(&network)?.ban;
        ban.is_in_force(now).then(|| ban.clone())
    }

    /// Lifts a ban before the snapshot has it.
    pub(crate) fn lift(&self, network: IpAddr) -> Option<Ban> {
        let mut bans = self.lock();
        let lifted = bans.remove(&network);
        self.note_count(&bans);
        lifted.map(|fresh| fresh.ban)
    }

    /// Those that wait to be stored and still hold.
    pub(crate) fn waiting(&self, now: UnixMs) -> Vec<(IpAddr, Ban)> {
        let mut bans = self.lock();
        bans.retain(|_, fresh| fresh.ban.is_in_force(now));
        self.note_count(&bans);
        let waiting = bans.iter().filter(|(_, fresh)| !fresh.is_stored);
        waiting
            .map(|(network, fresh)| (*network, fresh.ban.clone()))
            .collect()
    }

    /// Notes that the store has these.
    pub(crate) fn stored(&self, stored: &[(IpAddr, Ban)]) {
        let mut bans = self.lock();
        for (network, _) in stored {
            if let Some(fresh) = bans.get_mut(network) {
                fresh.is_stored = true;
            }
        }
    }

    /// The bans of the store are in the snapshot now: what is stored is followed there, also when it is lifted.
    pub(crate) fn followed(&self, bans: &HashMap<IpAddr, Ban>, now: UnixMs) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut fresh_bans = self.lock();
        let is_there = |network: &IpAddr| bans.get(network).is_some_and(|ban| ban.is_in_force(now));
        fresh_bans.retain(|network, fresh| !fresh.is_stored && !is_there(network));
        self.note_count(&fresh_bans);
    }

    /// Waits until there is a new one.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    fn note_count(&self, bans: &HashMap<IpAddr, Fresh>) {
        self.count.store(bans.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Fresh>> {
        self.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(until: Option<i64>) -> Ban {
        Ban {
            address: "203.0.113.9".into(),
            reason: String::new(),
            created_by: None,
            requests: Some(3_601),
            created_at: UnixMs(0),
            until: until.map(UnixMs),
        }
    }

    fn here() -> IpAddr {
        "203.0.113.9".parse().unwrap()
    }

    #[test]
    fn a_ban_holds_until_it_ends_or_is_in_the_snapshot() {
        let fresh = FreshBans::default();
        assert!(fresh.impose(here(), ban(Some(1_000))));
        assert!(!fresh.impose(here(), ban(None)), "it is already");
        assert!(fresh.of(here(), UnixMs(999)).is_some());
        assert!(fresh.of(here(), UnixMs(1_000)).is_none());
        let waiting = fresh.waiting(UnixMs(999));
        assert_eq!(waiting, [(here(), ban(Some(1_000)))]);
        fresh.stored(&waiting);
        assert!(fresh.waiting(UnixMs(999)).is_empty());
        assert!(fresh.of(here(), UnixMs(999)).is_some());
        fresh.followed(&HashMap::new(), UnixMs(999));
        assert!(fresh.of(here(), UnixMs(999)).is_none());
    }

    #[test]
    fn a_ban_gives_way_to_one_in_the_snapshot_that_holds() {
        let fresh = FreshBans::default();
        fresh.impose(here(), ban(None));
        let snapshot = |until| HashMap::from([(here(), ban(until))]);
        fresh.followed(&snapshot(Some(5)), UnixMs(5));
        assert!(fresh.of(here(), UnixMs(5)).is_some());
        fresh.followed(&snapshot(Some(6)), UnixMs(5));
        assert!(fresh.of(here(), UnixMs(5)).is_none());
    }

    #[test]
    fn a_ban_that_was_lifted_meanwhile_is_not_stored() {
        let fresh = FreshBans::default();
        fresh.impose(here(), ban(None));
        assert_eq!(fresh.lift(here()), Some(ban(None)));
        assert!(fresh.waiting(UnixMs(0)).is_empty());
        assert!(fresh.of(here(), UnixMs(0)).is_none());
    }

    #[test]
    fn what_is_over_before_it_could_be_stored_is_forgotten() {
        let fresh = FreshBans::default();
        fresh.impose(here(), ban(Some(1_000)));
        assert!(fresh.waiting(UnixMs(1_000)).is_empty());
        assert!(fresh.lift(here()).is_none());
    }

    #[test]
    fn there_is_an_end_to_those_that_wait() {
        let fresh = FreshBans::default();
        let network = |n: usize| IpAddr::V4((n as u32).into());
        assert!((0..MOST).all(|n| fresh.impose(network(n), ban(None))));
        assert!(!fresh.impose(network(MOST), ban(None)));
    }
}
