//! Judges 429: a minute's quota, a day's, a tool's, none at all for this model, or money.

use std::borrow::Cow;
use std::time::Duration;

use domain::{Class, QuotaHint, Verdict};
use wire::gemini::error::Violation;

use super::case::Case;

/// A minute quota without a hint is waited for as long as its window.
const MINUTE: Duration = Duration::from_secs(60);

/// How long a model that a project has no quota for is off.
const NO_QUOTA: Duration = Duration::from_secs(24 * 3600);

/// Words in the metric or id of a tool's quota.
const TOOLS: &[&str] = &["grounding", "search", "url_context", "urlcontext", "maps"];

/// What the interactions API calls a limit of short duration.
const SHORT_LIMITS: &[&str] = &["rate_limit_exceeded", "too_many_requests"];

/// The verdict on a 429 whose message is not about money.
pub(super) fn judge(case: &Case<'_>) -> Verdict {
    let violations = violations(case);
    let (tools, models): (Vec<_>, Vec<_>) = violations.iter().partition(|v| is_tool(v));
    let hint = case.hint();
    if !tools.is_empty() && models.is_empty() {
        return Verdict::new(Class::ToolQuota, "tool_quota").delay(hint.or(Some(MINUTE)));
    }
    if models.iter().any(|v| v.value == Some(0)) || says_limit_zero(&case.text) {
        return Verdict::new(Class::ModelUnavailable, "limit_zero").delay(Some(NO_QUOTA));
    }
    let days: Vec<_> = models
        .iter()
        .copied()
        .filter(|v| counts(v, "perday"))
        .collect();
    if !days.is_empty() || says_daily(case, &models) {
        let verdict = Verdict::new(Class::QuotaDaily, "quota_per_day").delay(hint);
        return Verdict {
            quota: quota(&days),
            ..verdict
        };
    }
    let minutes: Vec<_> = models
        .iter()
        .copied()
        .filter(|v| counts(v, "perminute"))
        .collect();
    let is_minute = !minutes.is_empty() || SHORT_LIMITS.contains(&&*case.fault.code);
    let (reason, default) = match (is_minute, models.is_empty()) {
        (true, _) => ("quota_per_minute", Some(MINUTE)),
        (false, false) => ("quota", None),
        (false, true) => ("resource_exhausted", None),
    };
    let verdict = Verdict::new(Class::RateLimited, reason).delay(hint.or(default));
    Verdict {
        quota: quota(if minutes.is_empty() {
            &models
        } else {
            &minutes
        }),
        ..verdict
    }
}

/// The verdict on a 402 or 429 that is about money, if it is.
pub(super) fn judge_billing(case: &Case<'_>) -> Option<Verdict> {
    let says = |words: &str| case.text.contains(words);
    let reason = if says("prepayment credits") || says("billing account to prepay") {
        "prepay_depleted"
    } else if says("spending cap") || says("spend cap") {
        "spend_cap"
    } else if says("spend-based") || says("spend based") {
        "spend_rate"
    } else {
        return None;
    };
    let is_rate = reason == "spend_rate";
    let delay = is_rate.then(|| case.hint().unwrap_or_default().max(MINUTE));
    Some(
        Verdict::new(Class::Billing, reason)
            .project_wide()
            .delay(delay),
    )
}

/// The violations of `QuotaFailure`, and the one that older answers tell in `ErrorInfo.metadata`.
fn violations<'a>(case: &'a Case<'_>) -> Vec<Violation<'a>> {
    let metadata = |name| case.fault.metadata(name).map(Cow::Borrowed);
    let told = metadata("quota_limit").map(|id| Violation {
        metric: metadata("quota_metric").unwrap_or_default(),
        id,
        model: None,
        value: metadata("quota_limit_value").and_then(|value| value.parse().ok()),
    });
    case.fault.violations().cloned().chain(told).collect()
}

fn is_tool(violation: &Violation<'_>) -> bool {
    let name = format!("{} {}", violation.metric, violation.id).to_ascii_lowercase();
    TOOLS.iter().any(|tool| name.contains(tool))
}

/// Whether the quota counts by this period; ids are in camel case, metrics in snake case.
fn counts(violation: &Violation<'_>, period: &str) -> bool {
    let name = format!("{} {}", violation.metric, violation.id).to_ascii_lowercase();
    name.replace('_', "").contains(period)
}

/// Where no quota is named, the code or the message may still say that it is the day's.
fn says_daily(case: &Case<'_>, violations: &[&Violation<'_>]) -> bool {
    violations.is_empty()
        && (case.fault.code == "quota_exceeded"
            || ["per day", "daily quota", "daily limit"]
                .iter()
                .any(|words| case.text.contains(words)))
}

/// `limit: 0`, and not `limit: 0.5` or a longer number.
fn says_limit_zero(text: &str) -> bool {
    text.match_indices("limit: 0").any(|(at, found)| {
        let mut next = text[at + found.len()..].chars();
        match next.next() {
            Some('.') => !next.next().is_some_and(|c| c.is_ascii_digit()),
            Some(c) => !c.is_ascii_digit(),
            None => true,
        }
    })
}

fn quota(violations: &[&Violation<'_>]) -> QuotaHint {
    QuotaHint {
        limit: violations.iter().filter_map(|v| v.value).min(),
        model: violations
            .iter()
            .find_map(|v| v.model.as_deref())
            .map(str::to_owned),
    }
}
