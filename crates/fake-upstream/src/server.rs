//! The listener and its handle: accepts sockets, speaks HTTP/1.1 (and HTTP/2 over TLS), and offers
//! tests what they steer and read. Requests are answered in `stand.rs`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::keys::FakeKey;
use crate::provider::Provider;
use crate::rule::Rule;
use crate::script::Script;
use crate::seen::Seen;
use crate::socket::{Cord, Socket};
use crate::stand::Stand;
use crate::tls::Tls;

/// A running stand-in. Dropping it stops it.
#[derive(Debug)]
pub struct FakeUpstream {
    addr: SocketAddr,
    ca_pem: Option<String>,
    stand: Arc<Stand>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Script {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When loopback cannot be bound or the crypto library refuses to make certificates.
    #[expect(
        clippy::expect_used,
        reason = "a test cannot go on without its stand-in"
    )]
    pub async fn start(self) -> FakeUpstream {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        self.start_on(loopback)
            .await
            .expect("a stand-in on a free loopback port")
    }

    /// Starts on `addr`; fails when it cannot be bound.
    pub async fn start_on(self, addr: SocketAddr) -> io::Result<FakeUpstream> {
        let tls = if self.tls {
            Some(Tls::generate(&[b"h2", b"http/1.1"])?)
        } else {
            None
        };
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let stand = Arc::new(Stand::new(self, format!("{scheme}://{addr}")));
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let stopping = CancellationToken::new();
        let tasks = TaskTracker::new();
        let door = Door {
            stand: Arc::clone(&stand),
            acceptor,
            stopping: stopping.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn(door.accept_all(listener));
        Ok(FakeUpstream {
            addr,
            ca_pem,
            stand,
            stopping,
            tasks,
        })
    }
}

impl FakeUpstream {
    /// The origin to use as a provider's base URL, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.stand.base_url.clone()
    }

    /// Whom it imitates.
    pub fn provider(&self) -> Provider {
        self.stand.provider
    }

    /// GigaChat alone: how many requests its token endpoint got, refused ones included.
    pub fn token_requests(&self) -> usize {
        self.stand.accounts.token_requests()
    }

    /// GigaChat alone: every token given out so far has expired; requests with one get 401.
    pub fn expire_tokens(&self) {
        self.stand.accounts.expire_all();
    }

    /// GigaChat alone: the most requests of a key that were in flight at once, counting those that
    /// were refused for it.
    pub fn most_in_flight(&self, key: &str) -> usize {
        self.stand.seats.most(key)
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate authority to trust, when it serves HTTPS.
    pub fn ca_pem(&self) -> Option<String> {
        self.ca_pem.clone()
    }

    /// Every request since the start, oldest first, at most the last 10,000.
    pub fn seen(&self) -> Vec<Seen> {
        self.stand.recorder.snapshot()
    }

    /// How many requests are remembered.
    pub fn count(&self) -> usize {
        self.stand.recorder.count()
    }

    /// How many remembered requests showed this key.
    pub fn count_for_key(&self, key: &str) -> usize {
        self.stand.recorder.count_for_key(key)
    }

    /// How many remembered requests came from this address, for example the exit of a proxy.
    pub fn count_from(&self, ip: IpAddr) -> usize {
        self.stand.recorder.count_from(ip)
    }

    /// How many connections came from this address since the start.
    pub fn connections_from(&self, ip: IpAddr) -> usize {
        self.stand.peers.since_the_start(ip)
    }

    /// How many connections from this address are open now.
    pub fn open_from(&self, ip: IpAddr) -> usize {
        self.stand.peers.now(ip)
    }

    /// Forgets the recorded requests.
    pub fn clear_seen(&self) {
        self.stand.recorder.clear();
    }

    /// Adds a scripted fault behind those already there.
    pub fn add_rule(&self, rule: Rule) {
        self.stand.rules.add(rule);
    }

    /// Removes every scripted fault.
    pub fn remove_rules(&self) {
        self.stand.rules.clear();
    }

    /// Lists a key, or replaces it.
    pub fn set_key(&self, key: FakeKey) {
        self.stand.keyring.set(key);
    }

    /// Clears the fault of a key.
    pub fn fix_key(&self, key: &str) {
        self.stand.keyring.fix(key);
    }

    /// Lets a minute pass: minute quotas are fresh.
    pub fn advance_quota_window(&self) {
        self.stand.advance_minutes(1);
    }

    /// Lets a new day begin: day quotas are fresh.
    pub fn reset_day(&self) {
        self.stand.ledger.reset_day();
    }

    /// Closes the listener and every connection, and waits until they are gone.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// Takes in connections until it is told to stop.
#[derive(Clone)]
struct Door {
    stand: Arc<Stand>,
    acceptor: Option<TlsAcceptor>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Door {
    async fn accept_all(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stopping.cancelled() => return,
            };
            if let Ok((stream, peer)) = accepted {
                self.tasks.spawn(self.clone().host(stream, peer));
            }
        }
    }

    async fn host(self, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let _stay = self.stand.peers.enter(peer.ip());
        let cord = Arc::new(Cord::of(peer));
        let socket = Socket::new(stream, Arc::clone(&cord));
        tokio::select! {
            () = self.converse(socket, &cord) => {}
            () = cord.pulled() => {}
            () = self.stopping.cancelled() => {}
        }
    }

    async fn converse(&self, socket: Socket, cord: &Arc<Cord>) {
        let Some(acceptor) = &self.acceptor else {
            return self.speak_http1(socket, cord).await;
        };
        let Ok(stream) = acceptor.accept(socket).await else {
            return;
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.speak_http2(stream, cord).await;
        } else {
            self.speak_http1(stream, cord).await;
        }
    }

    // A connection that ends in an error ended for its client: there is nobody to tell.
    async fn speak_http1<S>(&self, stream: S, cord: &Arc<Cord>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = service_fn(|request: http::Request<Incoming>| {
            Arc::clone(&self.stand).answer(request, Arc::clone(cord))
        });
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer)
            .with_upgrades()
            .await;
        cord.talk().await;
    }

    async fn speak_http2<S>(&self, stream: S, cord: &Arc<Cord>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stand, cord) = (Arc::clone(&self.stand), Arc::clone(cord));
        let answer = service_fn(move |request: http::Request<Incoming>| {
            Arc::clone(&stand).answer(request, Arc::clone(&cord))
        });
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), answer)
            .await;
    }
}
