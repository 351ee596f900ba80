//! Uploads leave by the egress that they began with, as long as that lives.

use std::net::IpAddr;

use bytes::Bytes;
use fake_upstream::{FakeProxy, ProxyFault};

use super::{behind, came_directly, exit, http};
use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

/// The path under which an upload that begins now goes on.
async fn begin(gateway: &TestGateway) -> String {
    let headers = [
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("content-type", "application/json"),
        ("x-goog-api-key", CLIENT_KEY),
    ];
    let metadata = r#"{"file": {"displayName": "a.txt"}}"#;
    let begun = request("POST", "/upload/v1beta/files", &headers, metadata);
    let begun = gateway.send(begun).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let url = begun.header("x-goog-upload-url");
    url.strip_prefix("http://keymux.test").unwrap().to_owned()
}

async fn go_on(
    gateway: &TestGateway,
    path: &str,
    (command, offset): (&str, usize),
    data: impl Into<Bytes>,
) -> Answer {
    let offset = offset.to_string();
    let headers = [
        ("x-goog-upload-command", command),
        ("x-goog-upload-offset", &*offset),
    ];
    let answer = gateway.send(request("POST", path, &headers, data)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn exits(gateway: &TestGateway) -> Vec<IpAddr> {
    let seen = gateway.upstream.seen().into_iter();
    seen.map(|call| call.peer.ip()).collect()
}

#[tokio::test]
async fn an_upload_keeps_to_its_proxy_and_goes_on_by_another_when_that_dies() {
    let proxies: Vec<FakeProxy> = (1..=3).map(http).collect();
    let gateway = behind(&proxies.iter().collect::<Vec<_>>()).start().await;
    let path = begin(&gateway).await;
    let piece = vec![b'a'; 100_000];
    go_on(&gateway, &path, ("upload", 0), piece.clone()).await;
    let first = exits(&gateway);
    assert_eq!(first[0], first[1]);

    let number = (1..=3).find(|number| first[0] == IpAddr::V4(exit(*number)));
    let dead = &proxies[usize::from(number.unwrap()) - 1];
    dead.set_fault(Some(ProxyFault::ClosedPort));
    dead.cut_connections();
    // The piece was not sent before the way was known to be dead: it is here to be sent on another.
    go_on(&gateway, &path, ("upload", 100_000), piece.clone()).await;
    let last = go_on(&gateway, &path, ("upload, finalize", 200_000), "end").await;
    assert_eq!(last.json()["file"]["sizeBytes"], "200003");
    let then = exits(&gateway);
    assert!(then[2..].iter().all(|exit| *exit != first[0]), "{then:?}");
    assert_eq!(came_directly(&gateway), 0);
    super::no_key_is_hurt(&gateway);
}
