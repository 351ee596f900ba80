//! The path of one connection through a proxy: greeted, asked whereto, refused or relayed, and bent
//! by the fault that was in force when it came.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::relay::{self, Limit};
use super::seen::{Entry, Side, Tap};
use super::{Login, ProxyFault, ProxyKind, ProxyScript, connect, socks};
use crate::socket::{Cord, Socket};
use crate::tls::Tls;

/// How much of an endless header is sent at most, to a client that goes on reading.
const ENDLESS: usize = 64 * 1024 * 1024;

/// Whereto a client wants to be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What a request to connect is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Connected,
    /// The target is not loopback.
    Forbidden,
    Unreachable,
    /// A code of the fault: an HTTP status or a reply of SOCKS.
    Code(u16),
}

/// Who may come in: what both languages' greetings look at.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) login: Option<Login>,
    pub(crate) refuses_everybody: bool,
}

impl Gate {
    /// Whether a login is looked at.
    pub(crate) fn asks(&self) -> bool {
        self.login.is_some() || self.refuses_everybody
    }

    pub(crate) fn lets_in(&self, shown: Option<&Login>) -> bool {
        !self.refuses_everybody && (self.login.is_none() || self.login.as_ref() == shown)
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Visit {
    kind: ProxyKind,
    gate: Gate,
    exit: std::net::Ipv4Addr,
    fault: Option<ProxyFault>,
    entry: Arc<Entry>,
    cord: Arc<Cord>,
}

impl Visit {
    pub(crate) fn new(script: &ProxyScript, fault: Option<ProxyFault>, entry: Arc<Entry>) -> Self {
        let cord = Cord::of(entry.peer);
        Self {
            kind: script.kind,
            gate: Gate {
                login: script.login.clone(),
                refuses_everybody: fault == Some(ProxyFault::WrongLogin),
            },
            exit: script.exit,
            fault,
            entry,
            cord: Arc::new(cord),
        }
    }

    /// By which the connection is torn down from outside.
    pub(crate) fn cord(&self) -> Arc<Cord> {
        Arc::clone(&self.cord)
    }

    pub(crate) async fn serve(
        self,
        stream: TcpStream,
        acceptor: Option<TlsAcceptor>,
    ) -> io::Result<()> {
        let socket = Socket::new(stream, Arc::clone(&self.cord));
        match self.fault {
            Some(ProxyFault::ClosedPort | ProxyFault::HangUp) => return Ok(()),
            Some(ProxyFault::Hang) => {
                return swallow(&mut Tap::new(socket, &self.entry, Side::Client)).await;
            }
            _ => {}
        }
        match acceptor {
            None => self.converse(socket).await,
            Some(acceptor) => self.converse(acceptor.accept(socket).await?).await,
        }
    }

    async fn converse<S>(&self, stream: S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut client = Tap::new(stream, &self.entry, Side::Client);
        match self.fault {
            Some(ProxyFault::Garbage) => return mumble(&mut client).await,
            Some(ProxyFault::EndlessHeader) => return ramble(&mut client).await,
            _ => {}
        }
        let target = match self.kind {
            ProxyKind::Http | ProxyKind::Https => {
                connect::greet(&mut client, &self.gate, &self.entry).await?
            }
            ProxyKind::Socks5 => socks::greet(&mut client, &self.gate, &self.entry).await?,
        };
        self.entry.targets(&target);
        match self.fault {
            Some(ProxyFault::HangAtConnect) => return swallow(&mut client).await,
            Some(ProxyFault::Unreachable) => return self.say(&mut client, Word::Unreachable).await,
            Some(ProxyFault::Refuses(code)) => {
                return self.say(&mut client, Word::Code(code)).await;
            }
            _ => {}
        }
        self.connect(client, &target).await
    }

    async fn connect<S>(&self, mut client: Tap<S>, target: &Target) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Some(address) = relay::loopback(target) else {
            return self.say(&mut client, Word::Forbidden).await;
        };
        let Ok(stream) = relay::connect(address, self.exit).await else {
            return self.say(&mut client, Word::Unreachable).await;
        };
        self.say(&mut client, Word::Connected).await?;
        self.entry.connected();
        let mut target = Tap::new(stream, &self.entry, Side::Target);
        match self.fault {
            Some(ProxyFault::HangInTunnel) => swallow(&mut client).await,
            Some(ProxyFault::ManInTheMiddle) => self.listen_in(client).await,
            Some(ProxyFault::CutAfter(bytes)) => {
                if relay::some(&mut client, &mut target, bytes).await? == Limit::Reached {
                    self.cord.reset();
                }
                Ok(())
            }
            Some(ProxyFault::StallAfter(bytes)) => {
                relay::some_then_none(client, target, bytes).await
            }
            _ => relay::all(client, target).await,
        }
    }

    async fn say<S>(&self, client: &mut Tap<S>, word: Word) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.kind {
            ProxyKind::Http | ProxyKind::Https => connect::answer(client, word).await,
            ProxyKind::Socks5 => socks::answer(client, word).await,
        }
    }

    /// Reads what a client says who takes the forged certificate.
    async fn listen_in<S>(&self, client: Tap<S>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let forged = Tls::generate(&[b"h2", b"http/1.1"])?;
        let stream = forged.acceptor.accept(client).await?;
        let mut opened = Tap::new(stream, &self.entry, Side::Opened);
        swallow(&mut opened).await
    }
}

/// Reads until the client goes away, and says nothing.
async fn swallow<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn mumble<S: AsyncRead + AsyncWrite + Unpin>(client: &mut S) -> io::Result<()> {
    if client.read(&mut [0; 4096]).await? == 0 {
        return Ok(());
    }
    client
        .write_all(b"\xff\x00SSH-2.0-\x9f\x88\r\n\r\n\x01")
        .await?;
    client.shutdown().await
}

async fn ramble<S: AsyncRead + AsyncWrite + Unpin>(client: &mut S) -> io::Result<()> {
    if client.read(&mut [0; 4096]).await? == 0 {
        return Ok(());
    }
    client.write_all(b"HTTP/1.1 200 OK\r\nx-long: ").await?;
    let piece = [b'a'; 4096];
    for _ in 0..ENDLESS / piece.len() {
        client.write_all(&piece).await?;
    }
    swallow(client).await
}
