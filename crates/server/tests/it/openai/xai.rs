//! What is xAI's alone: tokens of reasoning that its output leaves out, what it says an answer cost, finish reasons that
//! are empty, refusals in a shape of its own.

use domain::{Class, Nanodollars};
use fake_upstream::{FakeKey, KeyFault, Rule, gemini, xai};
use serde_json::{Value, json};

use super::{GROK, ask, both, chat, events, refusal, steps, streamed, streamed_with_usage};
use crate::support::TestGateway;

async fn grok(rule: Rule) -> TestGateway {
    both(gemini(), xai().rule(rule)).start().await
}

#[tokio::test]
async fn reasoning_is_counted_as_output_and_the_cost_is_the_providers() {
    let gateway = grok(Rule::new()).await;
    let document = gateway.send(ask(&chat(GROK))).await;
    let told = document.json()["usage"].clone();
    for body in [chat(GROK), streamed(GROK), streamed_with_usage(GROK)] {
        let answer = gateway.send(ask(&body)).await;
        let record = gateway.record_of(&answer).await;
        let usage = record.usage.unwrap();
        let number = |name: &str| told[name].as_u64().unwrap() as u32;
        assert!(usage.reasoning > 0, "{body}");
        assert_eq!(
            told["completion_tokens_details"]["reasoning_tokens"],
            usage.reasoning
        );
        assert_eq!(usage.prompt, number("prompt_tokens"), "{body}");
        let output = number("completion_tokens") + usage.reasoning;
        assert_eq!(usage.output, output, "{body}");
        assert_eq!(usage.total, number("total_tokens"), "{body}");
        let ticks = told["cost_in_usd_ticks"].as_i64().unwrap();
        assert_eq!(record.cost, Some(Nanodollars(ticks / 10)), "{body}");
    }
}

#[tokio::test]
async fn what_an_answer_cost_counts_against_the_clients_budget() {
    let gateway = grok(Rule::new()).await;
    let admin = crate::support::Operator::admin(&gateway).await;
    let client = admin
        .make_client(json!({"name": "payer", "budget_usd": 5.0, "budget_period": "day"}))
        .await;
    let body = chat(GROK).to_string();
    let answer = gateway
        .send(super::post_as(&client.secret, super::CHAT, body))
        .await;
    let cost = gateway.record_of(&answer).await.cost.unwrap();
    let spent = crate::support::eventually("the budget is charged", async || {
        let usage = admin.read(&client.path()).await["usage"].clone();
        let spent = usage["budget"]["spent_usd"].as_f64()?;
        (spent > 0.0).then_some(spent)
    })
    .await;
    assert_eq!(Nanodollars::from_dollars(spent), cost);
}

fn with_tool(mut body: Value) -> Value {
    body["tools"] = json!([{"type": "function", "function": {
        "name": "look_up", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
    }}]);
    body
}

#[tokio::test]
async fn an_empty_finish_reason_is_mended() {
    let gateway = grok(Rule::new().finish_reason("")).await;
    for (body, expected) in [
        (chat(GROK), "stop"),
        (streamed(GROK), "stop"),
        (with_tool(chat(GROK)), "tool_calls"),
        (with_tool(streamed(GROK)), "tool_calls"),
    ] {
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let reasons: Vec<Value> = if body["stream"] == true {
            let events = events(&answer).into_iter();
            let reasons = events.map(|event| event["choices"][0]["finish_reason"].clone());
            reasons.filter(|reason| !reason.is_null()).collect()
        } else {
            vec![answer.json()["choices"][0]["finish_reason"].clone()]
        };
        assert_eq!(reasons, [json!(expected)], "{body}: {}", answer.text());
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.error, None, "{body}");
    }
}

#[tokio::test]
async fn moderation_is_the_callers_400_and_hurts_no_key() {
    let gateway = grok(Rule::new()).await;
    for mut body in [chat(GROK), streamed(GROK)] {
        body["messages"][0]["content"] = json!("BLOCK_ME");
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(
            refusal(&answer),
            "400 invalid_request_error content_policy_violation -"
        );
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.error, Some(Class::Blocked));
        assert_eq!(record.attempts.len(), 1);
    }
    assert_eq!(gateway.send(ask(&chat(GROK))).await.status, 200);
}

/// Another key answers after this fault of the first.
async fn check_fault(fault: KeyFault, step: &str) {
    let script = xai()
        .key(FakeKey::new("xai-key-1").fault(fault))
        .key(FakeKey::new("xai-key-2"));
    let gateway = TestGateway::new()
        .with_provider(
            "xai",
            script.openai_errors(),
            "keys: [xai-key-1, xai-key-2]\nmodels_refresh: 0s",
        )
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = gateway.send(ask(&chat(GROK))).await;
    assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
    let record = gateway.record_of(&answer).await;
    let expected = [format!("xai/{GROK} {step}"), format!("xai/{GROK} ok")];
    assert_eq!(steps(&record), expected, "{fault:?}");
}

#[tokio::test]
async fn faults_of_a_key_are_known_in_both_shapes_of_errors() {
    for (fault, step) in [
        (KeyFault::Invalid, "key_invalid"),
        (KeyFault::PrepayDepleted, "billing"),
        (KeyFault::NewTeam, "billing"),
        (KeyFault::BalanceExhausted, "billing"),
        (KeyFault::PerSecond, "rate_limited"),
        (KeyFault::PerMinute, "rate_limited"),
        (KeyFault::LimitZero, "model_unavailable"),
        (KeyFault::FreeQuota, "quota_daily"),
        (KeyFault::ModelDenied, "model_unavailable"),
    ] {
        check_fault(fault, step).await;
    }
}

#[tokio::test]
async fn reasoning_text_passes() {
    let gateway = grok(Rule::new()).await;
    let answer = gateway.send(ask(&chat(GROK))).await;
    let message = answer.json()["choices"][0]["message"].clone();
    assert!(message["reasoning_content"].is_string(), "{message}");
}
