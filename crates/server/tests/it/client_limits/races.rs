//! Two hundred callers at once, each on a socket of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use fake_upstream::{Rule, gemini};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::Desk;
use crate::support::{ClientKey, Connection, TestGateway, eventually};

const CALLERS: usize = 200;

/// How many callers of those that asked at once were answered; the others were refused for too much.
async fn race(desk: &Desk, client: &ClientKey) -> usize {
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        connections.push(Connection::open(desk.gateway.address).await);
    }
    let asked = connections
        .iter_mut()
        .map(async |caller| caller.send(client.generate()).await.status);
    let statuses = join_all(asked).await;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(answered + refused, CALLERS, "{statuses:?}");
    assert_eq!(desk.gateway.upstream.count(), answered);
    desk.idle(client).await;
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_never_more_than_a_minute_or_a_day_allows() {
    for limits in [
        json!({"rpm": 50}),
        json!({"rpd": 50}),
        json!({"rpm": 50, "rpd": 60}),
    ] {
        let desk = Desk::ordinary().await;
        let client = desk.client(limits.clone()).await;
        assert_eq!(race(&desk, &client).await, 50, "{limits}");
        assert_eq!(desk.used(&client, "rpd").await, 50, "{limits}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_than_allowed_are_under_way() {
    let script = gemini().rule(Rule::new().stall_before_head());
    let desk = Desk::open(TestGateway::new().upstream(script).start().await).await;
    let client = desk.client(json!({"max_concurrent": 7})).await;
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        connections.push(Connection::open(desk.gateway.address).await);
    }
    let refused = AtomicUsize::new(0);
    let asked = join_all(connections.iter_mut().map(async |caller| {
        assert_eq!(caller.send(client.generate()).await.status, 429);
        refused.fetch_add(1, Ordering::Relaxed);
    }));
    let seven_are_under_way = eventually("seven are with the provider", async || {
        let is_settled = refused.load(Ordering::Relaxed) == CALLERS - 7;
        let used = desk.used(&client, "concurrent").await;
        assert!(used <= 7, "{used} under way");
        (is_settled && used == 7 && desk.gateway.upstream.count() == 7).then_some(())
    });
    tokio::select! {
        _ = asked => panic!("the provider has answered"),
        () = seven_are_under_way => {}
    }
    desk.idle(&client).await;
    assert_eq!(desk.gateway.upstream.count(), 7);
}

/// Answers take a thousand tokens, of which limits allow ten answers; five may be under way.
async fn check_exceeded(limits: Value) {
    let body = json!({
        "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000},
    });
    let script = gemini().rule(Rule::new().respond(200, body.to_string()));
    let desk = Desk::open(TestGateway::new().upstream(script).start().await).await;
    let client = desk.client(limits.clone()).await;
    let mut answered = 0;
    // Of two hundred at once most are refused for their number: as many rounds as it takes to spend it all.
    while desk.used(&client, "tpd").await < 10_000 {
        desk.gateway.upstream.clear_seen();
        answered += race(&desk, &client).await;
    }
    desk.gateway.upstream.clear_seen();
    assert_eq!(race(&desk, &client).await, 0, "{limits}");
    assert!(
        (10..10 + 5).contains(&answered),
        "{limits}: {answered} answers"
    );
    assert_eq!(desk.used(&client, "tpd").await, answered as u64 * 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_exceeded_by_those_under_way_at_most() {
    check_exceeded(json!({"tpd": 10_000, "max_concurrent": 5})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_exceeded_by_those_under_way_at_most() {
    // A thousand tokens of input at 0.75 USD for a million.
    check_exceeded(json!({"budget_usd": 0.0075, "max_concurrent": 5})).await;
}
