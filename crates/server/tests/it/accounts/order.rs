//! Whose keys a request uses, in which order, and which of them the provider sees.

use domain::Class;
use serde_json::json;

use super::{KEYS, Member, SHARED, refuse, shown};
use crate::support::{Operator, TestGateway, generate, request};

const BROUGHT: &str = "AIza-brought-by-caller";
const LEAKED: &str = "403_key_leaked.json";
const PER_MINUTE: &str = "429_per_minute_requests.json";

#[tokio::test]
async fn every_key_of_the_order_is_tried_and_the_shared_pool_comes_last() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let second = mei.add("AIza-mei-2").await;
    mei.add("AIza-mei-3").await;
    assert_eq!(mei.select(second).await.status, 200);
    let order = [BROUGHT, "AIza-mei-2", "AIza-mei-1", "AIza-mei-3", SHARED];
    for key in &order[..4] {
        refuse(&gateway, key, LEAKED);
    }
    let answer = mei.generate_with(Some(BROUGHT)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shown(&gateway), order);
    let record = gateway.record_of(&answer).await;
    let chosen: Vec<&str> = record.attempts.iter().map(|try_| &*try_.chosen).collect();
    assert_eq!(
        chosen,
        [
            "brought by the caller",
            "owner's selected key",
            "owner's key",
            "owner's key",
            "least_loaded of 1"
        ]
    );
}

#[tokio::test]
async fn each_key_of_the_order_is_used_as_long_as_it_answers() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let second = mei.add("AIza-mei-2").await;
    for _ in 0..2 {
        assert_eq!(mei.generate().await.status, 200);
    }
    mei.select(second).await;
    mei.generate().await;
    mei.generate_with(Some(BROUGHT)).await;
    assert_eq!(
        shown(&gateway),
        ["AIza-mei-1", "AIza-mei-1", "AIza-mei-2", BROUGHT]
    );
    let label = mei.generate().await.header("x-keymux-key").to_owned();
    assert_eq!(label, second.to_string());
}

#[tokio::test]
async fn without_a_selected_key_the_order_of_creation_holds() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let ids = [mei.add("AIza-mei-1").await, mei.add("AIza-mei-2").await];
    mei.select(ids[1]).await;
    let none = json!({"is_selected": false});
    let path = format!("{KEYS}/{}", ids[1]);
    assert_eq!(mei.call("PATCH", &path, &none).await.status, 200);
    assert_eq!(mei.selected().await, None);
    refuse(&gateway, "AIza-mei-1", LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), ["AIza-mei-1", "AIza-mei-2"]);
}

#[tokio::test]
async fn more_keys_than_ranks_are_still_used_in_order_of_creation() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let keys: Vec<String> = (100..180).map(|n| format!("AIza-mei-{n}")).collect();
    let import = json!({"provider_name": "google", "keys": keys});
    let path = format!("{KEYS}/import");
    assert_eq!(mei.call("POST", &path, &import).await.json()["added"], 80);
    for key in &keys {
        refuse(&gateway, key, LEAKED);
    }
    assert_eq!(mei.generate().await.status, 200);
    let order: Vec<&str> = keys.iter().map(String::as_str).chain([SHARED]).collect();
    assert_eq!(shown(&gateway), order);
}

#[tokio::test]
async fn nobody_uses_the_keys_of_others() {
    let gateway = TestGateway::new().start().await;
    let (mei, ana) = (
        Member::new(&gateway, "mei").await,
        Member::new(&gateway, "ana").await,
    );
    mei.add("AIza-mei-1").await;
    ana.add("AIza-ana-1").await;
    let li = Member::new(&gateway, "li").await;
    for member in [&mei, &ana, &li] {
        assert_eq!(member.generate().await.status, 200);
    }
    assert_eq!(gateway.send(generate()).await.status, 200);
    assert_eq!(
        shown(&gateway),
        ["AIza-mei-1", "AIza-ana-1", SHARED, SHARED]
    );

    gateway.upstream.clear_seen();
    refuse(&gateway, "AIza-mei-1", LEAKED);
    refuse(&gateway, SHARED, LEAKED);
    assert_eq!(mei.generate().await.status, 503);
    assert_eq!(shown(&gateway), ["AIza-mei-1", SHARED]);
    assert_eq!(ana.generate().await.status, 200);
}

#[tokio::test]
async fn an_owners_key_that_fails_hurts_no_other_key() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    refuse(&gateway, "AIza-mei-1", LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(gateway.health(0), "active");
    assert_eq!(gateway.health(1), "retired Invalid");
    gateway.upstream.clear_seen();
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SHARED]);
}

#[tokio::test]
async fn when_everything_is_out_the_first_end_of_both_pools_is_told() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    // The owner's key is out for an hour, the shared one for less than a minute.
    refuse(&gateway, "AIza-mei-1", "402_prepay_depleted.json");
    refuse(&gateway, SHARED, PER_MINUTE);
    for _ in 0..2 {
        let answer = mei.generate().await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait} s");
    }
    assert_eq!(shown(&gateway), ["AIza-mei-1", SHARED]);
}

#[tokio::test]
async fn a_key_that_is_nobodys_fault_is_used_again_only_after_the_shared_pool() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    refuse(&gateway, "AIza-mei-1", "500_internal.json");
    refuse(&gateway, SHARED, "500_internal.json");
    let answer = mei.generate().await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_eq!(shown(&gateway), ["AIza-mei-1", SHARED, "AIza-mei-1"]);
    let record = gateway.record_of(&answer).await;
    assert_eq!(record.error, Some(Class::ServerError));
    assert!(record.attempts[2].chosen.contains("again: no other key"));
}

#[tokio::test]
async fn an_upload_stays_with_the_owners_key_that_began_it() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let second = mei.add("AIza-mei-2").await;
    let start = [
        ("x-goog-api-key", mei.client.as_str()),
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("content-type", "application/json"),
    ];
    let start = request("POST", "/upload/v1beta/files", &start, "{\"file\": {}}");
    let begun = gateway.send(start).await;
    let way_on = begun.header("x-goog-upload-url").to_owned();
    let way_on = way_on.strip_prefix("http://keymux.test").unwrap();
    mei.select(second).await;
    let rest = [
        ("x-goog-upload-command", "upload, finalize"),
        ("x-goog-upload-offset", "0"),
    ];
    let last = gateway.send(request("POST", way_on, &rest, "data")).await;
    assert_eq!(last.status, 200, "{}", last.text());
    assert_eq!(shown(&gateway), ["AIza-mei-1", "AIza-mei-1"]);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway)[2], "AIza-mei-2");
    let record = gateway.record_of(&last).await;
    assert_eq!(record.attempts[0].chosen, "began this upload");
}

#[tokio::test]
async fn a_key_that_changes_hands_leaves_the_shared_pool() {
    const LET_GO: &str = "AIza-key-2";
    let gateway = TestGateway::new().keys([SHARED, LET_GO]).start().await;
    let line = format!("    - {LET_GO}\n");
    let mut stopped = gateway.stop().await;
    stopped.yaml = stopped.yaml.replace(&line, "");
    let gateway = stopped.start().await.unwrap();
    let mei = Member::new(&gateway, "mei").await;
    let id = mei.add(LET_GO).await;
    assert_eq!(mei.selected().await, Some(id));
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(gateway.send(generate()).await.status, 200);
    assert_eq!(shown(&gateway), [LET_GO, SHARED]);
    assert_eq!(gateway.running.keys("google").len(), 2);
}

#[tokio::test]
async fn models_are_listed_with_the_owners_key() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let answer = mei
        .call("GET", "/v1/models", &serde_json::Value::Null)
        .await;
    assert_eq!(answer.status, 200);
    assert!(shown(&gateway).iter().all(|key| key == "AIza-mei-1"));
}

#[tokio::test]
async fn a_client_key_is_given_an_owner_while_the_program_runs() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let client = admin.make_client(json!({"name": "bare"})).await;
    let bare = Member {
        gateway: &gateway,
        client: client.secret.clone(),
    };
    bare.generate().await;
    let owned = json!({"name": "bare", "owner": "mei"});
    admin.put(&client.path(), owned).await.expect(200);
    bare.generate().await;
    assert_eq!(shown(&gateway), [SHARED, "AIza-mei-1"]);
}

#[tokio::test]
async fn what_is_known_of_owners_keys_survives_a_restart() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let client = mei.client.clone();
    refuse(&gateway, "AIza-mei-1", LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    gateway.saved().await;
    let gateway = gateway.restart().await;
    let mei = Member {
        gateway: &gateway,
        client,
    };
    gateway.upstream.clear_seen();
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SHARED]);
    let keys = mei.get(KEYS).await;
    assert_eq!(keys["items"][0]["status"], "invalid");
}
