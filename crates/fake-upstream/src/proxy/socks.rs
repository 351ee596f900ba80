//! The language of SOCKS5 proxies: the choice of a method, the login, the request to connect
//! (RFC 1928 and RFC 1929). Only CONNECT is served.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Login;
use super::seen::Entry;
use super::visit::{Gate, Target, Word};

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const WITH_LOGIN: u8 = 2;
const NO_METHOD: u8 = 0xff;

/// Agrees on a method, lets the client in and reads whereto; whoever is sent away has been told.
pub(crate) async fn greet<S>(client: &mut S, gate: &Gate, entry: &Arc<Entry>) -> io::Result<Target>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    expect(client, VERSION).await?;
    let offered = counted(client).await?;
    let method = if gate.asks() { WITH_LOGIN } else { NO_LOGIN };
    if !offered.contains(&method) {
        return send_away(client, &[VERSION, NO_METHOD]).await;
    }
    client.write_all(&[VERSION, method]).await?;
    client.flush().await?;
    if method == WITH_LOGIN {
        log_in(client, gate, entry).await?;
    }
    target(client).await
}

/// Answers the request to connect.
pub(crate) async fn answer<S: AsyncWrite + Unpin>(client: &mut S, word: Word) -> io::Result<()> {
    let code = match word {
        Word::Connected => 0,
        Word::Forbidden => 2,
        Word::Unreachable => 4,
        Word::Code(code) => u8::try_from(code).unwrap_or(1),
    };
    client.write_all(&reply(code)).await?;
    client.flush().await?;
    if word != Word::Connected {
        client.shutdown().await?;
    }
    Ok(())
}

async fn log_in<S>(client: &mut S, gate: &Gate, entry: &Arc<Entry>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    expect(client, 1).await?;
    let user = String::from_utf8_lossy(&counted(client).await?).into_owned();
    let password = String::from_utf8_lossy(&counted(client).await?).into_owned();
    let shown = Login { user, password };
    entry.shows(&shown);
    if !gate.lets_in(Some(&shown)) {
        return send_away(client, &[1, 1]).await;
    }
    client.write_all(&[1, 0]).await?;
    client.flush().await
}

async fn target<S>(client: &mut S) -> io::Result<Target>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    expect(client, VERSION).await?;
    let command = client.read_u8().await?;
    client.read_u8().await?;
    let host = match client.read_u8().await? {
        1 => Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => String::from_utf8_lossy(&counted(client).await?).into_owned(),
        4 => Ipv6Addr::from(client.read_u128().await?).to_string(),
        _ => return send_away(client, &reply(8)).await,
    };
    let port = client.read_u16().await?;
    if command != 1 {
        return send_away(client, &reply(7)).await;
    }
    Ok(Target { host, port })
}

/// A reply with the address 0.0.0.0:0, which is what most servers say.
fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

async fn expect<S: AsyncRead + Unpin>(client: &mut S, byte: u8) -> io::Result<()> {
    if client.read_u8().await? == byte {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// A length in one byte, and so many bytes.
async fn counted<S: AsyncRead + Unpin>(client: &mut S) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn send_away<S: AsyncWrite + Unpin, T>(client: &mut S, words: &[u8]) -> io::Result<T> {
    client.write_all(words).await?;
    client.shutdown().await?;
    Err(io::ErrorKind::PermissionDenied.into())
}
