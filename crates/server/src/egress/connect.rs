//! One new connection to a provider: TCP, and TLS where its address says https.

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

use super::SendError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// None: plain http.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Whether names may lead to link-local addresses, and so to a cloud's metadata service.
    pub(crate) allow_link_local: bool,
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

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    async fn open(&self) -> Result<(Io, Protocol), SendError> {
        let failed = |source| SendError::Connect {
            address: self.address(),
            source,
        };
        let bare_host = self.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = self.dial(bare_host).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        let Some(config) = &self.tls else {
            return Ok((Io::Plain(tcp), Protocol::Http1));
        };
        let failed = |source| SendError::Tls {
            address: self.address(),
            source,
        };
        let name = ServerName::try_from(bare_host.to_owned())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let tls = TlsConnector::from(config.clone())
            .connect(name, tcp)
            .await
            .map_err(failed)?;
        let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        let protocol = if is_h2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        Ok((Io::Tls(Box::new(tls)), protocol))
    }

    /// Connects to the first address of the host that takes the connection.
    async fn dial(&self, host: &str) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in tokio::net::lookup_host((host, self.port)).await? {
            if !self.allow_link_local && config::is_link_local_address(address.ip()) {
                let text = "it is a link-local or metadata address; see server.allow_link_local";
                last = io::Error::new(io::ErrorKind::PermissionDenied, text);
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A connection's bytes.
#[derive(Debug)]
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
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
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(io) => io.is_write_vectored(),
            Self::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
