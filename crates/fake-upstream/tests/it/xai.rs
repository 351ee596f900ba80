//! xAI: what it does differently from OpenAI, and every row of its errors.

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, Rule, xai};
use serde_json::{Value, json};

use crate::support::{Answer, check_faults, chunks, get, post, streamed_text, user, weather_tool};

const KEY: &str = "xai-0123456789jU";

async fn send(upstream: &FakeUpstream, path: &str, body: &Value) -> Answer {
    post(path, body.to_string())
        .bearer(KEY)
        .send(upstream)
        .await
}

async fn chat(upstream: &FakeUpstream, members: Value) -> Answer {
    let mut body = json!({"model": "grok-4.6", "messages": [user("Hi")]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    send(upstream, "/v1/chat/completions", &body).await
}

#[tokio::test]
async fn usage_leaves_reasoning_out_and_tells_the_cost() {
    let upstream = xai().says("Hello").start().await;
    let body = chat(&upstream, json!({})).await.json();
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], 2);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 24);
    assert_eq!(usage["total_tokens"], 1 + 2 + 24);
    assert_eq!(usage["cost_in_usd_ticks"], 20_000 + 26 * 60_000);
    assert!(body["choices"][0]["message"]["reasoning_content"].is_string());
}

#[tokio::test]
async fn a_stream_opens_with_its_reasoning_and_ends_with_its_usage() {
    let upstream = xai().says("Hello").start().await;
    let members = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = chunks(&chat(&upstream, members).await);
    assert!(events[0]["choices"][0]["delta"]["reasoning_content"].is_string());
    assert_eq!(streamed_text(&events), "Hello");
    let (last, others) = events.split_last().unwrap();
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(27))
    );
    assert!(others.iter().all(|event| event.get("usage").is_none()));
}

#[tokio::test]
async fn tool_calls_come_whole_and_may_lack_a_finish_reason() {
    let rule = Rule::new().finish_reason("");
    let upstream = xai().rule(rule).start().await;
    let members = |stream: bool| json!({"messages": [user("Weather in Oslo?")], "tools": [weather_tool()], "stream": stream});
    let whole = chat(&upstream, members(false)).await.json();
    assert_eq!(whole["choices"][0]["finish_reason"], "");
    assert_eq!(whole["choices"][0]["message"]["content"], "");
    let events = chunks(&chat(&upstream, members(true)).await);
    let calls: Vec<&Value> = events
        .iter()
        .map(|event| &event["choices"][0]["delta"]["tool_calls"][0])
        .filter(|call| call.is_object())
        .collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["function"]["arguments"], r#"{"city":"Oslo"}"#);
}

#[tokio::test]
async fn reasoning_models_refuse_what_they_do_not_take() {
    let upstream = xai().start().await;
    for (name, value, shown) in [
        ("stop", json!("x"), "stop"),
        ("presence_penalty", json!(1), "presencePenalty"),
        ("frequency_penalty", json!(1), "frequencyPenalty"),
    ] {
        let refused = chat(&upstream, json!({name: value})).await;
        let message = format!("Argument not supported on this model: {shown}");
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["error"]),
            (400, &json!(message))
        );
        let other = json!({"model": "grok-4.20-non-reasoning", name: value});
        assert_eq!(chat(&upstream, other).await.status, 200, "{name}");
    }
    let effort = json!({"model": "grok-4.20-non-reasoning", "reasoning_effort": "low"});
    assert_eq!(chat(&upstream, effort).await.status, 400);
}

#[tokio::test]
async fn every_row_of_the_errors_is_a_fault() {
    let team = "11111111-0000-4000-8000-000000000002";
    let cases = [
        (
            KeyFault::Invalid,
            400,
            "Incorrect API key provided: xa***jU.",
        ),
        (
            KeyFault::InvalidOld,
            400,
            "Client specified an invalid argument",
        ),
        (KeyFault::Revoked, 401, "unauthenticated"),
        (KeyFault::Leaked, 401, "unauthenticated"),
        (KeyFault::BalanceExhausted, 402, "usage balance exhausted"),
        (KeyFault::PrepayDepleted, 403, team),
        (
            KeyFault::PrepayOld,
            403,
            "The caller does not have permission",
        ),
        (KeyFault::PrepayLegacy, 429, "used all available credits"),
        (
            KeyFault::NewTeam,
            403,
            "newly created team doesn't have any credits",
        ),
        (
            KeyFault::NoPermission,
            403,
            "access to the chat endpoint is denied",
        ),
        (KeyFault::Suspended, 403, "permission-denied"),
        (KeyFault::ServiceBlocked, 403, "permission-denied"),
        (KeyFault::Challenge, 403, "Just a moment"),
        (
            KeyFault::ModelDenied,
            404,
            "The model grok-4.6 does not exist or your team 11111111",
        ),
        (KeyFault::Retired, 410, "deprecated"),
        (
            KeyFault::PerSecond,
            429,
            "and model grok-4.6. Your team's rate limit is - Requests per Second",
        ),
        (
            KeyFault::PerMinute,
            429,
            "Requests per Minute (actual/limit): 480/480.",
        ),
        (KeyFault::LimitZero, 429, "(actual/limit): 0/0."),
        (KeyFault::FreeQuota, 429, "Free usage quota exceeded"),
        (KeyFault::Internal, 500, "internal"),
        (KeyFault::BadGateway, 502, "<html>"),
        (KeyFault::Overloaded, 503, "Service temporarily unavailable"),
        (KeyFault::HighDemand, 503, "model is at capacity"),
        (KeyFault::Deadline, 504, "timed out"),
    ];
    let upstream = xai().start().await;
    let key = FakeKey::new(KEY).project(team);
    check_faults(&upstream, &key, cases, async || {
        chat(&upstream, json!({})).await
    })
    .await;
    upstream.set_key(FakeKey::new(KEY).fault(KeyFault::PerSecond));
    assert_eq!(chat(&upstream, json!({})).await.header("retry-after"), "1");
}

#[tokio::test]
async fn requests_are_refused_in_two_shapes_and_in_plain_text() {
    let upstream = xai().key(FakeKey::new(KEY)).start().await;
    let bad = post("/v1/chat/completions", "{}")
        .bearer("xai-other")
        .send(&upstream)
        .await;
    assert_eq!(
        (bad.status.as_u16(), &bad.json()["code"]),
        (400, &json!("invalid-argument"))
    );
    let none = post("/v1/chat/completions", "{}")
        .send_bare(&upstream)
        .await;
    assert_eq!(
        (none.status.as_u16(), &none.json()["code"]),
        (401, &json!("unauthenticated:no-credentials"))
    );
    let wrong = chat(&upstream, json!({"messages": "hi"})).await;
    assert_eq!(wrong.status, 422);
    let start = "Failed to deserialize the JSON body into the target type: messages: invalid type: \
        string \"hi\", expected a sequence";
    assert!(wrong.text().starts_with(start), "{}", wrong.text());
    let missing = send(
        &upstream,
        "/v1/chat/completions",
        &json!({"model": "grok-4.6"}),
    )
    .await;
    assert!(missing.text().contains("missing field `messages`"));
    let model = chat(&upstream, json!({"model": "grok-1"})).await;
    assert_eq!(
        (model.status.as_u16(), &model.json()["code"]),
        (404, &json!("not-found"))
    );
    let blocked = chat(&upstream, json!({"messages": [user("BLOCK_ME")]})).await;
    assert_eq!(blocked.status, 403);
    assert!(blocked.text().contains("SAFETY_CHECK_TYPE"));
    let path = get("/v1/nowhere").bearer(KEY).send(&upstream).await;
    assert_eq!(
        (path.status.as_u16(), path.text().as_str()),
        (404, "Not Found")
    );
    let method = get("/v1/chat/completions")
        .bearer(KEY)
        .send(&upstream)
        .await;
    assert_eq!(method.status, 405);
    let kind = post("/v1/chat/completions", "{}").header("content-type", "text/plain");
    assert_eq!(kind.bearer(KEY).send(&upstream).await.status, 415);
}

#[tokio::test]
async fn chat_errors_can_have_openais_form() {
    let upstream = xai()
        .openai_errors()
        .key(FakeKey::new("other"))
        .start()
        .await;
    let body = chat(&upstream, json!({})).await.json();
    assert_eq!(body["error"]["code"], "invalid-argument");
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Incorrect API key")
    );
    let elsewhere = get("/v1/models").bearer(KEY).send(&upstream).await.json();
    assert!(elsewhere["error"].is_string());
}

#[tokio::test]
async fn a_team_shares_its_limit_and_one_of_zero_is_a_grant_that_is_missing() {
    let key = |name: &str| {
        FakeKey::new(name)
            .project("team-1")
            .rpm("grok-4.6", 1)
            .rpm("grok-4.5", 0)
    };
    let upstream = xai().key(key(KEY)).key(key("xai-2")).start().await;
    assert_eq!(chat(&upstream, json!({})).await.status, 200);
    let body = json!({"model": "grok-4.6", "messages": [user("Hi")]}).to_string();
    let other = post("/v1/chat/completions", body)
        .bearer("xai-2")
        .send(&upstream)
        .await;
    assert_eq!(other.status, 429);
    let words = "for team team-1 and model grok-4.6. Your team's rate limit is - Requests per Minute \
        (actual/limit): 1/1.";
    assert!(other.text().contains(words), "{}", other.text());
    let zero = chat(&upstream, json!({"model": "grok-4.5"})).await;
    assert!(zero.text().contains("(actual/limit): 0/0."));
}

#[tokio::test]
async fn a_key_is_told_about_itself_even_when_it_is_blocked() {
    let upstream = xai().start().await;
    for (fault, flag) in [
        (KeyFault::Suspended, "team_blocked"),
        (KeyFault::ServiceBlocked, "api_key_blocked"),
        (KeyFault::Leaked, "api_key_disabled"),
    ] {
        upstream.set_key(FakeKey::new(KEY).fault(fault));
        let info = get("/v1/api-key").bearer(KEY).send(&upstream).await;
        assert_eq!(
            (info.status.as_u16(), &info.json()[flag]),
            (200, &json!(true)),
            "{fault:?}"
        );
    }
    upstream.set_key(FakeKey::new(KEY));
    let info = get("/v1/api-key").bearer(KEY).send(&upstream).await.json();
    assert_eq!(
        (&info["team_blocked"], &info["redacted_api_key"]),
        (&json!(false), &json!("xai-****9jU"))
    );
    upstream.set_key(FakeKey::new(KEY).fault(KeyFault::Invalid));
    assert_eq!(
        get("/v1/api-key").bearer(KEY).send(&upstream).await.status,
        400
    );
}

#[tokio::test]
async fn a_deferred_completion_is_handed_out_once_to_its_team() {
    let upstream = xai().says("Later").start().await;
    let made = chat(&upstream, json!({"deferred": true})).await.json();
    let path = format!(
        "/v1/chat/deferred-completion/{}",
        made["request_id"].as_str().unwrap()
    );
    let poll = async |key: &str| get(&path).bearer(key).send(&upstream).await;
    assert_eq!(poll("xai-other").await.status, 404);
    let early = poll(KEY).await;
    assert_eq!((early.status.as_u16(), early.body.len()), (202, 0));
    let done = poll(KEY).await.json();
    assert_eq!(done["choices"][0]["message"]["content"], "Later");
    assert_eq!(poll(KEY).await.status, 404);
}

#[tokio::test]
async fn responses_count_reasoning_and_belong_to_their_team() {
    let upstream = xai().says("Hello").start().await;
    let body = json!({"model": "grok-4.6", "input": [{"role": "user", "content": "Hi"}]});
    let made = send(&upstream, "/v1/responses", &body).await.json();
    assert_eq!(made["output"][0]["type"], "reasoning");
    assert_eq!(made["output"][1]["content"][0]["text"], "Hello");
    assert_eq!(
        (
            &made["usage"]["output_tokens"],
            &made["usage"]["total_tokens"]
        ),
        (&json!(26), &json!(27))
    );
    assert!(made["usage"]["cost_in_usd_ticks"].is_u64());
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    assert_eq!(get(&path).bearer(KEY).send(&upstream).await.json(), made);
    assert_eq!(get(&path).bearer("xai-2").send(&upstream).await.status, 404);
    let gone = get(&path)
        .method("DELETE")
        .bearer(KEY)
        .send(&upstream)
        .await;
    assert_eq!(gone.json()["deleted"], true);
    assert_eq!(get(&path).bearer(KEY).send(&upstream).await.status, 404);
}

#[tokio::test]
async fn models_are_listed_by_kind() {
    let upstream = xai().start().await;
    let read = async |path: &str| get(path).bearer(KEY).send(&upstream).await;
    assert_eq!(read("/v1/models/grok-4.7").await.json()["owned_by"], "xai");
    let images = read("/v1/image-generation-models").await.json();
    assert_eq!(images["models"].as_array().unwrap().len(), 1);
    let price = read("/v1/language-models/grok-4.7").await.json();
    assert_eq!(price["prompt_text_token_price"], 20_000);
    assert_eq!(read("/v1/embedding-models/grok-4.7").await.status, 404);
}
