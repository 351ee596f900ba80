//! Scripts, their rules and their keys as JSON: a file of `--script`, or what is steered over HTTP (`control.rs`).
//! Unknown fields and fixtures are errors that name them.
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
//! A key: `{"key": "AIza-1", "project": "p1", "paid": false, "fault": "expired", "limits":
//! [{"model": "*", "measure": "rpm" | "rpd" | "tpm", "value": 10}], "model_faults": [{"model": "m",
//! "fault": "prepay_depleted"}], "scope": "GIGACHAT_API_PERS"}`; all but `key` optional, faults are the
//! names of [`KeyFault`](crate::KeyFault) in `snake_case`.
//!
//! A script file (`--script`): `{"says", "models": […], "keys": […], "rules": […]}`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::fault::Subject;
use crate::fixtures;
use crate::keys::FakeKey;
use crate::provider::Provider;
use crate::rule::{EmptyKind, Rule};
use crate::script::Script;

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
pub(crate) struct RuleForm {
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

impl RuleForm {
    pub(crate) fn into_rule(self) -> Result<Rule, String> {
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

/// Whether the provider has the faults of a key; the error names the first that it has not.
pub(crate) fn check_faults(provider: Provider, key: &FakeKey) -> Result<(), String> {
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
