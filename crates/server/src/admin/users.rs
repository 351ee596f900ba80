//! People who can log in. Administrators only; what everybody may do with themselves is in `login.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, Role, User, UserId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{StoreError, UserPatch};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::{Id, Input, Params};
use super::login::{hash_password, refuse_fixed_password};
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::time::Time;
use super::who::Admin;
use crate::app::App;
use crate::live::{self, Touched};

/// Somebody who can log in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserView {
    #[schema(example = 2)]
    id: i64,
    /// The name to log in by.
    #[schema(example = "mei")]
    username: String,
    /// What they may do: everything, or only what concerns their own things.
    role: RoleName,
    /// False: they cannot log in.
    enabled: bool,
    created_at: Time,
    /// When name, role or password were last set.
    updated_at: Time,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleName {
    /// Everything.
    Admin,
    /// Own keys, own client keys, own logs.
    Member,
}

/// A new user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// 1 to 64 letters, digits, dots, dashes, underscores or @.
    #[schema(
        example = "mei",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._@-]+$"
    )]
    username: String,
    /// At least eight characters.
    #[schema(format = Password, min_length = 8, max_length = 1024, example = "eight or more")]
    password: String,
    #[serde(default = "member")]
    role: RoleName,
}

/// What changes about a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// Another name to log in by.
    #[schema(
        example = "mei",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._@-]+$"
    )]
    username: Option<String>,
    /// A new password ends the user's sessions.
    #[schema(format = Password, min_length = 8, max_length = 1024)]
    password: Option<String>,
    role: Option<RoleName>,
    /// False ends the user's sessions.
    enabled: Option<bool>,
}

fn member() -> RoleName {
    RoleName::Member
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(update_user, delete_user))
}

/// Users.
#[utoipa::path(get, path = "/api/users", tag = "users", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them. Orders: id, username, created_at.", body = Page<UserView>)))]
async fn list_users(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<UserView>>, ApiError> {
    let order = paging.order(&["id", "username", "created_at"])?;
    let mut users = app.store.users().await?;
    users.retain(|user| filter.matches(&[&user.username]));
    if order.field == "username" {
        users.sort_by_key(|user| user.username.to_lowercase());
    }
    let users = turned(users, order);
    slice(&users, &paging, |user| user.id, |user| UserView::from(user)).map(Json)
}

/// Make a user.
#[utoipa::path(post, path = "/api/users", tag = "users", request_body = NewUser,
    responses(
        (status = 201, description = "The user is made.", body = UserView),
        (status = 409, description = "The name is taken.", body = super::error::ErrorBody)))]
async fn create_user(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Input(input): Input<NewUser>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    check_name(&input.username)?;
    let hash = hash_password(&app, "password", input.password).await?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    let made = change
        .create_user(&input.username, input.role.into(), hash.expose(), now)
        .await;
    let user = made.map_err(|error| name_taken(error, &input.username))?;
    let details = format!("{} ({})", user.username, user.role.name());
    change
        .log(&event(&who.name(), Action::Add, user.id, details), now)
        .await?;
    live::publish(&app, change, Touched::Clients).await?;
    Ok((StatusCode::CREATED, Json(UserView::from(&user))))
}

/// Change a user.
#[utoipa::path(patch, path = "/api/users/{id}", tag = "users", request_body = UserChange,
    params(("id" = i64, Path, description = "The user.")),
    responses(
        (status = 200, description = "The user as they are now.", body = UserView),
        (status = 404, description = "There is no such user.", body = super::error::ErrorBody),
        (status = 409, description = "The name is taken, it is the last administrator, or the configuration fixes it.",
            body = super::error::ErrorBody)))]
async fn update_user(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(id): Id<i64>,
    Input(input): Input<UserChange>,
) -> Result<Json<UserView>, ApiError> {
    let id = UserId(id);
    let before = app
        .store
        .user_by_id(id)
        .await?
        .ok_or_else(|| ApiError::not_found("user", id))?;
    if let Some(name) = &input.username {
        check_name(name)?;
        refuse_fixed_name(&app, &before.username, name)?;
    }
    let details = describe(&before, &input);
    let password_hash = match input.password {
        Some(password) => {
            refuse_fixed_password(&app, &before.username)?;
            Some(hash_password(&app, "password", password).await?)
        }
        None => None,
    };
    let patch = UserPatch {
        username: input.username,
        role: input.role.map(Role::from),
        enabled: input.enabled,
        password_hash,
        kept_session: (id == who.user.id).then(|| who.session.clone()),
    };
    let now = app.clock.now();
    let change = app.store.change().await?;
    let updated = change.update_user(id, &patch, now).await;
    let taken = patch.username.as_deref().unwrap_or_default();
    let updated = updated.map_err(|error| name_taken(error, taken))?;
    let user = updated.ok_or_else(|| ApiError::not_found("user", id))?;
    change
        .log(&event(&who.name(), Action::Update, id, details), now)
        .await?;
    live::publish(&app, change, Touched::Clients).await?;
    Ok(Json(UserView::from(&user)))
}

/// What a deletion does with what the user owns.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Deletion {
    /// True: their keys and client keys are deleted too. Else a user who owns some is not deleted.
    #[serde(default)]
    delete_owned: bool,
}

/// Delete a user.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "users",
    params(("id" = i64, Path, description = "The user."), Deletion),
    responses(
        (status = 204, description = "The user is gone, and their sessions are over."),
        (status = 404, description = "There is no such user.", body = super::error::ErrorBody),
        (status = 409, description = "The user owns something, or is the last administrator.",
            body = super::error::ErrorBody)))]
async fn delete_user(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(id): Id<i64>,
    Params(deletion): Params<Deletion>,
) -> Result<StatusCode, ApiError> {
    let id = UserId(id);
    let now = app.clock.now();
    let before = app
        .store
        .user_by_id(id)
        .await?
        .ok_or_else(|| ApiError::not_found("user", id))?;
    let change = app.store.change().await?;
    let mut details = before.username.clone();
    let mut keys = Vec::new();
    if deletion.delete_owned {
        let owned = change.delete_owned(id).await?;
        details = format!(
            "{details}, with {} keys and {} client keys",
            owned.keys.len(),
            owned.clients.len()
        );
        keys = owned.keys;
    }
    if !change.delete_user(id).await? {
        return Err(ApiError::not_found("user", id));
    }
    change
        .log(&event(&who.name(), Action::Delete, id, details), now)
        .await?;
    live::publish(&app, change, Touched::KeysAndClients(keys)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.0,
            username: user.username.clone(),
            role: match user.role {
                Role::Admin => RoleName::Admin,
                Role::Member => RoleName::Member,
            },
            enabled: user.enabled,
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
        }
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(());
    }
    let text = "expected 1 to 64 letters, digits, dots, dashes, underscores or @";
    Err(ApiError::invalid("username", text))
}

/// The administrator of the configuration is found by name at every start.
fn refuse_fixed_name(app: &App, before: &str, name: &str) -> Result<(), ApiError> {
    let admin = &app.snapshot.load().config.admin;
    if admin.password.is_some() && admin.username == before && name != before {
        let text = format!("the name {before} is fixed by the configuration (admin.username)");
        return Err(ApiError::conflict("fixed", text));
    }
    Ok(())
}

fn name_taken(error: StoreError, name: &str) -> ApiError {
    match error {
        StoreError::Duplicate => {
            let text = format!("there is a user {name} already");
            ApiError::conflict("duplicate", text).at("username")
        }
        other => other.into(),
    }
}

/// What changes, without the password.
fn describe(before: &User, input: &UserChange) -> String {
    let mut changes = Vec::new();
    if let Some(name) = input
        .username
        .as_ref()
        .filter(|name| **name != before.username)
    {
        changes.push(format!("is called {name}"));
    }
    if let Some(role) = input
        .role
        .map(Role::from)
        .filter(|role| *role != before.role)
    {
        changes.push(format!("is {} now", role.name()));
    }
    match input.enabled {
        Some(true) if !before.enabled => changes.push("is enabled".to_owned()),
        Some(false) if before.enabled => changes.push("is disabled".to_owned()),
        _ => {}
    }
    if input.password.is_some() {
        changes.push("has a new password".to_owned());
    }
    format!("{} {}", before.username, changes.join(", "))
}

/// A line about a user, which they may read.
pub(super) fn event(actor: &str, action: Action, user: UserId, details: String) -> Event {
    Event::new(actor, action, "users")
        .of(user)
        .about(user)
        .details(details)
}
