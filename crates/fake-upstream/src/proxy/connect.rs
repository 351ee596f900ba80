//! The language of HTTP proxies: one CONNECT and its answer (RFC 9110, section 9.3.6). Anything else
//! that HTTP knows is refused: this proxy forwards no requests.

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Login;
use super::seen::Entry;
use super::visit::{Gate, Target, Word};

/// The longest head that is read.
const HEAD: usize = 16 * 1024;

/// Reads the request to connect and lets the client in; whoever is sent away has been told.
pub(crate) async fn greet<S>(client: &mut S, gate: &Gate, entry: &Arc<Entry>) -> io::Result<Target>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = read_head(client).await?;
    let mut lines = head.split("\r\n");
    let request: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let target = match request.as_slice() {
        ["CONNECT", authority, _] => target(authority),
        _ => return refuse(client, "405 Method Not Allowed\r\nallow: CONNECT").await,
    };
    let Some(target) = target else {
        return refuse(client, "400 Bad Request").await;
    };
    let shown = lines.find_map(login);
    if let Some(shown) = &shown {
        entry.shows(shown);
    }
    if !gate.lets_in(shown.as_ref()) {
        entry.targets(&target);
        let words = "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"fake\"";
        return refuse(client, words).await;
    }
    Ok(target)
}

/// Answers the request to connect.
pub(crate) async fn answer<S: AsyncWrite + Unpin>(client: &mut S, word: Word) -> io::Result<()> {
    let words = match word {
        Word::Connected => {
            let words = b"HTTP/1.1 200 Connection established\r\n\r\n";
            client.write_all(words).await?;
            return client.flush().await;
        }
        Word::Forbidden => "403 Forbidden".to_owned(),
        Word::Unreachable => "502 Bad Gateway".to_owned(),
        Word::Code(status) => format!("{status} Refused"),
    };
    send_away(client, &words).await
}

async fn refuse<S: AsyncWrite + Unpin>(client: &mut S, words: &str) -> io::Result<Target> {
    send_away(client, words).await?;
    Err(io::ErrorKind::PermissionDenied.into())
}

async fn send_away<S: AsyncWrite + Unpin>(client: &mut S, words: &str) -> io::Result<()> {
    let body = "sent away by the proxy\n";
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {words}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

/// Byte by byte, for what follows the head belongs to the target.
async fn read_head<S: AsyncRead + Unpin>(client: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(client.read_u8().await?);
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn target(authority: &str) -> Option<Target> {
    let (host, port) = authority.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    Some(Target {
        host: bare.unwrap_or(host).to_owned(),
        port: port.parse().ok()?,
    })
}

fn login(line: &str) -> Option<Login> {
    let (name, value) = line.split_once(':')?;
    if !name.eq_ignore_ascii_case("proxy-authorization") {
        return None;
    }
    let text = STANDARD.decode(value.trim().strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}
