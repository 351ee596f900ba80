//! Steering over HTTP: rules, keys, clock, the record.

use fake_upstream::{FakeKey, FakeUpstream, ScriptForm, gemini, gigachat};
use serde_json::{Value, json};

use crate::support::{Answer, ask_model, generate, get, post};

async fn steer(upstream: &FakeUpstream, method: &'static str, path: &str, body: Value) -> Answer {
    post(path, body.to_string())
        .method(method)
        .send_bare(upstream)
        .await
}

#[tokio::test]
async fn rules_are_added_and_removed() {
    let upstream = gemini().start().await;
    let rules = json!([
        {"key": "k", "times": 1, "then": {"fixture": "gemini/errors/503_overloaded.json"}},
        {"method": "countTokens", "then": {"respond": {"status": 418, "body": "tea", "headers": {"x-a": "b"}}}},
    ]);
    assert_eq!(
        steer(&upstream, "POST", "/_fake/rules", rules).await.status,
        200
    );
    assert_eq!(generate("x").send(&upstream).await.status, 503);
    assert_eq!(generate("x").send(&upstream).await.status, 200);
    let tea = ask_model("countTokens", "x").send(&upstream).await;
    assert_eq!(
        (tea.status.as_u16(), tea.header("x-a"), tea.text().as_str()),
        (418, "b", "tea")
    );
    steer(&upstream, "DELETE", "/_fake/rules", json!({})).await;
    assert_eq!(
        ask_model("countTokens", "x").send(&upstream).await.status,
        200
    );
}

#[tokio::test]
async fn every_deed_has_a_json_form() {
    let upstream = gemini().start().await;
    let deeds = json!([
        "stall_before_head", "stall_after_head", "reset", "close", "blocked_prompt",
        "blocked_safety", "garbage", {"finish_reason": ""}, "failed", {"stall_after_chunks": 1}, {"reset_after_chunks": 1},
        {"cut_after_chunks": 1}, {"end_after_chunks": 1}, {"empty": "no_candidates"},
        {"error_after_chunks": {"chunks": 0, "fixture": "gemini/errors/500_internal.json"}},
    ]);
    for deed in deeds.as_array().unwrap() {
        let answer = steer(&upstream, "POST", "/_fake/rules", json!({"then": deed})).await;
        assert_eq!(answer.status, 200, "{deed} {}", answer.text());
    }
}

#[tokio::test]
async fn wrong_forms_are_refused_by_name() {
    let upstream = gemini().start().await;
    let cases = [
        ("POST", "/_fake/rules", json!({"modle": "x"}), "modle"),
        (
            "POST",
            "/_fake/rules",
            json!({"then": {"fixture": "gemini/nope.json"}}),
            "gemini/nope.json",
        ),
        (
            "PUT",
            "/_fake/keys",
            json!({"key": "k", "fault": "sleepy"}),
            "sleepy",
        ),
        (
            "PUT",
            "/_fake/keys",
            json!({"key": "k", "fault": "token_expired"}),
            "gemini has no fault",
        ),
        ("POST", "/_fake/clock", json!({"advance": 1}), "advance"),
        ("GET", "/_fake/nothing", json!({}), "GET /_fake/nothing"),
    ];
    for (method, path, body, named) in cases {
        let answer = steer(&upstream, method, path, body).await;
        assert_eq!(answer.status, 400, "{named}");
        assert!(answer.text().contains(named), "{named}: {}", answer.text());
    }
}

#[tokio::test]
async fn keys_and_clock_are_set() {
    let upstream = gemini().start().await;
    let limit = json!({"model": "*", "measure": "rpm", "value": 1});
    let key = json!({"key": "k", "project": "p", "limits": [limit]});
    assert_eq!(
        steer(&upstream, "PUT", "/_fake/keys", key).await.status,
        200
    );
    assert_eq!(generate("x").send(&upstream).await.status, 200);
    assert_eq!(generate("x").send(&upstream).await.status, 429);
    steer(
        &upstream,
        "POST",
        "/_fake/clock",
        json!({"advance_minutes": 1}),
    )
    .await;
    assert_eq!(generate("x").send(&upstream).await.status, 200);
}

#[tokio::test]
async fn tokens_of_gigachat_expire_and_are_counted() {
    let upstream = gigachat().start().await;
    let ask = post("/api/v2/oauth", "scope=GIGACHAT_API_PERS")
        .header("authorization", "Basic eDp5")
        .header("rquid", "0d7c6a52-0000-4000-8000-0000000000b7")
        .header("content-type", "application/x-www-form-urlencoded");
    let token = ask.send(&upstream).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let models = || get("/api/v1/models").bearer(&token);
    assert_eq!(models().send(&upstream).await.status, 200);
    steer(&upstream, "DELETE", "/_fake/tokens", json!({})).await;
    assert_eq!(models().send(&upstream).await.status, 401);
    let state = get("/_fake/state").send_bare(&upstream).await.json();
    assert_eq!(state["token_requests"], 1);
}

#[tokio::test]
async fn the_state_shows_keys_and_what_they_used() {
    let upstream = gemini()
        .key(FakeKey::new("k").project("p").rpd("*", 9))
        .start()
        .await;
    generate("12345678").send(&upstream).await;
    let state = get("/_fake/state").send_bare(&upstream).await.json();
    assert_eq!(
        (&state["requests"], &state["rules"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(state["keys"][0]["project"], "p");
    let used = json!([{
        "project": "p", "model": "gemini-3.8-flash",
        "minute_requests": 1, "minute_tokens": 2, "day_requests": 1,
    }]);
    assert_eq!(state["used"], used);
}

#[tokio::test]
async fn the_record_is_read_without_being_part_of_it() {
    let upstream = gemini().start().await;
    generate("hello").key("a").send(&upstream).await;
    let seen = get("/_fake/seen").send_bare(&upstream).await.json();
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!(
        (&seen[0]["key"], &seen[0]["finished"]),
        (&json!("a"), &json!(true))
    );
    assert!(seen[0]["body"].as_str().unwrap().contains("hello"));
    steer(&upstream, "DELETE", "/_fake/seen", json!({})).await;
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_script_file_says_it_all_at_once() {
    let file = json!({
        "says": "from a file",
        "models": ["m-1"],
        "keys": [{"key": "k"}],
        "rules": [{"times": 1, "then": {"respond": {"status": 500}}}],
    });
    let script = ScriptForm::parse(&file.to_string())
        .unwrap()
        .apply(gemini())
        .unwrap();
    let upstream = script.start().await;
    let ask = || {
        post(
            "/v1/models/m-1:generateContent",
            r#"{"contents": {"parts": {"text": "x"}}}"#,
        )
    };
    assert_eq!(ask().send(&upstream).await.status, 500);
    assert_eq!(ask().send(&upstream).await.said(), "from a file");
    assert_eq!(ask().key("other").send(&upstream).await.status, 400);
    assert!(
        ScriptForm::parse(r#"{"say": "x"}"#)
            .unwrap_err()
            .contains("`say`")
    );
}
