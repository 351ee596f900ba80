//! A host of lists of proxies, whose answer a test may change.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use fake_upstream::FakeProxy;

/// It answers every request alike, until that is changed, and stops with the test.
pub(super) struct ListHost {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
}

impl ListHost {
    #[expect(clippy::disallowed_methods, reason = "ends with the test")]
    pub(super) async fn of(proxies: &[&FakeProxy]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(String::new()));
        let said = answer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let text = said.lock().unwrap().clone();
                tokio::spawn(answer_once(stream, text));
            }
        });
        let host = Self { address, answer };
        host.lists(proxies);
        host
    }

    /// From now on it lists these.
    pub(super) fn lists(&self, proxies: &[&FakeProxy]) {
        let lines = proxies.iter().map(|proxy| proxy.url());
        self.says(&lines.collect::<Vec<_>>().join("\n"));
    }

    /// From now on it answers with that.
    pub(super) fn says(&self, body: &str) {
        self.answers("200 OK", "", body);
    }

    /// From now on it answers with that status, that header, and that body.
    pub(super) fn answers(&self, status: &str, header: &str, body: &str) {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{header}connection: close\r\n\r\n{body}"
        );
        *self.answer.lock().unwrap() = text;
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/list?token=hunter2", self.address)
    }
}

async fn answer_once(mut stream: TcpStream, answer: String) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => asked.push(byte),
            Err(_) => return,
        }
    }
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
