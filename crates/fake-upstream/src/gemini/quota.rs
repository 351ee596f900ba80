//! Google's 429 for a limit that is passed: quota ids, values, and when to try again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::keys::{Limit, Measure};
use crate::quota::Breach;
use crate::refusal::Refusal;

const PREAMBLE: &str = "You exceeded your current quota, please check your plan and billing \
    details. For more information on this error, head to: \
    https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: \
    https://ai.dev/rate-limit. ";

/// The delay that Google names with a daily quota: far too short, as in real life.
const LYING_DELAY: Duration = Duration::from_millis(38_100);

pub(crate) fn refusal(breach: &Breach) -> Refusal {
    let Breach {
        broken,
        model,
        paid,
        minute_left,
        ..
    } = *breach;
    let zero = breach.is_zero();
    let by_minute = broken.iter().any(|limit| limit.measure != Measure::Rpd);
    let delay = match (zero, by_minute) {
        (true, _) => Duration::from_millis(44_200),
        (false, true) => minute_left,
        (false, false) => LYING_DELAY,
    };
    let line = |limit: &&Limit| {
        let metric = names(limit.measure, paid).0;
        format!(
            "\n* Quota exceeded for metric: {metric}, limit: {}, model: {model}",
            limit.value
        )
    };
    let lines: String = broken.iter().map(line).collect();
    let message = format!(
        "{PREAMBLE}{lines}\nPlease retry in {}s.",
        delay.as_secs_f64()
    );
    let violations: Vec<Value> = broken
        .iter()
        .map(|limit| violation(limit, model, paid))
        .collect();
    let details = [
        json!({
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{
                "description": "Learn more about Gemini API quotas",
                "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
            }],
        }),
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}),
        json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", delay.as_secs()),
        }),
    ];
    Refusal::new(429, "RESOURCE_EXHAUSTED", &message, &details)
}

fn violation(limit: &Limit, model: &str, paid: bool) -> Value {
    let (metric, id) = names(limit.measure, paid);
    let mut violation = json!({
        "quotaMetric": metric,
        "quotaId": id,
        "quotaDimensions": {"location": "global", "model": model},
    });
    // Google leaves the value out when it is zero, as proto3 JSON does with every default.
    if limit.value > 0 {
        violation["quotaValue"] = json!(limit.value.to_string());
    }
    violation
}

/// The quota metric and the quota id.
fn names(measure: Measure, paid: bool) -> (&'static str, &'static str) {
    match (measure, paid) {
        (Measure::Rpm, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        ),
        (Measure::Rpd, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        ),
        (Measure::Tpm, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        ),
        (Measure::Rpm, true) => (
            "generativelanguage.googleapis.com/generate_requests_per_model",
            "GenerateRequestsPerMinutePerProjectPerModel",
        ),
        (Measure::Rpd, true) => (
            "generativelanguage.googleapis.com/generate_requests_per_model_per_day",
            "GenerateRequestsPerDayPerProjectPerModel",
        ),
        (Measure::Tpm, true) => (
            "generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
        ),
    }
}
