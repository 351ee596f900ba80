//! A provider whose bytes the test writes itself: for answers that are cut where the scripted one never cuts.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Takes requests one by one; each is answered by hand.
#[derive(Debug)]
pub(crate) struct RawUpstream {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// A request that has been read and waits for its answer. Dropping it cuts the connection.
#[derive(Debug)]
pub(crate) struct RawAnswer(TcpStream);

impl RawUpstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The next request that comes on a new connection.
    pub(crate) async fn next(&self) -> RawAnswer {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        RawAnswer(stream)
    }
}

impl RawAnswer {
    /// The head of a 200 whose body comes in chunks.
    pub(crate) async fn begin(&mut self, content_type: &str) {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        self.0.write_all(head.as_bytes()).await.unwrap();
    }

    /// A chunk of the body.
    pub(crate) async fn chunk(&mut self, data: impl AsRef<[u8]>) {
        let data = data.as_ref();
        let size = format!("{:x}\r\n", data.len());
        let chunk = [size.as_bytes(), data, b"\r\n"].concat();
        self.0.write_all(&chunk).await.unwrap();
    }

    /// The end of the body.
    pub(crate) async fn end(mut self) {
        self.0.write_all(b"0\r\n\r\n").await.unwrap();
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_lowercase();
    let length = head
        .split_once("content-length: ")
        .map_or("0", |(_, rest)| rest.lines().next().unwrap());
    body.len() >= length.parse().unwrap()
}
