//! How often each address asks without a valid client key, and when that is too much: in a minute, which is refused, or
//! in an hour, which is worth a ban. Pure counters; which requests are told here, and what a ban means, is the server's.
//! Next: `visitor.rs` for what is kept of one address, `slots.rs` for how long it counts, `guesses.rs` for wrong keys.
//!
//! Memory has an end: some 57,000 addresses are remembered, half a kilobyte each. When there are more, the quarter with
//! the fewest requests of the last hour makes room, so that no flood of fresh addresses makes those forgotten that are
//! close to a ban.

mod guesses;
mod slots;
mod visitor;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Fingerprint, UnixMs};

use crate::{Refusal, Standing};
use visitor::Visitor;

/// Shards, each behind a lock of its own.
const SHARDS: usize = 64;
/// Addresses that a shard remembers: as many as fit into a hash table of 1,024 places.
const MOST_IN_SHARD: usize = 896;
/// What of a full shard stays when room is made.
const KEPT: usize = MOST_IN_SHARD / 4 * 3;

/// What each address may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitorLimits {
    /// Requests in a minute that are let in.
    pub per_minute: u32,
    /// Requests in an hour, refused ones among them, above which the address is to be banned.
    pub ban_above_per_hour: u32,
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Visit {
    /// It is within the limits.
    Within(Standing),
    /// There were too many in the last minute.
    TooMany(Refusal, Standing),
    /// There were too many in the last hour: so many. Until the address is forgotten, each further one says so again.
    Ban {
        /// Requests of the last hour, this one among them.
        requests: u32,
    },
}

/// The counters of all addresses.
///
/// Give it one address for each whom a limit is meant for: of an IPv6 network always the same.
#[derive(Debug)]
pub struct Visitors {
    /// Chosen by a hash with random keys, so that nobody can fill one shard on purpose.
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

/// A mutex around each: checking and counting is one step, for some hundred nanoseconds; making room takes a tenth of a
/// millisecond, once for some two hundred addresses that come.
type Shard = HashMap<IpAddr, Visitor>;

impl Default for Visitors {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Visitors {
    /// The most addresses that are remembered at the same time.
    pub const MOST: usize = SHARDS * MOST_IN_SHARD;

    /// Counts a request, and says what is to become of it. What is refused counts for the hour only.
    pub fn count(&self, address: IpAddr, limits: VisitorLimits, now: UnixMs) -> Visit {
        let mut shard = self.shard(address);
        visitor(&mut shard, address, now).count(limits, now)
    }

    /// Notes that an unknown key was shown. The same one again is no further guess.
    pub fn guessed(&self, address: IpAddr, key: Fingerprint, now: UnixMs) {
        let mut shard = self.shard(address);
        visitor(&mut shard, address, now).guessed(key, now);
    }

    /// Whether so many unknown keys came from the address within an hour that somebody there is guessing.
    pub fn is_guessing(&self, address: IpAddr, now: UnixMs) -> bool {
        let shard = self.shard(address);
        shard
            .get(&address)
            .is_some_and(|visitor| visitor.is_guessing(now))
    }

    /// Forgets what was counted of an address. That somebody there guesses keys is not forgotten.
    pub fn forget(&self, address: IpAddr) {
        if let Some(visitor) = self.shard(address).get_mut(&address) {
            visitor.forget();
        }
    }

    /// The addresses that are remembered.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether no address is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, address: IpAddr) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(address);
        lock(&self.shards[(hash % SHARDS as u64) as usize])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn visitor(shard: &mut Shard, address: IpAddr, now: UnixMs) -> &mut Visitor {
    if shard.len() >= MOST_IN_SHARD && !shard.contains_key(&address) {
        make_room(shard, now);
    }
    shard.entry(address).or_default()
}

/// Forgets who has not asked for an hour, and if that is not enough, who has asked least.
fn make_room(shard: &mut Shard, now: UnixMs) {
    shard.retain(|_, visitor| !visitor.is_idle(now));
    let Some(most) = shard.len().checked_sub(KEPT).filter(|most| *most > 0) else {
        return;
    };
    let mut visitors: Vec<_> = shard
        .iter_mut()
        .map(|(address, visitor)| (visitor.weight(now), *address))
        .collect();
    visitors.select_nth_unstable(most - 1);
    for (_, address) in &visitors[..most] {
        shard.remove(address);
    }
}
