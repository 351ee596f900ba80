//! A tunnel through an outbound proxy to a provider: a connection to the proxy, over TLS where it is `https://`, in which
//! the proxy is asked to go on to the provider. Each step has its time. What travels in the tunnel is encrypted by
//! `../connect.rs`: a proxy sees the provider's name, and nothing else.

mod fault;
mod http;
mod socks5;

use std::io;
use std::time::Duration;

use config::ProxyProtocol;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Proxy;
use super::connect::{dial, encrypt};
pub(crate) use fault::{Culprit, ProxyFault};

/// How long each step may take: to reach the proxy, to encrypt that, to be taken on to the provider, to encrypt that.
pub(super) const STEP: Duration = Duration::from_secs(5);

/// The provider, as the proxy is told of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// Its name or address, without the brackets of IPv6. A proxy resolves names itself.
    pub(super) host: &'a str,
    pub(super) port: u16,
}

/// A tunnel that nothing has been sent through.
#[derive(Debug)]
pub(super) enum Tunnel {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens a tunnel.
pub(super) async fn open(proxy: &Proxy, target: Target<'_>) -> Result<Tunnel, ProxyFault> {
    let tcp = within("connection to it", reach(proxy)).await?;
    if proxy.protocol() != ProxyProtocol::Https {
        let mut io = tcp;
        within(
            "answer to the request for a tunnel",
            ask(proxy, &mut io, target),
        )
        .await?;
        return Ok(Tunnel::Plain(io));
    }
    let encrypted = async {
        let encrypted = encrypt(&proxy.tls, proxy.url.host(), tcp).await;
        encrypted.map_err(ProxyFault::Tls)
    };
    let mut io = within("tls handshake with it", encrypted).await?;
    within(
        "answer to the request for a tunnel",
        ask(proxy, &mut io, target),
    )
    .await?;
    Ok(Tunnel::Tls(Box::new(io)))
}

async fn reach(proxy: &Proxy) -> Result<TcpStream, ProxyFault> {
    let url = &proxy.url;
    let tcp = dial(url.host(), url.port(), proxy.reach).await;
    let tcp = tcp.map_err(ProxyFault::Unreachable)?;
    tcp.set_nodelay(true).map_err(ProxyFault::Unreachable)?;
    Ok(tcp)
}

async fn ask<S>(proxy: &Proxy, io: &mut S, target: Target<'_>) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let credentials = proxy.url.credentials();
    match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => http::connect(io, target, credentials).await,
        ProxyProtocol::Socks5 => socks5::connect(io, target, credentials).await,
    }
}

/// Gives a step its time.
pub(super) async fn within<T>(
    what: &'static str,
    step: impl Future<Output = Result<T, ProxyFault>>,
) -> Result<T, ProxyFault> {
    tokio::time::timeout(STEP, step)
        .await
        .unwrap_or(Err(ProxyFault::Hangs {
            what,
            seconds: STEP.as_secs(),
        }))
}

/// The proxy closed the connection, or it broke off, before it had answered.
fn hung_up(error: io::Error) -> ProxyFault {
    ProxyFault::HungUp(error)
}

#[cfg(test)]
mod tests;
