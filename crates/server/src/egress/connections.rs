//! Open connections to one provider, kept until the next request: those that leave directly, and those through each proxy.
//! Connections are given out and taken back here; they are opened and used by `origin.rs`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::connect::Io;
use super::h1::H1;
use super::{Proxy, ProxyId, RequestBody, SendError};

/// Servers close idle connections after some minutes; one that is reused shortly before would lose its request.
const KEEP_IDLE: Duration = Duration::from_secs(60);
/// Connections that are kept through one proxy.
const MOST_IDLE_THROUGH_ONE: usize = 32;
/// Connections to a provider that are kept through all proxies together.
const MOST_IDLE_THROUGH_ALL: usize = 512;
/// A path may die without a word; a shared connection on it would swallow every request.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Google allows 100 streams on a connection; beyond this another one is opened.
const STREAMS_PER_CONNECTION: usize = 90;

/// The connections of one egress.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) idle: Arc<IdleConnections>,
    /// HTTP/2. A mutex, held for a look at them.
    h2: Mutex<Vec<Shared>>,
}

/// An HTTP/2 connection and the streams on it.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    sender: http2::SendRequest<RequestBody>,
    streams: Arc<()>,
}

impl Connections {
    /// None yet, and at most so many idle ones later.
    pub(super) fn new(most_idle: usize) -> Self {
        Self::keeping(IdleConnections::new(most_idle))
    }

    fn keeping(idle: IdleConnections) -> Self {
        Self {
            idle: Arc::new(idle),
            h2: Mutex::default(),
        }
    }

    /// An HTTP/2 connection with room for a stream.
    pub(super) fn shared(&self) -> Option<Shared> {
        let mut connections = self.shared_connections();
        connections.retain(|shared| !shared.sender.is_closed());
        connections
            .iter()
            .find(|shared| Arc::strong_count(&shared.streams) <= STREAMS_PER_CONNECTION)
            .cloned()
    }

    /// Speaks HTTP/2 on a new connection, and keeps it for others too.
    pub(super) async fn share(&self, io: Io) -> Result<Shared, SendError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE / 2)
            .handshake(TokioIo::new(io))
            .await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends with its last user, and nothing is lost with it at shutdown"
        )]
        tokio::spawn(connection);
        let shared = Shared {
            sender,
            streams: Arc::new(()),
        };
        self.shared_connections().push(shared.clone());
        Ok(shared)
    }

    /// Closes those that have been idle for long.
    pub(super) fn close_old(&self) {
        self.idle.close_old();
        self.shared_connections()
            .retain(|shared| !shared.sender.is_closed());
    }

    /// Whether there is none, and none will be given back.
    fn are_none(&self) -> bool {
        Arc::strong_count(&self.idle) == 1
            && self.idle.lock().is_empty()
            && self.shared_connections().is_empty()
    }

    fn shared_connections(&self) -> MutexGuard<'_, Vec<Shared>> {
        self.h2.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Sends a request. Gives the answer, and what counts as a stream of the connection as long as it lives.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Arc<()>), hyper::Error> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        Ok((answer, self.streams.clone()))
    }
}

/// The connections through each proxy.
///
/// A mutex, held for a look-up; requests that leave directly do not come here.
#[derive(Debug)]
pub(super) struct ThroughProxies {
    by_proxy: Mutex<HashMap<ProxyId, Through>>,
    /// For the idle ones of all of them.
    room: Room,
}

impl Default for ThroughProxies {
    fn default() -> Self {
        Self {
            by_proxy: Mutex::default(),
            room: Room::of(MOST_IDLE_THROUGH_ALL),
        }
    }
}

#[derive(Debug)]
struct Through {
    proxy: Arc<Proxy>,
    /// Of the proxy, when these were opened: after a failure of the proxy they are not used any more.
    generation: u32,
    connections: Arc<Connections>,
}

impl Through {
    fn is_over(&self) -> bool {
        self.proxy.is_gone() || self.generation != self.proxy.generation()
    }
}

impl ThroughProxies {
    /// Those through one proxy.
    pub(super) fn of(&self, proxy: &Arc<Proxy>) -> Arc<Connections> {
        let mut by_proxy = self.lock();
        if let Some(known) = by_proxy.get(&proxy.id).filter(|known| !known.is_over()) {
            return known.connections.clone();
        }
        let idle = IdleConnections::within(MOST_IDLE_THROUGH_ONE, self.room.clone());
        let connections = Arc::new(Connections::keeping(idle));
        let through = Through {
            proxy: proxy.clone(),
            generation: proxy.generation(),
            connections: connections.clone(),
        };
        by_proxy.insert(proxy.id, through);
        connections
    }

    /// Closes those that have been idle for long, and all through proxies that have failed or left.
    pub(super) fn close_old(&self) {
        self.lock().retain(|_, through| {
            through.connections.close_old();
            !through.is_over() && !through.connections.are_none()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProxyId, Through>> {
        self.by_proxy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// HTTP/1.1 connections that no request uses, last used first.
///
/// A mutex, held for a push or a pop: there is nothing to wait for while holding it.
#[derive(Debug)]
pub(crate) struct IdleConnections {
    stack: Mutex<Vec<Idle>>,
    most: usize,
    room: Room,
}

/// A connection, and the room that it takes.
#[derive(Debug)]
struct Idle {
    connection: H1,
    _place: Place,
}

impl IdleConnections {
    /// None yet, and at most so many later.
    pub(super) fn new(most: usize) -> Self {
        Self::within(most, Room::of(most))
    }

    /// The same, in a room that others keep theirs in too.
    fn within(most: usize, room: Room) -> Self {
        Self {
            stack: Mutex::default(),
            most,
            room,
        }
    }

    pub(crate) fn put(&self, mut connection: H1) {
        connection.idle_since = Instant::now();
        let mut stack = self.lock();
        if stack.len() < self.most
            && let Some(place) = self.room.take()
        {
            stack.push(Idle {
                connection,
                _place: place,
            });
        }
    }

    pub(super) fn take(&self) -> Option<H1> {
        loop {
            let mut connection = self.lock().pop()?.connection;
            if connection.idle_since.elapsed() < KEEP_IDLE && connection.is_reusable() {
                return Some(connection);
            }
        }
    }

    fn close_old(&self) {
        self.lock()
            .retain(|idle| idle.connection.idle_since.elapsed() < KEEP_IDLE);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many idle connections there may be together.
#[derive(Clone, Debug)]
struct Room {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// Room for one of them. Dropping it gives it back.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Room {
    fn of(most: usize) -> Self {
        Self {
            taken: Arc::default(),
            most,
        }
    }

    fn take(&self) -> Option<Place> {
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        let more = |taken: usize| (taken < self.most).then_some(taken + 1);
        let taken = self.taken.fetch_update(set, fetch, more);
        taken.is_ok().then(|| Place(self.taken.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_take_no_more_room_than_there_is() {
        let room = Room::of(2);
        let (one, two) = (room.take(), room.clone().take());
        assert!(one.is_some() && two.is_some() && room.take().is_none());
        drop(one);
        assert!(room.take().is_some());
    }
}
