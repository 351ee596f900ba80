//! The stand-in for the provider: `fake-upstream` as a child process, with prebuilt answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::lab::Lab;
use super::ports::{free_addr, wait_for_port};
use super::process::Program;

/// What the stand-in answers.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) chunks: usize,
    pub(crate) pause_ms: u64,
    pub(crate) tls: bool,
    /// A script with keys and their faults, as fake-upstream reads it.
    pub(crate) script: Option<String>,
}

/// A running stand-in.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) addr: SocketAddr,
    /// The certificate authority to trust, when it serves HTTPS.
    pub(crate) ca_file: Option<PathBuf>,
    _program: Program,
}

impl Recipe {
    /// Answers of about 1 KB, streams of 50 chunks without a pause.
    pub(crate) fn plain() -> Self {
        Self {
            chunks: 50,
            pause_ms: 0,
            tls: false,
            script: None,
        }
    }

    /// Starts the stand-in on this thread's core.
    pub(crate) fn start(&self, lab: &Lab) -> anyhow::Result<Upstream> {
        let addr = free_addr()?;
        let folder = lab.folder("upstream")?;
        let mut command = Command::new(&lab.tools.fake_upstream);
        command.args([
            "--fast",
            "--workers",
            "1",
            "--answer-bytes",
            "1024",
            "--chunk-bytes",
            "40",
        ]);
        command.arg("--listen").arg(addr.to_string());
        command.arg("--chunks").arg(self.chunks.to_string());
        command
            .arg("--chunk-delay-ms")
            .arg(self.pause_ms.to_string());
        let ca_file = self.tls.then(|| folder.join("ca.pem"));
        if let Some(file) = &ca_file {
            command.arg("--tls").arg("--ca-out").arg(file);
        }
        if let Some(script) = &self.script {
            let file = folder.join("script.json");
            std::fs::write(&file, script)?;
            command.arg("--script").arg(file);
        }
        let mut program = Program::start(&mut command, &folder.join("log"))?;
        wait_for_port(addr, &mut program)?;
        Ok(Upstream {
            addr,
            ca_file,
            _program: program,
        })
    }
}

impl Upstream {
    /// Its origin, for a gateway's configuration.
    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.ca_file.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.addr)
    }
}
