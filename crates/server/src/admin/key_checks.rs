//! What checks have found, for each key with each model: one key's, or those of all keys as a list that can be filtered.
//! A caller's answer counts as a check. How a model fares as a whole is told with its provider.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{CheckResult, Class, KeyId, UnixMs};
use keypool::{CheckRow, KeyStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::page::{Order, Page, Paging, slice};
use super::time::Time;
use super::who::Who;
use crate::app::App;

const ORDERS: &[&str] = &["key", "checked_at", "next_at", "latency_ms"];

/// The last check of a key with a model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    /// The key's id.
    #[schema(example = 17)]
    key_id: i64,
    /// The key as it may be shown.
    #[schema(example = "AIza…9f3c")]
    masked_key: String,
    #[schema(example = "billing")]
    label: Option<String>,
    #[schema(example = "google")]
    provider: String,
    #[serde(flatten)]
    last: LastCheck,
}

/// What a check found, and when the next one is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LastCheck {
    /// As the provider names it; null: the key alone.
    #[schema(example = "gemini-flash-latest")]
    model: Option<String>,
    /// Whether the provider took the key and let it use the model; null: not checked yet.
    #[schema(example = false)]
    works: Option<bool>,
    /// The status that the provider answered with; null: no answer.
    #[schema(example = 403)]
    status: Option<u16>,
    /// What the answer means, for example `ok`, `key_invalid`, `network`.
    #[schema(example = "key_restricted")]
    class: Option<&'static str>,
    /// More exactly; `traffic`: a caller's request has proved it.
    #[schema(example = "service_disabled")]
    reason: Option<&'static str>,
    /// How long the provider took, in milliseconds, up to a minute.
    #[schema(example = 84)]
    latency_ms: Option<u32>,
    /// When that was; null: not yet.
    checked_at: Option<Time>,
    /// When the next one is due; null: the key is switched off.
    next_at: Option<Time>,
}

/// Which checks; what is left out does not matter.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CheckFilter {
    /// Of keys of this provider.
    #[param(example = "google")]
    provider: Option<String>,
    /// With this model; empty: of keys alone.
    #[param(example = "gemini-flash-latest")]
    model: Option<String>,
    /// Of the key with this id.
    #[param(example = 17)]
    key_id: Option<i64>,
    /// Those that found that it works, or that it does not; those not made yet are neither.
    works: Option<bool>,
    /// Answered with this status: `403`, `4xx`, or `none` for no answer.
    #[param(example = "4xx")]
    status: Option<String>,
    /// Of this class, for example `key_restricted`.
    class: Option<String>,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_checks))
        .routes(routes!(list_checks_of_key))
}

/// The last check of each key with each model.
#[utoipa::path(get, path = "/api/key_checks", tag = "keys", params(Paging, CheckFilter),
    responses((status = 200, description = "A page of them, by key.", body = Page<CheckView>)))]
async fn list_checks(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<CheckFilter>,
) -> Result<Json<Page<CheckView>>, ApiError> {
    let order = paging.order(ORDERS)?;
    let wanted = Wanted::of(&filter)?;
    let snapshot = app.snapshot.load();
    if let Some(name) = &filter.provider
        && snapshot.provider(name).is_none()
    {
        let text = format!("there is no provider {name:?}");
        return Err(ApiError::invalid("provider", text));
    }
    let mut rows: Vec<(&str, CheckRow)> = Vec::new();
    for provider in snapshot.providers.iter() {
        let name = &*provider.name;
        if filter
            .provider
            .as_deref()
            .is_some_and(|asked| asked != name)
        {
            continue;
        }
        let own = who.only().map(|owner| provider.pools.of(owner));
        let may_see = |key: KeyId| match &own {
            None => true,
            Some(pool) => pool.as_ref().is_some_and(|pool| pool.status(key).is_some()),
        };
        let of_provider = app
            .checks
            .of_provider(name, |row| wanted.is(row) && may_see(row.key));
        rows.extend(of_provider.into_iter().map(|row| (name, row)));
    }
    rows.sort_by(|one, other| compare(order, &one.1, &other.1));
    let view = |(provider, row): &(&str, CheckRow)| {
        let status = snapshot
            .provider(provider)
            .and_then(|it| it.pools.status(row.key));
        CheckView::new(provider, row, status.as_ref())
    };
    let id = |(_, row): &(&str, CheckRow)| (row.key.0, row.model.to_string());
    slice(&rows, &paging, id, view).map(Json)
}

/// The last check of one key with each model.
#[utoipa::path(get, path = "/api/keys/{id}/checks", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "All of them.", body = Page<CheckView>),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
async fn list_checks_of_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<Page<CheckView>>, ApiError> {
    let snapshot = app.snapshot.load();
    let found = snapshot.key(KeyId(id));
    let found = found.filter(|(_, status)| who.may_touch(status.cell.key.owner));
    let (provider, status) = found.ok_or_else(|| ApiError::not_found("key", id))?;
    let rows = app.checks.of_key(&provider.name, status.id);
    let view = |row: &CheckRow| CheckView::new(&provider.name, row, Some(&status));
    Ok(Json(Page {
        total: Some(rows.len()),
        items: rows.iter().map(view).collect(),
        next_cursor: None,
    }))
}

impl CheckView {
    fn new(provider: &str, row: &CheckRow, status: Option<&KeyStatus>) -> Self {
        let key = status.map(|status| &status.cell.key);
        Self {
            key_id: row.key.0,
            masked_key: key.map(|key| key.secret.masked()).unwrap_or_default(),
            label: key.and_then(|key| key.label.clone()),
            provider: provider.to_owned(),
            last: LastCheck::from(row),
        }
    }
}

impl From<&CheckRow> for LastCheck {
    fn from(row: &CheckRow) -> Self {
        let result = row.last.map(|(_, result)| result);
        Self {
            model: (!row.model.is_empty()).then(|| row.model.to_string()),
            works: result.map(|result| result.class == Class::Ok),
            status: result.and_then(|result| result.status),
            class: result.map(|result| result.class.name()),
            reason: result.map(|result| result.reason),
            latency_ms: result.map(|result| result.latency_ms),
            checked_at: row.last.map(|(at, _)| Time(at)),
            next_at: row.next_at.map(Time),
        }
    }
}

/// A filter that was read.
#[derive(Debug)]
struct Wanted<'a> {
    filter: &'a CheckFilter,
    class: Option<Class>,
    status: Option<Statuses>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statuses {
    None,
    From(u16, u16),
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a CheckFilter) -> Result<Self, ApiError> {
        let class = filter.class.as_deref().map(|name| {
            let unknown = || ApiError::invalid("class", format!("there is no class {name:?}"));
            Class::from_name(name).ok_or_else(unknown)
        });
        let status = filter.status.as_deref().map(|text| {
            let wrong = || {
                let text = format!("{text:?} is no status; expected 403, 4xx or none");
                ApiError::invalid("status", text)
            };
            Statuses::read(text).ok_or_else(wrong)
        });
        Ok(Self {
            filter,
            class: class.transpose()?,
            status: status.transpose()?,
        })
    }

    fn is(&self, row: &CheckRow) -> bool {
        let filter = self.filter;
        let result: Option<CheckResult> = row.last.map(|(_, result)| result);
        let has = |is: &dyn Fn(CheckResult) -> bool| result.is_some_and(is);
        filter.key_id.is_none_or(|id| row.key.0 == id)
            && filter
                .model
                .as_deref()
                .is_none_or(|model| *row.model == *model)
            && filter
                .works
                .is_none_or(|works| has(&|it| works == (it.class == Class::Ok)))
            && self.class.is_none_or(|class| has(&|it| it.class == class))
            && self
                .status
                .is_none_or(|status| has(&|it| status.has(it.status)))
    }
}

impl Statuses {
    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        if let Some(hundreds) = text.strip_suffix("xx") {
            let first = hundreds
                .parse()
                .ok()
                .filter(|first| (1..=5).contains(first))?;
            let first: u16 = first;
            return Some(Self::From(first * 100, first * 100 + 99));
        }
        let exact = text
            .parse()
            .ok()
            .filter(|status| (100..600).contains(status))?;
        Some(Self::From(exact, exact))
    }

    fn has(self, status: Option<u16>) -> bool {
        match self {
            Self::None => status.is_none(),
            Self::From(first, last) => status.is_some_and(|it| (first..=last).contains(&it)),
        }
    }
}

/// Those that were not made yet, or have no next one, come first as the smallest do.
fn compare(order: Order<'_>, one: &CheckRow, other: &CheckRow) -> std::cmp::Ordering {
    let at = |row: &CheckRow| row.last.map(|(at, _)| at);
    let latency = |row: &CheckRow| row.last.map(|(_, result)| result.latency_ms);
    let next = |row: &CheckRow| -> Option<UnixMs> { row.next_at };
    let by_field = match order.field {
        "checked_at" => at(one).cmp(&at(other)),
        "next_at" => next(one).cmp(&next(other)),
        "latency_ms" => latency(one).cmp(&latency(other)),
        _ => std::cmp::Ordering::Equal,
    };
    let by_key = || (one.key, &one.model).cmp(&(other.key, &other.model));
    let all = by_field.then_with(by_key);
    if order.is_descending {
        all.reverse()
    } else {
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_exact_or_hundreds_or_none() {
        assert_eq!(Statuses::read("403"), Some(Statuses::From(403, 403)));
        assert_eq!(Statuses::read("4xx"), Some(Statuses::From(400, 499)));
        assert_eq!(Statuses::read("none"), Some(Statuses::None));
        for text in ["", "xx", "9xx", "99", "600", "4x"] {
            assert_eq!(Statuses::read(text), None, "{text}");
        }
        assert!(Statuses::From(400, 499).has(Some(404)) && !Statuses::From(400, 499).has(None));
    }
}
