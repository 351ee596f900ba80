//! What the stand-in was asked: a bounded ring of requests that tests read back.
//! An entry is opened when the head arrives and closed when the answer is complete, or when the
//! client went away first.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::request::Parts;

/// How many requests are remembered.
const RING: usize = 10_000;

/// How many bytes of one request body are kept.
pub(crate) const KEPT_BODY: usize = 1024 * 1024;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where the connection came from: the client, or the exit of its proxy.
    pub peer: SocketAddr,
    /// The HTTP method.
    pub method: String,
    /// Path and query exactly as on the wire.
    pub path_and_query: String,
    /// Header names (lower case) and values in their order; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The credential shown. Google: `x-goog-api-key`, else `?key=`, else the bearer token. GigaChat:
    /// the authorization key behind the token. The others: the bearer token.
    pub key: Option<String>,
    /// The body, at most its first MiB; empty while it is still being read.
    pub body: Bytes,
    /// The whole length of the body in bytes.
    pub body_len: usize,
    /// False while the answer is still being produced.
    pub finished: bool,
    /// The client went away before the answer was complete.
    pub disconnected: bool,
}

impl Seen {
    /// The first value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The ring. The lock guards pushes and snapshots only; it is never held across a wait.
#[derive(Debug)]
pub(crate) struct Recorder {
    ring: Mutex<VecDeque<Arc<Entry>>>,
    on: bool,
}

impl Recorder {
    pub(crate) fn new(on: bool) -> Self {
        Self {
            ring: Mutex::default(),
            on,
        }
    }

    /// Opens an entry for a request whose head has arrived; `None` when recording is off.
    pub(crate) fn open(
        &self,
        parts: &Parts,
        key: Option<String>,
        peer: SocketAddr,
    ) -> Option<Visit> {
        if !self.on {
            return None;
        }
        let entry = Arc::new(Entry::new(parts, key, peer));
        let mut ring = self.lock();
        if ring.len() == RING {
            ring.pop_front();
        }
        ring.push_back(Arc::clone(&entry));
        Some(Visit(entry))
    }

    pub(crate) fn snapshot(&self) -> Vec<Seen> {
        self.lock().iter().map(|entry| entry.seen()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn count_for_key(&self, key: &str) -> usize {
        self.lock()
            .iter()
            .filter(|entry| entry.key.as_deref() == Some(key))
            .count()
    }

    pub(crate) fn count_from(&self, ip: IpAddr) -> usize {
        let entries = self.lock();
        entries.iter().filter(|entry| entry.peer.ip() == ip).count()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Entry {
    peer: SocketAddr,
    method: String,
    path_and_query: String,
    headers: Vec<(String, String)>,
    key: Option<String>,
    body: OnceLock<Bytes>,
    body_len: AtomicUsize,
    finished: AtomicBool,
    disconnected: AtomicBool,
}

impl Entry {
    fn new(parts: &Parts, key: Option<String>, peer: SocketAddr) -> Self {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            peer,
            method: parts.method.to_string(),
            path_and_query: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers: parts
                .headers
                .iter()
                .map(|(n, v)| (n.to_string(), text(v)))
                .collect(),
            key,
            body: OnceLock::new(),
            body_len: AtomicUsize::new(0),
            finished: AtomicBool::new(false),
            disconnected: AtomicBool::new(false),
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            peer: self.peer,
            method: self.method.clone(),
            path_and_query: self.path_and_query.clone(),
            headers: self.headers.clone(),
            key: self.key.clone(),
            body: self.body.get().cloned().unwrap_or_default(),
            body_len: self.body_len.load(Ordering::Acquire),
            finished: self.finished.load(Ordering::Acquire),
            disconnected: self.disconnected.load(Ordering::Acquire),
        }
    }
}

/// Held while a request is being answered. Dropped before [`Visit::complete`], it tells that the
/// client went away.
#[derive(Debug)]
pub(crate) struct Visit(Arc<Entry>);

impl Visit {
    pub(crate) fn body(&self, body: &Bytes) {
        let kept = body.slice(..body.len().min(KEPT_BODY));
        self.0.body_len.store(body.len(), Ordering::Release);
        let _ = self.0.body.set(kept);
    }

    /// The answer is over, by its end or by a scripted fault.
    pub(crate) fn complete(&self) {
        self.0.finished.store(true, Ordering::Release);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.0.finished.load(Ordering::Acquire) {
            self.0.disconnected.store(true, Ordering::Release);
            self.complete();
        }
    }
}
