//! Which model of the Agent API is asked for. The names of the retired Sonar API keep working.

use std::borrow::Cow;

/// The one model that the Sonar models became.
const SONAR: &str = "perplexity/sonar";

/// A name of the Sonar API, and the preset that comes closest to it: none for what never searched.
///
/// The Agent API refuses these names. Perplexity has published no table that could be checked; these rows follow what
/// other gateways settled on (`TrueFoundry`, Fabric). A preset alone may resolve to another maker's model, so that the
/// model is always named with it.
const OLD_NAMES: &[(&str, Option<&str>)] = &[
    ("sonar", Some("fast")),
    ("sonar-pro", Some("low")),
    ("sonar-reasoning", Some("low")),
    ("sonar-reasoning-pro", Some("medium")),
    ("sonar-deep-research", Some("high")),
    ("r1-1776", None),
];

/// The ids under which callers find the models of a provider's list: its own models by their short names, which the gateway
/// puts its prefix before, and the names of the Sonar API, which the provider lists no more.
pub fn offered(listed: Vec<String>) -> Vec<String> {
    let short = |id: String| {
        id.strip_prefix("perplexity/")
            .map_or(id.clone(), str::to_owned)
    };
    let mut ids: Vec<String> = listed.into_iter().map(short).collect();
    for (old, _) in OLD_NAMES {
        if !ids.iter().any(|id| id == old) {
            ids.push((*old).to_owned());
        }
    }
    ids
}

/// What a model's name comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The model's id in the Agent API.
    pub(super) model: Cow<'a, str>,
    /// A preset that belongs to the name. It searches the web by itself, so it goes only where that is wanted.
    pub(super) preset: Option<&'static str>,
    /// Answers of this model are searched for unless the caller forbids it; others search when asked to.
    pub(super) searches: bool,
}

impl<'a> Target<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        match OLD_NAMES.iter().find(|(old, _)| *old == name) {
            Some((_, preset)) => Self {
                model: SONAR.into(),
                preset: *preset,
                searches: preset.is_some(),
            },
            None => Self {
                // The Agent API names its own models with its name before them, like anybody's.
                model: if name.contains('/') {
                    name.into()
                } else {
                    format!("perplexity/{name}").into()
                },
                preset: None,
                searches: name == SONAR,
            },
        }
    }

    /// Models that are refused without a limit of their output.
    pub(super) fn needs_limit(&self) -> bool {
        self.model.starts_with("anthropic/")
    }
}
