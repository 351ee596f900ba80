//! Live sessions that are open now, on this instance. Members see those of their own client keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, RequestId, UserId};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::time::Time;
use super::who::Who;
use crate::app::App;
use crate::live_sessions::{EndedBy, LiveSession, Passed};
use crate::snapshot::KnownClient;

/// A Live session that is open.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LiveSessionView {
    /// The id of its request.
    #[schema(example = "0197a3c1d2e40001")]
    id: String,
    /// The name of the client key; null: an anonymous caller.
    #[schema(example = "app")]
    client: Option<String>,
    /// The provider that it goes to.
    #[schema(example = "google")]
    provider: String,
    /// The model that it is for; null: not known yet.
    #[schema(example = "gemini-live-2.5-flash")]
    model: Option<String>,
    /// The id of the provider key; null: not open at the provider yet, or the caller's own key.
    #[schema(example = 3)]
    key: Option<i64>,
    /// How it leaves: `direct`, or the proxy; null: not open at the provider yet.
    #[schema(example = "direct")]
    egress: Option<String>,
    /// When it began.
    since: Time,
    /// What the caller has sent.
    from_caller: PassedView,
    /// What the provider has sent.
    from_provider: PassedView,
    /// What it has taken so far; null: nothing was counted.
    tokens: Option<TokensView>,
}

/// What has passed one way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PassedView {
    /// Messages, texts and audio alike.
    #[schema(example = 120)]
    messages: u64,
    /// The bytes in them.
    #[schema(example = 480_000)]
    bytes: u64,
}

/// Tokens as the provider counted them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TokensView {
    /// Input, of every turn the whole context.
    #[schema(example = 800)]
    prompt: u32,
    /// Output.
    #[schema(example = 240)]
    output: u32,
    /// Both.
    #[schema(example = 1040)]
    total: u32,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_live_sessions))
        .routes(routes!(end_live_session))
}

/// Live sessions that are open now
#[utoipa::path(get, path = "/api/live_sessions", tag = "live_sessions", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them. Orders: since.", body = Page<LiveSessionView>)))]
async fn list_live_sessions(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<LiveSessionView>>, ApiError> {
    let order = paging.order(&["since"])?;
    let sessions = app.live_sessions.all().into_iter();
    let mut views: Vec<LiveSessionView> = sessions
        .filter(|session| who.may_touch(owner(&app, session)))
        .map(|session| LiveSessionView::of(&app, &session))
        .collect();
    views.retain(|view| {
        let (client, model) = (view.client.as_deref(), view.model.as_deref());
        filter.matches(&[
            &view.id,
            client.unwrap_or_default(),
            &view.provider,
            model.unwrap_or_default(),
        ])
    });
    let views = turned(views, order);
    slice(&views, &paging, |view| view.id.clone(), Clone::clone).map(Json)
}

/// End a Live session
///
/// Both sides are told so, with code 1001.
#[utoipa::path(delete, path = "/api/live_sessions/{id}", tag = "live_sessions",
    params(("id" = String, Path, description = "The session, as the list shows it.", example = "0197a3c1d2e40001")),
    responses(
        (status = 204, description = "The session ends."),
        (status = 404, description = "There is no such session.", body = ErrorBody)))]
async fn end_live_session(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<String>,
) -> Result<StatusCode, ApiError> {
    let found = id
        .parse()
        .ok()
        .and_then(|id: RequestId| app.live_sessions.get(id));
    let session = found
        .filter(|session| who.may_touch(owner(&app, session)))
        .ok_or_else(|| ApiError::not_found("live session", &id))?;
    let line = Event::new(who.name(), Action::Cancel, "live_sessions")
        .of(owner(&app, &session))
        .about(&id)
        .at(&session.provider);
    app.store.log(&[line], app.clock.now()).await?;
    session.end(EndedBy::Operator);
    Ok(StatusCode::NO_CONTENT)
}

fn client(app: &App, session: &LiveSession) -> Option<Arc<KnownClient>> {
    app.snapshot.load().client(session.client?)
}

fn owner(app: &App, session: &LiveSession) -> Option<UserId> {
    client(app, session)?.client.owner
}

impl LiveSessionView {
    fn of(app: &App, session: &LiveSession) -> Self {
        let opened = session.opened.get();
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Self {
            id: session.id.to_string(),
            client: client(app, session).map(|known| known.client.name.clone()),
            provider: session.provider.to_string(),
            model: opened.and_then(|opened| named(&opened.model)),
            key: opened.and_then(|opened| opened.key).map(|key| key.0),
            egress: opened.map(|opened| opened.egress.to_string()),
            since: session.since.into(),
            from_caller: PassedView::of(&session.from_caller),
            from_provider: PassedView::of(&session.from_provider),
            tokens: session.usage().map(|usage| TokensView {
                prompt: usage.prompt,
                output: usage.output,
                total: usage.total,
            }),
        }
    }
}

impl PassedView {
    fn of(passed: &Passed) -> Self {
        let (messages, bytes) = passed.so_far();
        Self { messages, bytes }
    }
}
