//! What was done to an owner's provider keys, by whom and why: the lines of the activity log that are the owner's own.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use store::ActivityFilter;
use utoipa::IntoParams;

use super::error::{AccountError, InDetail, Query};
use super::who::Account;
use crate::admin::activity_logs::{ActivityView, page, read_action};
use crate::admin::error::ApiError;
use crate::admin::page::{Page, Paging};
use crate::app::App;

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LineFilter {
    /// Lines about this provider.
    #[serde(alias = "provider_name")]
    #[param(example = "google")]
    provider: Option<String>,
    /// Lines of this action: `ADD`, `UPDATE`, `DELETE`, `IMPORT`, `REVEAL`, `SELECT`, `UNSELECT`, `FAILOVER_EXHAUSTED`,
    /// `RETIRE`, `RECOVER`, …
    #[param(example = "SELECT")]
    action: Option<String>,
    /// From this day (UTC) or instant on.
    #[param(example = "2026-11-20")]
    from_date: Option<String>,
    /// Up to this day (UTC) or instant, which is still meant.
    #[param(example = "2026-11-21T16:00:00Z")]
    to_date: Option<String>,
}

/// What was done to the owner's keys, newest first.
#[utoipa::path(get, path = "/api/v1/activity-logs", tag = "account", params(Paging, LineFilter),
    responses((status = 200, description = "A page of it.", body = Page<ActivityView>)))]
pub(super) async fn list_account_activity(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(paging): InDetail<Paging>,
    Query(filter): Query<LineFilter>,
) -> Result<Json<Page<ActivityView>>, AccountError> {
    let span = |field: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| Span::read(field, text)).transpose()
    };
    let filter = ActivityFilter {
        owner: Some(account.owner),
        // A client key opens its owner's keys, and not where its owner has logged in from.
        resource: Some("keys".to_owned()),
        action: filter.action.as_deref().map(read_action).transpose()?,
        from: span("from_date", &filter.from_date)?.map(|span| span.begin),
        to: span("to_date", &filter.to_date)?.map(|span| span.end),
        provider: filter.provider,
        ..ActivityFilter::default()
    };
    Ok(Json(page(&app, &filter, &paging).await?))
}

/// What a text means: a whole day, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    begin: UnixMs,
    /// The first instant that it does not hold.
    end: UnixMs,
}

impl Span {
    fn read(field: &str, text: &str) -> Result<Self, ApiError> {
        let read = Self::of_day(text).or_else(|| Self::of_instant(text));
        read.ok_or_else(|| {
            let text = format!(
                "{text:?} is no date; expected a day such as 2026-11-20, or an instant such as 2026-11-20T16:00:00Z"
            );
            ApiError::invalid(field, text)
        })
    }

    fn of_day(text: &str) -> Option<Self> {
        if text.len() != "2026-11-20".len() {
            return None;
        }
        let day: Date = text.parse().ok()?;
        let midnight = |day: Date| {
            let instant = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
            Some(UnixMs(instant.as_millisecond()))
        };
        Some(Self {
            begin: midnight(day)?,
            end: midnight(day.checked_add(1.day()).ok()?)?,
        })
    }

    /// An instant; one that names no offset is UTC's.
    fn of_instant(text: &str) -> Option<Self> {
        let instant = text.parse::<Timestamp>().ok().or_else(|| {
            let naive: DateTime = text.parse().ok()?;
            Some(naive.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })?;
        let begin = instant.as_millisecond();
        Some(Self {
            begin: UnixMs(begin),
            end: UnixMs(begin + 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, i64)>) {
        let span = Span::read("from_date", text).ok();
        let read = span.map(|span| (span.begin.0, span.end.0));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn dates_are_days_of_utc_and_instants_are_themselves() {
        const DAY: i64 = 86_400_000;
        check("1970-01-02", Some((DAY, 2 * DAY)));
        check("1970-01-02T00:00:00Z", Some((DAY, DAY + 1)));
        check("1970-01-02T02:00:00+02:00", Some((DAY, DAY + 1)));
        check("1970-01-02T00:00:00", Some((DAY, DAY + 1)));
        for wrong in ["", "yesterday", "1970-13-01", "1970-01-02T25:00:00Z"] {
            check(wrong, None);
        }
    }
}
