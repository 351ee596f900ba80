//! Outbound proxies to put between a client and the stand-ins: HTTP with CONNECT, the same over TLS,
//! and SOCKS5. They relay for real, but to loopback alone, remember what passed, and break as told.
//!
//! `door.rs` takes connections in, `visit.rs` is the path of one, `connect.rs` and `socks.rs` are the
//! two languages; `fault.rs` lists what can go wrong, `seen.rs` is the memory.

mod connect;
mod door;
mod fault;
mod relay;
mod seen;
mod socks;
mod visit;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio_util::task::TaskTracker;

use crate::tls::Tls;
pub(crate) use door::Door;
pub use fault::ProxyFault;
pub use seen::ProxySeen;

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyKind {
    /// HTTP with CONNECT.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS5, RFC 1928 and RFC 1929.
    Socks5,
}

impl ProxyKind {
    /// The scheme of its URLs.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        }
    }
}

impl fmt::Display for ProxyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

/// User and password, as a client shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// A proxy that is not running yet. Every method returns it changed.
#[derive(Debug, Clone)]
pub struct ProxyScript {
    pub(crate) kind: ProxyKind,
    login: Option<Login>,
    pub(crate) exit: Ipv4Addr,
    fault: Option<ProxyFault>,
    recorded: bool,
}

impl ProxyScript {
    /// A proxy that serves anybody and has no fault, until told otherwise.
    pub fn of(kind: ProxyKind) -> Self {
        Self {
            kind,
            login: None,
            exit: Ipv4Addr::LOCALHOST,
            fault: None,
            recorded: true,
        }
    }

    /// What it will speak.
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Serves only who shows these.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.login = Some(Login { user, password });
        self
    }

    /// The address that stand-ins see, 127.0.0.1 unless told: any of 127.0.0.0/8, for
    /// [`Rule::peer`](crate::Rule::peer) to tell who comes through this proxy.
    #[must_use]
    pub fn exit(mut self, exit: Ipv4Addr) -> Self {
        self.exit = exit;
        self
    }

    /// Has this fault from the start.
    #[must_use]
    pub fn fault(mut self, fault: ProxyFault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Counts connections, but remembers none, for measurements.
    #[must_use]
    pub fn unrecorded(mut self) -> Self {
        self.recorded = false;
        self
    }

    /// Starts on a free port of 127.0.0.1, inside a runtime.
    ///
    /// # Panics
    /// When loopback cannot be bound or the crypto library refuses to make certificates.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its proxy")]
    pub fn start(self) -> FakeProxy {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        self.start_on(loopback)
            .expect("a proxy on a free loopback port")
    }

    /// Starts on `addr`, inside a runtime. Fails when it cannot be bound, and when it or the exit is
    /// not loopback: whoever reached this proxy from outside would reach everything on this machine.
    pub fn start_on(self, addr: SocketAddr) -> io::Result<FakeProxy> {
        for ip in [addr.ip(), IpAddr::V4(self.exit)] {
            if !ip.is_loopback() {
                let text = format!("{ip} is not loopback, which is all that a fake proxy serves");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        let tls = match self.kind {
            ProxyKind::Https => Some(Tls::generate(&[b"http/1.1"])?),
            ProxyKind::Http | ProxyKind::Socks5 => None,
        };
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let door = Arc::new(Door::open(self, addr, acceptor)?);
        let tasks = TaskTracker::new();
        tasks.spawn(Arc::clone(&door).accept_all(tasks.clone()));
        Ok(FakeProxy {
            door,
            ca_pem,
            tasks,
        })
    }
}

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct FakeProxy {
    door: Arc<Door>,
    ca_pem: Option<String>,
    tasks: TaskTracker,
}

impl FakeProxy {
    /// Its URL with the login that it asks for, percent-encoded.
    pub fn url(&self) -> String {
        self.door.url()
    }

    /// Its URL without the login.
    pub fn bare_url(&self) -> String {
        self.door.bare_url()
    }

    /// What it speaks.
    pub fn kind(&self) -> ProxyKind {
        self.door.script.kind
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.door.addr
    }

    /// The certificate authority to trust, when it speaks TLS.
    pub fn ca_pem(&self) -> Option<String> {
        self.ca_pem.clone()
    }

    /// Gives it a fault, or takes it away. It holds for connections that come from now on; those
    /// that are there stay as they are until [`cut_connections`](Self::cut_connections).
    ///
    /// # Panics
    /// When a closed port cannot be opened again.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its proxy")]
    pub fn set_fault(&self, fault: Option<ProxyFault>) {
        self.door
            .set_fault(fault)
            .expect("the port that was held all the time");
    }

    /// Resets every connection that is open, in whatever state it is.
    pub fn cut_connections(&self) {
        self.door.cut_connections();
    }

    /// The connections since the start, oldest first, at most the last 1,000.
    pub fn seen(&self) -> Vec<ProxySeen> {
        self.door.log.snapshot()
    }

    /// Whether these bytes passed in the open, in either direction: in what the client said to the
    /// proxy, TLS in front of it taken off, or in what it made the proxy relay.
    pub fn saw(&self, bytes: &[u8]) -> bool {
        self.seen().iter().any(|seen| seen.holds(bytes))
    }

    /// How many connections were taken in since the start.
    pub fn connections(&self) -> usize {
        self.door.log.accepted()
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.door.log.open()
    }

    /// Forgets the connections that are over.
    pub fn clear_seen(&self) {
        self.door.log.clear();
    }

    pub(crate) fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Closes the port and every connection, and waits until they are gone.
    pub async fn stop(self) {
        self.door.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.door.stop();
    }
}

impl Door {
    /// The URL with the login that is asked for.
    pub(crate) fn url(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let login = self.script.login.as_ref().map(|login| {
            let (user, password) = (encoded(&login.user), encoded(&login.password));
            format!("{user}:{password}@")
        });
        let (kind, addr) = (self.script.kind, self.addr);
        format!("{kind}://{}{addr}", login.unwrap_or_default())
    }

    /// The URL without the login.
    pub(crate) fn bare_url(&self) -> String {
        format!("{}://{}", self.script.kind, self.addr)
    }
}
