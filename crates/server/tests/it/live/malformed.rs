//! What is no message, or too large for one: the caller is told with the code that fits, before and after the setup.

use domain::Class;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Session;
use crate::support::TestGateway;

/// What the frames of the server say until the connection ends: the code of its close frame, and the words.
async fn closed(tcp: &mut TcpStream) -> (u16, String) {
    let mut heard = Vec::new();
    let reading = tcp.read_to_end(&mut heard);
    let read = tokio::time::timeout(super::PATIENCE, reading).await;
    read.unwrap().unwrap();
    let mut rest = &heard[..];
    while let [kind, length @ 0..126, body @ ..] = rest {
        let (body, others) = body.split_at(usize::from(*length));
        if *kind == 0x88 {
            let code = u16::from_be_bytes([body[0], body[1]]);
            return (code, String::from_utf8_lossy(&body[2..]).into_owned());
        }
        rest = others;
    }
    panic!("no close frame in {heard:?}");
}

/// A frame with its mask, which changes nothing.
fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let length = 0x80 | u8::try_from(body.len()).unwrap();
    [&[first, length, 0, 0, 0, 0], body].concat()
}

/// The head of a frame with 17 MiB of text.
fn large() -> Vec<u8> {
    let length = (17_u64 << 20).to_be_bytes();
    [&[0x81, 0xff][..], &length, &[0; 4]].concat()
}

#[tokio::test]
async fn frames_that_are_none_are_told_of() {
    let gateway = TestGateway::new().start().await;
    let frames = [
        ("unmasked", vec![0x81, 1, b'x'], 1002),
        ("reserved bits", frame(0xc1, b"x"), 1002),
        ("unknown kind", frame(0x83, b"x"), 1002),
        ("bad text", frame(0x81, b"\xff\xfe"), 1007),
        ("close with half a code", frame(0x88, b"x"), 1002),
    ];
    for is_set_up in [true, false] {
        for (what, bytes, expected) in &frames {
            let session = if is_set_up {
                Session::begin(&gateway).await
            } else {
                Session::open(&gateway).await
            };
            let mut tcp = session.0.into_inner();
            tcp.write_all(bytes).await.unwrap();
            // What follows must not take the answer away.
            let _ = tcp.write_all(&[0; 4096]).await;
            let (code, reason) = closed(&mut tcp).await;
            assert_eq!(code, *expected, "{what}, set up: {is_set_up}: {reason}");
        }
    }
    let records = gateway.records(10).await;
    for record in records {
        assert_eq!(record.error, Some(Class::BadRequest));
    }
}

#[tokio::test]
async fn a_message_beyond_all_measure_ends_the_session() {
    let gateway = TestGateway::new().start().await;
    for is_set_up in [true, false] {
        let session = if is_set_up {
            Session::begin(&gateway).await
        } else {
            Session::open(&gateway).await
        };
        let mut tcp = session.0.into_inner();
        tcp.write_all(&large()).await.unwrap();
        // It may be refused before all of it is sent.
        let _ = tcp.write_all(&vec![b' '; 1 << 20]).await;
        let (code, reason) = closed(&mut tcp).await;
        assert_eq!(code, 1009, "set up: {is_set_up}");
        assert!(reason.contains("16 MiB"), "{reason}");
    }
    let records = gateway.records(2).await;
    for record in records {
        assert_eq!(record.error, Some(Class::BadRequest));
    }
}
