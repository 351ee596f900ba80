//! How bytes come and go on a caller's connection: in chunks, after leave to send them, one request behind the other.

use super::{call, last_seen, open, sha256};
use crate::support::{
    CLIENT_KEY, Connection, MODEL, Socket, generate, generate_path, post, prompt, request, stream,
};

#[tokio::test]
async fn chunked_requests_arrive_whole() {
    let gateway = open().start().await;
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "PUT /v1beta/corpora/x HTTP/1.1\r\nhost: keymux\r\nx-goog-api-key: {CLIENT_KEY}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        ))
        .await;
    for part in [&b"{\"a\":"[..], b" 1", b"}", b""] {
        caller.send_chunk(part).await;
    }
    let answer = caller.answer().await;
    assert_eq!(answer.json()["echo"]["bodySha256"], sha256(b"{\"a\": 1}"));
}

#[tokio::test]
async fn a_caller_that_waits_for_leave_to_send_its_body_gets_it() {
    let gateway = open().start().await;
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "POST /v1beta/corpora HTTP/1.1\r\nhost: keymux\r\nx-goog-api-key: {CLIENT_KEY}\r\n\
             content-length: 2\r\nexpect: 100-continue\r\n\r\n"
        ))
        .await;
    assert_eq!(caller.head().await.0, 100);
    caller.send("{}").await;
    assert_eq!(caller.answer().await.status, 200);
    assert_eq!(last_seen(&gateway).header("expect"), None);
}

#[tokio::test]
async fn http_1_0_is_answered() {
    let gateway = open().start().await;
    for path in ["generateContent", "streamGenerateContent?alt=sse"] {
        let body = prompt("Say hello");
        let mut caller = Socket::open(gateway.address).await;
        caller
            .send(format!(
                "POST /v1beta/models/{MODEL}:{path} HTTP/1.0\r\nx-goog-api-key: {CLIENT_KEY}\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            ))
            .await;
        caller.send(&body).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("transfer-encoding"), "{path}");
        assert!(!answer.said().is_empty(), "{}", answer.text());
        assert!(caller.rest().await.is_empty());
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let gateway = open().start().await;
    let mut caller = Socket::open(gateway.address).await;
    let one = |number: usize| {
        format!(
            "POST /v1beta/corpora/{number} HTTP/1.1\r\nhost: keymux\r\n\
             x-goog-api-key: {CLIENT_KEY}\r\ncontent-length: 2\r\n\r\n{{}}"
        )
    };
    caller.send((0..5).map(one).collect::<String>()).await;
    for number in 0..5 {
        let echo = caller.answer().await.json();
        assert_eq!(echo["echo"]["path"], format!("/v1beta/corpora/{number}"));
    }
}

#[tokio::test]
async fn a_connection_is_used_for_one_request_after_the_other() {
    let gateway = open().start().await;
    let mut caller = Connection::open(gateway.address).await;
    for answered in [200, 400, 401, 404, 200] {
        let sent = match answered {
            400 => post(&generate_path(MODEL), "{"),
            401 => request("GET", "/v1beta/models", &[], ""),
            404 => call("GET", "/nowhere", ""),
            _ => generate(),
        };
        assert_eq!(caller.send(sent).await.status, answered);
        assert_eq!(caller.send(stream()).await.status, 200);
    }
}
