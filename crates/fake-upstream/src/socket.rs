//! The accepted socket, and the cord by which what answers a request goes on in another protocol, or a scripted fault tears its connection down: with a
//! FIN, or with a RST (`SO_LINGER` 0) that no HTTP library would send by itself.
//! The accept loop that owns sockets is `server.rs`; the faults are chosen in `rule.rs`.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// What is spoken on a connection once HTTP is over.
type Talk = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Lets the code that answers a request end the connection under it, and see whose it is.
#[derive(Debug)]
pub(crate) struct Cord {
    /// The other end.
    pub(crate) peer: SocketAddr,
    pulled: CancellationToken,
    with_reset: AtomicBool,
    next: Next,
}

/// The talk that follows, until it is begun. The lock guards putting it and taking it.
#[derive(Default)]
struct Next(Mutex<Option<Talk>>);

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

impl Cord {
    pub(crate) fn of(peer: SocketAddr) -> Self {
        Self {
            peer,
            pulled: CancellationToken::new(),
            with_reset: AtomicBool::new(false),
            next: Next::default(),
        }
    }

    /// Drops the connection in the ordinary way: what was written arrives, then end of file.
    pub(crate) fn close(&self) {
        self.pulled.cancel();
    }

    /// Drops the connection with a TCP reset.
    pub(crate) fn reset(&self) {
        self.with_reset.store(true, Ordering::Release);
        self.pulled.cancel();
    }

    /// Goes on with the connection in another protocol as soon as its answer is sent.
    pub(crate) fn go_on(&self, talk: impl Future<Output = ()> + Send + 'static) {
        *self.next.lock() = Some(Box::pin(talk));
    }

    /// What follows the last answer, if anything does.
    pub(crate) async fn talk(&self) {
        let next = self.next.lock().take();
        if let Some(talk) = next {
            talk.await;
        }
    }

    /// Resolves once somebody pulled.
    pub(crate) async fn pulled(&self) {
        self.pulled.cancelled().await;
    }
}

impl Next {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Talk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP stream that honours its cord when it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    cord: Arc<Cord>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, cord: Arc<Cord>) -> Self {
        Self { stream, cord }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.cord.with_reset.load(Ordering::Acquire) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
