//! Who is connected, and since when each connection waits, reads a head or is busy.
//! One sweep a second looks at all of them, so that no connection needs a timer and no request has to move one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

/// How long a connection may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the end of a request's head.
    pub(crate) head: Duration,
    /// For the beginning of one.
    pub(crate) idle: Duration,
    /// For the caller to read what was sent to it.
    pub(crate) unread: Duration,
}

/// Every open connection.
///
/// A mutex around a map: touched when a connection opens or closes, and by the sweep.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Arc<Activity>>>,
    next: AtomicU64,
    epoch: Instant,
    emptied: Notify,
}

/// What one connection is doing.
#[derive(Debug)]
pub(crate) struct Activity {
    phase: AtomicU8,
    since_ms: AtomicU64,
    /// Since when the caller has not read what was sent to it, in milliseconds and one; 0: it reads.
    blocked_ms: AtomicU64,
    order: AtomicU8,
    waker: AtomicWaker,
    epoch: Instant,
}

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// What a connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// To go on.
    Live = 0,
    /// To close after the request that is under way.
    Drain = 1,
    /// To close now.
    Close = 2,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Self {
            open: Mutex::default(),
            next: AtomicU64::new(0),
            epoch: Instant::now(),
            emptied: Notify::new(),
        }
    }

    /// Registers a connection until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Connected {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity {
            phase: AtomicU8::new(IDLE),
            since_ms: AtomicU64::new(0),
            blocked_ms: AtomicU64::new(0),
            order: AtomicU8::new(Order::Live as u8),
            waker: AtomicWaker::new(),
            epoch: self.epoch,
        });
        activity.enter(IDLE);
        self.lock().insert(id, activity.clone());
        Connected {
            id,
            activity,
            connections: self.clone(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Closes those that have waited for too long.
    pub(crate) fn sweep(&self, patience: Patience) {
        for activity in self.lock().values() {
            let waited = activity.waited();
            let is_overdue = match activity.phase.load(Ordering::Acquire) {
                HEAD => waited > patience.head,
                IDLE => waited > patience.idle,
                _ => activity.blocked() > patience.unread,
            };
            if is_overdue {
                activity.tell(Order::Close);
            }
        }
    }

    /// Tells every connection the same.
    pub(crate) fn tell_all(&self, order: Order) {
        self.lock()
            .values()
            .for_each(|activity| activity.tell(order));
    }

    /// Ends when no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    /// The beginning of a head has come.
    pub(crate) fn bytes_came(&self) {
        if self.phase.load(Ordering::Relaxed) == IDLE {
            self.enter(HEAD);
        }
    }

    /// The caller has taken bytes, or could not.
    pub(crate) fn wrote(&self, is_blocked: bool) {
        let known = self.blocked_ms.load(Ordering::Relaxed);
        if is_blocked && known == 0 {
            self.blocked_ms.store(self.now_ms() + 1, Ordering::Relaxed);
        } else if !is_blocked && known != 0 {
            self.blocked_ms.store(0, Ordering::Relaxed);
        }
    }

    /// A request is under way until the guard is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.phase.store(BUSY, Ordering::Release);
        Busy(self.clone())
    }

    /// What the connection is to do; it is woken when that changes.
    pub(crate) fn order(&self, cx: &Context<'_>) -> Order {
        self.waker.register(cx.waker());
        match self.order.load(Ordering::Acquire) {
            0 => Order::Live,
            1 => Order::Drain,
            _ => Order::Close,
        }
    }

    fn tell(&self, order: Order) {
        if self.order.fetch_max(order as u8, Ordering::AcqRel) < order as u8 {
            self.waker.wake();
        }
    }

    fn enter(&self, phase: u8) {
        self.since_ms.store(self.now_ms(), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Release);
    }

    fn now_ms(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64
    }

    fn blocked(&self) -> Duration {
        match self.blocked_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis((self.now_ms() + 1).saturating_sub(since)),
        }
    }

    fn waited(&self) -> Duration {
        let since = Duration::from_millis(self.since_ms.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(since)
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connected {
    id: u64,
    pub(crate) activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.remove(&self.id);
        if open.is_empty() {
            self.connections.emptied.notify_waiters();
        }
    }
}

/// A request under way; it is over when the body of its answer is.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(IDLE);
    }
}
