//! What a restart keeps, in order or after a crash: what is known of the keys, the keys themselves, client keys and
//! records. The story on PostgreSQL is passed over where there is no server; see `support/postgres.rs`.

use domain::{KeyDraft, KeyHealth, KeySource, UnixMs};
use fake_upstream::{FakeKey, FakeUpstream, KeyFault, Rule, Script, gemini};
use futures_util::future::join_all;

use crate::support::{Connection, MODEL, TestGateway, eventually, generate, on_postgres};

const FIRST: &str = "AIza-key-1";
const SECOND: &str = "AIza-key-2";
const ADDED: &str = "AIza-key-added";

/// How keymux ends before it starts again.
#[derive(Clone, Copy, Debug)]
enum End {
    InOrder,
    Crash,
}

/// What `look` sees after two requests, of which the first key has failed one, it sees after either end too; and the
/// first key is left alone.
async fn check<T: PartialEq + std::fmt::Debug>(
    script: impl Fn() -> Script,
    look: impl Fn(&TestGateway) -> T,
) {
    for end in [End::InOrder, End::Crash] {
        let gateway = two_keys(script()).await;
        for _ in 0..2 {
            gateway.generate().await;
        }
        gateway.saved().await;
        let before = look(&gateway);
        let uses = gateway.upstream.count_for_key(FIRST);
        let gateway = again(gateway, end).await;
        assert_eq!(look(&gateway), before, "{end:?}");
        assert_eq!(gateway.generate().await.status, 200, "{end:?}");
        let uses_after = gateway.upstream.count_for_key(FIRST);
        assert_eq!(uses_after, uses, "{end:?}: the first key is used again");
    }
}

async fn again(gateway: TestGateway, end: End) -> TestGateway {
    match end {
        End::InOrder => gateway.restart().await,
        End::Crash => gateway.crash().await,
    }
}

async fn two_keys(script: Script) -> TestGateway {
    TestGateway::new()
        .upstream(script)
        .keys([FIRST, SECOND])
        .setting("pool.strategy", "fill_first")
        .start()
        .await
}

fn first_key_answers(fixture: &str) -> Script {
    let fixture = format!("gemini/errors/{fixture}");
    gemini().rule(Rule::new().key(FIRST).fixture(&fixture))
}

#[tokio::test]
async fn a_cooling_pair_is_still_cooling() {
    check(
        || first_key_answers("429_per_minute_requests.json"),
        |gateway| {
            let pair = gateway.pair(0, MODEL).unwrap();
            assert!(pair.cooling.is_some());
            pair
        },
    )
    .await;
}

#[tokio::test]
async fn a_cooling_key_is_still_cooling() {
    check(
        || first_key_answers("402_prepay_depleted.json"),
        |gateway| {
            let state = gateway.key(0).state;
            assert!(matches!(state.health, KeyHealth::Cooling(_)), "{state:?}");
            state
        },
    )
    .await;
}

#[tokio::test]
async fn a_retired_key_is_still_retired() {
    check(
        || first_key_answers("400_api_key_invalid.json"),
        |gateway| {
            assert_eq!(gateway.health(0), "retired Invalid");
            gateway.key(0).state
        },
    )
    .await;
}

#[tokio::test]
async fn a_pair_that_has_used_up_its_day_is_still_locked() {
    check(
        || {
            let first = FakeKey::new(FIRST).rpd(MODEL, 1);
            gemini().key(first).key(FakeKey::new(SECOND))
        },
        |gateway| {
            let pair = gateway.pair(0, MODEL).unwrap();
            let until = pair.cooling.as_ref().unwrap().until;
            assert!(until >= keypool::PacificDay::at(now()).ends);
            pair
        },
    )
    .await;
}

#[tokio::test]
async fn requests_of_the_day_are_counted_on() {
    for end in [End::InOrder, End::Crash] {
        let mut gateway = TestGateway::new().start().await;
        for expected in [1, 2] {
            assert_eq!(gateway.generate().await.status, 200);
            gateway.saved().await;
            assert_eq!(gateway.pair(0, MODEL).unwrap().day_requests, expected);
            gateway = again(gateway, end).await;
            let counted = gateway.pair(0, MODEL).unwrap().day_requests;
            assert_eq!(counted, expected, "{end:?}");
        }
    }
}

#[tokio::test]
async fn the_client_key_of_the_first_start_works_on_and_is_the_only_one() {
    let gateway = TestGateway::new().without_clients().start().await;
    let made = gateway.running.made_client_key().unwrap().to_owned();
    assert_eq!(gateway.generate_as(&made).await.status, 200);
    let gateway = gateway.restart().await;
    assert_eq!(gateway.running.made_client_key(), None);
    assert_eq!(gateway.generate_as(&made).await.status, 200);
    let clients = gateway.running.store().load_clients().await.unwrap();
    assert_eq!(clients.len(), 1);
}

#[tokio::test]
async fn a_key_that_leaves_the_configuration_is_off_until_it_is_back() {
    let line = format!("    - {FIRST}\n");
    let gateway = two_keys(gemini()).await;
    let mut stopped = gateway.stop().await;
    let whole = stopped.yaml.clone();
    stopped.yaml = whole.replace(&line, "");
    assert_ne!(stopped.yaml, whole);

    let gateway = stopped.start().await.unwrap();
    assert_eq!(enabled(&gateway), [false, true]);
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(uses(&gateway.upstream), [0, 1]);

    let mut stopped = gateway.stop().await;
    stopped.yaml = whole;
    let gateway = stopped.start().await.unwrap();
    assert_eq!(enabled(&gateway), [true, true]);
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(uses(&gateway.upstream), [1, 1]);
}

fn enabled(gateway: &TestGateway) -> [bool; 2] {
    [0, 1].map(|place| gateway.key(place).cell.key.enabled)
}

fn uses(upstream: &FakeUpstream) -> [usize; 2] {
    [FIRST, SECOND].map(|key| upstream.count_for_key(key))
}

#[tokio::test]
async fn a_key_that_is_added_to_the_store_is_used_without_a_restart() {
    let gateway = TestGateway::new()
        .upstream(first_key_answers("400_api_key_invalid.json"))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    let draft = KeyDraft::plain("google", ADDED, KeySource::Admin);
    let store = gateway.running.store();
    store.add_keys(&[draft], now()).await.unwrap();
    eventually("the added key is used", async || {
        (gateway.generate().await.status == 200).then_some(())
    })
    .await;
    let gateway = gateway.restart().await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(gateway.upstream.count_for_key(ADDED), 2);
}

#[tokio::test]
async fn a_key_that_is_added_just_after_the_start_is_used() {
    let add = async |_| {
        let gateway = TestGateway::new()
            .upstream(first_key_answers("400_api_key_invalid.json"))
            .start()
            .await;
        let draft = KeyDraft::plain("google", ADDED, KeySource::Admin);
        let store = gateway.running.store();
        store.add_keys(&[draft], now()).await.unwrap();
        eventually("the added key is used", async || {
            (gateway.generate().await.status == 200).then_some(())
        })
        .await;
    };
    join_all((0..16).map(add)).await;
}

#[tokio::test]
async fn another_master_key_is_told_at_the_start() {
    for (text, expected) in [
        (
            "00".repeat(32),
            "open the database: master key is not the one that this database is sealed under; every instance needs the newest one",
        ),
        ("no-master-key".to_owned(), "data/master.key: "),
    ] {
        let stopped = TestGateway::new().start().await.stop().await;
        std::fs::write(stopped.data.path().join("data/master.key"), &text).unwrap();
        let message = format!("{:#}", stopped.start().await.unwrap_err());
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains(&text), "{message}");
    }
}

#[tokio::test]
async fn every_request_that_was_answered_has_its_record_after_a_stop() {
    let gateway = TestGateway::new().start().await;
    let caller = async |_| {
        let mut connection = Connection::open(gateway.address).await;
        for _ in 0..25 {
            assert_eq!(connection.send(generate()).await.status, 200);
        }
    };
    join_all((0..8).map(caller)).await;
    let gateway = gateway.restart().await;
    let store = gateway.running.store();
    let records = store.recent_records(1_000, None).await.unwrap();
    assert_eq!(records.len(), 200);
    assert!(records.iter().all(|record| record.status == 200));
}

#[tokio::test]
async fn postgresql_keeps_requests_and_state_too() {
    on_postgres(async |url| {
        let gateway = TestGateway::new()
            .upstream(first_key_answers("429_per_minute_requests.json"))
            .keys([FIRST, SECOND])
            .setting("pool.strategy", "fill_first")
            .setting("database.url", url)
            .start()
            .await;
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200);
        let pair = gateway.pair(0, MODEL).unwrap();
        assert!(pair.cooling.is_some());

        let gateway = gateway.restart().await;
        assert!(!gateway.data.path().join("data/keymux.db").exists());
        assert_eq!(gateway.pair(0, MODEL).unwrap(), pair);
        let record = gateway.record_of(&answer).await;
        assert_eq!((record.status, record.attempts.len()), (200, 2));
        assert_eq!(gateway.generate().await.status, 200);
        assert_eq!(uses(&gateway.upstream), [1, 2]);

        gateway.saved().await;
        let known = gateway.pair(1, MODEL).unwrap();
        assert_eq!(known.day_requests, 2);
        let gateway = gateway.crash().await;
        assert_eq!(gateway.pair(1, MODEL).unwrap(), known);
        gateway.stop().await;
    })
    .await;
}

fn now() -> UnixMs {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    UnixMs(0) + now
}

#[tokio::test]
async fn a_retired_key_that_is_revived_in_the_store_is_used_again() {
    let gateway = TestGateway::new()
        .upstream(gemini().key(FakeKey::new(FIRST).fault(KeyFault::Leaked)))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    gateway.saved().await;
    gateway.upstream.fix_key(FIRST);
    let key = gateway.key(0).id;
    let store = gateway.running.store();
    store.revive_keys(&[key], UnixMs(0)).await.unwrap();
    eventually("the key is used again", async || {
        (gateway.generate().await.status == 200).then_some(())
    })
    .await;
}
