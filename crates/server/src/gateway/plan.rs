//! Where a model's name leads: to one provider, or along an alias's chain of them. The order is: a provider's prefix, the
//! providers' lists, aliases, and at last what the beginning of the name tells.
//! Which key of a provider is used is `credentials.rs`; when the chain is followed, `failover.rs`.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use domain::{Class, UnixMs};
use http::StatusCode;
use metering::Access;
use providers::Api;

use super::Visit;
use super::caller::Caller;
use super::error::GatewayError;
use crate::catalog::Lists;
use crate::snapshot::{Provider, Snapshot};

/// Other names of providers' prefixes, as `OpenRouter` and Sber's own tools write them.
const PREFIXES: [(&str, &str); 2] = [("x-ai", "xai"), ("sber", "gigachat")];
/// What the models of a provider are called.
const BEGINNINGS: [(&str, Api); 6] = [
    ("gemini", Api::Google),
    ("gemma", Api::Google),
    ("grok", Api::Xai),
    ("gigachat", Api::GigaChat),
    ("sonar", Api::Perplexity),
    ("r1-1776", Api::Perplexity),
];
/// Aliases of aliases may lead to more than anybody waits for.
const LONGEST_CHAIN: usize = 32;
/// How alike a known id must be to be named in the refusal of an unknown one: as a whole, or by how both begin.
const ALIKE: f64 = 0.7;
const BEGINS_ALIKE: f64 = 0.85;
const MOST_NAMED: usize = 3;
/// In characters.
const LONGEST_SHOWN: usize = 200;

/// A model at a provider.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) provider: Arc<Provider>,
    /// As the provider names it.
    pub(crate) model: String,
}

/// What is known of models when a request comes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// What the providers have listed.
    pub(crate) lists: &'a Lists,
    /// What the caller may use; none: everything.
    pub(crate) access: Option<&'a Access>,
    /// Whether a key is usable is a question of the time.
    pub(crate) now: UnixMs,
}

impl<'a> Known<'a> {
    /// What is known when a caller asks.
    pub(crate) fn of(visit: &'a Visit, lists: &'a Lists) -> Self {
        Self::new(&visit.snapshot, lists, &visit.caller, visit.now)
    }

    pub(crate) fn new(
        snapshot: &'a Snapshot,
        lists: &'a Lists,
        caller: &'a Caller,
        now: UnixMs,
    ) -> Self {
        Self {
            snapshot,
            lists,
            access: caller.access(),
            now,
        }
    }

    /// The targets of a model's name, in the order in which they are to be tried: those that the caller may use.
    pub(crate) fn targets(self, name: &str) -> Result<VecDeque<Target>, GatewayError> {
        let mut targets = self.follow(name);
        if targets.is_empty() {
            return Err(self.unknown(name));
        }
        targets.retain(|target| self.may_use(&target.provider, &target.model));
        if targets.is_empty() {
            return Err(super::admission::model_refused(name));
        }
        Ok(targets)
    }

    /// Whether an alias leads to anything that the caller may use.
    fn leads_to_allowed(self, alias: &str) -> bool {
        let targets = self.follow(alias);
        let mut targets = targets.iter();
        targets.any(|target| self.may_use(&target.provider, &target.model))
    }

    /// The ids that a provider has: those that it is configured to have, or else those that it has listed.
    pub(crate) fn models(self, provider: &'a Provider) -> &'a [String] {
        if !provider.models.is_empty() {
            return &provider.models;
        }
        self.lists.get(&provider.name).map_or(&[], |list| list)
    }

    /// Where a name leads, each target once. However aliases lead to each other, none is followed twice.
    fn follow(self, name: &str) -> VecDeque<Target> {
        let mut targets = VecDeque::new();
        let mut followed = HashSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let name = name.strip_prefix("models/").unwrap_or(name);
            if targets.len() == LONGEST_CHAIN || !followed.insert(name) {
                continue;
            }
            if let Some(target) = self.prefixed(name).or_else(|| self.listed(name)) {
                add(&mut targets, target);
            } else if let Some(chain) = self.snapshot.config.aliases.get(name) {
                open.extend(chain.0.iter().rev().map(String::as_str));
            } else if let Some(target) = self.by_beginning(name) {
                add(&mut targets, target);
            }
        }
        targets
    }

    /// Whether the caller may use a model.
    pub(crate) fn may_use(self, provider: &Provider, model: &str) -> bool {
        let access = self.access;
        access.is_none_or(|access| access.allows_model(&provider.name, model))
    }

    fn prefixed(self, name: &str) -> Option<Target> {
        let (prefix, model) = name.split_once('/')?;
        let known = PREFIXES.iter().find(|(other, _)| *other == prefix);
        let prefix = known.map_or(prefix, |(_, provider)| provider);
        let provider = self.snapshot.provider(prefix)?;
        let is_there = provider.models.is_empty() || provider.models.iter().any(|id| id == model);
        (is_there && !model.is_empty()).then(|| target(provider, model))
    }

    /// The provider that lists the id; of several the first with a key to use for it.
    fn listed(self, name: &str) -> Option<Target> {
        let has = |provider: &&Arc<Provider>| self.models(provider).iter().any(|id| id == name);
        let may = |provider: &&Arc<Provider>| self.may_use(provider, name);
        let providers = || self.snapshot.providers.iter();
        let able = |provider: &&Arc<Provider>| provider.pool().usable(name, self.now) > 0;
        let found = providers().filter(has).filter(may).find(able);
        let found = found.or_else(|| providers().filter(has).find(may));
        let found = found.or_else(|| providers().find(has))?;
        Some(target(found, name))
    }

    fn by_beginning(self, name: &str) -> Option<Target> {
        let begins = |start: &str| {
            name.get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start))
        };
        let (_, api) = BEGINNINGS.iter().find(|(start, _)| begins(start))?;
        let mut providers = self.snapshot.speaking(*api);
        let found = providers.find(|provider| provider.models.is_empty())?;
        Some(target(found, name))
    }

    /// The refusal of a name that leads nowhere, with the nearest that lead the caller somewhere.
    pub(crate) fn unknown(self, name: &str) -> GatewayError {
        let text = format!(
            "the model {:?} does not exist; {}",
            shown(name),
            self.hint(name)
        );
        GatewayError::upstream(StatusCode::NOT_FOUND, Class::BadRequest, text)
            .code("model_not_found")
            .param("model")
    }

    /// The refusal of a model that its provider does not have, or not for us, with the nearest that there are.
    pub(crate) fn unavailable(self, model: &str) -> GatewayError {
        let text = format!(
            "the model {:?} is not available at its provider; {}",
            shown(model),
            self.hint(model)
        );
        GatewayError::upstream(StatusCode::NOT_FOUND, Class::ModelUnavailable, text)
            .code("model_not_found")
            .param("model")
    }

    /// What may have been meant by a name, if not the name itself.
    fn hint(self, name: &str) -> String {
        match &*self.nearest(name) {
            [] => "GET /v1/models lists those that there are".to_owned(),
            nearest => format!("did you mean {}?", nearest.join(", ")),
        }
    }

    fn nearest(self, name: &str) -> Vec<String> {
        let name = shown(name);
        let bare = name.rsplit('/').next().unwrap_or_default().to_lowercase();
        let ids = self.snapshot.providers.iter().flat_map(|provider| {
            let models = self.models(provider).iter();
            let allowed = models.filter(move |id| self.may_use(provider, id));
            allowed.map(move |id| (id.as_str(), format!("{}/{id}", provider.name)))
        });
        let aliases = self.snapshot.config.aliases.keys();
        let aliases = aliases.filter(|alias| self.leads_to_allowed(alias));
        let all = ids.chain(aliases.map(|alias| (alias.as_str(), alias.clone())));
        let scored =
            all.filter_map(|(id, shown)| Some((likeness(&bare, &id.to_lowercase())?, shown)));
        let alike = scored.filter(|(_, shown)| !is_it(shown, &name));
        let mut alike: Vec<(f64, String)> = alike.collect();
        alike.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        alike.truncate(MOST_NAMED);
        alike.into_iter().map(|(_, shown)| shown).collect()
    }
}

/// How alike two names are; none where they are not. A version that does not exist begins like one that does.
fn likeness(one: &str, other: &str) -> Option<f64> {
    let whole = strsim::normalized_damerau_levenshtein(one, other);
    let beginning = strsim::jaro_winkler(one, other);
    (whole >= ALIKE || beginning >= BEGINS_ALIKE).then_some(whole.max(beginning))
}

/// As much of a name as is shown, and compared.
fn shown(name: &str) -> String {
    name.chars().take(LONGEST_SHOWN).collect()
}

/// Whether an id with its prefix is the very name that was asked for, with or without that.
fn is_it(id: &str, name: &str) -> bool {
    id == name || id.split_once('/').is_some_and(|(_, bare)| bare == name)
}

fn add(targets: &mut VecDeque<Target>, target: Target) {
    let is_it =
        |known: &Target| known.provider.name == target.provider.name && known.model == target.model;
    if !targets.iter().any(is_it) {
        targets.push_back(target);
    }
}

fn target(provider: &Arc<Provider>, model: &str) -> Target {
    Target {
        provider: provider.clone(),
        model: model.to_owned(),
    }
}
