//! Addresses on the loopback: free ones, and waiting until a program answers there.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use anyhow::bail;

use super::process::Program;

/// How long a program may take to start: those in Python take many seconds.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// An address on the loopback that nobody listens on.
pub(crate) fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits until a program listens; returns the milliseconds since its start.
pub(crate) fn wait_for_port(addr: SocketAddr, program: &mut Program) -> anyhow::Result<f64> {
    wait(addr, program, || TcpStream::connect(addr).is_ok())
}

/// Waits until `path` is answered with 200; returns the milliseconds since the program's start.
pub(crate) fn wait_until_ready(
    addr: SocketAddr,
    path: &str,
    program: &mut Program,
) -> anyhow::Result<f64> {
    wait(addr, program, || {
        get(addr, path).is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
    })
}

/// The answer to a GET request, head and body.
pub(crate) fn get(addr: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn wait(
    addr: SocketAddr,
    program: &mut Program,
    mut is_there: impl FnMut() -> bool,
) -> anyhow::Result<f64> {
    while program.started.elapsed() < START_PATIENCE {
        if is_there() {
            return Ok(program.started.elapsed().as_secs_f64() * 1e3);
        }
        if program.has_ended() {
            bail!("the program for {addr} has ended: {}", program.last_words());
        }
        sleep(Duration::from_millis(1));
    }
    bail!(
        "nobody answers on {addr} after {} s: {}",
        START_PATIENCE.as_secs(),
        program.last_words()
    )
}
