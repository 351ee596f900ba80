//! SOCKS5 (RFC 1928), with a user name and a password where there are some (RFC 1929). The proxy is given the provider's
//! name and resolves it. Answers are read to their last byte and no further.

use std::net::IpAddr;

use config::Credentials;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::{ProxyFault, Target, hung_up};

const VERSION: u8 = 5;
const OPEN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
/// The version of RFC 1929's negotiation.
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a tunnel on a connection.
pub(super) async fn connect<S>(
    io: &mut S,
    target: Target<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, OPEN, PASSWORD],
        None => &[VERSION, 1, OPEN],
    };
    send(io, methods).await?;
    let [version, method] = receive(io).await?;
    check_version(version)?;
    match (method, credentials) {
        (OPEN, _) => {}
        (PASSWORD, Some(credentials)) => log_in(io, credentials).await?,
        (NONE_OF_THESE, None) => {
            let text = "it wants a user name and a password";
            return Err(ProxyFault::Credentials(text));
        }
        (NONE_OF_THESE, Some(_)) => {
            let text = "it takes neither a user name and a password nor none";
            return Err(ProxyFault::Credentials(text));
        }
        _ => return Err(garbage(format!("method {method}, which was not offered"))),
    }
    send(io, &request(target)?).await?;
    answer(io).await
}

async fn log_in<S>(io: &mut S, credentials: &Credentials) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = Zeroizing::new(vec![PASSWORD_VERSION]);
    for part in [&credentials.user, &credentials.password] {
        let bytes = part.expose().as_bytes();
        message.push(length("user name or password", bytes)?);
        message.extend_from_slice(bytes);
    }
    send(io, &message).await?;
    // Some answer with SOCKS's version instead of this negotiation's.
    let [_, status] = receive(io).await?;
    if status == 0 {
        return Ok(());
    }
    let text = "it refuses its user name and password";
    Err(ProxyFault::Credentials(text))
}

fn request(target: Target<'_>) -> Result<Vec<u8>, ProxyFault> {
    let mut message = vec![VERSION, CONNECT, 0];
    match target.host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend(address.octets());
        }
        Err(_) => {
            let name = target.host.as_bytes();
            message.extend([NAME, length("host name", name)?]);
            message.extend_from_slice(name);
        }
    }
    message.extend(target.port.to_be_bytes());
    Ok(message)
}

async fn answer<S: AsyncRead + Unpin>(io: &mut S) -> Result<(), ProxyFault> {
    let [version, reply, _, kind] = receive(io).await?;
    check_version(version)?;
    judge(reply)?;
    // The address that it connects from, which nobody here wants to know.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(receive::<_, 1>(io).await?[0]),
        _ => return Err(garbage(format!("address of kind {kind}"))),
    };
    let mut rest = [0; 255 + 2];
    let read = io.read_exact(&mut rest[..length + 2]).await;
    read.map(drop).map_err(hung_up)
}

fn judge(reply: u8) -> Result<(), ProxyFault> {
    let text = match reply {
        0 => return Ok(()),
        // Many say so of anything.
        1 => "general failure",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        2 => return Err(ProxyFault::Refused("not allowed by its rules".to_owned())),
        _ => return Err(ProxyFault::Refused(format!("reply {reply}"))),
    };
    Err(ProxyFault::TargetUnreachable(text.to_owned()))
}

fn check_version(version: u8) -> Result<(), ProxyFault> {
    if version == VERSION {
        Ok(())
    } else {
        Err(garbage(format!("version {version}")))
    }
}

/// As SOCKS writes lengths: in one byte.
fn length(what: &str, bytes: &[u8]) -> Result<u8, ProxyFault> {
    let length = u8::try_from(bytes.len());
    length.map_err(|_| ProxyFault::Refused(format!("{what} of more than 255 bytes")))
}

async fn send<S: AsyncWrite + Unpin>(io: &mut S, message: &[u8]) -> Result<(), ProxyFault> {
    io.write_all(message).await.map_err(hung_up)?;
    io.flush().await.map_err(hung_up)
}

async fn receive<S, const SIZE: usize>(io: &mut S) -> Result<[u8; SIZE], ProxyFault>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = [0; SIZE];
    io.read_exact(&mut bytes).await.map_err(hung_up)?;
    Ok(bytes)
}

fn garbage(what: String) -> ProxyFault {
    let protocol = "SOCKS5";
    ProxyFault::Garbage { protocol, what }
}
