//! The port of a proxy and whom it lets in. A fault that closes the port does so before the call that
//! set it returns, and the port cannot be lost to somebody else meanwhile.
//! What becomes of a connection is in `visit.rs`.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::visit::Visit;
use super::{ProxyFault, ProxyScript};
use crate::proxy::seen::Log;

const BACKLOG: u32 = 1024;

/// A running proxy, for its handle, its connections and whoever steers it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) script: ProxyScript,
    pub(crate) addr: SocketAddr,
    pub(crate) log: Log,
    acceptor: Option<Acceptor>,
    state: Mutex<State>,
    reopened: Notify,
    stopping: CancellationToken,
    // Bound but never listening: it keeps the port while nobody listens on it.
    _anchor: TcpSocket,
}

// Held for a swap or a poll, never across a wait.
#[derive(Debug)]
struct State {
    listener: Option<TcpListener>,
    fault: Option<ProxyFault>,
    /// Pulled and replaced when all connections are cut.
    cutting: CancellationToken,
}

#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl Door {
    pub(crate) fn open(
        script: ProxyScript,
        addr: SocketAddr,
        acceptor: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let anchor = shared_socket(addr)?;
        let door = Self {
            addr: anchor.local_addr()?,
            log: Log::new(script.recorded),
            acceptor: acceptor.map(Acceptor),
            state: Mutex::new(State {
                listener: None,
                fault: None,
                cutting: CancellationToken::new(),
            }),
            reopened: Notify::new(),
            stopping: CancellationToken::new(),
            _anchor: anchor,
            script,
        };
        door.set_fault(door.script.fault)?;
        Ok(door)
    }

    pub(crate) fn fault(&self) -> Option<ProxyFault> {
        self.lock().fault
    }

    pub(crate) fn set_fault(&self, fault: Option<ProxyFault>) -> io::Result<()> {
        let mut state = self.lock();
        if fault == Some(ProxyFault::ClosedPort) {
            state.listener = None;
        } else if state.listener.is_none() {
            state.listener = Some(shared_socket(self.addr)?.listen(BACKLOG)?);
            self.reopened.notify_one();
        }
        state.fault = fault;
        Ok(())
    }

    pub(crate) fn cut_connections(&self) {
        let fresh = CancellationToken::new();
        std::mem::replace(&mut self.lock().cutting, fresh).cancel();
    }

    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    pub(crate) async fn accept_all(self: Arc<Self>, tasks: TaskTracker) {
        loop {
            let accepted = tokio::select! {
                accepted = poll_fn(|cx| self.poll_accept(cx)) => accepted,
                () = self.reopened.notified() => continue,
                () = self.stopping.cancelled() => break,
            };
            if let Ok((stream, peer)) = accepted {
                tasks.spawn(Arc::clone(&self).host(stream, peer));
            }
        }
        self.lock().listener = None;
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        match &self.lock().listener {
            Some(listener) => listener.poll_accept(cx),
            None => Poll::Pending,
        }
    }

    async fn host(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let (fault, cutting) = {
            let state = self.lock();
            (state.fault, state.cutting.clone())
        };
        let stay = self.log.enter(peer);
        let visit = Visit::new(&self.script, fault, Arc::clone(&stay.entry));
        let cord = visit.cord();
        let acceptor = self.acceptor.clone().map(|acceptor| acceptor.0);
        // A connection that ends in an error ended for its client: there is nobody to tell.
        tokio::select! {
            _ = visit.serve(stream, acceptor) => {}
            () = cord.pulled() => {}
            () = self.stopping.cancelled() => {}
            // Reset before the socket is dropped, which is when it takes effect.
            () = async { cutting.cancelled().await; cord.reset() } => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that shares its port with others of this process, bound and not listening.
fn shared_socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match addr.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
