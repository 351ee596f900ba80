//! The program `fake-upstream`: flags to a script, a runtime, a listener, until a signal comes.
//! It imitates nothing itself; the imitation is the library.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use fake_upstream::{FakeUpstream, Script, ScriptForm};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// A scripted stand-in for the Gemini API.
#[derive(Debug, Parser)]
struct Flags {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// JSON file with what to say, models, keys and rules.
    #[arg(long)]
    script: Option<PathBuf>,
    /// Answer generating calls from prebuilt bytes without looking at their bodies.
    #[arg(long)]
    fast: bool,
    /// Keep the requests for `GET /_fake/seen`.
    #[arg(long)]
    record: bool,
    /// Worker threads; 1 runs everything on one thread. Default: one per core.
    #[arg(long)]
    workers: Option<usize>,
    /// Chunks of a streamed answer.
    #[arg(long, default_value_t = 3)]
    chunks: usize,
    /// Pause between two chunks, in milliseconds.
    #[arg(long, default_value_t = 0)]
    chunk_delay_ms: u64,
    /// Pad the text of each chunk to this many bytes.
    #[arg(long)]
    chunk_bytes: Option<usize>,
    /// Pad unary answers to about this many bytes.
    #[arg(long)]
    answer_bytes: Option<usize>,
    /// Serve HTTPS with a certificate made at start.
    #[arg(long)]
    tls: bool,
    /// Where to write the certificate authority that clients must trust.
    #[arg(long, requires = "tls")]
    ca_out: Option<PathBuf>,
}

impl Flags {
    fn script(&self) -> io::Result<Script> {
        let pause = Duration::from_millis(self.chunk_delay_ms);
        let mut script = fake_upstream::gemini().chunks(self.chunks, pause);
        if let Some(bytes) = self.chunk_bytes {
            script = script.chunk_bytes(bytes);
        }
        if let Some(bytes) = self.answer_bytes {
            script = script.answer_bytes(bytes);
        }
        if self.fast {
            script = script.fast();
        }
        if !self.record {
            script = script.unrecorded();
        }
        if self.tls {
            script = script.tls();
        }
        match &self.script {
            Some(path) => read_script(path, script),
            None => Ok(script),
        }
    }

    fn runtime(&self) -> io::Result<Runtime> {
        let mut builder = match self.workers {
            Some(1) => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if let Some(workers) = self.workers.filter(|n| *n > 1) {
            builder.worker_threads(workers);
        }
        builder.enable_all().build()
    }
}

fn read_script(path: &PathBuf, script: Script) -> io::Result<Script> {
    let wrong = |message: String| {
        let text = format!("{}: {message}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    ScriptForm::parse(&text)
        .and_then(|form| form.apply(script))
        .map_err(wrong)
}

fn main() -> io::Result<()> {
    let flags = Flags::parse();
    let script = flags.script()?;
    flags.runtime()?.block_on(serve(&flags, script))
}

async fn serve(flags: &Flags, script: Script) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let upstream = script.start_on(flags.listen).await?;
    if let (Some(path), Some(pem)) = (&flags.ca_out, upstream.ca_pem()) {
        std::fs::write(path, pem)?;
    }
    announce(&upstream);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    upstream.stop().await;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "whoever starts it with port 0 reads the address there"
)]
fn announce(upstream: &FakeUpstream) {
    println!("fake-upstream listens on {}", upstream.base_url());
}
