//! The relaying half of a proxy: to loopback and nowhere else, from an address of its own, all of it
//! or as much as a fault allows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpSocket, TcpStream};

use super::visit::Target;

/// Whether a tunnel was ended by the bytes that it may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Reached,
    /// One of the two ends ended it before.
    NotReached,
}

/// The address of a target on loopback. Names are those that RFC 6761 gives to loopback.
pub(crate) fn loopback(target: &Target) -> Option<SocketAddr> {
    let name = target.host.to_ascii_lowercase();
    let ip = if name == "localhost" || name.ends_with(".localhost") {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        name.parse().ok()?
    };
    ip.is_loopback().then(|| SocketAddr::new(ip, target.port))
}

pub(crate) async fn connect(address: SocketAddr, exit: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = match address.ip() {
        IpAddr::V4(_) => {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((exit, 0)))?;
            socket
        }
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Relays until both ends have ended.
pub(crate) async fn all<C, T>(mut client: C, mut target: T) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    tokio::io::copy_bidirectional(&mut client, &mut target).await?;
    Ok(())
}

/// Relays until an end has ended or so many bytes have come from the target.
pub(crate) async fn some<C, T>(client: C, target: T, bytes: u64) -> io::Result<Limit>
where
    C: AsyncRead + AsyncWrite,
    T: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = split(client);
    let (from_target, to_target) = split(target);
    let mut up = pin!(forward(from_client, to_target));
    let mut down = pin!(forward_some(from_target, to_client, bytes));
    tokio::select! {
        limit = &mut down => limit,
        sent = &mut up => {
            sent?;
            down.await
        }
    }
}

/// Relays so many bytes from the target and nothing after, until the client goes away.
pub(crate) async fn some_then_none<C, T>(client: C, target: T, bytes: u64) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    T: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = split(client);
    let (from_target, to_target) = split(target);
    let down = async {
        match forward_some(from_target, to_client, bytes).await? {
            Limit::Reached => std::future::pending().await,
            Limit::NotReached => io::Result::Ok(()),
        }
    };
    tokio::select! {
        ended = down => ended,
        ended = forward(from_client, to_target) => ended,
    }
}

async fn forward<R, W>(mut from: ReadHalf<R>, mut to: WriteHalf<W>) -> io::Result<()>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}

async fn forward_some<R, W>(
    from: ReadHalf<R>,
    mut to: WriteHalf<W>,
    bytes: u64,
) -> io::Result<Limit>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    let sent = tokio::io::copy(&mut from.take(bytes), &mut to).await?;
    to.flush().await?;
    if sent == bytes {
        return Ok(Limit::Reached);
    }
    to.shutdown().await?;
    Ok(Limit::NotReached)
}
