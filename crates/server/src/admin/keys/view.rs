//! A key as the API shows it.

use domain::{KeyHealth, KeySource, UnixMs};
use keypool::{CheckRow, KeyStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::egress::shown;
use crate::admin::key_checks::LastCheck;
use crate::admin::names::Names;
use crate::admin::time::Time;
use crate::pools::project;
use crate::snapshot::Provider;

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Usable, for some models at least.
    Active,
    /// Not to be used before an instant.
    Cooling,
    /// Out of use until it is reset, or a test finds that it works.
    Invalid,
    /// Switched off.
    Disabled,
}

impl Status {
    pub(super) fn of(status: &KeyStatus, now: UnixMs) -> Self {
        match status.state.health {
            _ if !status.cell.key.enabled => Self::Disabled,
            KeyHealth::Retired { .. } => Self::Invalid,
            KeyHealth::Cooling(cooling) if cooling.until > now => Self::Cooling,
            KeyHealth::Cooling(_) | KeyHealth::Active => Self::Active,
        }
    }
}

/// How a key stands, and why.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin) struct Standing {
    pub(in crate::admin) status: Status,
    pub(in crate::admin) reason: Option<&'static str>,
    pub(in crate::admin) cooling_until: Option<Time>,
    pub(in crate::admin) invalid_since: Option<Time>,
}

impl Standing {
    pub(in crate::admin) fn of(status: &KeyStatus, now: UnixMs) -> Self {
        let (reason, until, since) = match status.state.health {
            KeyHealth::Cooling(cooling) if cooling.until > now => {
                (Some(cooling.class.name()), Some(cooling.until), None)
            }
            KeyHealth::Retired { reason, since } => (Some(reason.name()), None, Some(since)),
            KeyHealth::Cooling(_) | KeyHealth::Active => (None, None, None),
        };
        Self {
            status: Status::of(status, now),
            reason,
            cooling_until: until.map(Time),
            invalid_since: since.map(Time),
        }
    }
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    #[schema(example = 17)]
    id: i64,
    #[schema(example = "google")]
    provider: String,
    #[schema(example = "billing")]
    label: Option<String>,
    /// The provider-side account that its quota belongs to; null: one of its own.
    #[schema(example = "team-a")]
    project: Option<String>,
    /// Its share relative to its peers.
    #[schema(example = 1)]
    weight: u16,
    /// Lower values are used first.
    #[schema(example = 0)]
    priority: i16,
    /// The proxy that it leaves by, without credentials.
    #[schema(example = "socks5://10.0.0.9:1080")]
    egress: Option<String>,
    enabled: bool,
    status: Status,
    /// Why it is cooling or invalid, for example `rate_limited` or `suspended`.
    #[schema(example = "rate_limited")]
    reason: Option<&'static str>,
    /// When it may be used again.
    cooling_until: Option<Time>,
    /// Since when it is invalid.
    invalid_since: Option<Time>,
    /// Failures in a row that count towards `pool.max_failures`.
    #[schema(example = 0)]
    failures: u16,
    /// Requests that use it now.
    #[schema(example = 2)]
    in_flight: u32,
    /// The moving average of its time to a first useful byte; null before its first answer.
    #[schema(example = 412.5)]
    latency_ms: Option<f64>,
    /// The key as it may be shown.
    #[schema(example = "AIza…9f3c")]
    masked_key: String,
    /// `config`, `env`, `file` or `admin`: where it came from. What a source states is deleted there; keys of `config` and
    /// `env` are also labelled and weighted there.
    #[schema(value_type = String, example = "file")]
    source: KeySource,
    /// The file of `keys_dir` that states it; null: none, or none any more.
    #[schema(example = "team-a.txt")]
    file: Option<String>,
    /// The user whose key it is; null: the shared pool's.
    #[schema(example = "mei")]
    owner: Option<String>,
    /// Of its owner's keys for the provider the one that is used first.
    selected: bool,
    created_at: Time,
}

/// A key with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyDetail {
    #[serde(flatten)]
    standing: KeyStanding,
    /// The key itself.
    #[schema(example = "AIzaSyD-…")]
    key: String,
}

/// A key without its secret, with what is known of its project and each model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyStanding {
    #[serde(flatten)]
    key_view: KeyView,
    /// What is known of its project and each model.
    models: Vec<ModelOfKey>,
    /// The last check with each model.
    checks: Vec<LastCheck>,
}

/// How a key's project stands for one model.
#[derive(Debug, Serialize, ToSchema)]
struct ModelOfKey {
    #[schema(example = "gemini-2.5-flash")]
    model: String,
    /// When the project's quota for it is there again.
    cooling_until: Option<Time>,
    /// Why it is cooling.
    #[schema(example = "quota_daily")]
    reason: Option<&'static str>,
    /// Requests that the provider has accepted in this Pacific day.
    #[schema(example = 190)]
    requests_today: u32,
}

impl KeyView {
    pub(crate) fn new(status: &KeyStatus, names: &Names, now: UnixMs) -> Self {
        let key = &status.cell.key;
        let standing = Standing::of(status, now);
        let latency = status.cell.latency();
        Self {
            id: key.id.0,
            provider: key.provider.to_string(),
            label: key.label.clone(),
            project: project(key).map(str::to_owned),
            weight: key.weight,
            // An owner's keys are ranked within the pools; that is no priority of theirs.
            priority: if key.owner.is_some() { 0 } else { key.priority },
            egress: key.egress.as_ref().map(|url| shown(url.expose())),
            enabled: key.enabled,
            status: standing.status,
            reason: standing.reason,
            cooling_until: standing.cooling_until,
            invalid_since: standing.invalid_since,
            failures: status.state.failures,
            in_flight: status.cell.in_flight(),
            latency_ms: (!latency.is_zero()).then_some(latency.as_secs_f64() * 1e3),
            masked_key: key.secret.masked(),
            source: key.source,
            file: key.file.as_deref().map(str::to_owned),
            owner: names.of(key.owner),
            selected: key.selected,
            created_at: key.created_at.into(),
        }
    }
}

impl KeyDetail {
    pub(super) fn new(
        provider: &Provider,
        status: &KeyStatus,
        checks: &[CheckRow],
        names: &Names,
        now: UnixMs,
    ) -> Self {
        let standing = KeyStanding::new(provider, status, checks, names, now);
        Self {
            key: status.cell.key.secret.expose().to_owned(),
            standing,
        }
    }
}

impl KeyStanding {
    pub(super) fn new(
        provider: &Provider,
        status: &KeyStatus,
        checks: &[CheckRow],
        names: &Names,
        now: UnixMs,
    ) -> Self {
        Self {
            key_view: KeyView::new(status, names, now),
            models: models_of(provider, status, now),
            checks: checks.iter().map(LastCheck::from).collect(),
        }
    }
}

/// How the key's project stands for each model that was asked for, by name.
fn models_of(provider: &Provider, status: &KeyStatus, now: UnixMs) -> Vec<ModelOfKey> {
    let known = provider.pools.models_of(status.id, now).into_iter();
    let mut models: Vec<ModelOfKey> = known
        .map(|(model, state)| {
            let cooling = state.cooling.filter(|cooling| cooling.until > now);
            ModelOfKey {
                model,
                cooling_until: cooling.map(|cooling| Time(cooling.until)),
                reason: cooling.map(|cooling| cooling.class.name()),
                requests_today: state.day_requests,
            }
        })
        .collect();
    models.sort_by(|one, other| one.model.cmp(&other.model));
    models
}
