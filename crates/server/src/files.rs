//! Files that requests bring along for providers that take them only by upload (GigaChat): each is given to an account
//! once, and known there by its hash for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{Fingerprint, UnixMs};

/// How long a file is believed to be where it was put. Providers may clear up, and accounts have room for a few.
const KEPT: Duration = Duration::from_secs(30 * 60);
const MOST: usize = 4096;

/// What the accounts of one provider have been given.
///
/// A mutex around a map: it is held for a look-up, and only requests with files look here.
#[derive(Debug, Default)]
pub(crate) struct GivenFiles(Mutex<HashMap<Place, Given>>);

/// A file in an account: both by their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) account: Fingerprint,
    pub(crate) content: Fingerprint,
}

#[derive(Debug)]
struct Given {
    id: String,
    until: UnixMs,
}

impl GivenFiles {
    /// The id of a file that the account has.
    pub(crate) fn id(&self, place: Place, now: UnixMs) -> Option<String> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = given.get(&place).filter(|known| known.until > now)?;
        Some(known.id.clone())
    }

    /// The account has been given a file.
    pub(crate) fn note(&self, place: Place, id: &str, now: UnixMs) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= MOST {
            given.retain(|_, known| known.until > now);
        }
        if given.len() >= MOST {
            given.clear();
        }
        let until = now + KEPT;
        let id = id.to_owned();
        given.insert(place, Given { id, until });
    }

    /// The account says that it does not have what it was given: it is given again.
    pub(crate) fn forget(&self, account: Fingerprint) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|place, _| place.account != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_in_its_account_until_its_time_is_over_or_it_is_gone() {
        let given = GivenFiles::default();
        let place = |account: &str| Place {
            account: Fingerprint::of(account.as_bytes()),
            content: Fingerprint::of(b"a picture"),
        };
        given.note(place("one"), "f-1", UnixMs(0));
        assert_eq!(given.id(place("one"), UnixMs(1)).as_deref(), Some("f-1"));
        assert_eq!(given.id(place("other"), UnixMs(1)), None);
        assert_eq!(given.id(place("one"), UnixMs(0) + KEPT), None);
        given.forget(place("one").account);
        assert_eq!(given.id(place("one"), UnixMs(1)), None);
    }

    #[test]
    fn what_is_known_does_not_grow_without_bound() {
        let given = GivenFiles::default();
        for number in 0..MOST + 10 {
            let place = Place {
                account: Fingerprint::of(b"one"),
                content: Fingerprint::of(&number.to_le_bytes()),
            };
            given.note(place, "f", UnixMs(0));
        }
        assert!(given.0.lock().unwrap().len() <= MOST);
    }
}
