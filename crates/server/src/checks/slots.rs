//! How many checks are under way at once, whoever has asked for them: the schedule, a job, an operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Places for checks. How many there are is asked each time, so that the setting holds at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    taken: AtomicUsize,
    freed: Notify,
}

/// A place that is taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Inner>);

impl Slots {
    /// A place, when fewer than `most` are taken.
    pub(crate) fn try_take(&self, most: usize) -> Option<Slot> {
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        let taken = self.0.taken.fetch_update(set, fetch, more);
        taken.is_ok().then(|| Slot(self.0.clone()))
    }

    /// A place, as soon as there is one.
    pub(crate) async fn take(&self, most: impl Fn() -> usize) -> Slot {
        loop {
            let freed = self.0.freed.notified();
            if let Some(slot) = self.try_take(most().max(1)) {
                return slot;
            }
            freed.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_place_is_given_when_another_one_is_free() {
        let slots = Slots::default();
        let one = slots.try_take(2).unwrap();
        let _two = slots.try_take(2).unwrap();
        assert!(slots.try_take(2).is_none());
        let mut waiting = Box::pin(slots.take(|| 2));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(one);
        assert!(waiting.now_or_never().is_some());
    }

    #[test]
    fn a_smaller_number_holds_for_those_that_come() {
        let slots = Slots::default();
        let all: Vec<_> = (0..4).map(|_| slots.try_take(4).unwrap()).collect();
        assert!(slots.try_take(2).is_none());
        drop(all);
        assert!(slots.try_take(2).is_some());
    }
}
