//! The ways on which requests leave: directly, and through the outbound proxies, which are checked and put back into use
//! here. Proxies that keys name themselves are shown with those keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::time::Time;
use super::who::{Admin, Who};
use crate::app::App;
use crate::egress::{Member, ProxyId, State as ProxyState};
use crate::proxy_checks;

/// A way on which requests leave.
#[derive(Debug, Serialize, ToSchema)]
struct EgressView {
    /// What the proxy is known by until keymux ends; null for `direct`.
    #[schema(example = 3)]
    id: Option<u64>,
    /// `direct`, or a proxy without its credentials.
    #[schema(example = "socks5://10.0.0.9:1080")]
    name: String,
    /// `direct`, `http`, `https` or `socks5`.
    #[schema(example = "socks5")]
    kind: &'static str,
    /// The list that it was found in; null: the configuration names it.
    #[schema(example = "lists.example.com")]
    source: Option<String>,
    status: EgressStatus,
    /// Why it failed, for example `proxy_unreachable`.
    #[schema(example = "proxy_unreachable")]
    reason: Option<&'static str>,
    /// Since when it stands so; null for `direct`.
    since: Option<Time>,
    /// When a proxy that failed is tried again.
    retry_at: Option<Time>,
    /// Attempts that have left through it; null for `direct`.
    #[schema(example = 4_210)]
    attempts: Option<u64>,
    /// Those that failed by it; null for `direct`.
    #[schema(example = 3)]
    failures: Option<u64>,
    /// When it was last checked.
    checked_at: Option<Time>,
    /// How long that took, in milliseconds; null: it failed.
    #[schema(example = 182.4)]
    latency_ms: Option<f64>,
    /// Why that failed, for example `check_timeout`; null: it did not.
    #[schema(example = "check_timeout")]
    check_reason: Option<&'static str>,
}

/// How a way stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EgressStatus {
    /// It worked when it was last used or checked.
    Healthy,
    /// It has not been used or checked yet. One that was found in a list is not used before it was checked.
    Untested,
    /// It failed, and is not used before `retry_at`; one that was found in a list not before it was checked again.
    Failed,
    /// Requests do not leave by it: `egress.fallback_to_direct` is off.
    Off,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_egress))
        .routes(routes!(test_egress))
        .routes(routes!(reset_egress))
}

/// The ways on which requests leave: `direct`, and every outbound proxy that is used for all keys.
#[utoipa::path(get, path = "/api/egress_proxies", tag = "pool",
    params(Paging, TextFilter),
    responses((status = 200, description = "A page of them, by name.", body = Page<EgressView>)))]
async fn list_egress(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<EgressView>>, ApiError> {
    let order = paging.order(&["name"])?;
    let proxies = app.proxies.list();
    let mut rows: Vec<(&str, Option<&Member>)> = vec![(&*app.direct, None)];
    rows.extend(proxies.iter().map(|it| (&*it.proxy.name, Some(it))));
    rows.retain(|(name, _)| filter.matches(&[name]));
    rows.sort_by_key(|(name, _)| *name);
    let is_direct_on = app.proxies.may_leave_directly();
    let view = |(name, member): &(&str, Option<&Member>)| match member {
        Some(member) => EgressView::of(member),
        None => EgressView::direct(name, is_direct_on),
    };
    let id = |(name, _): &(&str, Option<&Member>)| (*name).to_owned();
    slice(&turned(rows, order), &paging, id, view).map(Json)
}

/// Check a proxy now: whether it leads to a provider. It is used or set aside as that says.
#[utoipa::path(post, path = "/api/egress_proxies/{id}/test", tag = "pool",
    params(("id" = u64, Path, description = "The proxy.")),
    responses(
        (status = 200, description = "How the proxy stands now.", body = EgressView),
        (status = 404, description = "There is no such proxy.", body = ErrorBody),
        (status = 409, description = "There is nothing to ask for through a proxy.", body = ErrorBody)))]
async fn test_egress(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(id): Id<u64>,
) -> Result<Json<EgressView>, ApiError> {
    let member = find(&app, id)?;
    let checked = proxy_checks::by_hand(&app, &member.proxy).await;
    checked.map_err(|why| ApiError::conflict("nothing_to_ask", why.to_string()))?;
    let view = EgressView::of(&member);
    let found = view.check_reason.unwrap_or("ok");
    log(&app, &who, Action::Test, &member, found).await?;
    Ok(Json(view))
}

/// Put a proxy back into use now, whatever it failed for.
#[utoipa::path(post, path = "/api/egress_proxies/{id}/reset", tag = "pool",
    params(("id" = u64, Path, description = "The proxy.")),
    responses(
        (status = 200, description = "How the proxy stands now.", body = EgressView),
        (status = 404, description = "There is no such proxy.", body = ErrorBody)))]
async fn reset_egress(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(id): Id<u64>,
) -> Result<Json<EgressView>, ApiError> {
    let member = find(&app, id)?;
    app.proxies.reset(&member.proxy, app.clock.now());
    log(&app, &who, Action::Reset, &member, "back in use").await?;
    Ok(Json(EgressView::of(&member)))
}

fn find(app: &App, id: u64) -> Result<Member, ApiError> {
    let member = app.proxies.member(ProxyId(id));
    member.ok_or_else(|| ApiError::not_found("proxy", id))
}

async fn log(
    app: &App,
    who: &Who,
    action: Action,
    member: &Member,
    details: &str,
) -> Result<(), ApiError> {
    let name = &member.proxy.name;
    let line = Event::new(who.name(), action, "egress_proxies").about(name);
    let line = line.details(format!("{name}: {details}"));
    app.store.log(&[line], app.clock.now()).await?;
    Ok(())
}

impl EgressView {
    fn direct(name: &str, is_on: bool) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            kind: "direct",
            source: None,
            status: if is_on {
                EgressStatus::Healthy
            } else {
                EgressStatus::Off
            },
            reason: None,
            since: None,
            retry_at: None,
            attempts: None,
            failures: None,
            checked_at: None,
            latency_ms: None,
            check_reason: None,
        }
    }

    fn of(member: &Member) -> Self {
        let proxy = &member.proxy;
        let standing = proxy.standing();
        let figures = proxy.figures();
        let (status, reason, retry_at) = match standing.state {
            ProxyState::Untested => (EgressStatus::Untested, None, None),
            ProxyState::Healthy => (EgressStatus::Healthy, None, None),
            ProxyState::SetAside { until, reason } => {
                (EgressStatus::Failed, Some(reason), Some(Time(until)))
            }
        };
        let check = standing.checked;
        let latency = check.and_then(|check| check.outcome.ok());
        Self {
            id: Some(proxy.id.0),
            name: proxy.name.to_string(),
            kind: proxy.protocol().name(),
            source: member.source.as_deref().map(str::to_owned),
            status,
            reason,
            since: Some(Time(standing.since)),
            retry_at,
            attempts: Some(figures.attempts),
            failures: Some(figures.failures),
            checked_at: check.map(|check| Time(check.at)),
            latency_ms: latency.map(|latency| latency.as_secs_f64() * 1e3),
            check_reason: check.and_then(|check| check.outcome.err()),
        }
    }
}
