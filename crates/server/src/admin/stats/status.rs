//! How keymux stands now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::{UnixMs, UserId};
use serde::Serialize;
use store::{Dimension, Figures, SeriesQuery, Span, StoreError};
use utoipa::ToSchema;

use crate::admin::error::ApiError;
use crate::admin::providers::KeyCounts;
use crate::admin::who::Who;
use crate::app::App;
use crate::pulse::Pulse;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How keymux stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusView {
    /// `healthy`; `degraded` when no key is usable or the database does not answer; `starting`; `draining`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Of this program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Since it was started.
    #[schema(example = 86_400)]
    uptime_seconds: u64,
    /// `required` or `open`: whether callers need a client key.
    #[schema(example = "required")]
    auth: &'static str,
    keys: KeyCounts,
    /// Keys by provider.
    providers: BTreeMap<String, KeyCounts>,
    requests: RequestFigures,
    egress: EgressFigures,
    /// `up` or `down`: whether the database answered when it was last used.
    #[schema(example = "up")]
    database: &'static str,
    /// Request records that wait to be written.
    #[schema(example = 0)]
    queued_records: usize,
}

/// Requests of callers.
#[derive(Debug, Serialize, ToSchema)]
struct RequestFigures {
    /// That ended in the last 60 seconds.
    #[schema(example = 42)]
    last_minute: u64,
    /// In the last 60 minutes.
    #[schema(example = 2_310)]
    last_hour: u64,
    /// In the last 24 hours.
    #[schema(example = 51_200)]
    last_24h: u64,
    /// The part of them that did not go wrong, 0 to 1; null when there were none.
    #[schema(example = 0.998)]
    success_rate_24h: Option<f64>,
    latency_ms: Percentiles,
    /// Tokens of the last 24 hours.
    #[schema(example = 12_400_000)]
    tokens_24h: u64,
    /// What the last 24 hours cost, as far as models have a price.
    #[schema(example = 3.71)]
    cost_usd_24h: f64,
}

/// Latencies of the last 24 hours, from the first byte of a request to the last of its answer; null: there were none.
#[derive(Debug, Serialize, ToSchema)]
struct Percentiles {
    /// Half of the requests took no longer.
    #[schema(example = 812.0)]
    p50: Option<f64>,
    /// 95 of a hundred took no longer.
    #[schema(example = 4_100.0)]
    p95: Option<f64>,
    /// 99 of a hundred took no longer.
    #[schema(example = 9_800.0)]
    p99: Option<f64>,
}

/// The ways on which requests leave.
#[derive(Debug, Serialize, ToSchema)]
struct EgressFigures {
    /// Proxies that are known.
    #[schema(example = 12)]
    proxies: usize,
    /// Those that worked when they were last used or checked.
    #[schema(example = 9)]
    healthy: usize,
    /// Those that nothing has left by yet.
    #[schema(example = 2)]
    untested: usize,
    /// Those that failed, and are not used for a while.
    #[schema(example = 1)]
    failed: usize,
    /// Lists of proxies that could not be read the last time.
    #[schema(example = 0)]
    failing_sources: usize,
    /// Whether requests may leave directly.
    direct: bool,
}

impl EgressFigures {
    fn of(app: &App) -> Self {
        let census = app.proxies.census();
        Self {
            proxies: census.untested + census.healthy + census.set_aside,
            healthy: census.healthy,
            untested: census.untested,
            failed: census.set_aside,
            failing_sources: app.proxy_sources.failing(),
            direct: app.proxies.may_leave_directly(),
        }
    }
}

/// Figures of this moment, for those who watch.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin) struct Live {
    /// Requests that ended in the last second.
    #[schema(example = 12)]
    requests_last_second: u64,
    /// Requests that ended in the last minute.
    #[schema(example = 640)]
    requests_last_minute: u64,
    /// Those that went wrong.
    #[schema(example = 3)]
    failed_last_minute: u64,
    /// Attempts under way.
    #[schema(example = 7)]
    in_flight: u64,
    keys: KeyCounts,
}

/// How keymux stands: keys by state, requests, latencies.
#[utoipa::path(get, path = "/api/status", tag = "stats",
    responses((status = 200, description = "For members: their own keys and requests.", body = StatusView)))]
pub(super) async fn get_status(
    State(app): State<Arc<App>>,
    who: Who,
) -> Result<Json<StatusView>, ApiError> {
    let now = app.clock.now();
    let (keys, providers) = count_keys(&app, who.only(), now);
    let minute = figures(&app, &who, now - Duration::from_secs(60), now, Span::Minute).await?;
    let hour = figures(&app, &who, now - HOUR, now, Span::Minute).await?;
    let day = figures(&app, &who, now - DAY, now, Span::Hour).await?;
    let last_minute = if who.is_admin() {
        app.pulse.last(60, now).requests
    } else {
        minute.requests
    };
    let percentile = |percent| {
        day.latency
            .percentile(percent)
            .map(|it| it.as_secs_f64() * 1e3)
    };
    let succeeded = day.requests.saturating_sub(day.failed);
    Ok(Json(StatusView {
        // Members' requests are served by the shared keys too.
        status: standing(&app, count_keys(&app, None, now).0),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.clock.uptime().as_secs(),
        auth: app.snapshot.load().config.server.auth.name(),
        keys,
        providers,
        requests: RequestFigures {
            last_minute,
            last_hour: hour.requests,
            last_24h: day.requests,
            success_rate_24h: (day.requests > 0).then(|| succeeded as f64 / day.requests as f64),
            latency_ms: Percentiles {
                p50: percentile(50.0),
                p95: percentile(95.0),
                p99: percentile(99.0),
            },
            tokens_24h: day.total_tokens,
            cost_usd_24h: day.cost.dollars(),
        },
        egress: EgressFigures::of(&app),
        database: app.database.name(),
        queued_records: app.records.depth(),
    }))
}

/// Figures of this moment; `pulse` counts the requests that this user may see.
pub(in crate::admin) fn live(app: &App, who: &Who, pulse: &Pulse) -> Live {
    let now = app.clock.now();
    let (keys, _) = count_keys(app, who.only(), now);
    let snapshot = app.snapshot.load();
    let minute = pulse.last(60, now);
    let in_flight = snapshot.providers.iter().map(|it| match who.only() {
        None => it.pools.in_flight(),
        Some(member) => it.pools.of(member).map_or(0, |pool| pool.in_flight()),
    });
    Live {
        requests_last_second: pulse.last(1, now).requests,
        requests_last_minute: minute.requests,
        failed_last_minute: minute.failed,
        in_flight: in_flight.sum(),
        keys,
    }
}

fn standing(app: &App, keys: KeyCounts) -> &'static str {
    match app.phase.name() {
        "ready" if keys.active == 0 || app.database.name() != "up" => "degraded",
        "ready" => "healthy",
        other => other,
    }
}

/// Keys by state, of all or of a member's own.
fn count_keys(
    app: &App,
    only: Option<UserId>,
    now: UnixMs,
) -> (KeyCounts, BTreeMap<String, KeyCounts>) {
    let mut sum = KeyCounts::default();
    let mut by_provider = BTreeMap::new();
    for provider in app.snapshot.load().providers.iter() {
        let census = match only {
            None => provider.pools.census(now),
            Some(member) => provider
                .pools
                .of(member)
                .map(|pool| pool.census(now))
                .unwrap_or_default(),
        };
        let counts = KeyCounts::from(census);
        sum += counts;
        by_provider.insert(provider.name.to_string(), counts);
    }
    (sum, by_provider)
}

/// Sums over a time, of all or of a member's own client keys.
async fn figures(
    app: &App,
    who: &Who,
    from: UnixMs,
    to: UnixMs,
    span: Span,
) -> Result<Figures, StoreError> {
    let (dimension, values) = match who.only() {
        None => (Dimension::All, None),
        Some(member) => {
            let own = app.snapshot.load().clients_of(member);
            (
                Dimension::Client,
                Some(own.iter().map(ToString::to_string).collect()),
            )
        }
    };
    let query = SeriesQuery {
        dimension,
        values,
        from,
        to,
        span,
    };
    let mut sum = Figures::default();
    for total in app.store.totals(&query, u64::from(u32::MAX)).await? {
        sum += total.figures;
    }
    Ok(sum)
}
