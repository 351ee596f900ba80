//! Connections counted by the address that they come from, which behind a proxy is the proxy's exit.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All addresses since the start. The lock guards one count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<HashMap<IpAddr, Count>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    since_the_start: usize,
    now: usize,
}

/// A connection; it is counted as open until this is dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    ip: IpAddr,
    peers: Peers,
}

impl Peers {
    pub(crate) fn enter(&self, ip: IpAddr) -> Stay {
        let mut counts = self.lock();
        let count = counts.entry(ip).or_default();
        count.since_the_start += 1;
        count.now += 1;
        let peers = self.clone();
        Stay { ip, peers }
    }

    pub(crate) fn since_the_start(&self, ip: IpAddr) -> usize {
        self.lock()
            .get(&ip)
            .map_or(0, |count| count.since_the_start)
    }

    pub(crate) fn now(&self, ip: IpAddr) -> usize {
        self.lock().get(&ip).map_or(0, |count| count.now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(count) = self.peers.lock().get_mut(&self.ip) {
            count.now = count.now.saturating_sub(1);
        }
    }
}
