//! A file that is uploaded as Google's resumable protocol has it, in one piece. Its bytes are made while it is sent, so that
//! it is nowhere as a whole; every block is another one, so that the digest tells whether all came, and in order.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::Target;

const BLOCK: usize = 256 << 10;
const PATH: &str = "/upload/v1beta/files";
/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// What there is to upload.
#[derive(Clone, Debug)]
pub(crate) struct File {
    bytes: u64,
    noise: Vec<u8>,
    /// As Google tells it: the hexadecimal digits in base64.
    sha256_hash: String,
}

impl File {
    /// A file of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let noise = std::iter::repeat_with(|| random.u8(..)).take(BLOCK);
        let mut file = Self {
            bytes,
            noise: noise.collect(),
            sha256_hash: String::new(),
        };
        let mut digest = Sha256::new();
        file.each_block(|block| {
            digest.update(block);
            Ok(())
        })
        .ok();
        file.sha256_hash = BASE64_STANDARD.encode(hex(&digest.finalize()));
        file
    }

    fn each_block(
        &self,
        mut send: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut block = self.noise.clone();
        let mut begins = 0;
        while begins < self.bytes {
            block[..8].copy_from_slice(&begins.to_le_bytes());
            let length = BLOCK.min((self.bytes - begins) as usize);
            send(&block[..length])?;
            begins += length as u64;
        }
        Ok(())
    }

    /// Uploads it; returns how long that took. Fails unless all of it has come.
    pub(crate) fn upload(&self, to: &Target) -> anyhow::Result<Duration> {
        let place = self.begin(to)?;
        let began = Instant::now();
        let mut stream = connect(to)?;
        let head = format!(
            "POST {place} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-length: {bytes}\r\n\
             x-goog-upload-command: upload, finalize\r\nx-goog-upload-offset: 0\r\n\r\n",
            addr = to.addr,
            bytes = self.bytes,
        );
        stream.write_all(head.as_bytes())?;
        self.each_block(|block| stream.write_all(block))
            .context("send the file")?;
        let answer = Answer::read(stream)?;
        let took = began.elapsed();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(
            answer.status == 200,
            "the upload ended with {}: {text}",
            answer.status
        );
        let is_whole = [&self.sha256_hash, &self.bytes.to_string()]
            .iter()
            .all(|value| text.contains(&format!("\"{value}\"")));
        ensure!(is_whole, "another file came: {text}");
        Ok(took)
    }

    /// Begins an upload; gives path and query of where it goes on.
    fn begin(&self, to: &Target) -> anyhow::Result<String> {
        let metadata = r#"{"file":{"displayName":"bench"}}"#;
        let mut stream = connect(to)?;
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{credential}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\
             x-goog-upload-protocol: resumable\r\nx-goog-upload-command: start\r\n\
             x-goog-upload-header-content-length: {bytes}\r\n\
             x-goog-upload-header-content-type: application/octet-stream\r\n\r\n{metadata}",
            addr = to.addr,
            credential = to.credential,
            length = metadata.len(),
            bytes = self.bytes,
        );
        stream.write_all(request.as_bytes())?;
        let answer = Answer::read(stream)?;
        let url = answer.header("x-goog-upload-url");
        let url = url.with_context(|| format!("no upload begins: status {}", answer.status))?;
        // Who passes answers on as they are names the stand-in here: the file goes by the gateway all the same.
        let behind_scheme = url.split_once("//").map_or(url, |(_, rest)| rest);
        let path = behind_scheme
            .find('/')
            .context("the upload's address has no path")?;
        Ok(behind_scheme[path..].to_owned())
    }
}

fn connect(to: &Target) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(to.addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    /// Reads an answer that ends with its connection.
    fn read(stream: TcpStream) -> anyhow::Result<Self> {
        let mut stream = BufReader::new(stream);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            ensure!(
                stream.read_line(&mut line)? > 0,
                "the connection was closed without an answer"
            );
            if line.trim_end().is_empty() {
                break;
            }
            headers.push(line.trim_end().to_owned());
        }
        let status = headers.first().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|text| text.parse().ok());
        let mut body = Vec::new();
        stream.read_to_end(&mut body)?;
        Ok(Self {
            status: status.context("no status line")?,
            headers,
            body,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
