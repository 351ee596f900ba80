//! Who calls the admin API: a session, shown as bearer token or as cookie. A cookie travels by itself, so whoever shows
//! one must also send the CSRF header when something is to change.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::{Fingerprint, Role, Secret, User, UserId};
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method};
use subtle::ConstantTimeEq as _;

use super::error::ApiError;
use crate::app::App;

/// The cookie of a session.
pub(super) const SESSION_COOKIE: &str = "keymux_session";
/// The header that shows that a cookie's owner meant it.
pub(super) const CSRF_HEADER: &str = "x-csrf-token";

/// A logged-in user.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) user: User,
    /// The session that shows it.
    pub(crate) session: Secret,
}

/// A logged-in administrator.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) Who);

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The address that the caller has, as far as trusted proxies tell.
    pub(crate) caller: IpAddr,
    /// The address that the connection has: the caller's, or that of a proxy before it.
    pub(crate) hop: IpAddr,
}

impl Who {
    /// The name for the activity log.
    pub(crate) fn name(&self) -> String {
        self.user.username.clone()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.user.role == Role::Admin
    }

    /// Whose things a list is cut down to: a member's own; none for an administrator, who sees all.
    pub(crate) fn only(&self) -> Option<UserId> {
        (!self.is_admin()).then_some(self.user.id)
    }

    /// Whether something of that owner is theirs to see and change.
    pub(crate) fn may_touch(&self, owner: Option<UserId>) -> bool {
        self.is_admin() || owner == Some(self.user.id)
    }
}

/// The CSRF token of a session: who can read it has the session already.
pub(super) fn csrf_token(session: &Secret) -> String {
    let digest = Fingerprint::of(format!("keymux csrf {}", session.expose()).as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&digest.0[..16])
}

impl FromRequestParts<Arc<App>> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let (session, by_cookie) =
            shown_session(&parts.headers).ok_or_else(ApiError::unauthorized)?;
        let found = app.store.session(&session, app.clock.now()).await?;
        let (user, _) = found.ok_or_else(|| {
            let mut error = ApiError::unauthorized();
            error.message =
                "the session is over or was never begun; log in: POST /api/login".into();
            error
        })?;
        if by_cookie && !is_reading(&parts.method) {
            check_csrf(&parts.headers, &session)?;
        }
        Ok(Self { user, session })
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let who = Who::from_request_parts(parts, app).await?;
        if who.is_admin() {
            return Ok(Self(who));
        }
        Err(ApiError::forbidden("only administrators may do that"))
    }
}

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<Self>().copied();
        peer.ok_or_else(|| ApiError::internal("a request without the address of its sender"))
    }
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The session's token, and whether a browser sent it by itself.
fn shown_session(headers: &HeaderMap) -> Option<(Secret, bool)> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    if let Some(token) = bearer {
        return Some((Secret::new(token), false));
    }
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == SESSION_COOKIE)?;
    Some((Secret::new(token), true))
}

fn check_csrf(headers: &HeaderMap, session: &Secret) -> Result<(), ApiError> {
    let shown = headers
        .get(CSRF_HEADER)
        .map(http::HeaderValue::as_bytes)
        .unwrap_or_default();
    if csrf_token(session).as_bytes().ct_eq(shown).into() {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "send the csrf_token of POST /api/login or GET /api/me as `X-CSRF-Token`",
    ))
}
