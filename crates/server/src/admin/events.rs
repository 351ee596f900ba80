//! A stream of what happens now, as server-sent events: `stats` every second, `request` as each one ends, `key` when
//! one changes how it stands, `ban` and `unban` as addresses are banned and let in again, `lost` when the watcher was too
//! slow. Members see their own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::Event as SseEvent;
use domain::{ClientId, KeyId};
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bans::BanView;
use super::error::ApiError;
use super::keys::KeyView;
use super::names::Names;
use super::request_logs::{Labels, RequestView};
use super::stats;
use super::who::Who;
use crate::app::App;
use crate::events::Happening;
use crate::pulse::Pulse;

const EVERY: Duration = Duration::from_secs(1);

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// One who watches.
struct Watcher {
    app: Arc<App>,
    who: Who,
    names: Names,
    happenings: Receiver<Happening>,
    /// The requests that a member may see, since they have been watching.
    own: Pulse,
    tick: Interval,
}

/// Watch what happens, as server-sent events. `stats`: figures of this moment, every second; for members those of what
/// is theirs, counted since they have been watching. `request`: one that has
/// ended, as the request log shows it. `key`: one that stands differently now, as the list of keys shows it. `ban`: one
/// that was made, as the list of bans shows it, and `unban`: the address whose ban was lifted; for administrators, and of
/// this instance. `lost`: how many events this watcher was too slow for.
#[utoipa::path(get, path = "/api/events", tag = "stats",
    responses((status = 200, description = "Events, until the caller leaves or keymux stops.",
        body = String, content_type = "text/event-stream")))]
async fn watch(
    State(app): State<Arc<App>>,
    who: Who,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, ApiError> {
    let mut tick = tokio::time::interval(EVERY);
    // Who has not read for an hour wants one look at the figures, not one for each second.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher {
        names: Names::load(&app.store).await?,
        happenings: app.events.watch().ok_or_else(too_many)?,
        own: Pulse::default(),
        tick,
        app,
        who,
    };
    Ok(Sse::new(stream::unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    })))
}

fn too_many() -> ApiError {
    ApiError::too_many(
        "too many watch already; try again later",
        Duration::from_secs(30),
    )
}

impl Watcher {
    /// The next event that concerns this watcher; none: keymux stops, or the session is over.
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            tokio::select! {
                _ = self.tick.tick() => return self.stats().await,
                happening = self.happenings.recv() => match happening {
                    Ok(happening) => if let Some(event) = self.tell(&happening) {
                        return Some(event);
                    },
                    Err(RecvError::Lagged(count)) => return event("lost", &json!({"events": count})),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Once a second it is also looked whether this watcher may still watch.
    async fn stats(&mut self) -> Option<SseEvent> {
        if self.app.phase.is_draining() {
            return None;
        }
        let session = self
            .app
            .store
            .session(&self.who.session, self.app.clock.now());
        match session.await {
            Ok(None) => return None,
            // What they may see is what they are now.
            Ok(Some((user, _))) => self.who.user = user,
            // A database that does not answer ends no session.
            Err(_) => {}
        }
        let pulse = match self.who.only() {
            None => &self.app.pulse,
            Some(_) => &self.own,
        };
        event("stats", &stats::live(&self.app, &self.who, pulse))
    }

    fn tell(&self, happening: &Happening) -> Option<SseEvent> {
        match happening {
            Happening::Request(record) => {
                if !self.may_see(record.client) {
                    return None;
                }
                self.own.ended(record, self.app.clock.now());
                let labels = Labels::of(&self.app, std::slice::from_ref(record));
                event("request", &RequestView::new(record, &labels))
            }
            Happening::Key { provider, key } => self.key(provider, *key),
            Happening::Ban(ban) => {
                let view = BanView::from(ban.clone());
                self.who.is_admin().then(|| event("ban", &view))?
            }
            Happening::Unban(network) => {
                let unban = json!({"ip": network});
                self.who.is_admin().then(|| event("unban", &unban))?
            }
        }
    }

    fn key(&self, provider: &str, key: KeyId) -> Option<SseEvent> {
        let snapshot = self.app.snapshot.load();
        let status = snapshot.provider(provider)?.pools.status(key)?;
        if !self.who.may_touch(status.cell.key.owner) {
            return None;
        }
        event(
            "key",
            &KeyView::new(&status, &self.names, self.app.clock.now()),
        )
    }

    fn may_see(&self, client: Option<ClientId>) -> bool {
        let Some(member) = self.who.only() else {
            return true;
        };
        let known = client.and_then(|id| self.app.snapshot.load().client(id));
        known.is_some_and(|known| known.client.owner == Some(member))
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Option<SseEvent> {
    SseEvent::default().event(name).json_data(data).ok()
}
