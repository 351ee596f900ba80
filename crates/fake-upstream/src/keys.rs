//! The API keys that the stand-in knows: to which project they belong, what is wrong with them and
//! how much they may ask. What is said to a faulty one is `fault.rs`; counting is `quota.rs`.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::fault::{KeyFault, Subject};
use crate::provider::Provider;
use crate::refusal::Refusal;

/// What a limit counts. All are counted per (project, model), as the providers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Requests per minute.
    Rpm,
    /// Requests per day.
    Rpd,
    /// Input tokens per minute.
    Tpm,
}

/// One limit of a key; `model` `*` means every model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub(crate) model: String,
    pub(crate) measure: Measure,
    pub(crate) value: u64,
}

/// A fault that a key has with one model alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFault {
    model: String,
    fault: KeyFault,
}

/// A key as the provider's side knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FakeKey {
    pub(crate) key: String,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    pub(crate) fault: Option<KeyFault>,
    #[serde(default)]
    pub(crate) paid: bool,
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
    #[serde(default)]
    model_faults: Vec<ModelFault>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

impl FakeKey {
    /// A healthy key of the free tier, without limits, in a project of its own.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            project: None,
            fault: None,
            paid: false,
            limits: Vec::new(),
            model_faults: Vec::new(),
            scope: None,
        }
    }

    /// The project (xAI: team, Perplexity: organisation, GigaChat: account), whose quota and files its
    /// keys share.
    #[must_use]
    pub fn project(mut self, project: &str) -> Self {
        self.project = Some(project.to_owned());
        self
    }

    /// What is wrong with the key.
    #[must_use]
    pub fn fault(mut self, fault: KeyFault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// What is wrong with the key for this model alone, for example a package that is used up.
    #[must_use]
    pub fn model_fault(mut self, model: &str, fault: KeyFault) -> Self {
        let model = model.to_owned();
        self.model_faults.push(ModelFault { model, fault });
        self
    }

    /// The only scope for which GigaChat gives this key tokens; without it any of the three will do.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }

    /// Puts the project on a paid tier: the quota ids lose their `-FreeTier`.
    #[must_use]
    pub fn paid(mut self) -> Self {
        self.paid = true;
        self
    }

    /// Requests per minute for a model (`*`: each model); 0 answers `limit: 0`.
    #[must_use]
    pub fn rpm(self, model: &str, requests: u64) -> Self {
        self.limit(model, Measure::Rpm, requests)
    }

    /// Requests per day for a model (`*`: each model); 0 answers `limit: 0`.
    #[must_use]
    pub fn rpd(self, model: &str, requests: u64) -> Self {
        self.limit(model, Measure::Rpd, requests)
    }

    /// Input tokens per minute for a model (`*`: each model); 0 answers `limit: 0`.
    #[must_use]
    pub fn tpm(self, model: &str, tokens: u64) -> Self {
        self.limit(model, Measure::Tpm, tokens)
    }

    fn limit(mut self, model: &str, measure: Measure, value: u64) -> Self {
        self.limits.push(Limit {
            model: model.to_owned(),
            measure,
            value,
        });
        self
    }

    /// The project's name; a key that names none has one of its own, a 12-digit number.
    pub(crate) fn project_name(&self) -> String {
        self.project
            .clone()
            .unwrap_or_else(|| own_project(&self.key))
    }

    /// Refuses when the key has a fault with this model.
    pub(crate) fn check_model(&self, provider: Provider, model: &str) -> Result<(), Refusal> {
        let found = self.model_faults.iter().find(|m| m.model == model);
        match found {
            Some(found) => Err(self.refusal(provider, found.fault, Some(model))),
            None => Ok(()),
        }
    }

    /// Every fault of the key, the ones of single models included.
    pub(crate) fn faults(&self) -> impl Iterator<Item = KeyFault> {
        let of_models = self.model_faults.iter().map(|m| m.fault);
        self.fault.into_iter().chain(of_models)
    }

    /// What the provider says about a fault of this key.
    pub(crate) fn refusal(
        &self,
        provider: Provider,
        fault: KeyFault,
        model: Option<&str>,
    ) -> Refusal {
        let project = self.project_name();
        let subject = Subject {
            key: &self.key,
            project: &project,
            model,
        };
        provider.refuse(fault, &subject)
    }

    fn is_plain(&self) -> bool {
        self.faults().next().is_none() && self.limits.is_empty()
    }
}

/// Who asks, once admitted.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) project: String,
    /// The listed key; `None` when the stand-in takes any.
    pub(crate) key: Option<FakeKey>,
}

/// What the keyring knows of a credential.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// A healthy key, or any while none is listed.
    Good(Caller),
    /// A listed key with a fault.
    Faulty(FakeKey, KeyFault),
    /// Not listed while others are.
    Unknown,
}

/// All listed keys. The lock is taken for one look-up or one change.
#[derive(Debug, Default)]
pub(crate) struct Keyring {
    keys: RwLock<HashMap<String, FakeKey>>,
    listed: AtomicBool,
}

impl Keyring {
    pub(crate) fn set(&self, key: FakeKey) {
        self.listed.store(true, Ordering::Release);
        self.write().insert(key.key.clone(), key);
    }

    /// Clears the fault of a key; unknown keys are left unknown.
    pub(crate) fn fix(&self, key: &str) {
        if let Some(key) = self.write().get_mut(key) {
            key.fault = None;
        }
    }

    /// Every listed key, by its text.
    pub(crate) fn list(&self) -> Vec<FakeKey> {
        let mut list: Vec<_> = self.read().values().cloned().collect();
        list.sort_by(|a, b| a.key.cmp(&b.key));
        list
    }

    /// Whether this key passes without a closer look: nothing is listed, or it has neither fault nor
    /// limit.
    pub(crate) fn is_plain(&self, key: Option<&str>) -> bool {
        let Some(text) = key else { return false };
        !self.listed.load(Ordering::Acquire) || self.read().get(text).is_some_and(FakeKey::is_plain)
    }

    /// Looks a credential up.
    pub(crate) fn look_up(&self, text: &str) -> Standing {
        if !self.listed.load(Ordering::Acquire) {
            return Standing::Good(Caller {
                project: own_project(text),
                key: None,
            });
        }
        let Some(key) = self.read().get(text).cloned() else {
            return Standing::Unknown;
        };
        match key.fault {
            Some(fault) => Standing::Faulty(key, fault),
            None => Standing::Good(Caller {
                project: key.project_name(),
                key: Some(key),
            }),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, FakeKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, FakeKey>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn own_project(key: &str) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (100_000_000_000 + hasher.finish() % 900_000_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_with_one_model_leaves_the_others() {
        let key = FakeKey::new("k").model_fault("a", KeyFault::PrepayDepleted);
        let check = |model: &str| key.check_model(Provider::Gigachat, model);
        assert_eq!(check("a").unwrap_err().status, 402);
        assert!(check("b").is_ok());
        assert!(!key.is_plain());
    }

    #[test]
    fn keys_without_a_project_have_one_each() {
        let (a, b) = (
            FakeKey::new("a").project_name(),
            FakeKey::new("b").project_name(),
        );
        assert_eq!(a.len(), 12);
        assert_ne!(a, b);
        assert_eq!(a, FakeKey::new("a").project_name());
    }
}
