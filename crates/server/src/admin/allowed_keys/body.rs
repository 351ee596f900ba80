//! A client key as the API takes and gives it, and what is wrong with one.

use std::collections::BTreeSet;

use domain::{BudgetPeriod, Client, ClientLimits, UnixMs};
use metering::{Access, Gauge, Spending};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::error::ApiError;
use crate::admin::names::Names;
use crate::admin::time::Time;
use crate::app::App;
use crate::snapshot::KnownClient;

const LONGEST_NAME: usize = 100;
const MOST_ENTRIES: usize = 1_000;

/// What is said of a client key. What is left out has its default; a limit that is left out is none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientInput {
    /// What it is called in logs and lists: 1 to 100 characters.
    #[schema(example = "chat app", min_length = 1, max_length = 100)]
    pub(super) name: String,
    /// False: its callers are refused with 401.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// From when on its callers are refused with 401.
    pub(super) expires_at: Option<Time>,
    /// The user whom it belongs to: their own provider keys are used before the pool's.
    #[schema(example = "mei")]
    pub(super) owner: Option<String>,
    /// Requests a minute.
    #[schema(minimum = 1, example = 60)]
    rpm: Option<u32>,
    /// Requests a day (UTC).
    #[schema(minimum = 1, example = 5000)]
    rpd: Option<u32>,
    /// Tokens a minute.
    #[schema(minimum = 1, example = 100_000)]
    tpm: Option<u64>,
    /// Tokens a day (UTC).
    #[schema(minimum = 1, example = 2_000_000)]
    tpd: Option<u64>,
    /// Requests at the same time.
    #[schema(minimum = 1, example = 10)]
    max_concurrent: Option<u32>,
    /// Providers by name; empty: any.
    #[serde(default)]
    #[schema(example = json!(["google"]))]
    allowed_providers: BTreeSet<String>,
    /// Models by id, with or without provider, `*` at the end for anything; empty: any.
    #[serde(default)]
    #[schema(example = json!(["gemini-2.5-*"]))]
    allowed_models: BTreeSet<String>,
    /// Endpoints as the request log names them, `*` at the end for anything; empty: any.
    #[serde(default)]
    #[schema(example = json!(["generateContent", "models.*"]))]
    allowed_endpoints: BTreeSet<String>,
    /// Addresses and networks of callers; empty: any.
    #[serde(default)]
    #[schema(example = json!(["10.0.0.0/8"]))]
    allowed_ips: BTreeSet<String>,
    /// What its requests may cost in a period, in US dollars.
    #[schema(exclusive_minimum = 0.0, example = 25.0)]
    budget_usd: Option<f64>,
    /// The period of the budget, in UTC.
    #[serde(default)]
    budget_period: PeriodName,
}

/// The period of a budget.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PeriodName {
    Day,
    #[default]
    Month,
}

/// A client key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientView {
    #[schema(example = 3)]
    id: i64,
    #[schema(example = "chat app")]
    name: String,
    /// The secret as it may be shown.
    #[schema(example = "sk-6…NxAQ")]
    masked_key: String,
    enabled: bool,
    /// From when on its callers are refused with 401.
    expires_at: Option<Time>,
    /// The user whom it belongs to.
    #[schema(example = "mei")]
    owner: Option<String>,
    /// Requests a minute.
    #[schema(example = 60)]
    rpm: Option<u32>,
    /// Requests a day (UTC).
    #[schema(example = 5000)]
    rpd: Option<u32>,
    /// Tokens a minute.
    #[schema(example = 100_000)]
    tpm: Option<u64>,
    /// Tokens a day (UTC).
    #[schema(example = 2_000_000)]
    tpd: Option<u64>,
    /// Requests at the same time.
    #[schema(example = 10)]
    max_concurrent: Option<u32>,
    /// Providers by name; empty: any.
    #[schema(example = json!(["google"]))]
    allowed_providers: BTreeSet<String>,
    /// Models by id; empty: any.
    #[schema(example = json!(["gemini-2.5-*"]))]
    allowed_models: BTreeSet<String>,
    /// Endpoints as the request log names them; empty: any.
    #[schema(example = json!(["generateContent", "models.*"]))]
    allowed_endpoints: BTreeSet<String>,
    /// Addresses and networks of callers; empty: any.
    #[schema(example = json!(["10.0.0.0/8"]))]
    allowed_ips: BTreeSet<String>,
    /// What its requests may cost in a period, in US dollars.
    #[schema(example = 25.0)]
    budget_usd: Option<f64>,
    budget_period: PeriodName,
    /// `admin`, or `config` or `env` where it is stated there and can be changed there only.
    #[schema(value_type = String, example = "admin")]
    source: domain::KeySource,
    created_at: Time,
    usage: UsageView,
}

/// What a client key has used, and when that is forgotten.
#[derive(Debug, Serialize, ToSchema)]
struct UsageView {
    /// Requests under way.
    concurrent: GaugeView,
    /// Requests of the last minute.
    rpm: GaugeView,
    /// Requests of the UTC day.
    rpd: GaugeView,
    /// Tokens of the last minute.
    tpm: GaugeView,
    /// Tokens of the UTC day.
    tpd: GaugeView,
    budget: BudgetView,
}

/// What is used of one limit.
#[derive(Debug, Serialize, ToSchema)]
struct GaugeView {
    /// What is used up.
    #[schema(example = 12)]
    used: u64,
    /// How much may be used; null: any.
    #[schema(example = 60)]
    limit: Option<u64>,
    /// When all of it is there again.
    resets_at: Option<Time>,
}

/// What is spent of the budget.
#[derive(Debug, Serialize, ToSchema)]
struct BudgetView {
    /// What the requests of the period have cost so far.
    #[schema(example = 3.25)]
    spent_usd: f64,
    /// What they may cost; null: anything.
    #[schema(example = 25.0)]
    limit_usd: Option<f64>,
    /// When the next period begins.
    resets_at: Time,
}

fn yes() -> bool {
    true
}

impl ClientInput {
    /// The limits, when they can be followed.
    pub(super) fn limits(self, app: &App) -> Result<ClientLimits, ApiError> {
        for (field, value) in [
            ("rpm", self.rpm.map(u64::from)),
            ("rpd", self.rpd.map(u64::from)),
            ("tpm", self.tpm),
            ("tpd", self.tpd),
            ("max_concurrent", self.max_concurrent.map(u64::from)),
        ] {
            if value == Some(0) {
                let text = "0 would allow nothing; expected at least 1, or disable the client key";
                return Err(ApiError::invalid(field, text));
            }
        }
        if let Some(budget) = self.budget_usd
            && !(budget > 0.0 && budget <= 1e9)
        {
            let text = format!("a budget of {budget}; expected more than 0 and at most 1000000000");
            return Err(ApiError::invalid("budget_usd", text));
        }
        let limits = ClientLimits {
            rpm: self.rpm,
            rpd: self.rpd,
            tpm: self.tpm,
            tpd: self.tpd,
            max_concurrent: self.max_concurrent,
            allowed_providers: self.allowed_providers,
            allowed_models: self.allowed_models,
            allowed_endpoints: self.allowed_endpoints,
            allowed_ips: self.allowed_ips,
            budget_usd: self.budget_usd,
            budget_period: self.budget_period.into(),
        };
        check_lists(&limits, app)?;
        Ok(limits)
    }
}

fn check_lists(limits: &ClientLimits, app: &App) -> Result<(), ApiError> {
    for (field, list) in [
        ("allowed_providers", &limits.allowed_providers),
        ("allowed_models", &limits.allowed_models),
        ("allowed_endpoints", &limits.allowed_endpoints),
        ("allowed_ips", &limits.allowed_ips),
    ] {
        if list.len() > MOST_ENTRIES {
            let text = format!("{} entries; at most {MOST_ENTRIES} are allowed", list.len());
            return Err(ApiError::invalid(field, text));
        }
    }
    Access::of(limits).map_err(|error| ApiError::invalid(error.field, error.to_string()))?;
    let config = &app.snapshot.load().config;
    let is_known = |name: &&String| name.ends_with('*') || config.providers.contains_key(*name);
    if let Some(name) = limits.allowed_providers.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = config.providers.keys().map(String::as_str).collect();
        let text = format!(
            "there is no provider {name:?}; known are {}",
            known.join(", ")
        );
        return Err(ApiError::invalid("allowed_providers", text));
    }
    Ok(())
}

/// The name without blanks around it.
pub(super) fn check_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) {
        let text = format!(
            "a name of {length} characters; expected 1 to {LONGEST_NAME}, none of them a control character"
        );
        return Err(ApiError::invalid("name", text));
    }
    Ok(name.to_owned())
}

/// What a change did, for the activity log.
pub(super) fn describe(before: &Client, after: &Client) -> String {
    let mut changes = Vec::new();
    if before.name != after.name {
        changes.push(format!("was {}", before.name));
    }
    if before.enabled != after.enabled {
        changes.push(if after.enabled { "enabled" } else { "disabled" }.to_owned());
    }
    if before.expires_at != after.expires_at {
        changes.push(match after.expires_at {
            Some(end) => format!("expires at {}", Time(end)),
            None => "does not expire".to_owned(),
        });
    }
    if before.owner != after.owner {
        changes.push("has another owner".to_owned());
    }
    if before.limits != after.limits {
        let limits = serde_json::to_string(&after.limits).unwrap_or_default();
        changes.push(format!("limits {limits}"));
    }
    format!("{}: {}", after.name, changes.join(", "))
}

impl ClientView {
    pub(super) fn new(known: &KnownClient, names: &Names, now: UnixMs) -> Self {
        let client = &known.client;
        let limits = client.limits.clone();
        let standing = known.meter.standing(&limits, now);
        Self {
            id: client.id.0,
            name: client.name.clone(),
            masked_key: client.masked.clone(),
            enabled: client.enabled,
            expires_at: client.expires_at.map(Time),
            owner: names.of(client.owner),
            rpm: limits.rpm,
            rpd: limits.rpd,
            tpm: limits.tpm,
            tpd: limits.tpd,
            max_concurrent: limits.max_concurrent,
            allowed_providers: limits.allowed_providers,
            allowed_models: limits.allowed_models,
            allowed_endpoints: limits.allowed_endpoints,
            allowed_ips: limits.allowed_ips,
            budget_usd: limits.budget_usd,
            budget_period: limits.budget_period.into(),
            source: client.source,
            created_at: client.created_at.into(),
            usage: UsageView {
                concurrent: standing.concurrent.into(),
                rpm: standing.requests_minute.into(),
                rpd: standing.requests_day.into(),
                tpm: standing.tokens_minute.into(),
                tpd: standing.tokens_day.into(),
                budget: standing.budget.into(),
            },
        }
    }
}

impl From<Gauge> for GaugeView {
    fn from(gauge: Gauge) -> Self {
        Self {
            used: gauge.used,
            limit: gauge.limit,
            resets_at: gauge.resets_at.map(Time),
        }
    }
}

impl From<Spending> for BudgetView {
    fn from(spending: Spending) -> Self {
        Self {
            spent_usd: spending.spent.dollars(),
            limit_usd: spending.limit.map(domain::Nanodollars::dollars),
            resets_at: spending.resets_at.into(),
        }
    }
}

impl From<PeriodName> for BudgetPeriod {
    fn from(name: PeriodName) -> Self {
        match name {
            PeriodName::Day => Self::Day,
            PeriodName::Month => Self::Month,
        }
    }
}

impl From<BudgetPeriod> for PeriodName {
    fn from(period: BudgetPeriod) -> Self {
        match period {
            BudgetPeriod::Day => Self::Day,
            BudgetPeriod::Month => Self::Month,
        }
    }
}
