//! The program: says where it listens, answers, stops on a signal, refuses wrong scripts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::within;

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-upstream"));
    command
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    line
}

#[tokio::test]
async fn it_prints_its_address_answers_and_ends_on_sigterm() {
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--workers",
        "1",
        "--fast",
        "--answer-bytes",
        "1000",
    ];
    let mut running = Running(program(&flags).spawn().unwrap());
    let line = first_line(&mut running.0);
    let address = line
        .trim()
        .strip_prefix("fake-upstream listens on http://")
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "POST /v1/models/x:generateContent HTTP/1.1\r\nhost: x\r\nx-goog-api-key: k\r\n\
        content-length: 0\r\nconnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    within(tokio::io::AsyncReadExt::read_to_string(
        &mut stream,
        &mut answer,
    ))
    .await
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let pid = running.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn a_wrong_script_is_refused_with_its_file_and_field() {
    let path = std::env::temp_dir().join(format!("fake-upstream-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"say": "x"}"#).unwrap();
    let output = program(&["--script", path.to_str().unwrap()])
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        text.contains(path.to_str().unwrap()) && text.contains("`say`"),
        "{text}"
    );
}
