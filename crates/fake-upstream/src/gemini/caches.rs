//! `cachedContents`: made, looked at, listed, prolonged and deleted by keys of one project, and
//! referred to by their generating requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::models::page;
use crate::gemini::prompt::text_field;
use crate::gemini::strict;
use crate::keys::Caller;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

const DEFAULT_TTL: SignedDuration = SignedDuration::from_hours(1);
const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;

#[derive(Debug, Clone)]
struct Cache {
    project: String,
    tokens: u64,
    resource: Value,
}

/// All caches by name. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Caches(Mutex<BTreeMap<String, Cache>>);

impl Caches {
    /// Answers `cachedContents` and `cachedContents/{id}`.
    pub(crate) fn serve(
        &self,
        stand: &Stand,
        call: &Call,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        let name = call.rest.as_str();
        match (&call.method, name == "cachedContents") {
            (&Method::POST, true) => self.create(stand, call, caller),
            (&Method::GET, true) => self.list(call, caller),
            (&Method::GET, false) => Ok(Reply::json(&self.owned(caller, name)?.resource)),
            (&Method::PATCH, false) => self.prolong(call, caller),
            (&Method::DELETE, false) => {
                self.owned(caller, name)?;
                self.lock().remove(name);
                Ok(Reply::json(&json!({})))
            }
            _ => Ok(super::echo::reply(call)),
        }
    }

    /// The size of a cache that the caller refers to, in tokens.
    pub(crate) fn tokens(&self, caller: &Caller, name: &str) -> Result<u64, Refusal> {
        Ok(self.owned(caller, name)?.tokens)
    }

    fn create(&self, stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
        let body = strict::json_body(call)?;
        let Some(model) = text_field(&body, "model") else {
            return Err(Refusal::invalid(
                "* CreateCachedContentRequest.model: model is not specified\n",
            ));
        };
        let name = format!("cachedContents/{}", stand.fresh_id(12));
        let tokens = Prompt::read(&body).tokens;
        let now = Timestamp::now();
        let mut resource = json!({
            "name": name,
            "model": model,
            "displayName": text_field(&body, "displayName").unwrap_or_default(),
            "createTime": now,
            "updateTime": now,
            "usageMetadata": {"totalTokenCount": tokens},
        });
        resource["expireTime"] = expiry(&body, now);
        let cache = Cache {
            project: caller.project.clone(),
            tokens,
            resource: resource.clone(),
        };
        self.lock().insert(name, cache);
        Ok(Reply::json(&resource))
    }

    fn prolong(&self, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
        let body = strict::json_body(call)?;
        let mut cache = self.owned(caller, &call.rest)?;
        let now = Timestamp::now();
        cache.resource["expireTime"] = expiry(&body, now);
        cache.resource["updateTime"] = json!(now);
        let reply = Reply::json(&cache.resource);
        self.lock().insert(call.rest.clone(), cache);
        Ok(reply)
    }

    fn list(&self, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
        let caches = self.lock();
        let own: Vec<&Value> = caches
            .values()
            .filter(|cache| cache.project == caller.project)
            .map(|cache| &cache.resource)
            .collect();
        let (shown, next) = page(&own, call, DEFAULT_PAGE, LARGEST_PAGE)?;
        let mut body = json!({});
        if !shown.is_empty() {
            body["cachedContents"] = json!(shown);
        }
        if let Some(next) = next {
            body["nextPageToken"] = json!(next);
        }
        Ok(Reply::json(&body))
    }

    fn owned(&self, caller: &Caller, name: &str) -> Result<Cache, Refusal> {
        let found = self
            .lock()
            .get(name)
            .filter(|c| c.project == caller.project)
            .cloned();
        found.ok_or_else(|| Refusal::named("403_cache_foreign"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Cache>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `expireTime` as given, or now plus `ttl` (`"3600s"`).
fn expiry(body: &Value, now: Timestamp) -> Value {
    if let Some(at) = text_field(body, "expireTime") {
        return json!(at);
    }
    let seconds = text_field(body, "ttl").and_then(|ttl| {
        ttl.strip_suffix('s')
            .and_then(|number| number.parse::<f64>().ok())
    });
    let ttl = seconds.map_or(DEFAULT_TTL, |s| SignedDuration::from_secs(s as i64));
    json!(now.saturating_add(ttl).unwrap_or(now))
}
