//! `GET /api/request_logs/{id}`: every attempt with why, and what requests look like that did not go well.

use domain::RequestRecord;
use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use serde_json::{Value, json};

use crate::support::{
    Answer, CLIENT_KEY, Connection, MODEL, Operator, TestGateway, eventually, generate, post,
    prompt,
};

/// The detail of one request, once it has been written.
async fn detail(gateway: &TestGateway, record: &RequestRecord) -> Value {
    let admin = Operator::admin(gateway).await;
    admin
        .read(&format!("/api/request_logs/{}", record.id))
        .await
}

async fn detail_of(gateway: &TestGateway, answer: &Answer) -> Value {
    let record = gateway.record_of(answer).await;
    detail(gateway, &record).await
}

#[tokio::test]
async fn a_failover_over_three_keys_tells_each_step() {
    let throttled = Rule::new()
        .key("AIza-key-1")
        .fixture("gemini/errors/429_per_minute_requests.json");
    let dead = FakeKey::new("AIza-key-2").fault(KeyFault::Leaked);
    let gateway = TestGateway::new()
        .upstream(
            gemini()
                .rule(throttled)
                .key(dead)
                .key(FakeKey::new("AIza-key-3")),
        )
        .keys([
            "{ key: AIza-key-1, label: first }",
            "AIza-key-2",
            "AIza-key-3",
        ])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 200);
    let detail = detail_of(&gateway, &answer).await;
    assert_eq!(
        (&detail["status"], &detail["error"]),
        (&json!(200), &Value::Null)
    );
    assert_eq!(detail["attempts"], 3);
    assert_eq!(detail["client"], "test");
    assert_eq!(
        (&detail["provider"], &detail["model"]),
        (&json!("google"), &json!(MODEL))
    );
    assert_eq!(detail["endpoint"], "generateContent");
    let attempts = detail["attempt_list"].as_array().unwrap();
    let told: Vec<Value> = attempts
        .iter()
        .map(|attempt| {
            json!([
                attempt["number"],
                attempt["status"],
                attempt["class"],
                attempt["why_this_key"],
                attempt["why_again"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([1, 429, "rate_limited", "fill_first of 3", null]),
            json!([
                2,
                403,
                "key_invalid",
                "fill_first of 2",
                format!(
                    "attempt 1 was rate_limited ({})",
                    attempts[0]["reason"].as_str().unwrap()
                )
            ]),
            json!([
                3,
                200,
                "ok",
                "fill_first of 1",
                format!(
                    "attempt 2 was key_invalid ({})",
                    attempts[1]["reason"].as_str().unwrap()
                )
            ]),
        ]
    );
    let keys: Vec<&Value> = attempts.iter().map(|attempt| &attempt["key"]).collect();
    assert_eq!(keys, ["first", "AI…-2", "AI…-3"]);
    assert_eq!(detail["key"], "AI…-3");
    assert!(attempts.iter().all(|attempt| attempt["egress"] == "direct"));
    let total = detail["latency_ms"].as_f64().unwrap();
    let parts = attempts
        .iter()
        .map(|attempt| attempt["latency_ms"].as_f64().unwrap());
    assert!(parts.clone().all(|part| part > 0.0) && parts.sum::<f64>() <= total);
    let first_byte = detail["first_byte_ms"].as_f64().unwrap();
    assert!(0.0 < first_byte && first_byte <= total);
    assert!(detail["tokens"]["total"].as_u64().unwrap() > 0);
    assert!(!detail.to_string().contains("AIza-key"), "{detail}");
}

/// What is told of a request that did not go well.
fn told(detail: &Value) -> Value {
    let class = detail["attempt_list"]
        .as_array()
        .unwrap()
        .last()
        .map(|attempt| attempt["class"].clone());
    json!([
        detail["status"],
        detail["error"],
        detail["stream"],
        detail["attempts"],
        class
    ])
}

#[tokio::test]
async fn a_caller_that_leaves_is_told_from_one_that_is_answered() {
    let gateway = TestGateway::new()
        .upstream(
            gemini()
                .says("abcdef")
                .rule(Rule::new().stall_after_chunks(2)),
        )
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let path = format!("/v1beta/models/{MODEL}:streamGenerateContent?alt=sse");
    let answer = caller.begin(post(&path, prompt("hi"))).await;
    drop((answer, caller));
    let found = detail(&gateway, &gateway.only_record().await).await;
    assert_eq!(told(&found), json!([200, "client_gone", true, 1, "ok"]));

    gateway.upstream.remove_rules();
    gateway.upstream.add_rule(Rule::new().stall_before_head());
    let mut caller = Connection::open(gateway.address).await;
    let asked = eventually("the provider is asked", async || {
        (gateway.upstream.count() == 2).then_some(())
    });
    tokio::select! {
        _ = caller.begin(generate()) => panic!("an answer came"),
        () = asked => {}
    }
    drop(caller);
    let found = detail(&gateway, &gateway.records(2).await[0]).await;
    assert_eq!(told(&found), json!([499, "client_gone", false, 0, null]));
    assert_eq!(found["first_byte_ms"], Value::Null);
}

#[tokio::test]
async fn a_stream_that_breaks_off_and_an_overload_are_told() {
    let gateway = TestGateway::new()
        .upstream(
            gemini()
                .says("abcdef")
                .rule(Rule::new().cut_after_chunks(2)),
        )
        .setting("retry.max_attempts", "1")
        .start()
        .await;
    let answer = gateway.stream().await;
    let found = detail_of(&gateway, &answer).await;
    assert_eq!(told(&found), json!([200, "truncated", true, 1, "ok"]));

    gateway.upstream.remove_rules();
    gateway
        .upstream
        .add_rule(Rule::new().fixture("gemini/errors/503_overloaded.json"));
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 503);
    let found = detail_of(&gateway, &answer).await;
    assert_eq!(
        told(&found),
        json!([503, "overloaded", false, 1, "overloaded"])
    );
    assert_eq!(found["tokens"], Value::Null);
}

#[tokio::test]
async fn what_keymux_refuses_is_told_without_an_attempt() {
    let limited = "- { name: limited, key: sk-limited-0001, allowed_models: [other-model] }\n\
                   - { name: slow, key: sk-slow-00000001, rpm: 1 }";
    let gateway = TestGateway::new().clients(limited).start().await;
    let check = async |secret: &str, status: u16, client: Value, model: Value| {
        let answer = gateway.generate_as(secret).await;
        assert_eq!(answer.status, status, "{secret}");
        let found = detail_of(&gateway, &answer).await;
        assert_eq!(
            told(&found),
            json!([status, "refused", false, 0, null]),
            "{secret}"
        );
        assert_eq!(
            (&found["client"], &found["model"]),
            (&client, &model),
            "{secret}"
        );
        assert_eq!(found["key_id"], Value::Null);
    };
    check("sk-wrong", 401, Value::Null, Value::Null).await;
    check("sk-limited-0001", 403, json!("limited"), json!(MODEL)).await;
    assert_eq!(gateway.generate_as("sk-slow-00000001").await.status, 200);
    check("sk-slow-00000001", 429, json!("slow"), json!(MODEL)).await;
    assert_eq!(gateway.upstream.count(), 1);
    assert_eq!(gateway.generate_as(CLIENT_KEY).await.status, 200);
}

#[tokio::test]
async fn an_id_that_names_nothing_is_404() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for id in [
        "0000000000000",
        "6gzkrb1p2nw0v",
        "nonsense",
        "1",
        "%00",
        "zzzzzzzzzzzzz",
    ] {
        let answer = admin.get(&format!("/api/request_logs/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.error()["code"], "not_found", "{id}");
    }
}
