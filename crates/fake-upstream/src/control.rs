//! Steering over HTTP, for the demo and for tests in other languages. Every body is JSON; unknown
//! fields and fixtures are refused with 400 and a text that names them.
//!
//! | Request | Does |
//! |---|---|
//! | `GET /_fake/seen` | the recorded requests: `[{peer, method, path_and_query, headers, key, body, body_len, finished, disconnected}]` |
//! | `DELETE /_fake/seen` | forgets them |
//! | `POST /_fake/rules` | adds a rule, or a list of rules |
//! | `DELETE /_fake/rules` | removes all rules |
//! | `PUT /_fake/keys` | lists or replaces a key, or a list of keys |
//! | `POST /_fake/clock` | `{"advance_minutes": 1}` and/or `{"new_day": true}` |
//! | `DELETE /_fake/tokens` | lets every token of GigaChat expire |
//! | `GET /_fake/proxies` | the proxies: `[{url, kind, exit, fault, connections, open, seen}]`, `seen` as `[{peer, target, login, connected, from_client_len, from_target_len, open}]` |
//! | `PUT /_fake/proxies/{n}` | `{"fault": …}` for the proxy at this place of the list, `null` for none |
//! | `DELETE /_fake/proxies/{n}` | resets its connections |
//! | `GET /_fake/state` | `{requests, rules, keys, used, token_requests}`: counts, listed keys, quota used per (project, model) |
//!
//! A rule: `{"key", "model", "method", "path_contains", "peer", "times", "delay_head_ms", "then"}`, all
//! optional; `then` is one of
//!
//! ```json
//! {"respond": {"status": 503, "body": "…", "headers": {"retry-after": "3"}}}
//! {"fixture": "gemini/errors/503_overloaded.json"}
//! "stall_before_head"   "stall_after_head"   {"stall_after_chunks": 2}
//! "reset"   "close"   {"reset_after_chunks": 2}   {"cut_after_chunks": 2}   {"end_after_chunks": 2}
//! {"error_after_chunks": {"chunks": 0, "fixture": "gemini/errors/503_overloaded.json"}}
//! {"empty": "no_candidates" | "stop_no_parts" | "empty_text"}
//! "blocked_prompt"   "blocked_safety"   "garbage"   {"finish_reason": ""}   "failed"
//! ```
//!
//! The fault of a proxy: `"closed_port"`, `{"refuses": 503}`, `{"cut_after": 4096}` and the other names of
//! [`ProxyFault`] in `snake_case`.
//!
//! A key: `{"key": "AIza-1", "project": "p1", "paid": false, "fault": "expired", "limits":
//! [{"model": "*", "measure": "rpm" | "rpd" | "tpm", "value": 10}], "model_faults": [{"model": "m",
//! "fault": "prepay_depleted"}], "scope": "GIGACHAT_API_PERS"}`; all but `key` optional, faults are the
//! names of [`KeyFault`](crate::KeyFault) in `snake_case`.
//!
//! A script file (`--script`): `{"says", "models": […], "keys": […], "rules": […]}`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::Subject;
use crate::fixtures;
use crate::keys::FakeKey;
use crate::provider::Provider;
use crate::proxy::{Door, ProxyFault};
use crate::reply::{JSON, Reply, pretty};
use crate::rule::{EmptyKind, Rule};
use crate::script::Script;
use crate::seen::Seen;
use crate::stand::Stand;

const PROXIES: &str = "/_fake/proxies/";

/// A script as a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptForm {
    says: Option<String>,
    models: Option<Vec<String>>,
    keys: Vec<FakeKey>,
    rules: Vec<RuleForm>,
}

impl ScriptForm {
    /// Reads a script file's text; the error names the field or fixture that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Lays the file's settings over a script; fails when a rule names an unknown fixture.
    pub fn apply(self, mut script: Script) -> Result<Script, String> {
        if let Some(text) = &self.says {
            script = script.says(text);
        }
        if let Some(models) = &self.models {
            script = script.models(&models.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for key in self.keys {
            check_faults(script.provider, &key)?;
            script = script.key(key);
        }
        for rule in self.rules {
            script = script.rule(rule.into_rule()?);
        }
        Ok(script)
    }
}

/// A rule as JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RuleForm {
    key: Option<String>,
    model: Option<String>,
    method: Option<String>,
    path_contains: Option<String>,
    peer: Option<IpAddr>,
    times: Option<usize>,
    delay_head_ms: u64,
    then: Option<DeedForm>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeedForm {
    Respond(RespondForm),
    Fixture(String),
    StallBeforeHead,
    StallAfterHead,
    StallAfterChunks(usize),
    Reset,
    Close,
    ResetAfterChunks(usize),
    CutAfterChunks(usize),
    EndAfterChunks(usize),
    ErrorAfterChunks(ErrorForm),
    Empty(EmptyKind),
    BlockedPrompt,
    BlockedSafety,
    Garbage,
    FinishReason(String),
    Failed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RespondForm {
    status: u16,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorForm {
    chunks: usize,
    fixture: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClockForm {
    advance_minutes: u64,
    new_day: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyForm {
    // Without it the field could be left out, and a misspelt request would mend the proxy.
    #[serde(deserialize_with = "Option::deserialize")]
    fault: Option<ProxyFault>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(list) => list,
            Self::One(one) => vec![one],
        }
    }
}

impl RuleForm {
    fn into_rule(self) -> Result<Rule, String> {
        let mut rule = Rule::new().delay_head(Duration::from_millis(self.delay_head_ms));
        if let Some(key) = &self.key {
            rule = rule.key(key);
        }
        if let Some(model) = &self.model {
            rule = rule.model(model);
        }
        if let Some(method) = &self.method {
            rule = rule.method(method);
        }
        if let Some(text) = &self.path_contains {
            rule = rule.path_contains(text);
        }
        if let Some(peer) = self.peer {
            rule = rule.peer(peer);
        }
        if let Some(uses) = self.times {
            rule = rule.times(uses);
        }
        self.then.map_or(Ok(rule.clone()), |deed| deed.put_on(rule))
    }
}

impl DeedForm {
    fn put_on(self, rule: Rule) -> Result<Rule, String> {
        Ok(match self {
            Self::Respond(form) => {
                let headers: Vec<(&str, &str)> = form
                    .headers
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .collect();
                rule.respond_with(form.status, &headers, form.body)
            }
            Self::Fixture(name) => rule.fixture(known(&name)?),
            Self::StallBeforeHead => rule.stall_before_head(),
            Self::StallAfterHead => rule.stall_after_head(),
            Self::StallAfterChunks(n) => rule.stall_after_chunks(n),
            Self::Reset => rule.reset(),
            Self::Close => rule.close(),
            Self::ResetAfterChunks(n) => rule.reset_after_chunks(n),
            Self::CutAfterChunks(n) => rule.cut_after_chunks(n),
            Self::EndAfterChunks(n) => rule.end_after_chunks(n),
            Self::ErrorAfterChunks(form) => {
                rule.error_after_chunks(form.chunks, known(&form.fixture)?)
            }
            Self::Empty(kind) => rule.empty(kind),
            Self::BlockedPrompt => rule.blocked_prompt(),
            Self::BlockedSafety => rule.blocked_safety(),
            Self::Garbage => rule.garbage(),
            Self::FinishReason(reason) => rule.finish_reason(&reason),
            Self::Failed => rule.failed(),
        })
    }
}

fn check_faults(provider: Provider, key: &FakeKey) -> Result<(), String> {
    let about_nobody = Subject {
        key: "",
        project: "",
        model: None,
    };
    let strange = key
        .faults()
        .find(|f| provider.fault(*f, &about_nobody).is_none());
    match strange {
        Some(fault) => Err(format!("{provider} has no fault {}", json!(fault))),
        None => Ok(()),
    }
}

fn known(name: &str) -> Result<&str, String> {
    fixtures::find(name)
        .map(|_| name)
        .ok_or_else(|| format!("there is no fixture {name:?}"))
}

/// Answers a request under `/_fake/`.
pub(crate) fn serve(stand: &Stand, call: &Call) -> Reply {
    steer(stand, call).unwrap_or_else(|message| {
        Reply::new(
            StatusCode::BAD_REQUEST,
            JSON,
            pretty(&json!({"error": message})),
        )
    })
}

fn steer(stand: &Stand, call: &Call) -> Result<Reply, String> {
    match (&call.method, call.path.as_str()) {
        (&Method::GET, "/_fake/seen") => {
            let seen: Vec<Value> = stand.recorder.snapshot().iter().map(seen_json).collect();
            return Ok(Reply::json(&seen));
        }
        (&Method::GET, "/_fake/proxies") => {
            let proxies: Vec<Value> = stand.proxies.iter().map(|door| proxy_json(door)).collect();
            return Ok(Reply::json(&proxies));
        }
        (&Method::GET, "/_fake/state") => return Ok(Reply::json(&state(stand))),
        (&Method::DELETE, "/_fake/seen") => stand.recorder.clear(),
        (&Method::DELETE, "/_fake/rules") => stand.rules.clear(),
        (&Method::DELETE, "/_fake/tokens") => stand.accounts.expire_all(),
        (&Method::POST, "/_fake/rules") => {
            let forms = body::<OneOrMany<Value>>(call)?.into_vec();
            let rules = forms
                .into_iter()
                .map(|form| form_of::<RuleForm>(form)?.into_rule());
            for rule in rules.collect::<Result<Vec<_>, String>>()? {
                stand.rules.add(rule);
            }
        }
        (&Method::PUT, "/_fake/keys") => {
            let keys = body::<OneOrMany<Value>>(call)?
                .into_vec()
                .into_iter()
                .map(form_of);
            let keys = keys.collect::<Result<Vec<FakeKey>, String>>()?;
            for key in &keys {
                check_faults(stand.provider, key)?;
            }
            for key in keys {
                stand.keyring.set(key);
            }
        }
        (&Method::PUT, path) if path.starts_with(PROXIES) => {
            let form = body::<ProxyForm>(call)?;
            let set = proxy(stand, path)?.set_fault(form.fault);
            set.map_err(|error| error.to_string())?;
        }
        (&Method::DELETE, path) if path.starts_with(PROXIES) => {
            proxy(stand, path)?.cut_connections();
        }
        (&Method::POST, "/_fake/clock") => turn_clock(stand, &body(call)?),
        (method, path) => return Err(format!("nothing is steered by {method} {path}")),
    }
    Ok(Reply::json(&json!({})))
}

fn turn_clock(stand: &Stand, form: &ClockForm) {
    stand.advance_minutes(form.advance_minutes);
    if form.new_day {
        stand.ledger.reset_day();
    }
}

fn proxy<'a>(stand: &'a Stand, path: &str) -> Result<&'a Door, String> {
    let place = path.strip_prefix(PROXIES).unwrap_or_default();
    let found = place
        .parse()
        .ok()
        .and_then(|place: usize| stand.proxies.get(place));
    let count = stand.proxies.len();
    found
        .map(|door| &**door)
        .ok_or_else(|| format!("there is no proxy {place:?} among {count}, counted from 0"))
}

fn body<T: DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}

// Not left to the untagged enum, whose errors do not name the field that is wrong.
fn form_of<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn proxy_json(door: &Door) -> Value {
    let seen = door.log.snapshot().into_iter().map(|seen| {
        json!({
            "peer": seen.peer,
            "target": seen.target,
            "login": seen.login,
            "connected": seen.connected,
            "from_client_len": seen.from_client_len,
            "from_target_len": seen.from_target_len,
            "open": seen.open,
        })
    });
    json!({
        "url": door.url(),
        "kind": door.script.kind,
        "exit": door.script.exit,
        "fault": door.fault(),
        "connections": door.log.accepted(),
        "open": door.log.open(),
        "seen": seen.collect::<Vec<_>>(),
    })
}

fn seen_json(seen: &Seen) -> Value {
    json!({
        "peer": seen.peer,
        "method": seen.method,
        "path_and_query": seen.path_and_query,
        "headers": seen.headers,
        "key": seen.key,
        "body": String::from_utf8_lossy(&seen.body),
        "body_len": seen.body_len,
        "finished": seen.finished,
        "disconnected": seen.disconnected,
    })
}

fn state(stand: &Stand) -> Value {
    let used = stand
        .ledger
        .list()
        .into_iter()
        .map(|((project, model), used)| {
            json!({
                "project": project,
                "model": model,
                "minute_requests": used.minute_requests,
                "minute_tokens": used.minute_tokens,
                "day_requests": used.day_requests,
            })
        });
    json!({
        "requests": stand.recorder.count(),
        "rules": stand.rules.count(),
        "keys": stand.keyring.list(),
        "used": used.collect::<Vec<_>>(),
        "token_requests": stand.accounts.token_requests(),
    })
}
