//! Logging in and out, and who one is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{AppendHeaders, IntoResponse};
use domain::{Action, Event, Secret, User};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use store::UserPatch;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::Input;
use super::throttle::{Failure, NOBODY};
use super::time::Time;
use super::users::event;
use super::who::{self, Peer, SESSION_COOKIE, Who};
use crate::app::App;
use crate::gateway::address;
use crate::live::{self, Touched};
use crate::secrets;

/// The largest body of a login: whoever sends it is not known yet.
const LARGEST_BODY: usize = 16 << 10;

/// Who wants in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// The user's name.
    #[schema(example = "admin")]
    username: String,
    /// The password.
    #[schema(example = "correct horse battery staple", format = Password)]
    password: String,
}

/// A session that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoggedIn {
    /// Send it as `Authorization: Bearer`. A browser gets it as cookie too.
    #[schema(example = "kms_8c1f…")]
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds until the session is over.
    #[schema(example = 2_592_000)]
    expires_in: u64,
    /// Callers with the cookie send it as `X-CSRF-Token` with everything that changes something.
    #[schema(example = "DzpsHZvhJ3-hwF6I0bLD1A")]
    csrf_token: String,
    /// Who is logged in.
    user: Me,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The user's id.
    #[schema(example = 1)]
    id: i64,
    /// The user's name.
    #[schema(example = "admin")]
    username: String,
    /// `admin` or `member`.
    #[schema(example = "admin")]
    role: &'static str,
    /// When the user was made.
    created_at: Time,
    /// The CSRF token of this session.
    #[schema(example = "DzpsHZvhJ3-hwF6I0bLD1A")]
    csrf_token: String,
}

/// A new password for oneself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// The password until now.
    #[schema(format = Password)]
    current_password: String,
    /// The password from now on: at least eight characters.
    #[schema(format = Password, min_length = 8)]
    new_password: String,
}

/// The routes of sessions.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(me))
        .routes(routes!(change_password))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// Begin a session.
#[utoipa::path(post, path = "/api/login", tag = "session", request_body = Credentials, security(()),
    responses(
        (status = 200, description = "Logged in; the cookie `keymux_session` is set too.", body = LoggedIn),
        (status = 401, description = "The user name or the password is wrong.", body = ErrorBody),
        (status = 413, description = "The body is larger than 16 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failures; `Retry-After` says how long to wait.", body = ErrorBody),
        (status = 503, description = "Too many logins at once, or no database; `Retry-After` says how long to wait.", body = ErrorBody)))]
async fn log_in(
    State(app): State<Arc<App>>,
    peer: Peer,
    headers: HeaderMap,
    Input(credentials): Input<Credentials>,
) -> Result<impl IntoResponse, ApiError> {
    let name = credentials.username.as_str();
    admit(&app, peer, name)?;
    let user = find_user(&app, name).await?;
    let is_right = check_password(&app, user.as_ref(), Secret::new(credentials.password)).await?;
    let Some(user) = user.filter(|user| is_right && user.enabled) else {
        note_failure(&app, peer, name).await?;
        return Err(wrong_credentials());
    };
    // Guesses that were made at the same time may have used up all tries.
    admit(&app, peer, name)?;
    app.logins.succeeded(peer.caller, name);
    let ttl = app.snapshot.load().config.admin.session_ttl;
    let session = secrets::new_session().map_err(ApiError::internal)?;
    let now = app.clock.now();
    let begun = app.store.create_session(&session, &user, now, now + ttl);
    if !begun.await? {
        return Err(wrong_credentials());
    }
    let event = event(
        &user.username,
        Action::Login,
        user.id,
        format!("from {}", peer.caller),
    );
    app.store.log(&[event], now).await?;
    let cookie = cookie(&app, &headers, peer, session.expose(), ttl.as_secs());
    let body = LoggedIn {
        access_token: session.expose().to_owned(),
        token_type: "bearer",
        expires_in: ttl.as_secs(),
        csrf_token: who::csrf_token(&session),
        user: Me::new(&user, &session),
    };
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(body)))
}

/// End the session.
#[utoipa::path(post, path = "/api/logout", tag = "session",
    responses((status = 204, description = "The session is over.")))]
async fn log_out(
    State(app): State<Arc<App>>,
    peer: Peer,
    headers: HeaderMap,
    who: Who,
) -> Result<impl IntoResponse, ApiError> {
    app.store.delete_session(&who.session).await?;
    let event = event(&who.name(), Action::Logout, who.user.id, String::new());
    app.store.log(&[event], app.clock.now()).await?;
    let cookie = cookie(&app, &headers, peer, "", 0);
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, cookie)]),
    ))
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/me", tag = "session",
    responses((status = 200, description = "The user of this session.", body = Me)))]
async fn me(who: Who) -> Json<Me> {
    Json(Me::new(&who.user, &who.session))
}

/// Change one's own password. Other sessions of the user end.
#[utoipa::path(post, path = "/api/me/password", tag = "session", request_body = NewPassword,
    responses(
        (status = 204, description = "The new password holds from now on."),
        (status = 409, description = "The configuration fixes the password.", body = ErrorBody),
        (status = 413, description = "The body is larger than 16 KiB.", body = ErrorBody),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says how long to wait.", body = ErrorBody)))]
async fn change_password(
    State(app): State<Arc<App>>,
    peer: Peer,
    who: Who,
    Input(input): Input<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let name = who.name();
    admit(&app, peer, &name)?;
    if !check_password(&app, Some(&who.user), Secret::new(input.current_password)).await? {
        note_failure(&app, peer, &name).await?;
        return Err(ApiError::invalid(
            "current_password",
            "it is not the password until now",
        ));
    }
    admit(&app, peer, &name)?;
    refuse_fixed_password(&app, &name)?;
    let hash = hash_password(&app, "new_password", input.new_password).await?;
    let patch = UserPatch {
        password_hash: Some(hash),
        kept_session: Some(who.session.clone()),
        ..UserPatch::default()
    };
    let now = app.clock.now();
    let change = app.store.change().await?;
    change.update_user(who.user.id, &patch, now).await?;
    let event = event(
        &name,
        Action::Update,
        who.user.id,
        "changed their own password".into(),
    );
    change.log(&event, now).await?;
    live::publish(&app, change, Touched::Nothing).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Me {
    fn new(user: &User, session: &Secret) -> Self {
        Self {
            id: user.id.0,
            username: user.username.clone(),
            role: user.role.name(),
            created_at: user.created_at.into(),
            csrf_token: who::csrf_token(session),
        }
    }
}

/// Whether the configuration fixes this user's password: what the API set would be undone at the next start.
pub(super) fn refuse_fixed_password(app: &App, username: &str) -> Result<(), ApiError> {
    let config = &app.snapshot.load().config;
    if config.admin.password.is_some() && config.admin.username == username {
        let text = format!(
            "the password of {username} is fixed by {}",
            config.origin("admin.password")
        );
        return Err(ApiError::conflict("fixed", text));
    }
    Ok(())
}

/// The hash of a new password, made beside the threads that serve requests.
pub(super) async fn hash_password(
    app: &App,
    field: &str,
    password: String,
) -> Result<Secret, ApiError> {
    let length = password.chars().count();
    if !(8..=1024).contains(&length) {
        let text = format!("a password of {length} characters; expected 8 to 1024");
        return Err(ApiError::invalid(field, text));
    }
    let password = Secret::new(password);
    let hash = app
        .logins
        .work(move || secrets::hash_password(&password))
        .await?;
    hash.map(Secret::new).map_err(ApiError::internal)
}

/// Takes as long for a user that does not exist as for a wrong password.
async fn check_password(
    app: &App,
    user: Option<&User>,
    password: Secret,
) -> Result<bool, ApiError> {
    let hash = user.map_or_else(|| Secret::new(NOBODY), |user| user.password_hash.clone());
    let is_known = user.is_some();
    let right = app
        .logins
        .work(move || secrets::is_password(&password, hash.expose()))
        .await?;
    Ok(right && is_known)
}

/// Nobody's name holds a NUL, which PostgreSQL refuses to compare with.
async fn find_user(app: &App, name: &str) -> Result<Option<User>, ApiError> {
    if name.contains('\0') {
        return Ok(None);
    }
    Ok(app.store.user(name).await?)
}

/// Lets a password be tried, or says how long to wait.
fn admit(app: &App, peer: Peer, name: &str) -> Result<(), ApiError> {
    let admitted = app.logins.admit(peer.caller, name, app.clock.now());
    admitted.map_err(too_many)
}

fn too_many(wait: Duration) -> ApiError {
    let seconds = wait.as_secs().max(1);
    let text = format!("too many wrong passwords; try again in {seconds} s");
    ApiError::too_many(text, wait)
}

fn wrong_credentials() -> ApiError {
    let text = "the user name or the password is wrong";
    ApiError::new(StatusCode::UNAUTHORIZED, "wrong_credentials", text)
}

/// Counts a wrong password; an error when nobody may even learn that it was wrong.
async fn note_failure(app: &App, peer: Peer, name: &str) -> Result<(), ApiError> {
    match app.logins.failed(peer.caller, name, app.clock.now()) {
        Failure::Counted => {}
        Failure::Last => note_throttled(app, name, peer.caller).await,
        Failure::OneTooMany(wait) => return Err(too_many(wait)),
    }
    Ok(())
}

async fn note_throttled(app: &App, name: &str, peer: IpAddr) {
    let shown: String = name.chars().take(64).collect();
    tracing::warn!(user = shown, %peer, "logins are throttled after failures");
    let event = Event::new("keymux", Action::LoginThrottled, "users")
        .details(format!("{shown:?} from {peer}"));
    if let Err(error) = app.store.log(&[event], app.clock.now()).await {
        tracing::warn!(%error, "the activity log could not be written");
    }
}

/// `Secure` only where the browser came by https: on plain http it would not be sent back.
fn cookie(app: &App, headers: &HeaderMap, peer: Peer, token: &str, seconds: u64) -> String {
    let config = &app.snapshot.load().config;
    let here = address::as_called(headers, peer.hop, &config.server.trusted_proxies);
    let secure = if here.is_some_and(|here| here.starts_with("https:")) {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    )
}
