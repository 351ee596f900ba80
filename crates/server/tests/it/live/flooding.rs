//! Sides that ping and do not read what answers them stop themselves, and cost nothing.

use std::time::Duration;

use domain::Class;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::Session;
use crate::support::TestGateway;

/// What sockets hold on the way, and more; without an end it would be in keymux's memory.
const MOST: usize = 48 << 20;

/// A ping of the longest kind, as callers mask it: with zeros.
fn pings(count: usize) -> Vec<u8> {
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    ping.repeat(count)
}

/// Pings and never reads. Gives how much was taken until nothing was.
async fn flood(tcp: &mut TcpStream) -> usize {
    let pings = pings(1_000);
    let (mut sent, mut at) = (0, 0);
    while sent < MOST {
        let sending = tcp.write(&pings[at..]);
        match tokio::time::timeout(Duration::from_secs(3), sending).await {
            Ok(Ok(taken)) => {
                sent += taken;
                at = (at + taken) % pings.len();
            }
            Ok(Err(_)) | Err(_) => break,
        }
    }
    sent
}

#[tokio::test]
async fn a_caller_who_pings_and_does_not_read_is_read_from_no_more() {
    let gateway = TestGateway::new()
        .setting("pool.stream_idle_timeout", "4s")
        .start()
        .await;
    let session = Session::begin(&gateway).await;
    let mut tcp = session.0.into_inner();
    let sent = flood(&mut tcp).await;
    assert!(sent < MOST, "nothing holds the caller up");
    let record = gateway.only_record().await;
    assert_eq!(record.error, Some(Class::ClientGone));
}

#[tokio::test]
async fn neither_before_it_has_said_what_it_wants() {
    let gateway = TestGateway::new().start().await;
    let session = Session::open(&gateway).await;
    let mut tcp = session.0.into_inner();
    let sent = flood(&mut tcp).await;
    assert!(sent < MOST, "nothing holds the caller up");
}

#[tokio::test]
async fn whoever_reads_has_every_ping_answered() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::begin(&gateway).await;
    for round in 0..50_u8 {
        let ping = Message::Ping(vec![round].into());
        session.0.send(ping).await.unwrap();
        let answer = session.0.next().await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(vec![round].into()));
    }
    assert_eq!(session.ask("hello").await, "You said: hello");
}
