//! What a proxy was asked and what passed through it: a bounded ring of connections that tests read
//! back, and the taps that fill it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Login;
use super::visit::Target;

/// How many connections are remembered.
const RING: usize = 1_000;

/// How many bytes of one direction are kept.
const KEPT: usize = 256 * 1024;

/// One connection to the proxy.
#[derive(Debug, Clone)]
pub struct ProxySeen {
    /// Where the client came from.
    pub peer: SocketAddr,
    /// Whereto it asked to be connected, `host:port` in its own words.
    pub target: Option<String>,
    /// The login that it showed.
    pub login: Option<Login>,
    /// It was told that it is connected.
    pub connected: bool,
    /// All that the client said, request to connect included, TLS to the proxy taken off; at most
    /// the first 256 KiB.
    pub from_client: Bytes,
    /// All that the target said, relayed or not; at most the first 256 KiB.
    pub from_target: Bytes,
    /// What a man in the middle read inside the client's own TLS; at most the first 256 KiB.
    pub opened: Bytes,
    /// The whole length of what the client said, in bytes.
    pub from_client_len: usize,
    /// The whole length of what the target said, in bytes.
    pub from_target_len: usize,
    /// The connection is still there.
    pub open: bool,
}

impl ProxySeen {
    /// Whether these bytes are anywhere in what was kept.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let holds = |kept: &Bytes| kept.windows(bytes.len().max(1)).any(|part| part == bytes);
        [&self.from_client, &self.from_target, &self.opened]
            .into_iter()
            .any(holds)
    }
}

/// The connections. The lock guards pushes and snapshots only.
#[derive(Debug)]
pub(crate) struct Log {
    ring: Mutex<VecDeque<Arc<Entry>>>,
    accepted: AtomicUsize,
    open: Arc<AtomicUsize>,
    recorded: bool,
}

impl Log {
    pub(crate) fn new(recorded: bool) -> Self {
        Self {
            ring: Mutex::default(),
            accepted: AtomicUsize::new(0),
            open: Arc::default(),
            recorded,
        }
    }

    /// Opens the entry of a connection that has come; it is closed when its last tap and the
    /// visit are gone.
    pub(crate) fn enter(&self, peer: SocketAddr) -> Stay {
        let entry = Arc::new(Entry {
            peer,
            recorded: self.recorded,
            known: Mutex::new(Known {
                open: true,
                ..Known::default()
            }),
        });
        self.accepted.fetch_add(1, Ordering::AcqRel);
        self.open.fetch_add(1, Ordering::AcqRel);
        if self.recorded {
            let mut ring = self.lock();
            if ring.len() == RING {
                ring.pop_front();
            }
            ring.push_back(Arc::clone(&entry));
        }
        Stay {
            entry,
            open: Arc::clone(&self.open),
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<ProxySeen> {
        self.lock().iter().map(|entry| entry.seen()).collect()
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Acquire)
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) fn clear(&self) {
        self.lock().retain(|entry| entry.lock().open);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held as long as the connection is there.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) entry: Arc<Entry>,
    open: Arc<AtomicUsize>,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.entry.lock().open = false;
        self.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The memory of one connection.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) peer: SocketAddr,
    recorded: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    target: Option<String>,
    login: Option<Login>,
    connected: bool,
    open: bool,
    client: Heard,
    target_said: Heard,
    opened: Heard,
}

#[derive(Debug, Default)]
struct Heard {
    kept: Vec<u8>,
    length: usize,
}

impl Heard {
    fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.kept)
    }
}

/// Whose words a tap hears.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Client,
    Target,
    /// The client's, inside its own TLS.
    Opened,
}

impl Entry {
    pub(crate) fn targets(&self, target: &Target) {
        let Target { host, port } = target;
        let text = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        self.lock().target = Some(text);
    }

    pub(crate) fn shows(&self, login: &Login) {
        self.lock().login = Some(login.clone());
    }

    pub(crate) fn connected(&self) {
        self.lock().connected = true;
    }

    fn hear(&self, side: Side, bytes: &[u8]) {
        let mut known = self.lock();
        let heard = match side {
            Side::Client => &mut known.client,
            Side::Target => &mut known.target_said,
            Side::Opened => &mut known.opened,
        };
        heard.length += bytes.len();
        if self.recorded {
            let room = KEPT - heard.kept.len();
            heard
                .kept
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn seen(&self) -> ProxySeen {
        let known = self.lock();
        ProxySeen {
            peer: self.peer,
            target: known.target.clone(),
            login: known.login.clone(),
            connected: known.connected,
            from_client: known.client.bytes(),
            from_target: known.target_said.bytes(),
            opened: known.opened.bytes(),
            from_client_len: known.client.length,
            from_target_len: known.target_said.length,
            open: known.open,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose reads are heard.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    entry: Arc<Entry>,
    side: Side,
}

impl<S> Tap<S> {
    pub(crate) fn new(stream: S, entry: &Arc<Entry>, side: Side) -> Self {
        let entry = Arc::clone(entry);
        Self {
            stream,
            entry,
            side,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.entry.hear(self.side, &buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
