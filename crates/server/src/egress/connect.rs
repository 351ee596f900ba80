//! One new connection to a provider: TCP, and TLS where its address says https. Through an outbound proxy it is TLS in the
//! tunnel that `tunnel/` opens.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tunnel::{self, Target, Tunnel};
use super::{Proxy, ProxyFault, Reach, SendError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The last step on the way through a proxy.
const INSIDE: &str = "tls handshake with the provider through it";

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// None: plain http.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Where its name may lead.
    pub(crate) reach: Reach,
}

impl Endpoint {
    /// Opens a connection. Gives it, and whether it speaks HTTP/2.
    pub(crate) async fn connect(&self) -> Result<(Io, Protocol), SendError> {
        tokio::time::timeout(CONNECT_TIMEOUT, self.open())
            .await
            .unwrap_or_else(|_| {
                let seconds = CONNECT_TIMEOUT.as_secs();
                Err(SendError::ConnectTimeout {
                    address: self.address(),
                    seconds,
                })
            })
    }

    /// Opens a connection through a proxy. The provider is verified as it is without: the proxy cannot read along.
    pub(super) async fn connect_through(&self, proxy: &Proxy) -> Result<(Io, Protocol), SendError> {
        let failed = |fault| SendError::Proxy {
            egress: proxy.name.clone(),
            fault,
        };
        Box::pin(self.open_through(proxy)).await.map_err(failed)
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    async fn open(&self) -> Result<(Io, Protocol), SendError> {
        let failed = |source| SendError::Connect {
            address: self.address(),
            source,
        };
        let tcp = dial(self.bare_host(), self.port, self.reach)
            .await
            .map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        let Some(config) = &self.tls else {
            return Ok((Io::Plain(tcp), Protocol::Http1));
        };
        let failed = |source| SendError::Tls {
            address: self.address(),
            source,
        };
        let tls = encrypt(config, self.bare_host(), tcp)
            .await
            .map_err(failed)?;
        let protocol = Protocol::of(&tls);
        Ok((Io::Tls(Box::new(tls)), protocol))
    }

    async fn open_through(&self, proxy: &Proxy) -> Result<(Io, Protocol), ProxyFault> {
        let config = self.tls.as_ref().ok_or(ProxyFault::PlainHttp)?;
        let host = self.bare_host();
        let target = Target {
            host,
            port: self.port,
        };
        match tunnel::open(proxy, target).await? {
            Tunnel::Plain(tcp) => {
                let tls = tunnel::within(INSIDE, encrypt_inside(config, host, tcp)).await?;
                let protocol = Protocol::of(&tls);
                Ok((Io::Tls(Box::new(tls)), protocol))
            }
            Tunnel::Tls(outer) => {
                let tls = tunnel::within(INSIDE, encrypt_inside(config, host, *outer)).await?;
                let protocol = Protocol::of(&tls);
                Ok((Io::TlsInTls(Box::new(tls)), protocol))
            }
        }
    }
}

/// Connects to the first address of the host that is in reach and takes the connection.
pub(super) async fn dial(host: &str, port: u16, reach: Reach) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        if let Err(error) = reach.check(address.ip()) {
            last = io::Error::new(io::ErrorKind::PermissionDenied, error);
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// TLS with the host at the other end, which is verified.
pub(super) async fn encrypt<S>(
    config: &Arc<ClientConfig>,
    host: &str,
    io: S,
) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    TlsConnector::from(config.clone()).connect(name, io).await
}

async fn encrypt_inside<S>(
    config: &Arc<ClientConfig>,
    host: &str,
    io: S,
) -> Result<TlsStream<S>, ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let encrypted = encrypt(config, host, io).await;
    encrypted.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => ProxyFault::Certificate(error),
            _ => ProxyFault::Cut(error),
        }
    })
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    fn of<S>(tls: &TlsStream<S>) -> Self {
        if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

/// A connection's bytes.
#[derive(Debug)]
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Through an `https://` proxy.
    TlsInTls(Box<TlsStream<TlsStream<TcpStream>>>),
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buf),
            Self::TlsInTls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_write(cx, buf),
            Self::TlsInTls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Tls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::TlsInTls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(io) => io.is_write_vectored(),
            Self::Tls(io) => io.is_write_vectored(),
            Self::TlsInTls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
            Self::TlsInTls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
            Self::TlsInTls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
