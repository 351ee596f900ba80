//! keymux as a process of its own, on a machine of its own: a working directory and an environment.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use fake_upstream::FakeUpstream;
use tempfile::TempDir;

use super::eventually;

const PATIENCE: Duration = Duration::from_secs(20);
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// A working directory and an environment, in which keymux is run.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a subcommand that has ended leaves.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    /// Without any file or variable.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            environment: Vec::new(),
        }
    }

    /// Without any file; variables say the least: a free port, and where Google is.
    pub(crate) fn in_front_of(upstream: &FakeUpstream) -> Self {
        Self::new()
            .env("KEYMUX__SERVER__LISTEN", "127.0.0.1:0")
            .env("KEYMUX__PROVIDERS__GOOGLE__BASE_URL", upstream.base_url())
            .env("KEYMUX__PROVIDERS__GOOGLE__MODELS_REFRESH", "0s")
            .env("KEYMUX__HEALTH_CHECKS__ENABLED", "false")
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Writes a file in the working directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// A file or folder in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a subcommand to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "").await
    }

    /// Runs a subcommand to its end, with this on its standard input.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let file = self.path("stdin");
        std::fs::write(&file, input).unwrap();
        let mut command = self.command(arguments);
        command.stdin(File::open(file).unwrap());
        // The provider that the subcommand may ask runs on the threads of the test.
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ended {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Starts `keymux serve`, and waits until it says where it is.
    pub(crate) async fn serve(&self) -> Program {
        self.start(self.command(&["serve"])).await
    }

    /// The same on a disk that is full once a file has so many KiB.
    pub(crate) async fn serve_on_a_small_disk(&self, kib: u32) -> Program {
        // Without the signal, which would end the program, writing fails as on a full disk.
        let blocks = kib * 2;
        let text = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" serve");
        let mut command = self.in_here(Command::new("/bin/sh"));
        command.args(["-c", &text, env!("CARGO_BIN_EXE_keymux")]);
        self.start(command).await
    }

    async fn start(&self, mut command: Command) -> Program {
        let (stdout, stderr) = (self.path(STDOUT), self.path(STDERR));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let mut program = Program {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            summary: String::new(),
            stdout,
            stderr,
        };
        program.summary = eventually("the program says where it is", async || {
            let text = program.stdout();
            text.contains(":generateContent\n").then_some(text)
        })
        .await;
        let address = word_after(&program.summary, "http://");
        program.address = address.parse().unwrap();
        program
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.in_here(Command::new(env!("CARGO_BIN_EXE_keymux")));
        command.args(arguments);
        command
    }

    fn in_here(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().cloned());
        command
    }
}

/// `keymux serve`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed when it was ready.
    pub(crate) summary: String,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Program {
    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has logged so far.
    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Asks it to stop, as a process supervisor does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Has it read its configuration again.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let mut kill = Command::new("kill");
        assert!(kill.args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not stop");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops it in order.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.ended().await
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// The word that follows this text for the first time.
pub(crate) fn word_after<'a>(text: &'a str, lead: &str) -> &'a str {
    let found = text.split_once(lead);
    let (_, rest) = found.unwrap_or_else(|| panic!("no {lead:?} in {text}"));
    rest.split_whitespace().next().unwrap()
}
