//! The API keys that the stand-in knows: to which project they belong, what is wrong with them and
//! how much they may ask. Admission ends here; counting is `quota.rs`.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::call::{Call, Credential};
use crate::refusal::Refusal;

/// The key and the project number written in the fixtures; answers carry the real ones.
const FIXTURE_KEY: &str = "AIzaSyFAKE00000000000000000000000000000";
const FIXTURE_PROJECT: &str = "482913374650";

/// What Google says to every request of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFault {
    /// 400 `API_KEY_INVALID`.
    Invalid,
    /// 400 `API_KEY_INVALID` that quotes the key in its `DebugInfo`.
    InvalidDebugInfo,
    /// 400 "API key expired".
    Expired,
    /// 400 "API Key not found".
    NotFound,
    /// 403 "reported as leaked".
    Leaked,
    /// 403 `CONSUMER_SUSPENDED`, which quotes the key.
    Suspended,
    /// 403 "project has been denied access".
    ProjectDenied,
    /// 403 `SERVICE_DISABLED`.
    ServiceDisabled,
    /// 403 `API_KEY_SERVICE_BLOCKED`.
    ServiceBlocked,
    /// 401 `ACCESS_TOKEN_TYPE_UNSUPPORTED`.
    AccessTokenType,
    /// 402 "prepayment credits are depleted".
    PrepayDepleted,
    /// The same as a 429, which was Google's answer before.
    PrepayLegacy,
    /// 429 "monthly spending cap".
    SpendCap,
    /// 403 "The caller does not have permission".
    NoPermission,
    /// 400 "User location is not supported".
    Location,
    /// 404 "no longer available to new users".
    ModelNewUsers,
    /// 429 without details.
    BareQuota,
    /// 499 `CANCELLED`.
    Cancelled,
    /// 500 `INTERNAL`.
    Internal,
    /// 502 with an HTML page.
    BadGateway,
    /// 503 "The model is overloaded".
    Overloaded,
    /// 503 "experiencing high demand".
    HighDemand,
    /// 504 `DEADLINE_EXCEEDED`.
    Deadline,
}

impl KeyFault {
    fn fixture(self) -> &'static str {
        match self {
            Self::Invalid => "400_api_key_invalid",
            Self::InvalidDebugInfo => "400_api_key_invalid_debuginfo",
            Self::Expired => "400_api_key_expired",
            Self::NotFound => "400_api_key_not_found",
            Self::Leaked => "403_key_leaked",
            Self::Suspended => "403_consumer_suspended",
            Self::ProjectDenied => "403_project_denied",
            Self::ServiceDisabled => "403_service_disabled",
            Self::ServiceBlocked => "403_api_key_service_blocked",
            Self::AccessTokenType => "401_access_token_type",
            Self::PrepayDepleted => "402_prepay_depleted",
            Self::PrepayLegacy => "429_prepay_legacy",
            Self::SpendCap => "429_spend_cap",
            Self::NoPermission => "403_caller_no_permission",
            Self::Location => "400_location",
            Self::ModelNewUsers => "404_model_new_users",
            Self::BareQuota => "429_bare",
            Self::Cancelled => "499_cancelled",
            Self::Internal => "500_internal",
            Self::BadGateway => "502_html",
            Self::Overloaded => "503_overloaded",
            Self::HighDemand => "503_high_demand",
            Self::Deadline => "504_deadline",
        }
    }
}

/// What a limit counts. All are counted per (project, model), as Google does.
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

/// A key as Google's side knows it.
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
        }
    }

    /// The project, whose quota and files its keys share.
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

    fn refusal(&self, fault: KeyFault) -> Refusal {
        Refusal::named(fault.fixture())
            .with(FIXTURE_KEY, &self.key)
            .with(FIXTURE_PROJECT, &self.project_name())
    }
}

/// Who asks, once admitted.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) project: String,
    /// The listed key; `None` when the stand-in takes any.
    pub(crate) key: Option<FakeKey>,
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
        !self.listed.load(Ordering::Acquire)
            || self
                .read()
                .get(text)
                .is_some_and(|key| key.fault.is_none() && key.limits.is_empty())
    }

    /// Checks the credential of a call as Google does.
    pub(crate) fn admit(&self, call: &Call) -> Result<Caller, Refusal> {
        let text = match &call.credential {
            Credential::None => return Err(Refusal::named("403_unregistered_callers")),
            Credential::Bearer(text) if !call.is_openai() && !text.starts_with("ya29.") => {
                return Err(Refusal::named("401_access_token_type"));
            }
            Credential::ApiKey(text) | Credential::Bearer(text) => text,
        };
        if !self.listed.load(Ordering::Acquire) {
            return Ok(Caller {
                project: own_project(text),
                key: None,
            });
        }
        let Some(key) = self.read().get(text).cloned() else {
            return Err(Refusal::named("400_api_key_invalid"));
        };
        match key.fault {
            Some(fault) => Err(key.refusal(fault)),
            None => Ok(Caller {
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
    fn faults_carry_the_key_and_project_they_are_about() {
        let key = FakeKey::new("AIza-x").project("p9");
        let suspended = format!("{:?}", key.refusal(KeyFault::Suspended));
        assert!(suspended.contains("api_key:AIza-x") && suspended.contains("projects/p9"));
        assert!(!suspended.contains(FIXTURE_KEY) && !suspended.contains(FIXTURE_PROJECT));
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
