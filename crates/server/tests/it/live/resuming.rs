//! Sessions that go on after they were ended: on the project that began them, and for whoever did.

use serde_json::{Value, json};

use super::{Session, setup, taking_turns};
use crate::support::{Operator, TestGateway};

async fn gateway() -> TestGateway {
    taking_turns(4).start().await
}

fn resuming(handle: &Value) -> Value {
    json!({"sessionResumption": {"handle": handle}})
}

#[tokio::test]
async fn a_session_goes_on_with_its_key_after_it_was_sent_away() {
    let gateway = gateway().await;
    for _ in 0..3 {
        let mut session = Session::open(&gateway).await;
        session.set_up(json!({"sessionResumption": {}})).await;
        session.ask("Please GO_AWAY now").await;
        let update = session.hear_of("sessionResumptionUpdate").await;
        assert_eq!(update["resumable"], true);
        session.hear_of("goAway").await;
        assert_eq!(session.closed().await.0, 1001);
        let mut next = Session::open(&gateway).await;
        next.set_up(resuming(&update["newHandle"])).await;
        let said = next.ask("How many turns?").await;
        assert!(said.ends_with("has 3 turns."), "{said}");
        next.close().await;
    }
    let seen = gateway.upstream.seen();
    assert_eq!(seen.len(), 6);
    for pair in seen.chunks(2) {
        assert_eq!(pair[0].key, pair[1].key);
    }
}

#[tokio::test]
async fn nobody_goes_on_with_a_session_of_another_client_key() {
    let gateway = gateway().await;
    let admin = Operator::admin(&gateway).await;
    let other = admin.make_client(json!({"name": "other"})).await;
    let mut session = Session::open(&gateway).await;
    session.set_up(json!({"sessionResumption": {}})).await;
    let update = session.hear_of("sessionResumptionUpdate").await;
    session.close().await;
    let mut thief = Session::open_as(&gateway, &other.secret).await;
    thief.say(&setup(resuming(&update["newHandle"]))).await;
    let (code, reason) = thief.closed().await;
    assert_eq!(code, 1008);
    assert_eq!(reason, "this was begun with another key");
    assert_eq!(gateway.upstream.count(), 1);
}
