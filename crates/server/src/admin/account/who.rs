//! Who calls the account API: the holder of a client key that has an owner. It is shown where requests to providers show
//! it (`gateway/caller.rs`), and holds under the same conditions.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use domain::{Client, ClientLimits, UserId};
use http::StatusCode;
use http::request::Parts;

use super::error::AccountError;
use crate::admin::error::ApiError;
use crate::admin::who::Peer;
use crate::app::App;
use crate::gateway::GatewayError;
use crate::gateway::caller::Caller;
use crate::gateway::door::Door;
use crate::snapshot::KnownClient;

/// The name of the account API in `allowed_endpoints`.
const ENDPOINT: &str = "account";

/// The account that a client key opens.
#[derive(Debug)]
pub(super) struct Account {
    /// Whose keys it is about.
    pub(super) owner: UserId,
    /// Who acts, in the words of the activity log: `client:` and the client key's name.
    pub(super) actor: String,
}

impl FromRequestParts<Arc<App>> for Account {
    type Rejection = AccountError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AccountError> {
        let Peer {
            caller: address,
            hop,
        } = Peer::from_request_parts(parts, app).await?;
        let snapshot = app.snapshot.load_full();
        let (headers, query) = (&parts.headers, parts.uri.query());
        let door = Door::new(app, &snapshot, headers, query, hop);
        let known = match door.identify() {
            Ok(Caller::Client(known)) => known,
            Ok(Caller::Anonymous) => return Err(refused("show a client key that has an owner")),
            Err(stranger) => return Err(refused(GatewayError::from(stranger).public)),
        };
        if !known.access.allows_ip(address) {
            let text = format!("this client key may not be used from {address}");
            return Err(ApiError::forbidden(text).into());
        }
        if !may_manage_keys(&known) {
            let text = "this client key has limits, and the keys of its owner would be a way round them; \
                name `account` in its allowed_endpoints to let it manage them";
            return Err(ApiError::forbidden(text).into());
        }
        let owner = owner(app, &known.client).await?;
        let actor = format!("client:{}", known.client.name);
        Ok(Self { owner, actor })
    }
}

/// Whoever can read a provider key can use it past keymux, where limits do not hold.
fn may_manage_keys(known: &KnownClient) -> bool {
    let limits = &known.client.limits;
    let is_named = !limits.allowed_endpoints.is_empty() && known.access.allows_endpoint(ENDPOINT);
    is_named || *limits == ClientLimits::default()
}

/// The owner of a client key, who must be there and enabled.
async fn owner(app: &App, client: &Client) -> Result<UserId, AccountError> {
    let Some(owner) = client.owner else {
        let text = "this client key has no owner, and so no keys of its own; \
            an administrator gives it one with PUT /api/allowed_keys/{id}";
        return Err(ApiError::forbidden(text).into());
    };
    match app.store.user_by_id(owner).await? {
        Some(user) if user.enabled => Ok(owner),
        _ => Err(ApiError::forbidden("the owner of this client key is disabled").into()),
    }
}

fn refused(text: impl Into<String>) -> AccountError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", text).into()
}
