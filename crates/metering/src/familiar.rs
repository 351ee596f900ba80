//! Which client keys have been used from where: what tells a key that is at home behind an address from one that was
//! guessed there.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ClientId;

/// Pairs of client key and address that can be remembered: a quarter of a megabyte.
const PLACES: usize = 1 << 15;

/// Pairs of client key and address.
///
/// A table of atomics, without any lock: a pair has one place, and takes it from whichever pair had it before. It is a
/// memory and no register: a pair that is not found is only not known to be familiar.
#[derive(Debug)]
pub struct Familiar {
    places: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Familiar {
    fn default() -> Self {
        Self {
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Familiar {
    /// Remembers that a client key was used from an address.
    pub fn note(&self, client: ClientId, address: IpAddr) {
        let (place, mark) = self.place(client, address);
        // Written only where it changes something: processors share what is only read.
        if place.load(Ordering::Relaxed) != mark {
            place.store(mark, Ordering::Relaxed);
        }
    }

    /// Whether a client key is known to have been used from an address.
    pub fn knows(&self, client: ClientId, address: IpAddr) -> bool {
        let (place, mark) = self.place(client, address);
        place.load(Ordering::Relaxed) == mark
    }

    fn place(&self, client: ClientId, address: IpAddr) -> (&AtomicU64, u64) {
        let mark = self.hasher.hash_one((client, address)).max(1);
        (&self.places[(mark % PLACES as u64) as usize], mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn a_client_key_is_familiar_where_it_was_used() {
        let familiar = Familiar::default();
        let (here, there) = (address(1), address(2));
        assert!(!familiar.knows(ClientId(1), here));
        familiar.note(ClientId(1), here);
        assert!(familiar.knows(ClientId(1), here));
        assert!(!familiar.knows(ClientId(1), there));
        assert!(!familiar.knows(ClientId(2), here));
    }

    #[test]
    fn of_a_thousand_pairs_nearly_all_are_remembered() {
        let familiar = Familiar::default();
        (0..1_000).for_each(|n| familiar.note(ClientId(i64::from(n)), address(n)));
        let known = (0..1_000).filter(|&n| familiar.knows(ClientId(i64::from(n)), address(n)));
        assert!(known.count() > 900);
    }
}
