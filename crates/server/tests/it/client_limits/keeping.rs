//! What a client key has used is its own, outlives edits of the key and restarts of keymux, and goes with the key.

use fake_upstream::gemini;
use serde_json::json;

use super::Desk;
use crate::support::{ClientKey, TestGateway, eventually, on_postgres};

/// Requests and tokens of the day, and money.
async fn used(desk: &Desk, client: &ClientKey) -> [u64; 3] {
    desk.idle(client).await;
    let of = async |what| desk.used(client, what).await;
    [of("rpd").await, of("tpd").await, of("budget").await]
}

/// Asks so many times.
async fn spend(desk: &Desk, client: &ClientKey, times: usize) -> [u64; 3] {
    for _ in 0..times {
        assert_eq!(desk.generate(client).await.status, 200);
    }
    used(desk, client).await
}

#[tokio::test]
async fn two_client_keys_do_not_share() {
    let desk = Desk::ordinary().await;
    let (one, other) = (
        desk.client(json!({"rpm": 1})).await,
        desk.client(json!({"rpm": 1})).await,
    );
    let spent = spend(&desk, &one, 1).await;
    assert_eq!(desk.generate(&one).await.status, 429);
    assert_eq!(used(&desk, &other).await, [0; 3]);
    assert_eq!(spend(&desk, &other, 1).await, spent);
}

#[tokio::test]
async fn an_edited_client_key_keeps_its_counters() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    let before = spend(&desk, &client, 2).await;
    for limits in [
        json!({"enabled": false}),
        json!({"rpm": 2}),
        json!({"allowed_models": ["gemini-*"], "rpd": 2, "budget_period": "day"}),
    ] {
        desk.limit(&client, limits).await;
        assert_eq!(used(&desk, &client).await, before);
    }
    assert_eq!(desk.generate(&client).await.status, 429);
    desk.limit(&client, json!({"rpd": 3})).await;
    assert_eq!(spend(&desk, &client, 1).await[0], 3);
    desk.gateway.running.reload().await.unwrap();
    assert_eq!(desk.generate(&client).await.status, 429);
}

#[tokio::test]
async fn a_deleted_client_key_takes_its_counters_along_and_is_refused() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    spend(&desk, &client, 1).await;
    let saved = async || {
        let days = desk
            .gateway
            .running
            .store()
            .load_client_days(0)
            .await
            .unwrap();
        days.iter().filter(|day| day.client.0 == client.id).count()
    };
    eventually("the day is saved", async || {
        (saved().await == 1).then_some(())
    })
    .await;
    desk.delete(&client).await;
    assert_eq!(saved().await, 0);
    assert_eq!(desk.generate(&client).await.status, 401);
    let next = desk.client(json!({})).await;
    assert_ne!(next.id, client.id);
    assert_eq!(used(&desk, &next).await, [0; 3]);
}

/// Uses a client key, lets keymux end and begin again, and finds its counters and its limits in force.
async fn check(gateway: TestGateway, again: impl AsyncFnOnce(TestGateway) -> TestGateway) {
    let desk = Desk::open(gateway).await;
    let client = desk.client(json!({"rpd": 3})).await;
    let before = spend(&desk, &client, 2).await;
    assert!(before.iter().all(|&count| count > 0), "{before:?}");
    let desk = Desk::open(again(desk.gateway).await).await;
    assert_eq!(used(&desk, &client).await, before);
    assert_eq!(spend(&desk, &client, 1).await[0], 3);
    let refused = desk.generate(&client).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
}

#[tokio::test]
async fn counters_outlive_a_restart() {
    check(TestGateway::new().start().await, TestGateway::restart).await;
}

#[tokio::test]
async fn counters_outlive_a_crash() {
    check(TestGateway::new().start().await, async |gateway| {
        eventually("what was used is saved", async || {
            let days = gateway.running.store().load_client_days(0).await.unwrap();
            days.iter()
                .any(|day| day.requests == 2 && day.cost.0 > 0)
                .then_some(())
        })
        .await;
        gateway.crash().await
    })
    .await;
}

#[tokio::test]
async fn counters_outlive_a_restart_on_postgresql() {
    on_postgres(async |url| {
        let gateway = TestGateway::new()
            .setting("database.url", url)
            .start()
            .await;
        check(gateway, TestGateway::restart).await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_cut_at_the_end_of_keymux_is_counted() {
    let script = gemini().rule(fake_upstream::Rule::new().stall_after_chunks(2));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("server.shutdown_grace", "1s")
        .start()
        .await;
    let desk = Desk::open(gateway).await;
    let client = desk.client(json!({})).await;
    let mut caller = crate::support::Connection::open(desk.gateway.address).await;
    let answer = caller.begin(client.stream()).await;
    assert_eq!(answer.status(), 200);
    let desk = Desk::open(desk.gateway.restart().await).await;
    let [requests, tokens, money] = used(&desk, &client).await;
    assert!(
        requests == 1 && tokens > 0 && money > 0,
        "{tokens} tokens, {money}"
    );
}
