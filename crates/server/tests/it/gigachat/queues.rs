//! A personal account may have one stream at a time: requests stand in line and are all answered.

use std::time::Duration;

use bytes::Bytes;
use fake_upstream::{EmptyKind, Rule, gigachat};
use futures_util::future::{join, join_all};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;

use super::{
    COMPANY, KEY, MODEL, ONE, OTHER, TWO, ask, asked_at, start, start_with, stream, upstream,
};
use crate::support::talk::{chat, refused, said};
use crate::support::{Connection, TestGateway, eventually};

fn chats() -> Rule {
    Rule::new().path_contains("/chat/")
}

/// A stream that has begun and will not end: the connection, and what is to be read of it.
async fn hold(gateway: &TestGateway) -> (Connection, Incoming) {
    let mut caller = Connection::open(gateway.address).await;
    let request = chat(MODEL, "Привет", json!({"stream": true}));
    let (head, mut body) = caller.begin(request).await.into_parts();
    assert_eq!(head.status, 200);
    let first: Bytes = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: "), "{first:?}");
    (caller, body)
}

/// Streams after the first `held` go on as usual.
fn stalling(held: usize) -> fake_upstream::Script {
    gigachat().rule(chats().stall_after_chunks(1).times(held))
}

#[tokio::test]
async fn ten_requests_at_once_are_answered_one_by_one() {
    let slow = chats().delay_head(Duration::from_millis(10));
    let gateway = start(gigachat().rule(slow), ONE).await;
    let documents = join_all((0..5).map(|_| ask(&gateway)));
    let streams = join_all((0..5).map(|_| stream(&gateway)));
    let (documents, streams) = join(documents, streams).await;
    for answer in documents.iter().chain(&streams) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            said(answer).starts_with("You said: Привет"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(upstream(&gateway).most_in_flight(KEY), 1);
    assert_eq!(upstream(&gateway).token_requests(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_place_to_the_next() {
    let gateway = start(stalling(4), ONE).await;
    let mut held = hold(&gateway).await;
    for _ in 0..3 {
        let leave = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        (held, ()) = join(hold(&gateway), leave).await;
    }
    assert_eq!(gateway.records(3).await.len(), 3);
}

#[tokio::test]
async fn who_leaves_the_line_holds_nobody_up() {
    let gateway = start(stalling(1), ONE).await;
    let held = hold(&gateway).await;
    let mut waiting = Connection::open(gateway.address).await;
    let gave_up = tokio::time::timeout(
        Duration::from_millis(200),
        waiting.send(chat(MODEL, "Привет", json!({}))),
    )
    .await;
    assert!(gave_up.is_err(), "it was not put in line");
    drop(waiting);
    drop(held);
    assert_eq!(ask(&gateway).await.status, 200);
    // Who left was never sent on.
    assert_eq!(asked_at(&gateway, "/chat/completions").len(), 2);
}

#[tokio::test]
async fn a_company_may_have_ten_at_once() {
    let gateway = start_with(stalling(10), COMPANY, &[("retry.deadline", "1s")]).await;
    let held = join_all((0..10).map(|_| hold(&gateway))).await;
    assert_eq!(upstream(&gateway).most_in_flight(KEY), 10);
    refused(&ask(&gateway).await, 503);
    drop(held);
    assert_eq!(upstream(&gateway).most_in_flight(KEY), 10);
}

#[tokio::test]
async fn the_configuration_says_how_many_where_it_wants() {
    let fields = "keys: [Z2c6MQ==]\nscope: GIGACHAT_API_B2B\nmax_concurrent: 2";
    let slow = chats().delay_head(Duration::from_millis(10));
    let gateway = start(gigachat().rule(slow), fields).await;
    let answers = join_all((0..12).map(|_| ask(&gateway))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(upstream(&gateway).most_in_flight(KEY) <= 2);
}

#[tokio::test]
async fn a_request_takes_the_key_that_is_free() {
    let gateway = start(stalling(1), TWO).await;
    let _held = hold(&gateway).await;
    for _ in 0..3 {
        assert_eq!(ask(&gateway).await.status, 200);
    }
    let upstream = upstream(&gateway);
    assert_eq!(
        (upstream.most_in_flight(KEY), upstream.most_in_flight(OTHER)),
        (1, 1)
    );
}

#[tokio::test]
async fn two_keys_share_the_load() {
    let slow = chats().delay_head(Duration::from_millis(10));
    let gateway = start(gigachat().rule(slow), TWO).await;
    let answers = join_all((0..20).map(|_| ask(&gateway))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let upstream = upstream(&gateway);
    for key in [KEY, OTHER] {
        assert!(upstream.count_for_key(key) > 2, "{key} was spared");
        assert_eq!(upstream.most_in_flight(key), 1, "{key}");
    }
}

#[tokio::test]
async fn two_keys_of_one_account_stand_in_one_line() {
    let fields = "keys:\n- { key: Z2c6MQ==, project: ours }\n- { key: Z2c6Mg==, project: ours }";
    let gateway = start_with(stalling(1), fields, &[("retry.deadline", "1s")]).await;
    let _held = hold(&gateway).await;
    refused(&ask(&gateway).await, 503);
    assert_eq!(upstream(&gateway).count_for_key(OTHER), 0);
}

#[tokio::test]
async fn who_waits_for_too_long_is_told_when_to_come_back() {
    for (setting, status) in [("503", 503), ("429", 429)] {
        let settings = [("retry.deadline", "1s"), ("pool.exhausted_status", setting)];
        let gateway = start_with(stalling(1), ONE, &settings).await;
        let held = hold(&gateway).await;
        let answer = ask(&gateway).await;
        refused(&answer, status);
        let after: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&after), "{after}");
        drop(held);
        assert_eq!(ask(&gateway).await.status, 200);
    }
}

#[tokio::test]
async fn a_request_that_is_tried_again_does_not_wait_for_itself() {
    let rules = [
        chats().respond(
            500,
            r#"{"status": 500, "message": "Internal Server Error"}"#,
        ),
        chats().reset(),
        chats().empty(EmptyKind::EmptyText),
    ];
    for (number, rule) in rules.into_iter().enumerate() {
        let gateway = start(gigachat().rule(rule.times(1)), ONE).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "rule {number}: {}", answer.text());
        assert!(said(&answer).contains("Привет"), "rule {number}");
    }
}

#[tokio::test]
async fn a_place_that_somebody_else_has_is_waited_for() {
    let taken = chats().fixture("gigachat/errors/429.json").times(1);
    let gateway = start(gigachat().rule(taken), ONE).await;
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn waiting_for_somebody_elses_place_is_no_attempt_too_many() {
    let taken = chats().fixture("gigachat/errors/429.json").times(2);
    let gateway = start_with(gigachat().rule(taken), ONE, &[("retry.max_attempts", "1")]).await;
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn who_waits_in_vain_for_somebody_elses_place_is_told_when_to_come_back() {
    let taken = chats().fixture("gigachat/errors/429.json");
    let gateway = start_with(gigachat().rule(taken), ONE, &[("retry.deadline", "2s")]).await;
    for answer in [ask(&gateway).await, stream(&gateway).await] {
        refused(&answer, 503);
        let after: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&after), "{after}");
    }
}

#[tokio::test]
async fn what_is_no_stream_of_a_model_need_not_stand_in_line() {
    let gateway = start_with(stalling(1), ONE, &[("retry.deadline", "1s")]).await;
    let _held = hold(&gateway).await;
    let answer = gateway.fetch("/p/gigachat/models").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_its_place() {
    let gateway = start(gigachat().rule(chats().cut_after_chunks(1).times(1)), ONE).await;
    assert_eq!(stream(&gateway).await.status, 200);
    eventually("an answer", async || {
        (ask(&gateway).await.status == 200).then_some(())
    })
    .await;
}
