//! How a key is proved, alone or with a model, by calls that cost no generation quota. Pure: it says what to ask next and
//! what the answers come to; who asks, when and how often is none of its business. Which call proves what:
//!
//! | API | key with a model | key alone |
//! |---|---|---|
//! | Google | `countTokens`: key, project's API, model; where the model cannot count, that it exists | the first of the models |
//! | xAI | the key's own flags, and then `GET /models/{id}` | the key's own flags |
//! | OpenAI's kind, GigaChat | `GET /models/{id}`; where there is no such path, the list of models | the list of models |
//! | Perplexity | the list of models, which has every model but presets | the list of models |
//!
//! None of them proves that there is quota or money left. A model that is not there says nothing against the key, so
//! the key is then asked about alone.

use std::time::Duration;

use domain::{Certainty, Class, Scope, Verdict};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Api, ModelsPage, Place};

/// What a name keeps as it is in a path; the slash, because ids of some providers have one.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// The least that tokens can be counted of.
const FEW_TOKENS: &str = r#"{"contents":[{"parts":[{"text":"."}]}]}"#;
/// How long a model that was not found is off for a project.
const HOUR: Duration = Duration::from_secs(3600);

/// One call of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckCall {
    /// Its method.
    pub method: Method,
    /// Its path below the provider's address, with the query.
    pub path: String,
    /// Its JSON; empty: it has none.
    pub body: &'static str,
    /// The part of the API that answers.
    pub place: Place,
}

/// What comes after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another call.
    Ask(CheckCall),
    /// That is all.
    Over(Finding),
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means for the key and the model.
    pub verdict: Verdict,
    /// The provider has taken the key, whatever it said of the model.
    pub key_works: bool,
}

/// A check under way: [`Check::begin`] gives the first call, [`Check::heard`] what comes after each answer.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    api: Api,
    model: Option<&'a str>,
    stage: Stage,
    /// The model is not there; the key is asked about alone.
    missing: Option<Verdict>,
}

/// What has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Key,
    Model,
    /// What is asked where the call for a model does not answer for this one.
    Instead,
}

impl<'a> Check<'a> {
    /// Begins a check of a key, with a model that it shall be able to use or alone.
    pub fn begin(api: Api, model: Option<&'a str>) -> (Self, CheckCall) {
        let (stage, call) = match model {
            Some(model) if api != Api::Xai => (Stage::Model, of_model(api, model)),
            _ => (Stage::Key, of_key(api)),
        };
        let check = Self {
            api,
            model,
            stage,
            missing: None,
        };
        (check, call)
    }

    /// What comes after an answer: the body of a success, or what a refusal means.
    pub fn heard(&mut self, answer: Result<&[u8], Verdict>) -> Step {
        match (self.stage, answer) {
            (Stage::Key, Ok(body)) => self.key_taken(body),
            (Stage::Key, Err(verdict)) => failed(self.mild(verdict)),
            (Stage::Model, Ok(body)) => self.model_found(body),
            (Stage::Model, Err(verdict)) => self.model_refused(verdict),
            (Stage::Instead, Ok(body)) => self.found_instead(body),
            (Stage::Instead, Err(verdict)) => self.settle(verdict),
        }
    }

    fn key_taken(&mut self, body: &[u8]) -> Step {
        let verdict = if self.api == Api::Xai {
            of_key_info(body)
        } else {
            of_document(body)
        };
        if verdict.class != Class::Ok {
            return failed(verdict);
        }
        match (self.missing.take(), self.model) {
            (Some(verdict), _) => over(verdict, true),
            (None, Some(model)) => {
                self.stage = Stage::Model;
                Step::Ask(of_model(self.api, model))
            }
            (None, None) => over(verdict, true),
        }
    }

    fn model_found(&self, body: &[u8]) -> Step {
        if self.api == Api::Perplexity {
            return self.found_instead(body);
        }
        proved(of_document(body))
    }

    fn model_refused(&mut self, verdict: Verdict) -> Step {
        let model = self.model.unwrap_or_default();
        let instead = match (self.api, verdict.class) {
            // There are models that cannot count: what is then asked is whether the model exists.
            (Api::Google, Class::ModelUnavailable) if verdict.reason == "model_not_found" => {
                let path = google_path(model);
                Some(get(path, Place::Model))
            }
            // Many servers of OpenAI's kind have a list of models and nothing below it.
            (Api::OpenAi | Api::Xai | Api::GigaChat, Class::BadRequest) => Some(list(self.api)),
            _ => None,
        };
        match instead {
            Some(call) => {
                self.stage = Stage::Instead;
                Step::Ask(call)
            }
            None => self.settle(verdict),
        }
    }

    fn found_instead(&self, body: &[u8]) -> Step {
        if self.api == Api::Google {
            return proved(of_document(body));
        }
        let Some(page) = ModelsPage::read(self.api, body) else {
            return failed(Verdict::new(Class::ServerError, "not_a_list"));
        };
        let is_listed = page.ids.iter().any(|id| Some(id.as_str()) == self.model);
        if is_listed {
            return proved(Verdict::ok());
        }
        over(
            Verdict::new(Class::ModelUnavailable, "model_not_listed").delay(Some(HOUR)),
            true,
        )
    }

    /// The end, unless only the model is not there.
    fn settle(&mut self, verdict: Verdict) -> Step {
        let verdict = match verdict.class {
            // Asked for a model, this is Google's other word for one that does not exist.
            Class::AffinityMiss => {
                Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR))
            }
            _ => self.mild(verdict),
        };
        // One that is forbidden counts against the key, as it would for a caller.
        let is_missing =
            verdict.class == Class::ModelUnavailable && verdict.certainty != Certainty::Counted;
        if !is_missing {
            return failed(verdict);
        }
        if self.api == Api::Xai {
            // It was asked about first.
            return over(verdict, true);
        }
        self.missing = Some(verdict);
        self.stage = Stage::Key;
        Step::Ask(of_key(self.api))
    }

    /// Keys of OpenAI's kind may be made for single endpoints: one that may not list models may well answer.
    fn mild(&self, verdict: Verdict) -> Verdict {
        let is_forbidden =
            verdict.class == Class::KeyRestricted && verdict.certainty == Certainty::Counted;
        if self.api == Api::Google || !is_forbidden {
            return verdict;
        }
        Verdict::new(verdict.class, verdict.reason).reaching(Scope::Nobody)
    }
}

fn over(verdict: Verdict, key_works: bool) -> Step {
    Step::Over(Finding { verdict, key_works })
}

fn failed(verdict: Verdict) -> Step {
    over(verdict, false)
}

fn proved(verdict: Verdict) -> Step {
    let key_works = verdict.class == Class::Ok;
    over(verdict, key_works)
}

fn get(path: String, place: Place) -> CheckCall {
    CheckCall {
        method: Method::GET,
        path,
        body: "",
        place,
    }
}

fn of_key(api: Api) -> CheckCall {
    match api {
        Api::Google => get("/v1beta/models?pageSize=1".to_owned(), Place::Model),
        // Tells of a blocked key, which the list of models does not.
        Api::Xai => get("/api-key".to_owned(), Place::OpenAi),
        Api::OpenAi | Api::Perplexity | Api::GigaChat => list(api),
    }
}

fn list(api: Api) -> CheckCall {
    let (path, place) = api.models(None);
    get(path, place)
}

fn of_model(api: Api, model: &str) -> CheckCall {
    match api {
        Api::Google => CheckCall {
            method: Method::POST,
            path: format!("{}:countTokens", google_path(model)),
            body: FEW_TOKENS,
            place: Place::Model,
        },
        Api::Perplexity => list(api),
        // A key's list of endpoints may lack this one: that says nothing of those that it has.
        Api::Xai => get(model_path(model), Place::Resource),
        Api::OpenAi | Api::GigaChat => get(model_path(model), Place::OpenAi),
    }
}

fn model_path(model: &str) -> String {
    format!("/models/{}", utf8_percent_encode(model, PLAIN))
}

/// Tuned models have a collection of their own.
fn google_path(model: &str) -> String {
    let has_collection = ["models/", "tunedModels/", "dynamic/"]
        .iter()
        .any(|collection| model.starts_with(collection));
    let collection = if has_collection { "" } else { "models/" };
    format!("/v1beta/{collection}{}", utf8_percent_encode(model, PLAIN))
}

/// A success whose body is no JSON comes from something that stands before the provider.
fn of_document(body: &[u8]) -> Verdict {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Verdict::ok(),
        Err(_) => Verdict::new(Class::ServerError, "not_json"),
    }
}

/// xAI answers 200 for blocked keys too: three flags tell (docs.x.ai, `GET /v1/api-key`).
fn of_key_info(body: &[u8]) -> Verdict {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Info {
        team_blocked: bool,
        api_key_blocked: bool,
        api_key_disabled: bool,
    }
    let Ok(info) = serde_json::from_slice::<Info>(body) else {
        return Verdict::new(Class::ServerError, "not_json");
    };
    if info.team_blocked {
        return Verdict::new(Class::AcctSuspended, "team_blocked")
            .certainty(Certainty::Decisive)
            .project_wide();
    }
    if info.api_key_blocked || info.api_key_disabled {
        let reason = if info.api_key_blocked {
            "api_key_blocked"
        } else {
            "api_key_disabled"
        };
        return Verdict::new(Class::KeyInvalid, reason).certainty(Certainty::Decisive);
    }
    Verdict::ok()
}

#[cfg(test)]
mod tests;
