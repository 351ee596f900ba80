//! Seats: how many requests of one account are answered at the same time, and at most were. A seat
//! is left when the answer is complete or its client has gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All accounts with requests in flight. The lock guards one count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<String, Taken>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    now: usize,
    most: usize,
}

/// A place that is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    account: String,
    seats: Seats,
}

impl Seats {
    /// Takes a seat and says how many are taken now, this one included. Refusing is left to the
    /// caller, so that a request which finds all seats taken counts as one too many.
    pub(crate) fn take(&self, account: &str) -> (Seat, usize) {
        let mut taken = self.lock();
        let of_account = taken.entry(account.to_owned()).or_default();
        of_account.now += 1;
        of_account.most = of_account.most.max(of_account.now);
        let seat = Seat {
            account: account.to_owned(),
            seats: self.clone(),
        };
        (seat, of_account.now)
    }

    /// The most requests of the account that were in flight at once, refused ones included.
    pub(crate) fn most(&self, account: &str) -> usize {
        self.lock().get(account).map_or(0, |taken| taken.most)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Taken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(taken) = self.seats.lock().get_mut(&self.account) {
            taken.now = taken.now.saturating_sub(1);
        }
    }
}
