//! Slows down who guesses passwords: five failures in fifteen minutes for an address and a user name, and then a wait.
//! Only that address waits for that name, so nobody can lock an operator out from elsewhere, and never for good.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Fingerprint, UnixMs};
use tokio::sync::Semaphore;

use super::error::ApiError;
use crate::snapshot::network;

const MOST_FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Addresses and names that are remembered; beyond it the oldest are forgotten.
const MOST_ENTRIES: usize = 10_000;
/// How long a login waits behind others: beyond it somebody floods, and waiting would only fill the memory.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Passwords that are hashed at the same time: each takes 19 MiB and a core for some 30 ms.
const AT_ONCE: usize = 2;

/// A hash that no password is known to have, made with the usual parameters: what unknown users are measured by.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$a2V5bXV4J3Mgbm9ib2R5IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Failed logins, and the place where passwords are hashed.
///
/// A mutex around a map: logins are seldom.
#[derive(Debug)]
pub(crate) struct Logins {
    failures: Mutex<HashMap<Fingerprint, Vec<UnixMs>>>,
    hashing: Semaphore,
}

/// What a failure is among those of its address and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Counted,
    /// Nobody is let in for some time after it.
    Last,
    /// It was tried at the same time as others that had used up all tries: nobody may learn that it failed. How long to
    /// wait.
    OneTooMany(Duration),
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            failures: Mutex::default(),
            hashing: Semaphore::new(AT_ONCE),
        }
    }
}

impl Logins {
    /// Whether a login may be tried; if not, how long to wait.
    pub(crate) fn admit(&self, peer: IpAddr, name: &str, now: UnixMs) -> Result<(), Duration> {
        let mut failures = self.lock();
        let Some(times) = failures.get_mut(&entry(peer, name)) else {
            return Ok(());
        };
        times.retain(|&time| time + WINDOW > now);
        match times.len().checked_sub(MOST_FAILURES) {
            Some(over) => Err(now.until(times[over] + WINDOW)),
            None => Ok(()),
        }
    }

    /// Notes a failure, and says which one it was.
    pub(crate) fn failed(&self, peer: IpAddr, name: &str, now: UnixMs) -> Failure {
        let mut failures = self.lock();
        if failures.len() >= MOST_ENTRIES {
            failures.retain(|_, times| times.last().is_some_and(|&last| last + WINDOW > now));
            let oldest = failures
                .iter()
                .min_by_key(|(_, times)| times.last().copied());
            if let Some(oldest) = oldest
                .map(|(entry, _)| *entry)
                .filter(|_| failures.len() >= MOST_ENTRIES)
            {
                failures.remove(&oldest);
            }
        }
        let times = failures.entry(entry(peer, name)).or_default();
        times.retain(|&time| time + WINDOW > now);
        if times.len() >= MOST_FAILURES {
            return Failure::OneTooMany(now.until(times[0] + WINDOW));
        }
        times.push(now);
        match times.len() {
            MOST_FAILURES => Failure::Last,
            _ => Failure::Counted,
        }
    }

    pub(crate) fn succeeded(&self, peer: IpAddr, name: &str) {
        self.lock().remove(&entry(peer, name));
    }

    /// Does heavy work on passwords on a thread of its own, at most [`AT_ONCE`] at a time. An error says that too many
    /// wait for that already.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = tokio::time::timeout(LONGEST_WAIT, self.hashing.acquire()).await;
        let place = place.map_err(|_| {
            let text = "too many passwords wait to be checked; try again in some seconds";
            ApiError::busy(text, LONGEST_WAIT)
        })?;
        let _place = place.map_err(ApiError::internal)?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(ApiError::internal)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Vec<UnixMs>>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(peer: IpAddr, name: &str) -> Fingerprint {
    Fingerprint::of(format!("{} {name}", network(peer)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_763_640_000_000);

    fn failed(times: usize) -> (Logins, IpAddr) {
        let (logins, peer) = (Logins::default(), "10.0.0.5".parse().unwrap());
        for second in 0..times {
            logins.failed(peer, "admin", NOW + Duration::from_secs(second as u64));
        }
        (logins, peer)
    }

    #[test]
    fn the_sixth_try_waits_until_the_first_failure_is_forgotten() {
        let (logins, peer) = failed(4);
        assert_eq!(logins.admit(peer, "admin", NOW), Ok(()));
        let (logins, peer) = failed(5);
        let now = NOW + Duration::from_secs(10);
        assert_eq!(
            logins.admit(peer, "admin", now),
            Err(Duration::from_secs(15 * 60 - 10))
        );
        assert_eq!(logins.admit(peer, "admin", NOW + WINDOW), Ok(()));
    }

    #[test]
    fn tries_that_were_admitted_together_are_no_more_than_five() {
        let (logins, peer) = failed(4);
        assert_eq!(logins.failed(peer, "admin", NOW), Failure::Last);
        let later = NOW + Duration::from_secs(60);
        let wait = Failure::OneTooMany(Duration::from_secs(14 * 60));
        assert_eq!(logins.failed(peer, "admin", later), wait);
        assert_eq!(
            logins.admit(peer, "admin", NOW + WINDOW + Duration::from_secs(5)),
            Ok(())
        );
    }

    #[test]
    fn others_are_not_slowed_down() {
        let (logins, peer) = failed(9);
        assert_eq!(
            logins.admit("10.0.0.6".parse().unwrap(), "admin", NOW),
            Ok(())
        );
        assert_eq!(logins.admit(peer, "mei", NOW), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let logins = Logins::default();
        for host in 0..5 {
            logins.failed(format!("2001:db8::{host}").parse().unwrap(), "admin", NOW);
        }
        assert!(
            logins
                .admit("2001:db8::99".parse().unwrap(), "admin", NOW)
                .is_err()
        );
        assert_eq!(
            logins.admit("2001:db8:1::1".parse().unwrap(), "admin", NOW),
            Ok(())
        );
    }

    #[test]
    fn a_success_forgets_failures() {
        let (logins, peer) = failed(5);
        logins.succeeded(peer, "admin");
        assert_eq!(logins.admit(peer, "admin", NOW), Ok(()));
    }

    #[test]
    fn nobody_is_measured_as_everybody_is() {
        let nobody = argon2::password_hash::PasswordHash::new(NOBODY).unwrap();
        let usual = crate::secrets::hash_password(&domain::Secret::new("any password")).unwrap();
        let usual = argon2::password_hash::PasswordHash::new(&usual).unwrap();
        assert_eq!(
            (nobody.algorithm, nobody.version),
            (usual.algorithm, usual.version)
        );
        assert_eq!(nobody.params, usual.params);
        assert!(!crate::secrets::is_password(
            &domain::Secret::new(""),
            NOBODY
        ));
    }
}
