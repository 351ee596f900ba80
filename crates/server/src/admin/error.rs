//! The one error of the admin and the account API. What the caller may know is its `message`; what only the log says is
//! `private`. Handlers make it where it happens, and here alone it becomes a response.

use std::fmt::Display;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// A failure of an admin call.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    code: &'static str,
    pub(crate) message: String,
    field: Option<String>,
    retry_after: Option<Duration>,
    private: Option<String>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// A stable word for programs.
    #[schema(example = "invalid")]
    code: &'static str,
    /// A sentence for people, with the value and the remedy.
    #[schema(example = "weight is 500; expected 1 to 100")]
    message: String,
    /// The field or parameter that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "weight")]
    field: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
            retry_after: None,
            private: None,
        }
    }

    /// 401: nobody is logged in.
    pub(crate) fn unauthorized() -> Self {
        let text = "log in first: POST /api/login, then send its token as `Authorization: Bearer`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", text)
    }

    /// 403: the user may not do that.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: `what` (a key, a user, …) of that id does not exist, or is not the user's to see.
    pub(crate) fn not_found(what: &str, id: impl Display) -> Self {
        let text = format!("there is no {what} {id}");
        Self::new(StatusCode::NOT_FOUND, "not_found", text)
    }

    /// 409: it contradicts what is there.
    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 422: a value is wrong.
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
        error.field = Some(field.into());
        error
    }

    /// The same, naming the field that is wrong.
    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// 429: come back later.
    pub(crate) fn too_many(message: impl Into<String>, after: Duration) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        error.retry_after = Some(after);
        error
    }

    /// 503: keymux has more to do than it can at the moment.
    pub(crate) fn busy(message: impl Into<String>, after: Duration) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
        error.retry_after = Some(after);
        error
    }

    /// 500: a defect of ours; the log says what.
    pub(crate) fn internal(private: impl Display) -> Self {
        let text = "keymux failed; its log says more";
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text);
        error.private = Some(private.to_string());
        error
    }

    /// The message with the field that is wrong before it, for answers that have room for one text only.
    pub(crate) fn detail(&self) -> String {
        match self.field.as_deref() {
            Some(field) if !matches!(field, "" | ".") => format!("{field}: {}", self.message),
            _ => self.message.clone(),
        }
    }

    /// Writes what only the log may say.
    pub(crate) fn log(&self) {
        if let Some(private) = &self.private {
            tracing::error!(
                code = self.code,
                private,
                "admin call failed: {}",
                self.message
            );
        }
    }

    pub(crate) fn add_retry_after(&self, response: &mut Response) {
        if let Some(after) = self.retry_after {
            // Whole seconds, rounded up: whoever comes back to the second must not be early.
            let seconds = (after.as_millis().div_ceil(1000) as u64).max(1);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let error = ErrorDetail {
            code: self.code,
            message: self.message.clone(),
            field: self.field.clone(),
        };
        let mut response = (self.status, Json(ErrorBody { error })).into_response();
        self.add_retry_after(&mut response);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let private = with_sources(&error);
        let mut answer = match error {
            StoreError::Duplicate => {
                return Self::conflict("duplicate", "it exists already");
            }
            StoreError::LastAdmin => {
                let text = "it is the last administrator who can log in; make another one first";
                return Self::conflict("last_admin", text);
            }
            StoreError::InUse { keys, clients } => {
                let text = format!(
                    "the user owns {keys} keys and {clients} client keys; say `delete_owned=true` to delete them too"
                );
                return Self::conflict("in_use", text);
            }
            StoreError::NoSuchUser(_) => {
                let text = "the owner was deleted meanwhile; nothing was changed";
                return Self::conflict("no_such_user", text).at("owner");
            }
            StoreError::Busy(_) | StoreError::Unreachable(_) | StoreError::Full(_) => {
                let text = format!("{error}; nothing was changed, try again");
                let mut answer = Self::new(StatusCode::SERVICE_UNAVAILABLE, "database", text);
                answer.retry_after = Some(Duration::from_secs(1));
                answer
            }
            StoreError::WrongMasterKey | StoreError::MasterKey(_) => {
                let text = "this instance cannot read the master key that the database is sealed under; \
                    nothing was changed; every instance needs the newest master key";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "master_key", text)
            }
            _ => Self::internal(""),
        };
        answer.private = Some(private);
        answer
    }
}

/// The error with everything beneath it, in one line.
fn with_sources(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(deeper) = source {
        text = format!("{text}: {deeper}");
        source = deeper.source();
    }
    text
}
