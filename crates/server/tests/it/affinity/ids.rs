//! Agents, environments and credentials: interactions name them by their ids alone.

use serde_json::{Value, json};

use super::{Caller, OTHER_KEY, twenty};
use crate::support::MODEL;

async fn made(caller: &Caller<'_>, kind: &str, body: Value) -> String {
    let made = caller.made(&format!("/v1beta/{kind}"), body).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_interaction_runs_where_what_it_names_was_made() {
    let gateway = twenty().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    let environment = made(&mine, "environments", json!({})).await;
    // Others make theirs elsewhere, and models are asked in between.
    other.upload().await;
    gateway.generate().await;
    let credential = made(&mine, "credentials", json!({})).await;
    let agent = made(&mine, "agents", json!({"id": "sentinel"})).await;
    let voice = made(&mine, "voices", json!({})).await;
    let with = |more: Value| {
        let mut body = json!({"model": MODEL, "input": "hello"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    for body in [
        with(json!({"environment": environment})),
        with(
            json!({"environment": {"type": "remote", "environment_id": environment,
            "env": {"TOKEN": {"credential": credential}}}}),
        ),
        with(
            json!({"environment": {"type": "remote", "env": {"TOKEN": {"credential": credential}}}}),
        ),
        json!({"agent": agent, "input": "hello", "environment": environment}),
        with(json!({"generation_config": {"speech_config": [{"voice": voice}]}})),
    ] {
        for _ in 0..3 {
            mine.made("/v1beta/interactions", body.clone()).await;
        }
        let refused = other.ask("POST", "/v1beta/interactions", &body).await;
        assert_eq!(refused.status, 404, "{body}: {}", refused.text());
    }
    let fork = json!({"from_environment": environment});
    mine.made("/v1beta/environments", fork.clone()).await;
    let refused = other.ask("POST", "/v1beta/environments", &fork).await;
    assert_eq!(refused.status, 404, "{}", refused.text());
}

#[tokio::test]
async fn words_of_the_providers_own_are_nobodys_ids() {
    let gateway = twenty().await;
    for body in [
        json!({"agent": "deep-research-pro-preview", "input": "hello"}),
        json!({"model": MODEL, "input": "hello", "environment": "remote"}),
        json!({"model": MODEL, "input": "hello",
            "generation_config": {"speech_config": [{"voice": "Kore"}]}}),
    ] {
        Caller::new(&gateway)
            .made("/v1beta/interactions", body)
            .await;
    }
}

#[tokio::test]
async fn the_environment_of_an_interaction_is_found_again() {
    let gateway = twenty().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    for stream in [false, true] {
        let body =
            json!({"model": MODEL, "input": "hello", "environment": "remote", "stream": stream});
        let answer = mine.ask("POST", "/v1beta/interactions", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        let behind = text.split("\"environment_id\":").nth(1).unwrap();
        let id = behind.split('"').nth(1).unwrap();
        for _ in 0..5 {
            let found = mine.get(&format!("/v1beta/environments/{id}")).await;
            assert_eq!(found.status, 200, "stream {stream}: {}", found.text());
            let body = json!({"model": MODEL, "input": "and?", "environment": id});
            mine.made("/v1beta/interactions", body.clone()).await;
            let refused = other.ask("POST", "/v1beta/interactions", &body).await;
            assert_eq!(refused.status, 404, "stream {stream}: {}", refused.text());
        }
    }
}
