//! HTTP's CONNECT (RFC 9110, section 9.3.6): a head is sent, a head comes back, and what follows it is the tunnel.

use std::io::ErrorKind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::Credentials;
use domain::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{ProxyFault, Target, hung_up};

/// Proxies say little; one that says more than this has something else in mind.
const LARGEST_HEAD: usize = 8 * 1024;
const MOST_HEADERS: usize = 64;

/// Asks for a tunnel on a connection.
pub(super) async fn connect<S>(
    io: &mut S,
    target: Target<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request(target, credentials);
    let sent = io.write_all(request.expose().as_bytes()).await;
    sent.map_err(hung_up)?;
    io.flush().await.map_err(hung_up)?;
    answer(io, credentials.is_some()).await
}

async fn answer<S: AsyncRead + Unpin>(io: &mut S, has_credentials: bool) -> Result<(), ProxyFault> {
    let mut bytes = vec![0; LARGEST_HEAD];
    let (mut begin, mut end) = (0, 0);
    loop {
        if end == bytes.len() {
            let what = format!("its head is larger than {LARGEST_HEAD} bytes");
            return Err(garbage(what));
        }
        let size = io.read(&mut bytes[end..]).await.map_err(hung_up)?;
        if size == 0 {
            return Err(hung_up(ErrorKind::UnexpectedEof.into()));
        }
        end += size;
        while let Some(head) = Head::read(&bytes[begin..end])? {
            begin += head.length;
            if head.is_interim() {
                continue;
            }
            judge(head.status, has_credentials)?;
            // The provider waits for TLS's first words, which are ours: nobody but the proxy can have sent more.
            return match end - begin {
                0 => Ok(()),
                more => Err(garbage(format!("{more} bytes behind its head"))),
            };
        }
    }
}

fn request(target: Target<'_>, credentials: Option<&Credentials>) -> Secret {
    let Target { host, port } = target;
    let at = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let shown = credentials.map_or_else(String::new, |Credentials { user, password }| {
        let both = Secret::new(format!("{}:{}", user.expose(), password.expose()));
        let both = STANDARD.encode(both.expose());
        format!("Proxy-Authorization: Basic {both}\r\n")
    });
    Secret::new(format!(
        "CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n{shown}\r\n"
    ))
}

/// What a proxy's answer begins with.
struct Head {
    status: u16,
    /// Its bytes.
    length: usize,
}

impl Head {
    /// Whether the answer is still to come.
    fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// None: there is more to come.
    fn read(bytes: &[u8]) -> Result<Option<Self>, ProxyFault> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let parsed = head.parse(bytes);
        let parsed = parsed.map_err(|error| garbage(error.to_string()))?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let status = head.code.unwrap_or_default();
        Ok(Some(Self { status, length }))
    }
}

fn judge(status: u16, has_credentials: bool) -> Result<(), ProxyFault> {
    match status {
        200..300 => Ok(()),
        407 if has_credentials => Err(ProxyFault::Credentials(
            "it refuses its user name and password (407)",
        )),
        407 => Err(ProxyFault::Credentials(
            "it wants a user name and a password (407)",
        )),
        // These are about itself: not implemented, HTTP's version, a portal's log-in.
        501 | 505 | 511 => Err(ProxyFault::Refused(format!("status {status}"))),
        500..600 => Err(ProxyFault::TargetUnreachable(format!("status {status}"))),
        _ => Err(ProxyFault::Refused(format!("status {status}"))),
    }
}

fn garbage(what: String) -> ProxyFault {
    let protocol = "HTTP";
    ProxyFault::Garbage { protocol, what }
}
