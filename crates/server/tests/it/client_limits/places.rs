//! A request's place among those at the same time is free again however the request ends.

use fake_upstream::{Rule, gemini};
use serde_json::json;

use super::Desk;
use crate::support::{
    ClientKey, Connection, MODEL, Socket, TestGateway, eventually, generate_path, prompt,
};

/// keymux in front of a provider that does this, and a client key with one place.
async fn one_place(rule: Rule, settings: &[(&str, &str)]) -> (Desk, ClientKey) {
    let mut gateway = TestGateway::new().upstream(gemini().rule(rule));
    for (name, value) in settings {
        gateway = gateway.setting(name, value);
    }
    let desk = Desk::open(gateway.start().await).await;
    let client = desk.client(json!({"max_concurrent": 1})).await;
    (desk, client)
}

/// The place is free: another request gets it.
async fn check_free(desk: &Desk, client: &ClientKey) {
    desk.idle(client).await;
    let path = format!("/v1beta/models/{MODEL}");
    let answer = desk.gateway.send(client.send("GET", &path, &[], "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    desk.idle(client).await;
}

/// Only requests for an answer are held up by the rule.
fn generating(rule: Rule, method: &str) -> Rule {
    rule.method(method)
}

#[tokio::test]
async fn when_the_caller_leaves_before_the_head() {
    for settings in [&[][..], &[("retry.heartbeat", "20ms")]] {
        let rule = generating(Rule::new().stall_before_head(), "streamGenerateContent");
        let (desk, client) = one_place(rule, settings).await;
        let mut caller = Connection::open(desk.gateway.address).await;
        let asked = async {
            // With heartbeats the head comes at once; without, it does not come.
            let _head = caller.begin(client.stream()).await;
            std::future::pending::<()>().await;
        };
        let is_under_way = eventually("the provider is asked", async || {
            let is_asked = desk.gateway.upstream.count() == 1;
            (is_asked && desk.used(&client, "concurrent").await == 1).then_some(())
        });
        tokio::select! {
            () = asked => {}
            () = is_under_way => {}
        }
        drop(caller);
        check_free(&desk, &client).await;
    }
}

#[tokio::test]
async fn when_the_caller_leaves_in_mid_stream() {
    for settings in [&[][..], &[("retry.heartbeat", "20ms")]] {
        let rule = generating(Rule::new().stall_after_chunks(1), "streamGenerateContent");
        let (desk, client) = one_place(rule, settings).await;
        let mut caller = Connection::open(desk.gateway.address).await;
        let answer = caller.begin(client.stream()).await;
        assert_eq!(desk.used(&client, "concurrent").await, 1);
        assert_eq!(desk.generate(&client).await.status, 429);
        drop((answer, caller));
        check_free(&desk, &client).await;
    }
}

#[tokio::test]
async fn when_the_caller_leaves_in_its_own_body() {
    let (desk, client) = one_place(Rule::new(), &[]).await;
    for framing in [
        "content-length: 1000\r\n\r\n{",
        "transfer-encoding: chunked\r\n\r\n5\r\n{",
    ] {
        let mut caller = Socket::open(desk.gateway.address).await;
        let path = generate_path(MODEL);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nx-goog-api-key: {}",
            client.secret
        );
        caller.send(format!("{head}\r\n{framing}")).await;
        eventually("it is let in", async || {
            (desk.used(&client, "concurrent").await == 1).then_some(())
        })
        .await;
        drop(caller);
        check_free(&desk, &client).await;
    }
}

#[tokio::test]
async fn when_the_provider_fails() {
    for rule in [
        Rule::new().reset(),
        Rule::new().close(),
        Rule::new().garbage(),
        Rule::new().cut_after_chunks(1),
        Rule::new().reset_after_chunks(2),
        Rule::new().error_after_chunks(1, "gemini/errors/503_overloaded.json"),
        Rule::new().fixture("gemini/errors/403_key_leaked.json"),
        Rule::new().stall_after_chunks(1),
        Rule::new().stall_before_head(),
    ] {
        for heartbeat in ["0s", "20ms"] {
            let rule = generating(rule.clone(), "streamGenerateContent");
            let settings = [
                ("retry.heartbeat", heartbeat),
                ("retry.max_attempts", "1"),
                ("retry.deadline", "1s"),
                ("pool.stream_idle_timeout", "1s"),
                ("pool.request_timeout", "1s"),
            ];
            let (desk, client) = one_place(rule, &settings).await;
            desk.gateway.send(client.stream()).await;
            desk.idle(&client).await;
        }
    }
}

#[tokio::test]
async fn when_keymux_refuses_it_later() {
    let (desk, client) = one_place(Rule::new(), &[("server.max_body", "1KiB")]).await;
    let path = generate_path(MODEL);
    let large = vec![b' '; 2_000];
    let masked = [("x-http-method-override", "GET")];
    for (call, status) in [
        (client.post(&path, large), 413),
        (client.send("POST", &path, &masked, prompt("hi")), 400),
        (client.post(&format!("{path}?alt=proto"), prompt("hi")), 400),
        (
            client.post(&generate_path("gemini-nobody"), prompt("hi")),
            404,
        ),
    ] {
        assert_eq!(desk.gateway.send(call).await.status, status);
        check_free(&desk, &client).await;
    }
    assert_eq!(
        desk.used(&client, "rpd").await,
        8,
        "what is let in is counted"
    );
}

#[tokio::test]
async fn while_a_connection_is_kept_open() {
    let (desk, client) = one_place(Rule::new(), &[]).await;
    let mut caller = Connection::open(desk.gateway.address).await;
    for _ in 0..20 {
        assert_eq!(caller.send(client.generate()).await.status, 200);
        assert_eq!(caller.send(client.stream()).await.status, 200);
    }
}

#[tokio::test]
async fn when_the_client_key_is_changed_or_deleted_meanwhile() {
    let rule = generating(Rule::new().stall_after_chunks(1), "streamGenerateContent");
    let (desk, client) = one_place(rule, &[]).await;
    let mut caller = Connection::open(desk.gateway.address).await;
    let answer = caller.begin(client.stream()).await;
    desk.limit(&client, json!({"max_concurrent": 1, "rpd": 100}))
        .await;
    assert_eq!(desk.used(&client, "concurrent").await, 1);
    assert_eq!(desk.generate(&client).await.status, 429);
    drop((answer, caller));
    check_free(&desk, &client).await;
    let mut caller = Connection::open(desk.gateway.address).await;
    let answer = caller.begin(client.stream()).await;
    desk.delete(&client).await;
    assert_eq!(desk.generate(&client).await.status, 401);
    drop((answer, caller));
    let record = desk.gateway.records(1).await;
    assert!(
        record
            .iter()
            .all(|record| record.client.is_none_or(|id| id.0 == client.id))
    );
}

#[tokio::test]
async fn a_request_that_waits_for_a_key_holds_its_place() {
    let limited = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let settings = [("retry.wait_for_key", "1m")];
    let (desk, client) = one_place(generating(limited, "generateContent"), &settings).await;
    let mut caller = Connection::open(desk.gateway.address).await;
    let refused = async {
        eventually("the key is cooling", async || {
            (desk.gateway.pair_cooling(0) > 0).then_some(())
        })
        .await;
        desk.generate(&client).await.status
    };
    tokio::select! {
        _ = caller.begin(client.generate()) => panic!("an answer came"),
        status = refused => assert_eq!(status, 429),
    }
    drop(caller);
    desk.idle(&client).await;
}
