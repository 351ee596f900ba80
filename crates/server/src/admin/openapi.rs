//! `/openapi.json`: made from the handlers, with what all of them share added here: errors, sessions, tags.

use std::sync::LazyLock;

use http::StatusCode;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};

use super::account::{self, DetailBody};
use super::error::ErrorBody;
use super::settings::FieldView;
use super::stats::Live;
use super::who::{CSRF_HEADER, SESSION_COOKIE};

const DESCRIPTION: &str = "\
Everything that operators do with keymux. The dashboard uses nothing else.

Log in with `POST /api/login`. Send the `access_token` as `Authorization: Bearer`; browsers send the cookie \
`keymux_session` by themselves, and then every call that changes something needs the header `X-CSRF-Token`.

Lists are pages: `limit` rows, and `next_cursor` for the `cursor` of the next call, null at the end. `sort` names a \
field, with `-` in front for the largest first. Instants are RFC 3339 in UTC. Members see and change what is their own.

Whoever has a client key with an owner manages the owner's provider keys under `/api/v1` (tag `account`). The client key \
is shown as in requests to providers, for example as `Authorization: Bearer`; errors there are `{\"detail\": …}`.

What callers use (Google's API under `/v1beta` and so on) is described by the providers and not here.";

/// The ways of showing a client key that the document names.
const CLIENT_KEY: [&str; 3] = ["client_key_bearer", "client_key_header", "client_key_query"];

/// What no route names: the bodies of errors, what holds itself and so is not followed, and what comes as events.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ErrorBody, DetailBody, FieldView, Live)))]
struct Shared;

/// The document before routes are added.
pub(super) fn frame() -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").identifier(Some("MIT"));
    let info = InfoBuilder::new()
        .title("keymux")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license.build()));
    let mut document = OpenApiBuilder::new().info(info.build()).build();
    document.merge(Shared::openapi());
    document
}

/// The whole document, as JSON.
pub(crate) fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        let mut document = super::described();
        add_security(&mut document);
        for item in document.paths.paths.values_mut() {
            let operations = [
                (&mut item.get, false),
                (&mut item.post, true),
                (&mut item.put, true),
                (&mut item.patch, true),
                (&mut item.delete, true),
            ];
            for (operation, changes) in operations {
                if let Some(operation) = operation {
                    add_errors(operation, changes);
                }
            }
        }
        document.to_pretty_json().unwrap_or_default()
    });
    &DOCUMENT
}

fn add_security(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    let csrf = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(CSRF_HEADER)));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("cookie", cookie);
    components.add_security_scheme("csrf", csrf);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
    let query = SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("key")));
    for (name, scheme) in CLIENT_KEY.into_iter().zip([bearer, header, query]) {
        components.add_security_scheme(name, scheme);
    }
    let none: [&str; 0] = [];
    let either = [
        SecurityRequirement::new("bearer", none),
        SecurityRequirement::new("cookie", none).add("csrf", none),
    ];
    document.security = Some(either.into());
}

/// The errors that an operation can answer besides those of its own.
fn add_errors(operation: &mut Operation, changes: bool) {
    let tags = operation.tags.as_deref().unwrap_or_default();
    let is_account = tags.iter().any(|tag| tag == account::TAG);
    let body = if is_account {
        "DetailBody"
    } else {
        "ErrorBody"
    };
    // What states its own security is open to everybody, but for the account API.
    let is_open = !is_account
        && operation
            .security
            .as_ref()
            .is_some_and(|all| !all.is_empty());
    let has_body = operation.request_body.is_some();
    let has_input = has_body
        || operation
            .parameters
            .as_ref()
            .is_some_and(|all| !all.is_empty());
    let mut add = |status: StatusCode, description: &str| {
        let responses = &mut operation.responses.responses;
        let known = responses.entry(status.as_str().to_owned());
        known.or_insert_with(|| RefOr::T(error_response(description, body)));
    };
    if is_account {
        let none: [&str; 0] = [];
        let any = CLIENT_KEY.map(|name| SecurityRequirement::new(name, none));
        operation.security = Some(any.into());
        add(
            StatusCode::UNAUTHORIZED,
            "No client key is shown, or it is unknown, disabled or expired.",
        );
        add(
            StatusCode::FORBIDDEN,
            "The client key has no owner, or may not be used from this address.",
        );
        add(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many unknown client keys were shown from this address; `Retry-After` says when to come back.",
        );
    } else if !is_open {
        add(StatusCode::UNAUTHORIZED, "Nobody is logged in.");
        add(
            StatusCode::FORBIDDEN,
            "The user may not do that, or the CSRF token is missing.",
        );
    }
    if has_input {
        add(
            StatusCode::UNPROCESSABLE_ENTITY,
            "A value is wrong; `field` names it.",
        );
    }
    if has_body {
        add(StatusCode::BAD_REQUEST, "The body is no JSON.");
        add(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is larger than 32 MiB.",
        );
        add(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body is not `application/json`.",
        );
    }
    if changes || !is_open {
        add(
            StatusCode::SERVICE_UNAVAILABLE,
            "The database does not answer now; nothing was changed.",
        );
    }
}

fn error_response(description: &str, body: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(body)));
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content.build())
        .build()
}
