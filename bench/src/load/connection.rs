//! One HTTP/1.1 keep-alive connection: writes prepared bytes, reads one answer, tells its body piece by piece.
//! By hand, because a client library would cost as much as the gateways that it measures. No TLS, no pipelining.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::chunked::Chunked;

const BUFFER: usize = 64 * 1024;
const MOST_HEADERS: usize = 48;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What has been read and not yet used.
    start: usize,
    end: usize,
}

/// An answer, its body already told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body_bytes: usize,
    /// The connection cannot be used again.
    pub(crate) closed: bool,
}

/// What the head says of the answer.
struct Head {
    status: u16,
    length: usize,
    body: Body,
    closes: bool,
}

/// How the body ends.
enum Body {
    Sized(usize),
    Chunked(Chunked),
    UntilClosed,
}

impl Connection {
    /// Connects without waiting for small packets to fill.
    pub(crate) async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        })
    }

    /// Sends a request and reads its answer; `tell` gets each piece of the body as it comes.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        tell: &mut impl FnMut(&[u8]),
    ) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        let mut head = self.head().await?;
        self.start += head.length;
        let mut body_bytes = 0;
        loop {
            let (used, over) =
                head.body
                    .read(&self.buffer[self.start..self.end], &mut |piece| {
                        body_bytes += piece.len();
                        tell(piece);
                    })?;
            self.start += used;
            if over {
                break;
            }
            if self.fill().await? == 0 {
                if !matches!(head.body, Body::UntilClosed) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                break;
            }
        }
        let closed = head.closes || matches!(head.body, Body::UntilClosed);
        Ok(Answer {
            status: head.status,
            body_bytes,
            closed,
        })
    }

    async fn head(&mut self) -> io::Result<Head> {
        loop {
            if let Some(head) = parse(&self.buffer[self.start..self.end])? {
                return Ok(head);
            }
            if self.end == self.buffer.len() && self.start == 0 {
                return Err(malformed("the head is too long"));
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads what has come, and returns how much that was.
    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let read = self.stream.read(&mut self.buffer[self.end..]).await?;
        self.end += read;
        Ok(read)
    }
}

impl Body {
    /// Tells what of the body is in `bytes`; returns how many bytes were used, and whether it is over.
    fn read(&mut self, bytes: &[u8], tell: &mut impl FnMut(&[u8])) -> io::Result<(usize, bool)> {
        match self {
            Self::Sized(left) => {
                let piece = &bytes[..bytes.len().min(*left)];
                if !piece.is_empty() {
                    tell(piece);
                }
                *left -= piece.len();
                Ok((piece.len(), *left == 0))
            }
            Self::Chunked(chunked) => chunked.read(bytes, tell),
            Self::UntilClosed => {
                tell(bytes);
                Ok((bytes.len(), false))
            }
        }
    }
}

fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response
        .parse(bytes)
        .map_err(|error| malformed(&error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let mut body = if matches!(status, 204 | 304) {
        Body::Sized(0)
    } else {
        Body::UntilClosed
    };
    let mut closes = false;
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).unwrap_or_default();
            body = Body::Sized(text.parse().map_err(|_| malformed("content-length"))?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            body = Body::Chunked(Chunked::default());
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(Head {
        status,
        length,
        body,
        closes,
    }))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
