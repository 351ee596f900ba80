//! Every answer among the fixtures gets the verdict that the manifest states, from the judge of its provider.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use domain::{Again, Certainty, Class, Harm, Nanodollars, Scope, Usage, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue};
use providers::gigachat::{TOKEN_EXPIRED, oauth};
use providers::google::judge_close;
use providers::{Api, Asked, Endpoint, ErrorAnswer, Place, Translate, Translation};
use serde::Deserialize;
use wire::gemini::{AnswerScan, Content, Framing};
use wire::openai::request::Request;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

#[derive(Deserialize)]
struct Entry {
    file: String,
    http_status: u16,
    content_type: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
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

/// The folders whose answers are judged.
const JUDGED: &[&str] = &["gemini/", "gigachat/", "openai/", "perplexity/", "xai/"];

/// Bodies of requests are no answers, and a WebSocket's frames have a test of their own.
fn is_answer(entry: &Entry) -> bool {
    JUDGED.iter().any(|folder| entry.file.starts_with(folder))
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

/// Who has answered, from where, and what the answer is read as.
fn origin(file: &str) -> (Api, Place, Content) {
    let (folder, name) = file.split_once('/').unwrap();
    let is = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let api = match folder {
        "gemini" => return of_google(name),
        "openai" => Api::OpenAi,
        "xai" => Api::Xai,
        "gigachat" => Api::GigaChat,
        "perplexity" => Api::Perplexity,
        other => panic!("whose answers are {other}?"),
    };
    let others = [
        "api_key_info",
        "balance",
        "file_upload",
        "models",
        "token",
        "v2_",
    ];
    let content = if is(&others) {
        Content::Any
    } else {
        Content::OpenAi
    };
    (api, Place::OpenAi, content)
}

fn of_google(name: &str) -> (Api, Place, Content) {
    let name = name.rsplit('/').next().unwrap();
    let is = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let resources = [
        "404_entity",
        "auth_token",
        "batch_",
        "cached_content",
        "file",
        "models_list",
        "operation_",
    ];
    let (place, content) = if is(&["interactions_"]) {
        (Place::Interactions, Content::Interaction)
    } else if is(&["openai_compat"]) {
        (Place::OpenAi, Content::Any)
    } else if is(&resources) {
        (Place::Resource, Content::Any)
    } else if is(&["count_tokens", "embed_content"]) {
        (Place::Model, Content::Any)
    } else {
        (Place::Model, Content::Generate)
    };
    (Api::Google, place, content)
}

/// What is made of an answer.
#[derive(Debug)]
struct Seen {
    verdict: Verdict,
    usage: Option<Usage>,
    cost: Option<Nanodollars>,
}

fn judge(entry: &Entry) -> Seen {
    let body = body(entry);
    let (api, place, content) = origin(&entry.file);
    if entry.file.starts_with("gigachat/errors/oauth_") {
        return Seen::of(oauth::judge_refusal(entry.http_status, &body));
    }
    if entry.http_status >= 300 {
        let headers = headers(entry);
        return Seen::of(api.judge_error(&ErrorAnswer {
            status: entry.http_status,
            headers: &headers,
            body: &body,
            place,
        }));
    }
    let framing = match entry.content_type.as_str() {
        "text/event-stream" | "text/plain" => Framing::Sse,
        _ if entry.file.contains("stream_") => Framing::JsonArray,
        _ => Framing::Json,
    };
    let body = match translation(&entry.file) {
        Some(translation) => translated(translation.begin(framing), &body),
        None => body,
    };
    let mut scan = AnswerScan::new(framing, content);
    scan.push(&body);
    scan.finish();
    Seen {
        verdict: api.judge_success(scan.summary(), framing != Framing::Json),
        usage: scan.summary().usage,
        cost: scan.summary().cost,
    }
}

impl Seen {
    fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            usage: None,
            cost: None,
        }
    }
}

/// How an answer that is not of OpenAI's shape is brought into it; its request was as small as can be.
fn translation(file: &str) -> Option<Translation> {
    let (folder, name) = file.split_once('/')?;
    let (api, endpoint) = match (folder, name) {
        ("gigachat", name) if name.starts_with("chat_") => (Api::GigaChat, Endpoint::Chat),
        ("gigachat", "embeddings.json") => (Api::GigaChat, Endpoint::Embeddings),
        ("perplexity", name) if name.starts_with("agent_") => (Api::Perplexity, Endpoint::Chat),
        ("perplexity", "embeddings.json") => (Api::Perplexity, Endpoint::Embeddings),
        _ => return None,
    };
    let body = match endpoint {
        Endpoint::Chat => r#"{"messages":[{"role":"user","content":"a"}]}"#,
        _ => r#"{"input":"a"}"#,
    };
    let request = Request::read(Arc::from([Bytes::from_static(body.as_bytes())])).unwrap();
    let asked = Asked {
        endpoint,
        request: &request,
        model: "m",
        id: "1",
        now_s: 0,
    };
    api.prepare(&asked).unwrap().translation
}

fn translated(mut translator: Box<dyn Translate>, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    translator.push(body, &mut out);
    translator.finish(&mut out);
    out
}

fn headers(entry: &Entry) -> HeaderMap {
    let header = |(name, value): (&String, &String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    entry.headers.iter().map(header).collect()
}

/// The class by its name in either spelling: `ok`, `KeyInvalid`.
///
/// An expired token is the reason of a class and no class of its own.
fn class(name: &str) -> Class {
    if name == "TokenExpired" {
        return Class::KeyInvalid;
    }
    let named = |class: &Class| class.name().replace('_', "") == name.to_lowercase();
    Class::ALL.into_iter().find(named).unwrap()
}

fn check_key(verdict: &Verdict, action: &str, file: &str) {
    let hurts = verdict.harm() == Harm::Key;
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
        "refresh" => verdict.reason == TOKEN_EXPIRED && verdict.certainty == Certainty::Suspected,
        "concurrency_slot" => verdict.class == Class::RateLimited,
        other => panic!("{file}: unknown key_action {other}"),
    };
    assert!(expected, "{file}: key_action {action}: {verdict:?}");
}

fn check_pair(verdict: &Verdict, action: &str, file: &str) {
    let seconds = verdict.delay.map(|delay| delay.as_secs());
    let expected = match action {
        // A place is free again within seconds, which is what the pair is spared for.
        "none" if verdict.class == Class::RateLimited => seconds <= Some(2),
        "none" => verdict.harm() != Harm::Pair,
        "off_until_topup" => verdict.harm() == Harm::Pair && verdict.scope == Scope::Pair,
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
    let again = verdict.again();
    let expected = match retry {
        // Where one account does not have the model, another may: the class says once, whatever the row.
        "no" if verdict.class == Class::ModelUnavailable => again == Again::AtOnce { at_most: 1 },
        // A key of the wrong scope is out for good; the request goes on with others.
        "no" if verdict.class == Class::KeyInvalid => again == Again::Free,
        "no" => again == Again::Never,
        "once" | "other_once" | "same_once" => {
            matches!(again, Again::AtOnce { at_most: 1 | 2 })
        }
        "same_or_other" => matches!(again, Again::Backoff { .. }),
        "other" | "other_egress_or_paid" | "same_after_refresh" | "same_after_1s" => {
            again != Again::Never
        }
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
    assert!(entries.len() > 150, "{}", entries.len());
    for entry in entries {
        let Seen { verdict, usage, .. } = judge(&entry);
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
fn an_answer_costs_what_its_provider_says() {
    let entries = entries();
    for (file, dollars) in [
        ("xai/chat_ok.json", 0.000_298),
        ("xai/chat_stream.sse", 0.000_298),
        ("xai/chat_tool_calls_empty_finish.json", 0.001_268),
        ("xai/responses_ok.json", 0.014_184),
    ] {
        let entry = entries.iter().find(|entry| entry.file == file).unwrap();
        let expected = Nanodollars::from_dollars(dollars);
        assert_eq!(judge(entry).cost, Some(expected), "{file}");
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
