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
fn all_stand_ins_print_their_base_urls_and_share_a_file_of_authorities() {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("fake-upstream-ca-{}.pem", std::process::id()));
    let flags = [
        "--all",
        "--listen",
        "127.0.0.1:0",
        "--ca-file",
        path.to_str().unwrap(),
    ];
    let mut running = Running(program(&flags).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let expected = [
        ("gemini", "http://", ""),
        ("xai", "http://", "/v1"),
        ("perplexity", "http://", ""),
        ("gigachat", "https://", "/api/v1"),
        ("openai", "http://", "/v1"),
    ];
    for (name, scheme, end) in expected {
        let line = lines.next().unwrap().unwrap();
        let url = line.strip_prefix(&format!("{name} listens on {scheme}127.0.0.1:"));
        let port = url
            .and_then(|url| url.strip_suffix(end))
            .map(str::parse::<u16>);
        assert!(matches!(port, Some(Ok(port)) if port > 0), "{line}");
    }
    let authorities = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(authorities.matches("BEGIN CERTIFICATE").count(), 1);
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    let cases: [(&[&str], &str); 4] = [
        (&["--provider", "nobody"], "\"nobody\" is no provider"),
        (&["--ca-file", "x.pem"], "--tls"),
        (
            &["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"],
            "--provider",
        ),
        (&["--all", "--provider", "xai"], "--all"),
    ];
    for (flags, named) in cases {
        let output = program(flags).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{flags:?}");
        assert!(text.contains(named), "{flags:?}: {text}");
    }
}

#[test]
fn a_script_for_one_provider_is_held_to_its_faults() {
    let path = std::env::temp_dir().join(format!("fake-upstream-xai-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"keys": [{"key": "k", "fault": "spend_cap"}]}"#).unwrap();
    let script = format!("xai={}", path.display());
    let output = program(&["--provider", "xai", "--script", &script])
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("xai has no fault \\\"spend_cap\\\""),
        "{text}"
    );
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

#[test]
fn proxies_print_their_urls_and_their_authorities_are_in_the_file() {
    let path = std::env::temp_dir().join(format!("fake-proxy-ca-{}.pem", std::process::id()));
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--proxy",
        "https://me:p%3Aw@127.0.0.1:0?exit=127.0.0.9",
        "--proxy",
        "socks5://127.0.0.1:0?fault=closed_port",
        "--proxy",
        r#"http://127.0.0.1:0?fault={"cut_after":9}"#,
        "--ca-file",
        path.to_str().unwrap(),
    ];
    let mut running = Running(program(&flags).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    let expected = [
        "fake-upstream listens on http://127.0.0.1:",
        "https proxy listens on https://me:p%3Aw@127.0.0.1:",
        "socks5 proxy listens on socks5://127.0.0.1:",
        "http proxy listens on http://127.0.0.1:",
    ];
    for (line, start) in lines.iter().zip(expected) {
        let port = line.strip_prefix(start).map(str::parse::<u16>);
        assert!(matches!(port, Some(Ok(port)) if port > 0), "{line}");
    }
    let port = lines[2].rsplit(':').next().unwrap();
    let closed = std::net::TcpStream::connect(format!("127.0.0.1:{port}"));
    assert!(closed.is_err());
    let authorities = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(authorities.matches("BEGIN CERTIFICATE").count(), 1);
}

#[test]
fn proxies_that_mean_nothing_are_refused() {
    let cases = [
        ("127.0.0.1:1080", "no URL"),
        ("ftp://127.0.0.1:1080", "none of http, https, socks5"),
        ("socks5://127.0.0.1", "needs a port"),
        ("socks5://example.com:1080", "no address"),
        ("socks5://127.0.0.1:0?fault=sulks", "sulks"),
        ("socks5://127.0.0.1:0?speed=1", "none of exit, fault"),
        ("socks5://192.0.2.1:0", "not loopback"),
    ];
    for (proxy, named) in cases {
        let output = program(&["--listen", "127.0.0.1:0", "--proxy", proxy])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{proxy}");
        assert!(text.contains(named), "{proxy}: {text}");
    }
}
