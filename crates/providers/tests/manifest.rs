//! Every Gemini answer among the fixtures gets the verdict that the manifest states, and so does every success of
//! OpenAI's shape.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use domain::{Again, Certainty, Class, Harm, Scope, Usage, Verdict};
use http::HeaderMap;
use providers::google::{ErrorAnswer, Place, judge_close, judge_error, judge_success};
use serde::Deserialize;
use wire::gemini::{AnswerScan, Content, Framing};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

#[derive(Deserialize)]
struct Entry {
    file: String,
    http_status: u16,
    content_type: String,
    class: String,
    key_action: String,
    pair_action: String,
    retry: String,
    expect_usage: Option<ExpectedUsage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExpectedUsage {
    prompt: u32,
    output: u32,
    reasoning: Option<u32>,
    cached: u32,
    tool: u32,
    total: u32,
}

/// Bodies of requests are no answers, and a WebSocket's frames have a test of their own.
fn is_answer(entry: &Entry) -> bool {
    let is_compatible = entry.file.starts_with("openai/") && entry.http_status < 300;
    (entry.file.starts_with("gemini/") || is_compatible)
        && entry.class != "request"
        && entry.file != "gemini/live_frames.jsonl"
}

fn body(entry: &Entry) -> Vec<u8> {
    let path = Path::new(FIXTURES).join(&entry.file);
    let bytes = fs::read(&path).unwrap();
    let text = || String::from_utf8(bytes.clone()).unwrap();
    if path.extension() == Some("http".as_ref()) {
        return text().split_once("\r\n\r\n").unwrap().1.into();
    }
    if path.extension() == Some("hexlines".as_ref()) {
        let digits = text().replace('\n', "");
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        return (0..digits.len()).step_by(2).map(byte).collect();
    }
    bytes
}

/// Where the answer comes from, and what it is read as.
fn origin(file: &str) -> (Place, Content) {
    let name = file.rsplit('/').next().unwrap();
    let resources = [
        "404_entity",
        "auth_token",
        "batch_",
        "cached_content",
        "file",
        "models_list",
        "operation_",
    ];
    let others = ["count_tokens", "embed_content"];
    if file == "openai/models.json" {
        (Place::OpenAi, Content::Any)
    } else if file.starts_with("openai/") {
        (Place::OpenAi, Content::OpenAi)
    } else if name.starts_with("interactions_") {
        (Place::Interactions, Content::Interaction)
    } else if name.starts_with("openai_compat") {
        (Place::OpenAi, Content::Any)
    } else if resources.iter().any(|start| name.starts_with(start)) {
        (Place::Resource, Content::Any)
    } else if others.iter().any(|start| name.starts_with(start)) {
        (Place::Model, Content::Any)
    } else {
        (Place::Model, Content::Generate)
    }
}

fn judge(entry: &Entry) -> (Verdict, Option<Usage>) {
    let body = body(entry);
    let (place, content) = origin(&entry.file);
    if entry.http_status >= 300 {
        let headers = HeaderMap::new();
        let answer = ErrorAnswer {
            status: entry.http_status,
            headers: &headers,
            body: &body,
            place,
        };
        return (judge_error(&answer), None);
    }
    let framing = match entry.content_type.as_str() {
        "text/event-stream" | "text/plain" => Framing::Sse,
        _ if entry.file.contains("stream_") => Framing::JsonArray,
        _ => Framing::Json,
    };
    let mut scan = AnswerScan::new(framing, content);
    scan.push(&body);
    scan.finish();
    let verdict = judge_success(scan.summary(), framing != Framing::Json);
    (verdict, scan.summary().usage)
}

/// The class by its name in either spelling: `ok`, `KeyInvalid`.
fn class(name: &str) -> Class {
    let named = |class: &Class| class.name().replace('_', "") == name.to_lowercase();
    Class::ALL.into_iter().find(named).unwrap()
}

fn check_key(verdict: &Verdict, action: &str, file: &str) {
    let hurts = verdict.class.harm() == Harm::Key;
    let expected = match action {
        "none" => !hurts,
        "disable" => verdict.class == Class::KeyInvalid && verdict.scope == Scope::Key,
        "disable_until_admin" => {
            verdict.class == Class::KeyRestricted
                && verdict.scope == Scope::Key
                && verdict.certainty == Certainty::Decisive
        }
        "disable_project" => {
            verdict.class == Class::AcctSuspended
                && verdict.scope == Scope::Project
                && verdict.certainty == Certainty::Decisive
        }
        "disable_billing_account" => {
            verdict.class == Class::Billing && verdict.scope == Scope::Project
        }
        "cool_project_hours" => {
            verdict.class == Class::KeyRestricted && verdict.scope == Scope::Project
        }
        other => panic!("{file}: unknown key_action {other}"),
    };
    assert!(expected, "{file}: key_action {action}: {verdict:?}");
}

fn check_pair(verdict: &Verdict, action: &str, file: &str) {
    let seconds = verdict.delay.map(|delay| delay.as_secs());
    let expected = match action {
        "none" => verdict.class.harm() != Harm::Pair,
        "off_1h" => seconds == Some(3600),
        "off_24h" => seconds == Some(24 * 3600),
        "off_long" => seconds >= Some(7 * 24 * 3600),
        "until_midnight_pacific" => verdict.class == Class::QuotaDaily,
        "cool_5s_growing" => verdict.class == Class::RateLimited && seconds.is_none(),
        cool => {
            let wait = cool
                .strip_prefix("cool_")
                .and_then(|rest| rest.strip_suffix('s'));
            verdict.class == Class::RateLimited && seconds == wait.and_then(|w| w.parse().ok())
        }
    };
    assert!(expected, "{file}: pair_action {action}: {verdict:?}");
}

fn check_retry(verdict: &Verdict, retry: &str, file: &str) {
    let again = verdict.class.again();
    let expected = match retry {
        "no" => again == Again::Never,
        "once" | "other_once" | "same_once" => {
            matches!(again, Again::AtOnce { at_most: 1 | 2 })
        }
        "same_or_other" => matches!(again, Again::Backoff { .. }),
        "other" | "other_egress_or_paid" => again != Again::Never,
        other => panic!("{file}: unknown retry {other}"),
    };
    assert!(expected, "{file}: retry {retry}: {verdict:?}");
}

fn check_usage(usage: Option<Usage>, expected: &ExpectedUsage, file: &str) {
    let usage = usage.unwrap();
    let expected = Usage {
        prompt: expected.prompt,
        output: expected.output,
        reasoning: expected.reasoning.unwrap_or(usage.reasoning),
        cached: expected.cached,
        tool: expected.tool,
        total: expected.total,
    };
    assert_eq!(usage, expected, "{file}");
}

fn entries() -> Vec<Entry> {
    let manifest = fs::read(Path::new(FIXTURES).join("manifest.json")).unwrap();
    serde_json::from_slice(&manifest).unwrap()
}

#[test]
fn every_answer_gets_the_verdict_of_the_manifest() {
    let entries: Vec<_> = entries().into_iter().filter(is_answer).collect();
    assert!(entries.len() > 80, "{}", entries.len());
    for entry in entries {
        let (verdict, usage) = judge(&entry);
        let file = &entry.file;
        assert_eq!(verdict.class, class(&entry.class), "{file}: {verdict:?}");
        check_key(&verdict, &entry.key_action, file);
        check_pair(&verdict, &entry.pair_action, file);
        check_retry(&verdict, &entry.retry, file);
        if let Some(expected) = &entry.expect_usage {
            check_usage(usage, expected, file);
        }
        assert!(!verdict.reason.is_empty(), "{file}");
        let consumer = verdict.consumer.unwrap_or_default();
        assert!(!consumer.contains("AIza"), "{file}: {consumer}");
    }
}

#[test]
fn the_reason_of_a_live_close_is_understood() {
    let frames = fs::read_to_string(Path::new(FIXTURES).join("gemini/live_frames.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(frames.lines().last().unwrap()).unwrap();
    let code = last["close"]["code"].as_u64().unwrap() as u16;
    let verdict = judge_close(code, last["close"]["reason"].as_str().unwrap());
    assert_eq!(
        (verdict.class, verdict.scope),
        (Class::Billing, Scope::Project)
    );
}
