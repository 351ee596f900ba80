//! How many requests of one account a provider may have under way: whoever finds them all taken stands in line.
//! It knows no provider and no key's health; an account is known by a fingerprint, that of its key or of its project.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Fingerprint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lines of one provider's accounts.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    per_account: NonZeroU32,
    lines: Lines,
}

/// Accounts that anybody uses or waits for; one that nobody does has no line.
///
/// A mutex, held for a look-up and a count: nobody waits in line while holding it.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<HashMap<Fingerprint, Line>>>);

#[derive(Debug)]
struct Line {
    /// As many permits as requests may be under way. It is fair, and never closed.
    permits: Arc<Semaphore>,
    /// Those who have a turn or wait for one.
    people: usize,
}

/// Leave to have one request under way. Dropping it lets the next in line have it.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub(crate) struct Turn {
    // Dropped first: the next in line need not wait for the line's upkeep.
    _permit: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// Somebody who has a turn or waits for one. Dropping it leaves the line.
#[derive(Debug)]
struct Place {
    lines: Lines,
    account: Fingerprint,
}

impl Turns {
    /// Lines of accounts that may have so many requests under way each.
    pub(crate) fn new(per_account: NonZeroU32) -> Self {
        Self {
            per_account,
            lines: Lines::default(),
        }
    }

    /// How many requests an account may have under way.
    pub(crate) fn per_account(&self) -> NonZeroU32 {
        self.per_account
    }

    /// A turn, where one is free and nobody waits for it.
    pub(crate) fn try_take(&self, account: Fingerprint) -> Option<Turn> {
        let mut lines = self.lines.lock();
        let line = lines.entry(account).or_insert_with(|| self.line());
        // Nobody can be refused by a line that is new, so no empty one is left behind.
        let permit = line.permits.clone().try_acquire_owned().ok()?;
        line.people += 1;
        Some(Turn {
            _permit: Some(permit),
            _place: self.place(account),
        })
    }

    /// Waits for a turn, in the order in which callers began to. Who stops waiting loses nothing but the place.
    pub(crate) async fn take(&self, account: Fingerprint) -> Turn {
        let (permits, place) = self.join(account);
        Turn {
            _permit: permits.acquire_owned().await.ok(),
            _place: place,
        }
    }

    /// How many wait for a turn.
    #[cfg(test)]
    pub(crate) fn waiting(&self, account: Fingerprint) -> usize {
        let lines = self.lines.lock();
        let people = lines.get(&account).map_or(0, |line| line.people);
        people.saturating_sub(self.most())
    }

    fn join(&self, account: Fingerprint) -> (Arc<Semaphore>, Place) {
        let mut lines = self.lines.lock();
        let line = lines.entry(account).or_insert_with(|| self.line());
        line.people += 1;
        (line.permits.clone(), self.place(account))
    }

    fn line(&self) -> Line {
        Line {
            permits: Arc::new(Semaphore::new(self.most().min(Semaphore::MAX_PERMITS))),
            people: 0,
        }
    }

    fn place(&self, account: Fingerprint) -> Place {
        Place {
            lines: self.lines.clone(),
            account,
        }
    }

    fn most(&self) -> usize {
        usize::try_from(self.per_account.get()).unwrap_or(usize::MAX)
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        if let Some(line) = lines.get_mut(&self.account) {
            line.people -= 1;
            if line.people == 0 {
                lines.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ANNA: Fingerprint = Fingerprint([1; 32]);
    const BORIS: Fingerprint = Fingerprint([2; 32]);

    fn turns(per_account: u32) -> Turns {
        Turns::new(NonZeroU32::new(per_account).unwrap())
    }

    /// Polls somebody who waits, once.
    fn look<F: Future>(waiter: &mut Pin<&mut F>) -> Option<F::Output> {
        match waiter
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn an_account_has_as_many_turns_as_it_may() {
        let turns = turns(2);
        assert_eq!(turns.per_account().get(), 2);
        let first = turns.try_take(ANNA).unwrap();
        let _second = turns.try_take(ANNA).unwrap();
        assert!(turns.try_take(ANNA).is_none());
        assert!(turns.try_take(BORIS).is_some());
        drop(first);
        assert!(turns.try_take(ANNA).is_some());
    }

    #[test]
    fn turns_come_in_the_order_in_which_they_were_asked_for() {
        let turns = turns(1);
        let taken = turns.try_take(ANNA).unwrap();
        let (mut first, mut second) = (pin!(turns.take(ANNA)), pin!(turns.take(ANNA)));
        assert!(look(&mut first).is_none() && look(&mut second).is_none());
        assert_eq!(turns.waiting(ANNA), 2);
        drop(taken);
        assert!(look(&mut second).is_none());
        let taken = look(&mut first).unwrap();
        assert_eq!(turns.waiting(ANNA), 1);
        drop(taken);
        assert!(look(&mut second).is_some());
    }

    #[test]
    fn nobody_overtakes_those_who_wait() {
        let turns = turns(1);
        let taken = turns.try_take(ANNA).unwrap();
        let mut waiter = pin!(turns.take(ANNA));
        assert!(look(&mut waiter).is_none());
        drop(taken);
        assert!(turns.try_take(ANNA).is_none());
        assert!(look(&mut waiter).is_some());
    }

    #[test]
    fn who_stops_waiting_holds_nobody_up() {
        let turns = turns(1);
        let taken = turns.try_take(ANNA).unwrap();
        let mut gone = Box::pin(turns.take(ANNA));
        let mut next = pin!(turns.take(ANNA));
        assert!(look(&mut gone.as_mut()).is_none() && look(&mut next).is_none());
        drop(taken);
        // It has been given the turn, but has not come to take it.
        drop(gone);
        assert!(look(&mut next).is_some());
        assert_eq!(turns.waiting(ANNA), 0);
    }

    #[test]
    fn an_account_that_nobody_uses_is_forgotten() {
        let turns = turns(1);
        let taken = turns.try_take(ANNA).unwrap();
        assert!(turns.try_take(ANNA).is_none());
        let mut waiter = Box::pin(turns.take(ANNA));
        assert!(look(&mut waiter.as_mut()).is_none());
        drop(taken);
        assert_eq!(turns.lines.lock().len(), 1);
        drop(waiter);
        assert_eq!(turns.lines.lock().len(), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_at_once_all_get_a_turn_and_never_more_than_they_may() {
        let (turns, at_once) = (turns(3), Arc::new(AtomicUsize::new(0)));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (turns, at_once) = (turns.clone(), at_once.clone());
            callers.spawn(async move {
                let _turn = turns.take(ANNA).await;
                let others = at_once.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                at_once.fetch_sub(1, Ordering::SeqCst);
                others
            });
        }
        assert!(
            callers
                .join_all()
                .await
                .into_iter()
                .all(|others| others < 3)
        );
        assert_eq!(turns.lines.lock().len(), 0);
    }
}
