//! Which key a request gets.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};

use super::{generate_many, keys, uses};
use crate::support::{Connection, TestGateway, eventually, stream};

async fn gateway(strategy: &str, keys: impl IntoIterator<Item = String>) -> TestGateway {
    TestGateway::new()
        .keys(keys)
        .setting("pool.strategy", strategy)
        .start()
        .await
}

#[tokio::test]
async fn least_loaded_spreads_a_thousand_requests_evenly() {
    let gateway = gateway("least_loaded", keys(20)).await;
    let answers = generate_many(&gateway, 10, 100).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let uses = uses(&gateway, 20);
    assert!(
        uses.iter().all(|count| (35..=65).contains(count)),
        "{uses:?}"
    );
}

#[tokio::test]
async fn round_robin_spreads_a_thousand_requests_exactly() {
    let gateway = gateway("round_robin", keys(20)).await;
    let answers = generate_many(&gateway, 10, 100).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(uses(&gateway, 20), [50; 20]);
}

#[tokio::test]
async fn random_uses_every_key() {
    let gateway = gateway("random", keys(5)).await;
    generate_many(&gateway, 5, 40).await;
    let uses = uses(&gateway, 5);
    assert!(uses.iter().all(|&count| count > 10), "{uses:?}");
}

#[tokio::test]
async fn fill_first_keeps_to_the_first_key() {
    let gateway = gateway("fill_first", keys(3)).await;
    generate_many(&gateway, 3, 10).await;
    assert_eq!(uses(&gateway, 3), [30, 0, 0]);
}

#[tokio::test]
async fn weights_are_shares() {
    for (strategy, tolerance) in [("round_robin", 0), ("least_loaded", 15), ("random", 45)] {
        let weighted = (1..=2).map(|n| format!("{{ key: AIza-key-{n}, weight: {} }}", n * 2 - 1));
        let gateway = gateway(strategy, weighted).await;
        generate_many(&gateway, 4, 50).await;
        let uses = uses(&gateway, 2);
        assert!(uses[0].abs_diff(50) <= tolerance, "{strategy}: {uses:?}");
        assert_eq!(uses[0] + uses[1], 200);
    }
}

#[tokio::test]
async fn lower_priority_values_are_used_first() {
    let limited = Rule::new()
        .key("AIza-key-2")
        .fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = TestGateway::new()
        .keys([
            "{ key: AIza-key-1, priority: 1 }",
            "{ key: AIza-key-2, priority: -1 }",
            "{ key: AIza-key-3, priority: 1 }",
        ])
        .start()
        .await;
    generate_many(&gateway, 1, 10).await;
    assert_eq!(uses(&gateway, 3), [0, 10, 0]);
    gateway.upstream.add_rule(limited);
    generate_many(&gateway, 1, 10).await;
    let uses = uses(&gateway, 3);
    assert_eq!((uses[1], uses[0] + uses[2]), (11, 10));
}

#[tokio::test]
async fn a_busy_key_is_left_alone() {
    const BUSY: usize = 6;
    let rule = Rule::new().key("AIza-key-1").stall_after_chunks(1);
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule.times(BUSY)))
        .keys(keys(2))
        .start()
        .await;
    // Streams with the first key stay open, those with the second end by themselves.
    let mut streams = Vec::new();
    while uses(&gateway, 2)[0] < BUSY {
        let mut caller = Connection::open(gateway.address).await;
        let stream = caller.begin(stream()).await;
        streams.push((caller, stream));
    }
    let before = uses(&gateway, 2);
    generate_many(&gateway, 1, 20).await;
    let after = uses(&gateway, 2);
    let (busy, idle) = (after[0] - before[0], after[1] - before[1]);
    assert!(busy < idle, "{busy} for the busy key, {idle} for the other");
}

#[tokio::test]
async fn dead_keys_are_tried_once_and_not_once_per_request() {
    const DEAD: usize = 190;
    let faults = [
        KeyFault::Invalid,
        KeyFault::Leaked,
        KeyFault::PrepayDepleted,
        KeyFault::Suspended,
    ];
    let mut script = gemini();
    for (place, key) in keys(200).enumerate() {
        let listed = FakeKey::new(&key);
        let is_dead = place < DEAD;
        script = script.key(if is_dead {
            listed.fault(faults[place % 4])
        } else {
            listed
        });
    }
    for strategy in ["least_loaded", "round_robin"] {
        let gateway = TestGateway::new()
            .upstream(script.clone())
            .keys(keys(200))
            .setting("pool.strategy", strategy)
            .start()
            .await;
        let answers = generate_many(&gateway, 1, 400).await;
        assert!(
            answers.iter().all(|answer| answer.status == 200),
            "{strategy}"
        );
        let uses = uses(&gateway, 200);
        assert!(
            uses[..DEAD].iter().all(|&count| count <= 1),
            "{strategy}: {uses:?}"
        );
        assert!(
            uses[DEAD..].iter().all(|&count| count > 0),
            "{strategy}: {uses:?}"
        );
    }
}

#[tokio::test]
async fn keys_come_back_one_request_at_a_time() {
    let body = r#"{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 1s."}}"#;
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().respond(429, body).times(1)))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    let answer = eventually("the key is free again", async || {
        let answer = gateway.generate().await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!(answer.header("x-keymux-attempts"), "1");
    let record = gateway.record_of(&answer).await;
    assert_eq!(
        record.attempts[0].chosen,
        "least_loaded of 1, probe after cooling"
    );
    assert_eq!(gateway.pair_cooling(0), 0);
    assert_eq!(gateway.upstream.count(), 2);
}
