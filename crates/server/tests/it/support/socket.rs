//! A caller that writes its bytes itself: half requests, several at once, and what is no HTTP at all.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Answer;

/// An open connection with what has been read of it and not been looked at.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    unread: BytesMut,
}

impl Socket {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            unread: BytesMut::new(),
        }
    }

    /// Writes bytes as they are.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Writes bytes; false when the other side has closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Writes one chunk of a chunked body; an empty one ends it.
    pub(crate) async fn send_chunk(&mut self, data: &[u8]) {
        self.send(chunk(data)).await;
    }

    /// Says that nothing more will be written, unless the connection is closed already.
    pub(crate) async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads one answer, its body as its framing says.
    pub(crate) async fn answer(&mut self) -> Answer {
        let (status, headers) = self.head().await;
        let length = headers
            .get("content-length")
            .map(|value| value.to_str().unwrap().parse().unwrap());
        let (body, is_whole) = match length {
            _ if matches!(status, 204 | 304) => (Bytes::new(), true),
            Some(length) => self.exactly(length).await,
            None if headers.contains_key("transfer-encoding") => self.chunks().await,
            None => (self.rest().await, true),
        };
        Answer {
            status,
            headers,
            body,
            is_whole,
        }
    }

    /// Reads one answer that has no body whatever its headers say.
    pub(crate) async fn head(&mut self) -> (u16, HeaderMap) {
        let end = self.find(b"\r\n\r\n").await;
        let head = self.unread.split_to(end + 4);
        let text = String::from_utf8(head.to_vec()).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value.trim()).unwrap())
        });
        (status.parse().unwrap(), headers.collect())
    }

    /// Everything until the other side closes the connection.
    pub(crate) async fn rest(&mut self) -> Bytes {
        while self.read_more().await {}
        self.unread.split().freeze()
    }

    async fn exactly(&mut self, length: usize) -> (Bytes, bool) {
        while self.unread.len() < length {
            if !self.read_more().await {
                return (self.unread.split().freeze(), false);
            }
        }
        (self.unread.split_to(length).freeze(), true)
    }

    async fn chunks(&mut self) -> (Bytes, bool) {
        let mut whole = BytesMut::new();
        loop {
            let Some(end) = self.try_find(b"\r\n").await else {
                return (whole.freeze(), false);
            };
            let line = self.unread.split_to(end + 2);
            let size = std::str::from_utf8(&line).unwrap().trim();
            let size = usize::from_str_radix(size, 16).unwrap();
            let (data, is_whole) = self.exactly(size + 2).await;
            whole.extend_from_slice(&data[..size.min(data.len())]);
            if size == 0 || !is_whole {
                return (whole.freeze(), is_whole);
            }
        }
    }

    async fn find(&mut self, what: &[u8]) -> usize {
        let found = self.try_find(what).await;
        found.unwrap_or_else(|| panic!("closed after {:?}", self.unread.chunk()))
    }

    async fn try_find(&mut self, what: &[u8]) -> Option<usize> {
        loop {
            let mut windows = self.unread.windows(what.len());
            if let Some(at) = windows.position(|window| window == what) {
                return Some(at);
            }
            if !self.read_more().await {
                return None;
            }
        }
    }

    /// A reset is an end like any other.
    async fn read_more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..))
    }
}

/// One chunk of a chunked body.
fn chunk(data: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", data.len()).into_bytes();
    framed.extend_from_slice(data);
    framed.extend_from_slice(b"\r\n");
    framed
}
