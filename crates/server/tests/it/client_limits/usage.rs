//! Tokens and money are those that the provider tells: in every shape of answer, to its end or as far as it was read,
//! once for each request however many attempts it took.

use fake_upstream::{EmptyKind, Rule, gemini};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::Desk;
use crate::support::{
    ClientKey, Connection, MODEL, TestGateway, eventually, generate_path, prompt,
};

/// Tokens of every kind, as `generateContent` tells them.
fn usage() -> Value {
    json!({
        "promptTokenCount": 1000, "cachedContentTokenCount": 400, "candidatesTokenCount": 50,
        "thoughtsTokenCount": 30, "totalTokenCount": 1080,
    })
}

/// The same as interactions tell them.
fn interaction_usage() -> Value {
    json!({
        "total_input_tokens": 1000, "total_cached_tokens": 400, "total_output_tokens": 50,
        "total_thought_tokens": 30, "total_tokens": 1080,
    })
}

/// What both are at 0.75 USD for input, 0.075 for cached input and 3.75 for output: 600, 400 and 80 tokens.
const TOKENS: u64 = 1080;
const NANODOLLARS: u64 = 600 * 750 + 400 * 75 + 80 * 3_750;

fn said(usage: &Value) -> String {
    json!({
        "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": usage, "modelVersion": MODEL,
    })
    .to_string()
}

fn interaction() -> Value {
    json!({
        "id": "v1_x", "object": "interaction", "model": MODEL, "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "hi"}]}],
        "usage": interaction_usage(),
    })
}

fn events(documents: &[String]) -> String {
    format!("data: {}\r\n\r\n", documents.join("\r\n\r\ndata: "))
}

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";

/// A call, and the answer to it that takes [`TOKENS`].
struct Shape {
    path: String,
    content_type: &'static str,
    body: String,
}

/// Every shape in which usage is told.
fn shapes() -> Vec<Shape> {
    let shape = |path: &str, content_type, body| Shape {
        path: path.to_owned(),
        content_type,
        body,
    };
    let stream = format!("/v1beta/models/{MODEL}:streamGenerateContent");
    let begun = json!({"usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000}});
    let (begun, ended) = (begun.to_string(), said(&usage()));
    let delta = json!({"event_type": "step.delta", "delta": {"type": "text", "text": "hi"}});
    let completed = json!({"event_type": "interaction.completed", "interaction": interaction()});
    vec![
        shape(&generate_path(MODEL), JSON, ended.clone()),
        shape(&stream, JSON, format!("[{begun},\r\n{ended}]")),
        shape(&format!("{stream}?alt=sse"), SSE, events(&[begun, ended])),
        shape("/v1beta/interactions", JSON, interaction().to_string()),
        shape(
            "/v1beta/interactions",
            SSE,
            events(&[delta.to_string(), completed.to_string()]),
        ),
    ]
}

/// A gateway whose provider answers so.
async fn answering(rule: Rule) -> Desk {
    Desk::open(
        TestGateway::new()
            .upstream(gemini().rule(rule))
            // One of the models is somebody's own.
            .setting("affinity.isolation", "none")
            .start()
            .await,
    )
    .await
}

fn respond(shape: &Shape) -> Rule {
    Rule::new().respond_with(
        200,
        &[("content-type", shape.content_type)],
        shape.body.clone(),
    )
}

async fn send_to_end(desk: &Desk, client: &ClientKey, call: Request<Full<bytes::Bytes>>) {
    let answer = desk.gateway.send(call).await;
    assert_eq!(
        (answer.status, answer.is_whole),
        (200, true),
        "{}",
        answer.text()
    );
    desk.idle(client).await;
}

/// What a client key has used: tokens, and billionths of a dollar.
async fn taken(desk: &Desk, client: &ClientKey) -> (u64, u64) {
    (
        desk.used(client, "tpd").await,
        desk.used(client, "budget").await,
    )
}

#[tokio::test]
async fn every_shape_of_answer_is_counted() {
    for shape in shapes() {
        let desk = answering(respond(&shape)).await;
        let client = desk.client(json!({})).await;
        send_to_end(&desk, &client, client.post(&shape.path, prompt("hi"))).await;
        let text = format!("{} as {}", shape.path, shape.content_type);
        assert_eq!(taken(&desk, &client).await, (TOKENS, NANODOLLARS), "{text}");
        assert_eq!(desk.used(&client, "tpm").await, TOKENS, "{text}");
    }
}

#[tokio::test]
async fn answers_behind_heartbeats_are_counted() {
    for shape in shapes()
        .iter()
        .filter(|shape| shape.path.ends_with("alt=sse"))
    {
        let gateway = TestGateway::new()
            .upstream(gemini().rule(respond(shape)))
            .setting("retry.heartbeat", "1s");
        let desk = Desk::open(gateway.start().await).await;
        let client = desk.client(json!({})).await;
        send_to_end(&desk, &client, client.post(&shape.path, prompt("hi"))).await;
        assert_eq!(taken(&desk, &client).await, (TOKENS, NANODOLLARS));
    }
}

#[tokio::test]
async fn cost_is_in_the_metrics_too() {
    let desk = answering(respond(&shapes()[0])).await;
    let client = desk.client(json!({})).await;
    send_to_end(&desk, &client, client.generate()).await;
    let metrics = desk.gateway.get("/metrics").await.text();
    let line = format!("keymux_cost_usd_total{{model=\"{MODEL}\",provider=\"google\"}} 0.00078");
    assert!(metrics.contains(&line), "{metrics}");
}

/// A stream whose running totals grow, which is over after two of its three chunks.
async fn half_a_stream(rule: Rule) -> (Desk, ClientKey) {
    let script = gemini().says("one two three four five six seven eight nine");
    let gateway = TestGateway::new().upstream(script.rule(rule)).start().await;
    let desk = Desk::open(gateway).await;
    let client = desk.client(json!({})).await;
    (desk, client)
}

/// What was read of it is counted, and what was not is not.
async fn check_half(desk: &Desk, client: &ClientKey) {
    desk.idle(client).await;
    let (half, money) = taken(desk, client).await;
    let whole = Desk::open(
        TestGateway::new()
            .upstream(gemini().says("one two three four five six seven eight nine"))
            .start()
            .await,
    )
    .await;
    let other = whole.client(json!({})).await;
    send_to_end(&whole, &other, other.stream()).await;
    let (all, _) = taken(&whole, &other).await;
    assert!(
        0 < half && half < all && money > 0,
        "{half} of {all} tokens, {money}"
    );
}

#[tokio::test]
async fn of_a_stream_that_breaks_off_what_was_read_counts() {
    let (desk, client) = half_a_stream(Rule::new().cut_after_chunks(2)).await;
    let answer = desk.gateway.send(client.stream()).await;
    assert_eq!(answer.error()["code"], 503);
    check_half(&desk, &client).await;
}

#[tokio::test]
async fn of_a_stream_that_the_caller_leaves_what_was_read_counts() {
    let (desk, client) = half_a_stream(Rule::new().stall_after_chunks(2)).await;
    let mut caller = Connection::open(desk.gateway.address).await;
    let answer = caller.begin(client.stream()).await;
    assert_eq!(desk.used(&client, "concurrent").await, 1);
    drop((answer, caller));
    check_half(&desk, &client).await;
}

#[tokio::test]
async fn of_several_attempts_only_the_answer_counts() {
    let empty = Rule::new().times(1).empty(EmptyKind::NoCandidates);
    let broken = Rule::new()
        .times(1)
        .fixture("gemini/errors/500_internal.json");
    let script = gemini()
        .rule(empty)
        .rule(broken)
        .rule(respond(&shapes()[0]));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(["AIza-key-1", "AIza-key-2"]);
    let desk = Desk::open(gateway.start().await).await;
    let client = desk.client(json!({"rpd": 1})).await;
    send_to_end(&desk, &client, client.generate()).await;
    assert_eq!(desk.gateway.upstream.count(), 3);
    assert_eq!(taken(&desk, &client).await, (TOKENS, NANODOLLARS));
    assert_eq!(desk.used(&client, "rpd").await, 1);
}

#[tokio::test]
async fn a_model_without_a_price_costs_nothing_and_its_tokens_count() {
    let body = json!({
        "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": usage(), "modelVersion": "house-model-7",
    });
    let desk = answering(Rule::new().respond(200, body.to_string())).await;
    let client = desk.client(json!({"budget_usd": 0.000_001})).await;
    let path = generate_path("house-model");
    for asked in 1..=2 {
        send_to_end(&desk, &client, client.post(&path, prompt("hi"))).await;
        assert_eq!(taken(&desk, &client).await, (asked * TOKENS, 0));
    }
    let records = desk.gateway.records(2).await;
    assert!(records.iter().all(|record| record.cost.is_none()));
}

#[tokio::test]
async fn another_name_for_a_model_has_the_price_of_the_model_that_answers() {
    let tuned = "/v1beta/tunedModels/mine:generateContent".to_owned();
    for path in [generate_path("house-model"), tuned] {
        let desk = answering(Rule::new().respond(200, said(&usage()))).await;
        let client = desk.client(json!({})).await;
        send_to_end(&desk, &client, client.post(&path, prompt("hi"))).await;
        assert_eq!(taken(&desk, &client).await, (TOKENS, NANODOLLARS), "{path}");
    }
}

#[tokio::test]
async fn what_takes_no_tokens_is_a_request_and_no_more() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    let count = format!("/v1beta/models/{MODEL}:countTokens");
    let model = format!("/v1beta/models/{MODEL}");
    for (method, path) in [("POST", &*count), ("GET", &*model), ("HEAD", &*model)] {
        let call = client.send(method, path, &[], prompt("hi"));
        assert_eq!(desk.gateway.send(call).await.status, 200, "{method} {path}");
    }
    desk.idle(&client).await;
    assert_eq!(taken(&desk, &client).await, (0, 0));
    assert_eq!(desk.used(&client, "rpd").await, 3);
}

#[tokio::test]
async fn a_cache_counts_when_it_is_made_and_not_when_it_is_looked_at() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    let text = "one two three four five six seven eight ".repeat(20);
    let body = json!({"model": MODEL, "contents": [{"role": "user", "parts": [{"text": text}]}]});
    let made = desk
        .gateway
        .send(client.post("/v1beta/cachedContents", body.to_string()))
        .await;
    desk.idle(&client).await;
    let (tokens, _) = taken(&desk, &client).await;
    assert!(tokens > 0, "{}", made.text());
    let path = format!("/v1beta/{}", made.json()["name"].as_str().unwrap());
    for (method, body) in [("GET", ""), ("PATCH", r#"{"ttl": "600s"}"#), ("DELETE", "")] {
        let answer = desk
            .gateway
            .send(client.send(method, &path, &[], body))
            .await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
    }
    desk.idle(&client).await;
    assert_eq!(taken(&desk, &client).await.0, tokens);
}

#[tokio::test]
async fn errors_take_nothing_and_are_requests() {
    let desk = answering(Rule::new().fixture("gemini/errors/400_invalid_argument.json")).await;
    let client = desk.client(json!({"rpd": 2})).await;
    for expected in [400, 400, 429] {
        assert_eq!(desk.generate(&client).await.status, expected);
    }
    desk.idle(&client).await;
    assert_eq!(taken(&desk, &client).await, (0, 0));
}

#[tokio::test]
async fn an_answer_counts_when_it_is_over() {
    let shape = &shapes()[0];
    let desk = answering(respond(shape)).await;
    let client = desk.client(json!({"tpd": TOKENS})).await;
    send_to_end(&desk, &client, client.generate()).await;
    let refused = desk.generate(&client).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-remaining-tokens"), "0");
    let record = eventually("it is written", async || {
        let records = desk.gateway.records(1).await;
        records.into_iter().find(|record| record.status == 200)
    })
    .await;
    assert_eq!(
        record.cost.map(|cost| cost.0),
        i64::try_from(NANODOLLARS).ok()
    );
}
