//! A caller that goes away: the provider is let go at once, the key is free again, and the record says so.

use domain::{Class, RequestRecord};
use fake_upstream::Rule;

use super::Way;
use crate::support::{Connection, TestGateway, eventually, generate};

/// A gateway whose first key fails and whose second one answers as the rule says.
async fn gateway(way: Way, second: Rule) -> TestGateway {
    let first = Rule::new()
        .key("AIza-key-1")
        .fixture("gemini/errors/500_internal.json");
    let script = way.script().says("abcdef").answer_bytes(200_000);
    TestGateway::new()
        .upstream(script.rule(first).rule(second.key("AIza-key-2")))
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await
}

/// The caller has gone: waits until the provider knows and the keys are free, and gives the record.
async fn aftermath(gateway: &TestGateway) -> RequestRecord {
    eventually("the provider is let go", async || {
        gateway.upstream.seen()[1].disconnected.then_some(())
    })
    .await;
    eventually("the keys are free", async || {
        (0..2)
            .all(|place| gateway.key(place).cell.in_flight() == 0)
            .then_some(())
    })
    .await;
    gateway.only_record().await
}

#[tokio::test]
async fn before_the_head() {
    for way in [Way::Sse, Way::SseTls] {
        let gateway = gateway(way, Rule::new().stall_before_head()).await;
        let mut caller = Connection::open(gateway.address).await;
        let asked = eventually("the second key is tried", async || {
            (gateway.upstream.count() == 2).then_some(())
        });
        tokio::select! {
            _ = caller.begin(way.request()) => panic!("an answer came"),
            () = asked => {}
        }
        drop(caller);
        let record = aftermath(&gateway).await;
        assert_eq!(
            (record.status, record.error),
            (499, Some(Class::ClientGone)),
            "{way:?}"
        );
        assert_eq!(record.attempts[0].outcome.class, Class::ServerError);
    }
}

#[tokio::test]
async fn in_mid_stream() {
    for way in Way::ALL {
        let gateway = gateway(way, Rule::new().stall_after_chunks(2)).await;
        let mut caller = Connection::open(gateway.address).await;
        let answer = caller.begin(way.request()).await;
        drop((answer, caller));
        let record = aftermath(&gateway).await;
        assert_eq!(
            (record.status, record.error),
            (200, Some(Class::ClientGone)),
            "{way:?}"
        );
        let classes: Vec<Class> = record
            .attempts
            .iter()
            .map(|attempt| attempt.outcome.class)
            .collect();
        assert_eq!(classes, [Class::ServerError, Class::Ok]);
    }
}

#[tokio::test]
async fn in_the_middle_of_a_document() {
    for way in [Way::Sse, Way::SseTls] {
        let gateway = gateway(way, Rule::new().stall_after_chunks(1)).await;
        let mut caller = Connection::open(gateway.address).await;
        let answer = caller.begin(generate()).await;
        drop((answer, caller));
        let record = aftermath(&gateway).await;
        assert_eq!(
            (record.status, record.error),
            (200, Some(Class::ClientGone)),
            "{way:?}"
        );
    }
}

#[tokio::test]
async fn while_it_waits_for_a_key() {
    let limited = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = TestGateway::new()
        .upstream(fake_upstream::gemini().rule(limited))
        .setting("retry.wait_for_key", "1m")
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let cooling = eventually("the key is cooling", async || {
        (gateway.pair_cooling(0) > 0).then_some(())
    });
    tokio::select! {
        _ = caller.begin(generate()) => panic!("an answer came"),
        () = cooling => {}
    }
    drop(caller);
    let record = gateway.only_record().await;
    assert_eq!(
        (record.status, record.error),
        (499, Some(Class::ClientGone))
    );
    assert_eq!(record.attempts.len(), 1);
}
