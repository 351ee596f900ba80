//! What else a project owns: batches, a model's long-running operations, and file search stores. They are done as soon as
//! they are asked after, and of the shape that the SDKs parse; keys of other projects do not find them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::files::{Content, Described};
use crate::gemini::models::page;
use crate::gemini::strict;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

const DEFAULT_PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;
/// A batch's result: a JSONL file.
const RESULT: &[u8] = b"{\"key\":\"1\",\"response\":{\"candidates\":[]}}\n";
/// Not a video, but as good to download.
const VIDEO: &[u8] = b"\0\0\0\x18ftypmp42 a very short video";

/// What interactions use, by its id.
const FAMILY: [&str; 4] = ["agents", "environments", "credentials", "voices"];

/// All of it by name: project and resource. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Owned(Mutex<BTreeMap<String, (String, Value)>>);

/// Answers `batches`, `models/{m}/operations/{o}` and `fileSearchStores`, and what makes them.
pub(crate) fn serve(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let (resource, action) = call.resource_and_method();
    let segments: Vec<&str> = resource.split('/').collect();
    let owned = &stand.owned;
    match (&call.method, segments.as_slice(), action) {
        (&Method::POST, ["models", model], "batchGenerateContent") => {
            batch(stand, call, caller, model)
        }
        (&Method::POST, ["models", model], "predictLongRunning") => {
            let name = format!("models/{model}/operations/{}", stand.fresh_id(12));
            owned.keep(caller, &name, &json!({"name": name}));
            Ok(Reply::json(&json!({"name": name})))
        }
        (&Method::POST, [kind @ ("fileSearchStores" | "corpora")], "") => {
            let body = strict::json_body(call)?;
            let chosen = body["name"].as_str().map(str::to_owned);
            let name = chosen.unwrap_or_else(|| format!("{kind}/{}", stand.fresh_id(12)));
            let store = json!({"name": name, "displayName": body["displayName"], "createTime": Timestamp::now()});
            owned.keep(caller, &name, &store);
            Ok(Reply::json(&store))
        }
        (&Method::POST, [kind], "") if FAMILY.contains(kind) => {
            let body = strict::json_body(call)?;
            owned.check_ids(caller, &body)?;
            let id = body["id"].as_str().map(str::to_owned);
            let id = id.unwrap_or_else(|| format!("{kind}-{}", stand.fresh_id(12)));
            let resource = json!({"id": id, "created": Timestamp::now()});
            owned.keep(caller, &format!("{kind}/{id}"), &resource);
            Ok(Reply::json(&resource))
        }
        (&Method::GET, [kind, _], "") if FAMILY.contains(kind) => {
            Ok(Reply::json(&owned.get(caller, resource)?))
        }
        (&Method::DELETE, [kind, _], "") if FAMILY.contains(kind) => {
            owned.get(caller, resource)?;
            owned.lock().remove(resource);
            Ok(Reply::json(&json!({})))
        }
        (&Method::POST, ["fileSearchStores", _], "importFile") => {
            owned.get(caller, resource)?;
            let body = strict::json_body(call)?;
            let file = body["fileName"].as_str().unwrap_or_default().to_owned();
            stand.files.notes(caller, &[file])?;
            let name = format!("{resource}/operations/{}", stand.fresh_id(12));
            Ok(Reply::json(
                &json!({"name": name, "done": true, "response": {}}),
            ))
        }
        (&Method::GET, ["models", _, "operations", _], "") => {
            owned.get(caller, resource)?;
            Ok(Reply::json(&video(stand, caller, resource)))
        }
        (&Method::GET, ["fileSearchStores", store, .., "operations", _], "") => {
            owned.get(caller, &format!("fileSearchStores/{store}"))?;
            Ok(Reply::json(
                &json!({"name": resource, "done": true, "response": {}}),
            ))
        }
        (&Method::GET, [kind @ ("batches" | "fileSearchStores")], "") => {
            owned.list(call, caller, kind)
        }
        (&Method::GET, ["batches" | "fileSearchStores", _], "") => {
            Ok(Reply::json(&owned.get(caller, resource)?))
        }
        (&Method::GET, ["corpora", _], "") => Ok(match owned.get(caller, resource) {
            Ok(corpus) => Reply::json(&corpus),
            Err(_) => super::echo::reply(call),
        }),
        (&Method::POST, ["batches", _], "cancel") => {
            owned.get(caller, resource)?;
            Ok(Reply::json(&json!({})))
        }
        (&Method::DELETE, ["batches" | "fileSearchStores" | "corpora", _], "") => {
            owned.get(caller, resource)?;
            owned.lock().remove(resource);
            Ok(Reply::json(&json!({})))
        }
        _ => Ok(super::echo::reply(call)),
    }
}

fn batch(stand: &Stand, call: &Call, caller: &Caller, model: &str) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    let input = &body["batch"]["inputConfig"];
    if let Some(file) = input["fileName"].as_str() {
        stand.files.notes(caller, &[file.to_owned()])?;
    }
    let name = format!("batches/{}", stand.fresh_id(12));
    let result = store(stand, caller, "application/jsonl", RESULT);
    let metadata = |state: &str| {
        json!({
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": format!("models/{model}"),
            "displayName": body["batch"]["displayName"],
            "state": state,
            "createTime": Timestamp::now(),
            "batchStats": {"requestCount": "1"},
        })
    };
    let mut done = metadata("BATCH_STATE_SUCCEEDED");
    done["output"] = json!({"responsesFile": result});
    let kept = json!({"name": name, "metadata": done, "done": true, "response": {"responsesFile": result}});
    stand.owned.keep(caller, &name, &kept);
    Ok(Reply::json(
        &json!({"name": name, "metadata": metadata("BATCH_STATE_PENDING")}),
    ))
}

fn video(stand: &Stand, caller: &Caller, operation: &str) -> Value {
    let name = store(stand, caller, "video/mp4", VIDEO);
    let uri = format!("{}/v1beta/{name}:download?alt=media", stand.base_url);
    json!({
        "name": operation,
        "done": true,
        "response": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
            "generateVideoResponse": {"generatedSamples": [{"video": {"uri": uri}}]},
        },
    })
}

/// A file that the provider has made itself. Gives its name.
fn store(stand: &Stand, caller: &Caller, mime_type: &str, content: &'static [u8]) -> String {
    let id = stand.fresh_id(12);
    let described = Described {
        id: id.clone(),
        display_name: String::new(),
        mime_type: mime_type.to_owned(),
    };
    let content = Content::whole(content);
    stand
        .files
        .store(&stand.base_url, &caller.project, described, content);
    format!("files/{id}")
}

impl Owned {
    /// Refuses a request that searches stores of another project.
    pub(crate) fn check_stores(&self, caller: &Caller, body: &Value) -> Result<(), Refusal> {
        let tools = body["tools"].as_array().into_iter().flatten();
        let names = tools.filter_map(|tool| tool["fileSearch"]["fileSearchStoreNames"].as_array());
        for name in names.flatten().filter_map(Value::as_str) {
            self.get(caller, name)?;
        }
        Ok(())
    }

    /// Refuses what names an agent, an environment or a credential of another project.
    pub(crate) fn check_ids(&self, caller: &Caller, body: &Value) -> Result<(), Refusal> {
        let environment = &body["environment"];
        let variables = environment["env"].as_object().into_iter().flatten();
        let credentials = variables.map(|(_, variable)| ("credentials", &variable["credential"]));
        let named = [
            ("agents", &body["agent"]),
            ("environments", environment),
            ("environments", &environment["environment_id"]),
            ("environments", &body["from_environment"]),
        ];
        for (kind, id) in named.into_iter().chain(credentials) {
            let id = id.as_str().filter(|id| {
                *id != "remote" && !(kind == "agents" && id.starts_with("deep-research-"))
            });
            if let Some(id) = id {
                self.get(caller, &format!("{kind}/{id}"))?;
            }
        }
        Ok(())
    }

    /// An environment of its own for an interaction that asks for one, or the one that it names.
    pub(crate) fn environment(&self, stand: &Stand, caller: &Caller, body: &Value) -> Value {
        let wanted = &body["environment"];
        let known = wanted["environment_id"].as_str().or(wanted.as_str());
        match known {
            Some(id) if id != "remote" => json!(id),
            None if wanted.is_null() => Value::Null,
            _ => {
                let id = format!("environments-{}", stand.fresh_id(12));
                self.keep(caller, &format!("environments/{id}"), &json!({"id": id}));
                json!(id)
            }
        }
    }

    fn keep(&self, caller: &Caller, name: &str, resource: &Value) {
        let kept = (caller.project.clone(), resource.clone());
        self.lock().insert(name.to_owned(), kept);
    }

    fn get(&self, caller: &Caller, name: &str) -> Result<Value, Refusal> {
        let owned = self.lock();
        let found = owned
            .get(name)
            .filter(|(project, _)| *project == caller.project);
        found
            .map(|(_, resource)| resource.clone())
            .ok_or_else(Refusal::no_entity)
    }

    fn list(&self, call: &Call, caller: &Caller, kind: &str) -> Result<Reply, Refusal> {
        let owned = self.lock();
        let prefix = format!("{kind}/");
        let own: Vec<&Value> = owned
            .iter()
            .filter(|(name, (project, _))| name.starts_with(&prefix) && *project == caller.project)
            .map(|(_, (_, resource))| resource)
            .collect();
        let (shown, next) = page(&own, call, DEFAULT_PAGE, LARGEST_PAGE)?;
        // Batches are listed as the operations that they are.
        let member = if kind == "batches" {
            "operations"
        } else {
            kind
        };
        let mut body = json!({});
        if !shown.is_empty() {
            body[member] = json!(shown);
        }
        if let Some(next) = next {
            body["nextPageToken"] = json!(next);
        }
        Ok(Reply::json(&body))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (String, Value)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
