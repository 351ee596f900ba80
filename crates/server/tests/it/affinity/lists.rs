//! One list over several projects: whole, paged, and of the caller's things alone.

use std::collections::BTreeSet;

use fake_upstream::Rule;
use serde_json::json;

use super::{Caller, OTHER_KEY, name, twenty};
use crate::support::{CLIENT_KEY, Operator, TestGateway};

/// Every name of a list, page by page.
async fn all(caller: &Caller<'_>, path: &str, member: &str, page_size: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut token = String::new();
    loop {
        let page = format!("{path}?pageSize={page_size}&pageToken={token}");
        let answer = caller.get(&page).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let items = page[member].as_array().cloned().unwrap_or_default();
        assert!(items.len() <= page_size);
        for item in &items {
            assert!(names.insert(name(item)), "{item} comes twice");
        }
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return names,
        }
    }
}

#[tokio::test]
async fn lists_hold_what_the_caller_has_in_every_project() {
    let gateway = twenty().await;
    let admin = Operator::admin(&gateway).await;
    admin.make_user("mei", "member").await;
    let mut expected = BTreeSet::new();
    let mut last = String::new();
    for number in 0..6 {
        let client = json!({"name": format!("mei-{number}"), "owner": "mei"});
        last = admin.make_client(client).await.secret;
        let caller = Caller::with(&gateway, &last);
        for _ in 0..3 {
            expected.insert(name(&caller.upload().await));
            // In the same projects there is more, which is not theirs.
            Caller::with(&gateway, CLIENT_KEY).upload().await;
        }
    }
    let mei = Caller::with(&gateway, &last);
    for page_size in [1, 4, 100] {
        assert_eq!(
            all(&mei, "/v1beta/files", "files", page_size).await,
            expected
        );
    }
    assert_eq!(
        all(&Caller::new(&gateway), "/v1beta/files", "files", 7)
            .await
            .len(),
        18
    );
    let nothing = Caller::with(&gateway, OTHER_KEY).get("/v1beta/files").await;
    assert_eq!((nothing.status, nothing.text()), (200, "{}".to_owned()));
}

#[tokio::test]
async fn batches_are_listed_as_the_provider_calls_them() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    let batch = json!({"batch": {"inputConfig": {"requests": {"requests": []}}}});
    let path = format!(
        "/v1beta/models/{}:batchGenerateContent",
        crate::support::MODEL
    );
    let mut expected = BTreeSet::new();
    for _ in 0..4 {
        expected.insert(name(&caller.made(&path, batch.clone()).await));
    }
    assert_eq!(
        all(&caller, "/v1beta/batches", "operations", 3).await,
        expected
    );
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_by_name() {
    let gateway = twenty().await;
    for query in ["pageToken=nonsense", "pageSize=many"] {
        let answer = gateway.get(&format!("/v1beta/files?{query}")).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let said = answer.error()["message"].as_str().unwrap().to_owned();
        assert!(said.contains(query.split('=').next().unwrap()), "{said}");
    }
}

#[tokio::test]
async fn a_project_that_is_silent_or_fails_does_not_hold_up_the_list() {
    let gateway = TestGateway::new()
        .keys((1..=20).map(|key| format!("AIza-key-{key:02}")))
        .setting("retry.deadline", "4s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    admin.make_user("mei", "member").await;
    let (mut made, mut last) = (Vec::new(), String::new());
    for number in 0..4 {
        let client = json!({"name": format!("mei-{number}"), "owner": "mei"});
        last = admin.make_client(client).await.secret;
        let file = Caller::with(&gateway, &last).upload().await;
        let key = gateway.upstream.seen().last().unwrap().key.clone();
        made.push((name(&file), key.unwrap()));
    }
    let mei = Caller::with(&gateway, &last);
    let ((_, silent), (_, broken)) = (&made[0], &made[1]);
    let lists = || Rule::new().path_contains("/files");
    gateway
        .upstream
        .add_rule(lists().key(silent).stall_before_head());
    let overloaded = "gemini/errors/503_overloaded.json";
    gateway
        .upstream
        .add_rule(lists().key(broken).fixture(overloaded));
    let expected = made
        .iter()
        .filter(|(_, key)| key != silent && key != broken);
    let expected: BTreeSet<String> = expected.map(|(name, _)| name.clone()).collect();
    assert_eq!(all(&mei, "/v1beta/files", "files", 50).await, expected);
    // Where nobody answers, nothing is known.
    gateway.upstream.remove_rules();
    gateway.upstream.add_rule(lists().stall_before_head());
    let nothing = mei.get("/v1beta/files").await;
    assert_eq!(nothing.status, 504, "{}", nothing.text());
}
