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
//! The fault of a proxy: `"closed_port"`, `{"refuses": 503}`, `{"cut_after": 4096}` and the other names of
//! [`ProxyFault`] in `snake_case`.
//!
//! Rules and keys are written as in a script file: see `form.rs`.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::Call;
use crate::form::{RuleForm, check_faults};
use crate::keys::FakeKey;
use crate::proxy::{Door, ProxyFault};
use crate::reply::{JSON, Reply, pretty};
use crate::seen::Seen;
use crate::stand::Stand;

const PROXIES: &str = "/_fake/proxies/";

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
