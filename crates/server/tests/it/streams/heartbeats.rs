//! `retry.heartbeat`: comments for callers of event streams that wait.

use domain::Class;
use fake_upstream::{FakeKey, KeyFault, Rule, gemini};

use super::{Way, answer_whole, read_at_least};
use crate::support::{Connection, RawUpstream, TestGateway, eventually, generate};

const COMMENT: &str = ": waiting\r\n\r\n";

#[tokio::test]
async fn a_caller_that_waits_gets_comments_and_then_the_answer() {
    let upstream = RawUpstream::start().await;
    let gateway = TestGateway::new()
        .base_url(format!("http://{}", upstream.address))
        .setting("retry.heartbeat", "20ms")
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let mut response = caller.begin(Way::Sse.request()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let provider = upstream.next().await;
    let waiting = read_at_least(response.body_mut(), 3 * COMMENT.len()).await;
    answer_whole(provider, Way::Sse, "hello").await;
    let rest = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap()
        .to_bytes();
    let text = String::from_utf8([&*waiting, &*rest].concat()).unwrap();
    let answer = text.trim_start_matches(COMMENT);
    assert_eq!(answer, format!("data: {}\r\n\r\n", super::ends("hello")));
    let record = gateway.only_record().await;
    assert_eq!(
        (record.status, record.error, record.stream),
        (200, None, true)
    );
}

#[tokio::test]
async fn an_error_comes_as_an_event() {
    let script = gemini().key(FakeKey::new("AIza-key-1").fault(KeyFault::Leaked));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("retry.heartbeat", "1s")
        .start()
        .await;
    let answer = gateway.send(Way::Sse.request()).await;
    assert_eq!((answer.status, answer.is_whole), (200, true));
    assert_eq!(answer.error()["code"], 503);
    assert_eq!(gateway.only_record().await.error, Some(Class::KeyInvalid));
}

#[tokio::test]
async fn a_refusal_of_the_providers_comes_as_an_event_too() {
    let script = gemini().rule(Rule::new().fixture("gemini/errors/400_invalid_argument.json"));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("retry.heartbeat", "1s")
        .start()
        .await;
    let answer = gateway.send(Way::Sse.request()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.error()["status"], "INVALID_ARGUMENT");
    let record = gateway.only_record().await;
    assert_eq!(record.error, Some(Class::BadRequest));
}

#[tokio::test]
async fn only_event_streams_have_them() {
    let script = gemini().rule(Rule::new().fixture("gemini/errors/400_invalid_argument.json"));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("retry.heartbeat", "1s")
        .start()
        .await;
    assert_eq!(gateway.send(Way::Array.request()).await.status, 400);
    assert_eq!(gateway.send(generate()).await.status, 400);
}

#[tokio::test]
async fn a_caller_that_leaves_while_it_waits_is_noticed() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_before_head()))
        .setting("retry.heartbeat", "20ms")
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let mut response = caller.begin(Way::Sse.request()).await;
    read_at_least(response.body_mut(), COMMENT.len()).await;
    drop((response, caller));
    eventually("the provider is let go", async || {
        gateway.upstream.seen()[0].disconnected.then_some(())
    })
    .await;
    assert_eq!(gateway.only_record().await.error, Some(Class::ClientGone));
    assert_eq!(gateway.key(0).cell.in_flight(), 0);
}
