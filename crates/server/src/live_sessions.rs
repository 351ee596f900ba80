//! Live sessions that are open now: who holds them, what has passed, and how they are told to end. What passes between
//! caller and provider is `gateway/live/`; `admin/live_sessions.rs` shows this.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use domain::{ClientId, KeyId, RequestId, UnixMs, Usage};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Every open session.
///
/// A mutex around a map: touched when a session begins or ends, and when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct LiveSessions {
    open: Mutex<BTreeMap<RequestId, Arc<LiveSession>>>,
    emptied: Notify,
}

/// One session.
#[derive(Debug)]
pub(crate) struct LiveSession {
    /// That of its request.
    pub(crate) id: RequestId,
    /// Who holds it; none: an anonymous caller.
    pub(crate) client: Option<ClientId>,
    /// From where.
    pub(crate) address: IpAddr,
    pub(crate) provider: Arc<str>,
    pub(crate) since: UnixMs,
    /// With what it was opened at the provider, once it was.
    pub(crate) opened: OnceLock<Opened>,
    pub(crate) from_caller: Passed,
    pub(crate) from_provider: Passed,
    usage: Mutex<Option<Usage>>,
    why: OnceLock<EndedBy>,
    end: CancellationToken,
}

/// What a session was opened with.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Empty where none was named.
    pub(crate) model: Arc<str>,
    /// None: the caller's own.
    pub(crate) key: Option<KeyId>,
    pub(crate) egress: Arc<str>,
}

/// What has passed one way.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// Who ends a session that neither side has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Somebody who may, by hand.
    Operator,
    /// The program, which stops.
    Shutdown,
}

impl LiveSessions {
    /// A session begins; it is open until what this gives is dropped.
    pub(crate) fn begin(&self, session: LiveSession) -> Arc<LiveSession> {
        let session = Arc::new(session);
        self.lock().insert(session.id, session.clone());
        session
    }

    /// A session is over.
    pub(crate) fn over(&self, id: RequestId) {
        let mut open = self.lock();
        open.remove(&id);
        if open.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<LiveSession>> {
        self.lock().values().cloned().collect()
    }

    /// The session of that id.
    pub(crate) fn get(&self, id: RequestId) -> Option<Arc<LiveSession>> {
        self.lock().get(&id).cloned()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Tells every session that the program stops.
    pub(crate) fn end_all(&self) {
        for session in self.all() {
            session.end(EndedBy::Shutdown);
        }
    }

    /// Ends when none is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RequestId, Arc<LiveSession>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveSession {
    pub(crate) fn new(
        id: RequestId,
        (client, address): (Option<ClientId>, IpAddr),
        provider: Arc<str>,
        since: UnixMs,
    ) -> Self {
        Self {
            id,
            client,
            address,
            provider,
            since,
            opened: OnceLock::new(),
            from_caller: Passed::default(),
            from_provider: Passed::default(),
            usage: Mutex::default(),
            why: OnceLock::new(),
            end: CancellationToken::new(),
        }
    }

    /// Tells it to end.
    pub(crate) fn end(&self, by: EndedBy) {
        let _ = self.why.set(by);
        self.end.cancel();
    }

    /// Who ends it, once somebody does.
    pub(crate) async fn ended(&self) -> EndedBy {
        self.end.cancelled().await;
        self.why.get().copied().unwrap_or(EndedBy::Shutdown)
    }

    /// What it has taken so far.
    pub(crate) fn usage(&self) -> Option<Usage> {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_usage(&self, usage: Option<Usage>) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
    }
}

impl Passed {
    pub(crate) fn count(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Messages and bytes.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.messages), read(&self.bytes))
    }
}
