//! Perplexity: the retired endpoints, the Agent API, embeddings in bytes, every fault.

use base64::Engine;
use fake_upstream::{EmptyKind, FakeKey, FakeUpstream, KeyFault, Rule, perplexity};
use serde_json::{Value, json};

use crate::support::{Answer, check_faults, chunks, get, post};

const KEY: &str = "pplx-1";

async fn send(upstream: &FakeUpstream, path: &str, body: &Value) -> Answer {
    post(path, body.to_string())
        .bearer(KEY)
        .send(upstream)
        .await
}

/// A response of Sonar that searches the web, with these members besides.
async fn ask(upstream: &FakeUpstream, members: Value) -> Answer {
    let mut body = json!({
        "model": "perplexity/sonar",
        "input": [{"type": "message", "role": "user", "content": "Capital of Norway?"}],
        "tools": [{"type": "web_search"}],
    });
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    send(upstream, "/v1/responses", &body).await
}

fn texts(body: &Value) -> Vec<&str> {
    let items = body["output"].as_array().unwrap();
    items
        .iter()
        .filter_map(|item| item["content"][0]["text"].as_str())
        .collect()
}

fn weather() -> Value {
    json!([{
        "type": "function",
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }])
}

#[tokio::test]
async fn chat_completions_are_retired_for_good_keys_and_closed_to_bad_ones() {
    let upstream = perplexity().key(FakeKey::new(KEY)).start().await;
    for path in ["/chat/completions", "/v1/sonar", "/async/chat/completions"] {
        let answer = send(&upstream, path, &json!({})).await;
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.status.as_u16(), &error["code"]),
            (403, &json!(403)),
            "{path}"
        );
        assert_eq!(error["type"], "chat_completions_not_available");
    }
    let bad = post("/chat/completions", "{}")
        .bearer("pplx-2")
        .send(&upstream)
        .await;
    assert_eq!(
        (bad.status.as_u16(), &bad.json()["error"]["type"]),
        (401, &json!("invalid_api_key"))
    );
    assert_eq!(
        send(&upstream, "/v1/chat/completions", &json!({}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_answer_has_its_sources_its_markers_and_its_cost() {
    let upstream = perplexity().says("Oslo.").start().await;
    let body = ask(&upstream, json!({})).await.json();
    assert_eq!(body["status"], "completed");
    let sources = &body["output"][0];
    assert_eq!(
        (&sources["type"], &sources["results"][0]["id"]),
        (&json!("search_results"), &json!(1))
    );
    assert_eq!(texts(&body), ["Oslo.[1][2]"]);
    assert_eq!(
        body["usage"]["tool_calls_details"]["search_web"]["invocation"],
        1
    );
    let cost = &body["usage"]["cost"];
    let sum = ["input_cost", "output_cost", "tool_calls_cost"]
        .iter()
        .map(|part| cost[part].as_f64().unwrap())
        .sum::<f64>();
    assert!((cost["total_cost"].as_f64().unwrap() - sum).abs() < 1e-12);
    let plain = ask(&upstream, json!({"tools": null})).await.json();
    assert_eq!(texts(&plain), ["Oslo."]);
    assert_eq!(plain["output"].as_array().unwrap().len(), 1);
    let path = format!("/v1/responses/{}", body["id"].as_str().unwrap());
    assert_eq!(get(&path).bearer(KEY).send(&upstream).await.json(), body);
    assert_eq!(
        get(&path).bearer("pplx-2").send(&upstream).await.status,
        404
    );
}

#[tokio::test]
async fn a_stream_shows_the_internal_call_and_resolves_the_model() {
    let upstream = perplexity().says("Oslo.").start().await;
    let stream = ask(
        &upstream,
        json!({"preset": "fast", "model": null, "stream": true}),
    )
    .await;
    let events = chunks(&stream);
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let delta = "response.output_text.delta";
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning.search_queries",
        "response.reasoning.search_results",
        "response.output_item.done",
        "response.output_item.added",
        delta,
        delta,
        delta,
        "response.output_text.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(names, expected);
    assert_eq!(events[0]["response"]["model"], "fast");
    assert_eq!(events[2]["item"]["name"], "search_web");
    assert_eq!(
        (&events[2]["output_index"], &events[5]["output_index"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(events[6]["item"]["content"], Value::Null);
    let last = &events.last().unwrap()["response"];
    assert_eq!(last["model"], "openai/gpt-6-luna");
    assert!(last["usage"]["cost"]["total_cost"].is_f64());
    assert!(
        stream
            .text()
            .starts_with("event: response.created\ndata: {")
    );
}

#[tokio::test]
async fn functions_go_there_and_back() {
    let upstream = perplexity().start().await;
    let question = json!({"type": "message", "role": "user", "content": "Weather in Oslo?"});
    let body = ask(&upstream, json!({"input": [question], "tools": weather()}))
        .await
        .json();
    let call = &body["output"][0];
    assert_eq!(
        (&call["name"], &call["arguments"]),
        (&json!("weather"), &json!("{\"city\":\"Oslo\"}"))
    );
    let result =
        json!({"type": "function_call_output", "call_id": call["call_id"], "output": "7 °C"});
    let input = json!([question, call, result]);
    let body = ask(&upstream, json!({"input": input, "tools": weather()}))
        .await
        .json();
    assert_eq!(texts(&body), ["The function weather returned \"7 °C\"."]);
    let stray = json!({"input": [question, {"type": "function_call_output", "call_id": "x", "output": ""}]});
    assert_eq!(ask(&upstream, stray).await.status, 400);
    let stream = ask(&upstream, json!({"tools": weather(), "stream": true})).await;
    let events = chunks(&stream);
    assert_eq!(events[2]["item"]["name"], "weather");
}

#[tokio::test]
async fn structured_answers_carry_no_markers() {
    let upstream = perplexity().start().await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "out", "schema": schema}});
    let body = ask(&upstream, json!({"response_format": format}))
        .await
        .json();
    assert_eq!(texts(&body), ["{\"n\":1}"]);
}

#[tokio::test]
async fn wrong_requests_are_refused_as_documented() {
    let item = |item: Value| json!({"input": [item]});
    let cases = [
        (
            json!({"model": "sonar"}),
            400,
            "validation failed: model \\\"sonar\\\" is not supported",
        ),
        (
            json!({"model": null}),
            400,
            "one of model, models, preset is required",
        ),
        (json!({"preset": "turbo"}), 400, "preset \\\"turbo\\\""),
        (
            json!({"model": "anthropic/claude-sonnet-5"}),
            400,
            "max_output_tokens is required",
        ),
        (
            json!({"max_output_tokens": 15}),
            400,
            "max_output_tokens must be at least 16",
        ),
        (json!({"max_steps": 101}), 400, "max_steps"),
        (
            json!({"tools": [{"type": "crystal_ball"}]}),
            400,
            "unknown discriminator value: crystal_ball",
        ),
        (
            item(json!({"role": "user", "content": "x"})),
            422,
            "input[0]",
        ),
        (
            item(json!({"type": "riddle"})),
            400,
            "unknown discriminator value: riddle",
        ),
        (json!({"input": null}), 422, "Field required"),
        (json!({"stream": "yes"}), 422, "Input should be a boolean"),
    ];
    let upstream = perplexity().start().await;
    for (members, status, words) in cases {
        let answer = ask(&upstream, members.clone()).await;
        assert_eq!(answer.status, status, "{members}: {}", answer.text());
        assert!(
            answer.text().contains(words),
            "{members}: {}",
            answer.text()
        );
    }
    assert_eq!(
        ask(&upstream, json!({"max_output_tokens": 16}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_failure_comes_with_a_200() {
    let upstream = perplexity().rule(Rule::new().failed()).start().await;
    let answer = ask(&upstream, json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]),
        (200, &json!("failed"))
    );
    assert_eq!(answer.json()["error"]["type"], "server_error");
    let events = chunks(&ask(&upstream, json!({"stream": true})).await);
    assert_eq!(
        (events.len(), &events[2]["type"]),
        (3, &json!("response.failed"))
    );
    assert!(events[2]["error"]["message"].is_string());
}

#[tokio::test]
async fn empty_and_cut_answers_are_still_responses() {
    let forms = [
        (Rule::new().empty(EmptyKind::NoCandidates), "completed", 1),
        (Rule::new().empty(EmptyKind::StopNoParts), "completed", 2),
        (Rule::new().blocked_prompt(), "incomplete", 1),
        (Rule::new().blocked_safety(), "incomplete", 2),
    ];
    for (rule, status, items) in forms {
        let upstream = perplexity().rule(rule.clone()).start().await;
        let body = ask(&upstream, json!({})).await.json();
        assert_eq!(
            (&body["status"], body["output"].as_array().unwrap().len()),
            (&json!(status), items),
            "{rule:?}"
        );
    }
    let upstream = perplexity().says("A long story without end, and then some more of it.");
    let body = ask(&upstream.start().await, json!({"max_output_tokens": 16}))
        .await
        .json();
    assert_eq!(body["status"], "completed");
}

#[tokio::test]
async fn models_need_a_key_and_embeddings_come_in_bytes() {
    let upstream = perplexity().start().await;
    assert_eq!(get("/v1/models").send_bare(&upstream).await.status, 401);
    let models = get("/v1/models").bearer(KEY).send(&upstream).await.json();
    assert_eq!(models["data"][0]["pricing"]["unit"], "usd_per_1m_tokens");
    let body = |format: &str| json!({"model": "pplx-embed-v1-0.6b", "input": ["a"], "dimensions": 8, "encoding_format": format});
    let vector = send(&upstream, "/v1/embeddings", &body("base64_int8"))
        .await
        .json();
    let text = vector["data"][0]["embedding"].as_str().unwrap();
    assert_eq!(
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap()
            .len(),
        8
    );
    assert_eq!(
        send(&upstream, "/v1/embeddings", &body("float"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn every_fault_has_its_status_and_type() {
    let cases = [
        (KeyFault::Invalid, 401, "invalid_api_key"),
        (KeyFault::InvalidOld, 401, "401 Authorization Required"),
        (KeyFault::PrepayLegacy, 401, "insufficient_quota"),
        (KeyFault::PrepayDepleted, 402, "payment_required"),
        (
            KeyFault::WrongKind,
            403,
            "does not accept organization API keys",
        ),
        (KeyFault::NoPermission, 403, "permission_denied"),
        (
            KeyFault::ModelDenied,
            400,
            "perplexity/sonar\\\" is not supported",
        ),
        (KeyFault::PerMinute, 429, "rate_limit_exceeded"),
        (KeyFault::Internal, 500, "internal_server_error"),
        (KeyFault::BadGateway, 502, "<html>"),
        (KeyFault::Overloaded, 503, "service_unavailable"),
        (KeyFault::Deadline, 504, "<html>"),
    ];
    let upstream = perplexity().start().await;
    let key = FakeKey::new(KEY);
    check_faults(&upstream, &key, cases, async || {
        ask(&upstream, json!({})).await
    })
    .await;
}

#[tokio::test]
async fn an_organisation_shares_its_limit_and_is_told_when_to_come_back() {
    let key = |name: &str| FakeKey::new(name).project("org").rpm("*", 1);
    let upstream = perplexity().key(key(KEY)).key(key("pplx-2")).start().await;
    assert_eq!(ask(&upstream, json!({})).await.status, 200);
    let body = json!({"model": "perplexity/sonar", "input": "Hi"}).to_string();
    let other = post("/v1/agent", body)
        .bearer("pplx-2")
        .send(&upstream)
        .await;
    assert_eq!(other.status, 429);
    let seconds: u64 = other.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(other.json()["error"]["code"], 429);
}
