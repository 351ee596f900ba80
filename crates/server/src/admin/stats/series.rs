//! How keymux stood: a figure over time, all together or by one kind of thing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::{ClientId, UnixMs};
use serde::{Deserialize, Serialize};
use store::{Dimension, Figures, SeriesQuery, Span};
use utoipa::{IntoParams, ToSchema};

use super::lines;
use crate::admin::error::ApiError;
use crate::admin::input::Params;
use crate::admin::time::Time;
use crate::admin::who::Who;
use crate::app::App;
use crate::figures;

/// The longest time that can be asked for: what roll-ups by day hold.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 3600);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The longest time that is cut into such steps, the roll-ups that they are made of, and the step; all in seconds.
const STEPS: [(u64, Span, u64); 6] = [
    (HOUR, Span::Minute, MINUTE),
    (6 * HOUR, Span::Minute, 5 * MINUTE),
    (DAY, Span::Minute, 15 * MINUTE),
    (7 * DAY, Span::Hour, HOUR),
    (31 * DAY, Span::Hour, 6 * HOUR),
    (366 * DAY, Span::Day, DAY),
];
/// For what is longer, or longer ago, than any of these.
const COARSEST: (u64, Span, u64) = (u64::MAX, Span::Day, 7 * DAY);

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Metric {
    /// Requests that ended.
    #[default]
    Requests,
    /// Those that went wrong.
    Failed,
    /// The part that did not go wrong, 0 to 1.
    SuccessRate,
    /// All tokens, as providers counted them.
    Tokens,
    PromptTokens,
    OutputTokens,
    ReasoningTokens,
    CachedTokens,
    /// US dollars, as far as models have a price.
    CostUsd,
    /// Milliseconds, like all latencies.
    LatencyMean,
    LatencyP50,
    LatencyP95,
    LatencyP99,
    FirstByteP50,
    FirstByteP95,
    FirstByteP99,
}

/// How requests are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupBy {
    Provider,
    /// `provider/model`.
    Model,
    /// Client key, by name.
    Client,
    /// `ok`, or the class of the error.
    Outcome,
    /// Provider key, by label; by the hour at least.
    Key,
}

/// What to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesParams {
    /// The figure.
    #[serde(default)]
    #[param(inline, default = "requests")]
    metric: Metric,
    /// How long back: a number and `m`, `h` or `d`.
    #[param(example = "24h", pattern = "^[1-9][0-9]*[mhd]$", default = "24h")]
    range: Option<String>,
    /// Instead of `range`: from when.
    from: Option<Time>,
    /// Instead of now: until when.
    to: Option<Time>,
    /// A line for each; the twelve with the most requests. Without it, one line for all.
    #[param(inline)]
    group_by: Option<GroupBy>,
    /// Only of what came with this client key, by id; told apart by provider, model or client then.
    #[param(example = 3)]
    client: Option<i64>,
}

/// A chart.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeriesView {
    metric: Metric,
    group_by: Option<GroupBy>,
    /// When the first point begins.
    from: Time,
    /// When the last point ends.
    to: Time,
    /// How long a time a point stands for.
    #[schema(example = 900)]
    step_seconds: u64,
    /// One, or one for each group.
    lines: Vec<LineView>,
}

/// A line of a chart.
#[derive(Debug, Serialize, ToSchema)]
struct LineView {
    /// What it is of; empty: of all.
    #[schema(example = "google/gemini-2.5-flash")]
    group: String,
    /// In the order of time, none left out.
    points: Vec<PointView>,
}

/// A point of a line.
#[derive(Debug, Serialize, ToSchema)]
struct PointView {
    /// When its time begins.
    time: Time,
    /// Null: there was nothing to measure.
    #[schema(example = 120.0)]
    value: Option<f64>,
}

/// How a time is cut into points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Steps {
    span: Span,
    step: Duration,
}

/// A figure over time.
#[utoipa::path(get, path = "/api/stats/timeseries", tag = "stats", params(SeriesParams),
    responses((status = 200, description = "For members: of their own client keys.", body = SeriesView)))]
pub(super) async fn get_series(
    State(app): State<Arc<App>>,
    who: Who,
    Params(params): Params<SeriesParams>,
) -> Result<Json<SeriesView>, ApiError> {
    let now = app.clock.now();
    let (from, to) = params.bounds(now)?;
    let steps = Steps::of(from.until(to), from.until(now), params.group_by);
    let from = steps.begin(from);
    let query = SeriesQuery {
        dimension: Dimension::All,
        values: None,
        from,
        to,
        span: steps.span,
    };
    let client = params.client.map(ClientId);
    let points = lines::read(&app, &who, params.group_by, client, query).await?;
    let slot = |time: UnixMs| (from.until(time).as_millis() / steps.step.as_millis()) as u32;
    let count = slot(to)
        + u32::from(
            !from
                .until(to)
                .as_millis()
                .is_multiple_of(steps.step.as_millis()),
        );
    let mut by_group: BTreeMap<String, BTreeMap<u32, Figures>> = BTreeMap::new();
    if params.group_by.is_none() {
        // The one line is there, whatever happened.
        by_group.entry(String::new()).or_default();
    }
    for point in points {
        let line = by_group.entry(point.value).or_default();
        *line.entry(slot(point.start)).or_default() += point.figures;
    }
    let view = |(group, line): (String, BTreeMap<u32, Figures>)| LineView {
        group,
        points: (0..count)
            .map(|slot| PointView {
                time: Time(from + steps.step * slot),
                value: params.metric.of(line.get(&slot)),
            })
            .collect(),
    };
    Ok(Json(SeriesView {
        metric: params.metric,
        group_by: params.group_by,
        from: from.into(),
        to: to.into(),
        step_seconds: steps.step.as_secs(),
        lines: by_group.into_iter().map(view).collect(),
    }))
}

impl SeriesParams {
    fn bounds(&self, now: UnixMs) -> Result<(UnixMs, UnixMs), ApiError> {
        let to = self.to.map_or(now, |time| time.0);
        let from = match (self.from, self.range.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "range",
                    "expected either `range` or `from`",
                ));
            }
            (Some(from), None) => from.0,
            (None, range) => to - read_range(range.unwrap_or("24h"))?,
        };
        if from >= to || from.until(to) > LONGEST {
            let text = format!(
                "from {} to {}: expected a time that ends after it begins, and of ten years at most",
                Time(from),
                Time(to)
            );
            return Err(ApiError::invalid("from", text));
        }
        Ok((from, to))
    }
}

fn read_range(text: &str) -> Result<Duration, ApiError> {
    let read = || {
        let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
        Some(Duration::from_secs(u64::from(count) * seconds)).filter(|range| *range <= LONGEST)
    };
    read().ok_or_else(|| {
        let text =
            format!("{text:?} is no range; expected one such as 15m, 6h or 30d, of 3650d at most");
        ApiError::invalid("range", text)
    })
}

impl Steps {
    /// Some hundred points at most, each of which is a whole number of roll-ups that are still kept of a time that began
    /// `ago`.
    fn of(time: Duration, ago: Duration, group_by: Option<GroupBy>) -> Self {
        let is_there = |span| {
            let has_it = span != Span::Minute || group_by != Some(GroupBy::Key);
            has_it && ago <= figures::kept(span)
        };
        let mut fitting = STEPS
            .iter()
            .filter(|(longest, span, _)| time.as_secs() <= *longest && is_there(*span));
        let (_, span, seconds) = fitting.next().unwrap_or(&COARSEST);
        Self {
            span: *span,
            step: Duration::from_secs(*seconds),
        }
    }

    /// The beginning of the step that a time is in.
    fn begin(self, time: UnixMs) -> UnixMs {
        let step = self.step.as_millis() as i64;
        UnixMs(time.0 - time.0.rem_euclid(step))
    }
}

impl Metric {
    /// Its value; sums of nothing are 0, measures of nothing are none.
    fn of(self, figures: Option<&Figures>) -> Option<f64> {
        let Some(figures) = figures else {
            return self.is_sum().then_some(0.0);
        };
        let ratio = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let ms = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        match self {
            Self::Requests => Some(figures.requests as f64),
            Self::Failed => Some(figures.failed as f64),
            Self::SuccessRate => ratio(
                figures.requests.saturating_sub(figures.failed),
                figures.requests,
            ),
            Self::Tokens => Some(figures.total_tokens as f64),
            Self::PromptTokens => Some(figures.prompt_tokens as f64),
            Self::OutputTokens => Some(figures.output_tokens as f64),
            Self::ReasoningTokens => Some(figures.reasoning_tokens as f64),
            Self::CachedTokens => Some(figures.cached_tokens as f64),
            Self::CostUsd => Some(figures.cost.dollars()),
            Self::LatencyMean => ratio(figures.latency_us, figures.requests).map(|us| us / 1e3),
            Self::LatencyP50 => ms(figures.latency.percentile(50.0)),
            Self::LatencyP95 => ms(figures.latency.percentile(95.0)),
            Self::LatencyP99 => ms(figures.latency.percentile(99.0)),
            Self::FirstByteP50 => ms(figures.first_byte.percentile(50.0)),
            Self::FirstByteP95 => ms(figures.first_byte.percentile(95.0)),
            Self::FirstByteP99 => ms(figures.first_byte.percentile(99.0)),
        }
    }

    fn is_sum(self) -> bool {
        matches!(
            self,
            Self::Requests
                | Self::Failed
                | Self::Tokens
                | Self::PromptTokens
                | Self::OutputTokens
                | Self::ReasoningTokens
                | Self::CachedTokens
                | Self::CostUsd
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_a_number_and_a_unit() {
        for (text, seconds) in [("15m", 900), ("24h", 86_400), ("30d", 2_592_000)] {
            assert_eq!(read_range(text).unwrap(), Duration::from_secs(seconds));
        }
        for text in ["", "m", "0h", "-1h", "1w", "15", "99999d", "1é"] {
            assert!(read_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_chart_has_more_than_some_hundred_points() {
        for minutes in [1u64, 15, 60, 361, 1440, 10_080, 44_640, 525_600, 5_256_000] {
            let time = Duration::from_secs(minutes * 60);
            for ago in [time, time * 2, time + Duration::from_secs(200 * 24 * 3600)] {
                let steps = Steps::of(time, ago, None);
                let points = time.as_secs() / steps.step.as_secs();
                assert!(points <= 600, "{minutes} min, {ago:?} ago: {points} points");
            }
        }
    }
}
