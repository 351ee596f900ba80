//! Which keys: the same filter for lists, exports and bulk calls. In bulk calls an unknown name is an error, because a
//! filter that is left out means more keys.

use std::cmp::Ordering;

use domain::{KeySource, UnixMs};
use keypool::KeyStatus;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view::Status;
use crate::admin::error::ApiError;
use crate::admin::names::Names;
use crate::admin::page::{Order, Paging};
use crate::admin::who::Who;
use crate::app::App;
use crate::pools::project;

/// The fields that lists can be sorted by; the first is the usual one.
pub(super) const ORDERS: &[&str] = &[
    "id",
    "created_at",
    "label",
    "project",
    "provider",
    "status",
    "weight",
    "priority",
    "latency_ms",
    "in_flight",
];

/// Which keys; what is left out does not matter.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeyFilter {
    /// Keys of this provider.
    #[param(example = "google")]
    provider: Option<String>,
    /// Keys that stand so.
    status: Option<Status>,
    /// Keys that are out for this reason, for example `rate_limited` or `invalid`.
    reason: Option<String>,
    /// Keys of this project.
    project: Option<String>,
    /// Keys with this label.
    label: Option<String>,
    /// Keys of this user; `none`: those of the shared pool.
    owner: Option<String>,
    /// Keys that came from there: `config`, `env`, `file`, `admin`.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    source: Option<KeySource>,
    /// Keys that this file of `keys_dir` states.
    #[param(example = "team-a.txt")]
    file: Option<String>,
    /// Keys whose label, project, id or masked form holds this text. A whole key finds itself.
    q: Option<String>,
}

impl KeyFilter {
    /// The keys that match, in the order that is asked for.
    pub(super) fn sorted(
        &self,
        app: &App,
        who: &Who,
        names: &Names,
        paging: &Paging,
    ) -> Result<Vec<KeyStatus>, ApiError> {
        let order = paging.order(ORDERS)?;
        let mut rows = self.matching(app, who, names)?;
        sort(&mut rows, order, app.clock.now());
        Ok(rows)
    }

    /// The keys that match, of those that the user may see.
    pub(super) fn matching(
        &self,
        app: &App,
        who: &Who,
        names: &Names,
    ) -> Result<Vec<KeyStatus>, ApiError> {
        let owner = match self.owner.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(name) => {
                let id = names.id_of(name).filter(|&id| who.may_touch(Some(id)));
                let unknown = || ApiError::invalid("owner", format!("there is no user {name:?}"));
                Some(Some(id.ok_or_else(unknown)?))
            }
        };
        let snapshot = app.snapshot.load();
        if let Some(name) = &self.provider
            && !snapshot.config.providers.contains_key(name)
        {
            return Err(ApiError::invalid(
                "provider",
                format!("there is no provider {name:?}"),
            ));
        }
        let now = app.clock.now();
        let text = self
            .q
            .as_deref()
            .map(str::to_lowercase)
            .filter(|text| !text.is_empty());
        let asked = snapshot.providers.iter().filter(|provider| {
            self.provider
                .as_deref()
                .is_none_or(|name| *provider.name == *name)
        });
        let statuses = asked.flat_map(|provider| provider.pools.statuses());
        let is_wanted = |status: &KeyStatus| {
            let key = &status.cell.key;
            who.may_touch(key.owner)
                && owner.is_none_or(|owner| key.owner == owner)
                && self
                    .status
                    .is_none_or(|wanted| Status::of(status, now) == wanted)
                && self
                    .reason
                    .as_deref()
                    .is_none_or(|reason| why_out(status) == Some(reason))
                && is_wanted_text(self.project.as_deref(), project(key))
                && is_wanted_text(self.label.as_deref(), key.label.as_deref())
                && self.source.is_none_or(|source| key.source == source)
                && is_wanted_text(self.file.as_deref(), key.file.as_deref())
                && text
                    .as_deref()
                    .is_none_or(|text| mentions(status, text, self.q.as_deref()))
        };
        Ok(statuses.filter(is_wanted).collect())
    }
}

/// An empty text asks for those that have none.
fn is_wanted_text(wanted: Option<&str>, actual: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| wanted == actual.unwrap_or_default())
}

fn why_out(status: &KeyStatus) -> Option<&'static str> {
    match status.state.health {
        domain::KeyHealth::Cooling(cooling) => Some(cooling.class.name()),
        domain::KeyHealth::Retired { reason, .. } => Some(reason.name()),
        domain::KeyHealth::Active => None,
    }
}

fn mentions(status: &KeyStatus, text: &str, whole: Option<&str>) -> bool {
    let key = &status.cell.key;
    let holds =
        |field: Option<&str>| field.is_some_and(|field| field.to_lowercase().contains(text));
    holds(key.label.as_deref())
        || holds(project(key))
        || key.id.to_string() == text
        || whole.is_some_and(|whole| domain::Secret::new(whole) == key.secret)
        || key.secret.masked().to_lowercase().contains(text)
}

/// Sorts by a field of [`ORDERS`], and by id where that is equal.
pub(super) fn sort(rows: &mut [KeyStatus], order: Order<'_>, now: UnixMs) {
    let compare = |one: &KeyStatus, other: &KeyStatus| -> Ordering {
        let (a, b) = (&one.cell.key, &other.cell.key);
        match order.field {
            "label" => a.label.cmp(&b.label),
            "project" => project(a).cmp(&project(b)),
            "provider" => a.provider.cmp(&b.provider),
            "status" => Status::of(one, now).cmp(&Status::of(other, now)),
            "weight" => a.weight.cmp(&b.weight),
            "priority" => a.priority.cmp(&b.priority),
            "latency_ms" => one.cell.latency().cmp(&other.cell.latency()),
            "in_flight" => one.cell.in_flight().cmp(&other.cell.in_flight()),
            _ => Ordering::Equal,
        }
    };
    rows.sort_by(|one, other| {
        let by_field = compare(one, other).then(one.id.cmp(&other.id));
        if order.is_descending {
            by_field.reverse()
        } else {
            by_field
        }
    });
}
