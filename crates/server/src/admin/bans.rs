//! Addresses that anonymous callers may not come from. Callers with a client key are not held up by a ban.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Ban, Event};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::{Id, Input, Params};
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::time::Time;
use super::who::Admin;
use crate::app::App;
use crate::live::{self, Touched};
use crate::snapshot::network;

/// An address that is banned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BanView {
    /// An IPv4 address, or the first address of an IPv6 /64, all of which is banned.
    #[schema(example = "203.0.113.9")]
    ip: String,
    /// Why, for those who read the list.
    #[schema(example = "scraping")]
    reason: String,
    created_at: Time,
    /// When it ends by itself; null: when it is lifted.
    until: Option<Time>,
}

/// A new ban.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBan {
    /// The address; of IPv6 the whole /64 is banned.
    #[schema(example = "203.0.113.9")]
    ip: String,
    /// Why, for those who read the list.
    #[serde(default)]
    #[schema(example = "scraping", max_length = 500)]
    reason: String,
    /// When it ends by itself; left out: when it is lifted.
    until: Option<Time>,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_bans, create_ban))
        .routes(routes!(delete_ban))
}

/// Bans that are in force.
#[utoipa::path(get, path = "/api/bans", tag = "bans", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them. Orders: ip, created_at.", body = Page<BanView>)))]
async fn list_bans(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<BanView>>, ApiError> {
    let order = paging.order(&["ip", "created_at"])?;
    let now = app.clock.now();
    let mut bans = app.store.load_bans().await?;
    bans.retain(|ban| {
        let is_in_force = ban.until.is_none_or(|until| until > now);
        is_in_force && filter.matches(&[&ban.address, &ban.reason])
    });
    match order.field {
        "created_at" => bans.sort_by_key(|ban| ban.created_at),
        _ => bans.sort_by_key(|ban| ban.address.parse::<IpAddr>().ok()),
    }
    let bans = turned(bans, order);
    slice(
        &bans,
        &paging,
        |ban| ban.address.clone(),
        |ban| BanView::from(ban.clone()),
    )
    .map(Json)
}

/// Ban an address. An existing ban of it is replaced.
#[utoipa::path(post, path = "/api/bans", tag = "bans", request_body = NewBan,
    responses((status = 201, description = "The ban is in force.", body = BanView)))]
async fn create_ban(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Input(input): Input<NewBan>,
) -> Result<(StatusCode, Json<BanView>), ApiError> {
    let now = app.clock.now();
    let address = network(read_address(&input.ip)?);
    if input.reason.chars().count() > 500 || input.reason.chars().any(char::is_control) {
        let text = "expected at most 500 characters, none of them a control character";
        return Err(ApiError::invalid("reason", text));
    }
    if let Some(until) = input.until.filter(|until| until.0 <= now) {
        return Err(ApiError::invalid("until", format!("{until} is past")));
    }
    let ban = Ban {
        address: address.to_string(),
        reason: input.reason,
        created_at: now,
        until: input.until.map(|until| until.0),
    };
    let change = app.store.change().await?;
    change.ban(&ban).await?;
    let details = match input.until {
        Some(until) => format!("until {until}: {}", ban.reason),
        None => ban.reason.clone(),
    };
    change
        .log(&event(&who.name(), Action::Ban, &ban.address, details), now)
        .await?;
    live::publish(&app, change, Touched::Bans).await?;
    Ok((StatusCode::CREATED, Json(BanView::from(ban))))
}

/// Lift a ban.
#[utoipa::path(delete, path = "/api/bans/{ip}", tag = "bans",
    params(("ip" = String, Path, description = "The address, as the list shows it.", example = "203.0.113.9")),
    responses(
        (status = 204, description = "The ban is lifted."),
        (status = 404, description = "There is no such ban.", body = super::error::ErrorBody)))]
async fn delete_ban(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(ip): Id<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found("ban of", &ip);
    let address: IpAddr = ip.parse().map_err(|_| not_found())?;
    let address = network(address).to_string();
    let now = app.clock.now();
    let change = app.store.change().await?;
    if !change.lift_ban(&address).await? {
        return Err(not_found());
    }
    change
        .log(
            &event(&who.name(), Action::Unban, &address, String::new()),
            now,
        )
        .await?;
    live::publish(&app, change, Touched::Bans).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Ban> for BanView {
    fn from(ban: Ban) -> Self {
        Self {
            ip: ban.address,
            reason: ban.reason,
            created_at: ban.created_at.into(),
            until: ban.until.map(Time),
        }
    }
}

fn read_address(text: &str) -> Result<IpAddr, ApiError> {
    text.trim().parse().map_err(|_| {
        let text =
            format!("{text:?} is no address; expected one such as 203.0.113.9 or 2001:db8::1");
        ApiError::invalid("ip", text)
    })
}

fn event(actor: &str, action: Action, address: &str, details: String) -> Event {
    Event::new(actor, action, "bans")
        .about(address)
        .details(details)
}
