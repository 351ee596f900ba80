//! Addresses that anonymous callers may not come from, banned by hand or by keymux itself. Callers with a client key are
//! not held up by a ban. When keymux bans is in `gateway/door.rs`.

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
use crate::events::Happening;
use crate::live::{self, Touched};
use crate::snapshot::network;

/// An address that is banned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BanView {
    /// An IPv4 address, or the first address of an IPv6 /64, all of which is banned.
    #[schema(example = "203.0.113.9")]
    ip: String,
    /// The same as a network, with all that is banned.
    #[schema(example = "203.0.113.9/32")]
    network: String,
    /// Why, for those who read the list.
    #[schema(example = "3601 requests in an hour")]
    reason: String,
    /// Who banned it: a user's name, or `keymux` itself; null: an older version did not write it down.
    #[schema(example = "keymux")]
    created_by: Option<String>,
    /// The requests of an hour for which keymux banned it; null: it was banned by hand.
    #[schema(example = 3601)]
    requests: Option<u64>,
    created_at: Time,
    /// When it ends by itself; null: when it is lifted.
    until: Option<Time>,
}

/// A new ban.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBan {
    /// The address; of IPv6 the whole /64 is banned, and may be given as such.
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
    bans.retain(|ban| ban.is_in_force(now));
    let fresh = app.fresh_bans.waiting(now).into_iter();
    for (_, ban) in fresh {
        if bans.iter().all(|known| known.address != ban.address) {
            bans.push(ban);
        }
    }
    bans.retain(|ban| {
        let network = written(&ban.address);
        let by = ban.created_by.as_deref().unwrap_or_default();
        filter.matches(&[&ban.address, &network, &ban.reason, by])
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
        created_by: Some(who.name()),
        requests: None,
        created_at: now,
        until: input.until.map(|until| until.0),
    };
    let change = app.store.change().await?;
    change.ban(&ban).await?;
    let details = match input.until {
        Some(until) => format!("until {until}: {}", ban.reason),
        None => ban.reason.clone(),
    };
    let line = event(&who.name(), Action::Ban, &ban.address, details);
    change.log(&line, now).await?;
    // One that waits for the store finds this one there, and gives way to it.
    live::publish(&app, change, Touched::Bans).await?;
    app.events.tell(|| Happening::Ban(ban.clone()));
    Ok((StatusCode::CREATED, Json(BanView::from(ban))))
}

/// Lift a ban. What was counted of the address is forgotten with it.
#[utoipa::path(delete, path = "/api/bans/{ip}", tag = "bans",
    params(("ip" = String, Path, description = "The address, or the network, as the list shows it.",
        example = "203.0.113.9")),
    responses(
        (status = 204, description = "The ban is lifted."),
        (status = 404, description = "There is no such ban.", body = super::error::ErrorBody)))]
async fn delete_ban(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(ip): Id<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found("ban of", &ip);
    let network = network(parse(&ip).ok_or_else(not_found)?);
    let address = network.to_string();
    let now = app.clock.now();
    let change = app.store.change().await?;
    let is_stored = change.lift_ban(&address).await?;
    // While the change is open nobody stores it, and afterwards it is not there to be stored.
    let fresh = app.fresh_bans.lift(network);
    if !is_stored && fresh.is_none() {
        return Err(not_found());
    }
    let line = event(&who.name(), Action::Unban, &address, String::new());
    let lifted = async {
        change.log(&line, now).await?;
        live::publish(&app, change, Touched::Bans).await
    };
    if let Err(error) = lifted.await {
        if let Some(ban) = fresh {
            app.fresh_bans.impose(network, ban);
        }
        return Err(error.into());
    }
    app.visitors.forget(network);
    app.events.tell(|| Happening::Unban(network));
    Ok(StatusCode::NO_CONTENT)
}

impl From<Ban> for BanView {
    fn from(ban: Ban) -> Self {
        Self {
            network: written(&ban.address),
            ip: ban.address,
            reason: ban.reason,
            created_by: ban.created_by,
            requests: ban.requests,
            created_at: ban.created_at.into(),
            until: ban.until.map(Time),
        }
    }
}

fn read_address(text: &str) -> Result<IpAddr, ApiError> {
    parse(text.trim()).ok_or_else(|| {
        let text = format!(
            "{text:?} is no address; expected one such as 203.0.113.9 or 2001:db8::1, or the /64 of one"
        );
        ApiError::invalid("ip", text)
    })
}

/// An address, or what counts of one as a network: `/32` of IPv4, `/64` of IPv6.
fn parse(text: &str) -> Option<IpAddr> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse().ok();
    };
    let address: IpAddr = address.parse().ok()?;
    let is_whole = length == if address.is_ipv4() { "32" } else { "64" };
    (is_whole && network(address) == address).then_some(address)
}

/// With the length of the network that is meant.
fn written(address: &str) -> String {
    let length = if address.contains(':') { "64" } else { "32" };
    format!("{address}/{length}")
}

fn event(actor: &str, action: Action, address: &str, details: String) -> Event {
    Event::new(actor, action, "bans")
        .about(address)
        .details(details)
}
