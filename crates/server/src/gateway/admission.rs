//! Whether the holder of a client key may do what it asks: from where, what, and how much. What is refused here is refused by keymux: it
//! costs no key anything, and the provider does not hear of it. No database is asked.

use std::net::IpAddr;
use std::time::Duration;

use domain::{Class, ClientLimits, UnixMs};
use http::{Method, StatusCode};
use metering::Refusal;
use providers::{Place, Transfer};
use serde::Deserialize;
use wire::openai::request::Request;

use super::call::Call;
use super::caller::{self, Caller, Stranger};
use super::error::GatewayError;
use super::record::Recording;
use crate::egress::OutgoingBody;
use crate::snapshot::{KnownClient, Snapshot};

/// What is asked, as far as limits look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a Method,
    /// None where it is not known before the body has been read.
    pub(crate) provider: Option<&'a str>,
    pub(crate) endpoint: &'static str,
    /// Empty where the path names none.
    pub(crate) model: &'a str,
    pub(crate) address: IpAddr,
}

impl Ask<'_> {
    /// Whether usage in the answer is what this request took. A cache that is looked at tells its size by the same name;
    /// an interaction that ran in the background tells its usage when it is fetched, and a Live session while it lasts.
    pub(crate) fn takes_tokens(&self) -> bool {
        *self.method == Method::POST || matches!(self.endpoint, "interactions" | "live")
    }
}

/// Lets a request in and counts it, or says why not. What it holds is free again when the recording is over.
pub(crate) fn admit(
    caller: &Caller,
    ask: &Ask<'_>,
    recording: &Recording,
    now: UnixMs,
) -> Result<(), GatewayError> {
    let Caller::Client(known) = caller else {
        return Ok(());
    };
    check_access(known, ask)?;
    let limits = &known.client.limits;
    match known.meter.admit(limits, now) {
        Ok((permit, standing)) => {
            recording.admitted(permit, standing);
            Ok(())
        }
        Err(refusal) => {
            recording.standing(Some(known.meter.standing(limits, now)));
            Err(too_much(&refusal))
        }
    }
}

/// Whether the caller may use the model that a session turns out to be for; whoever may use some only must name it.
pub(crate) fn check_session(
    caller: &Caller,
    provider: &str,
    model: &str,
) -> Result<(), GatewayError> {
    let Caller::Client(known) = caller else {
        return Ok(());
    };
    if model.is_empty() && !known.client.limits.allowed_models.is_empty() {
        return Err(forbidden(
            "this client key may use some models only, and the session names none",
        ));
    }
    if model.is_empty() || known.access.allows_model(provider, model) {
        return Ok(());
    }
    Err(model_refused(model))
}

/// The caller of a session that is open, as its client key is now; or why it may not go on: the key may have been changed,
/// switched off or deleted meanwhile.
pub(crate) fn still_admitted(
    caller: &Caller,
    snapshot: &Snapshot,
    ask: &Ask<'_>,
    now: UnixMs,
) -> Result<Caller, GatewayError> {
    let Caller::Client(then) = caller else {
        return Ok(Caller::Anonymous);
    };
    let client = &then.client;
    let known = snapshot.clients.get(&client.fingerprint);
    let known = known.filter(|known| known.client.id == client.id);
    let caller = caller::check(known.ok_or(Stranger::WrongKey)?, now)?;
    if let Caller::Client(known) = &caller {
        check_access(known, ask)?;
    }
    check_session(&caller, ask.provider.unwrap_or_default(), ask.model)?;
    Ok(caller)
}

/// Whether the caller's limits have room for more tokens and money.
pub(crate) fn has_room(caller: &Caller, now: UnixMs) -> bool {
    let Caller::Client(known) = caller else {
        return true;
    };
    let standing = known.meter.standing(&known.client.limits, now);
    let has_tokens = [standing.tokens_minute, standing.tokens_day]
        .iter()
        .all(|gauge| gauge.remaining() != Some(0));
    let budget = standing.budget;
    has_tokens && budget.limit.is_none_or(|limit| budget.spent < limit)
}

/// Whether the caller's limits count what answers take.
pub(crate) fn counts_answers(caller: &Caller) -> bool {
    caller.client().is_some_and(|client| {
        let limits = &client.limits;
        limits.tpm.is_some() || limits.tpd.is_some() || limits.budget_usd.is_some()
    })
}

/// A client key that may use some models only must say which one it wants, in the path or in the body.
pub(crate) fn check_named_model(
    caller: &Caller,
    call: &Call,
    provider: &str,
) -> Result<(), GatewayError> {
    let Caller::Client(known) = caller else {
        return Ok(());
    };
    let is_free = known.client.limits.allowed_models.is_empty();
    if is_free || !call.model.is_empty() || !may_use_model(call) {
        return Ok(());
    }
    if verb(call).is_some() {
        return Err(forbidden(
            "this client key may use some models only, and the path names none that is known here",
        ));
    }
    let models = models_in(&call.outgoing.body);
    if models.is_empty() {
        return Err(forbidden(
            "this client key may use some models only, and the request names none",
        ));
    }
    let refused = models
        .iter()
        .find(|model| !known.access.allows_model(provider, model));
    refused.map_or(Ok(()), |model| Err(model_refused(model)))
}

/// Cancelling and searching take no model, and neither do files that are sent.
fn may_use_model(call: &Call) -> bool {
    let is_upload = call.place == Place::Resource && call.transfer == Transfer::Upload;
    let is_file = is_upload && verb(call).is_none_or(|verb| verb.starts_with("upload"));
    let makes_nothing = !call.outgoing.creates && call.place != Place::OpenAi;
    call.outgoing.method == Method::POST && !is_file && !makes_nothing
}

/// The method of a resource that the path ends with: its model stands before that, and a body cannot vouch for it.
fn verb(call: &Call) -> Option<&str> {
    let path = call.outgoing.path_and_query.split('?').next()?;
    let (_, verb) = path.rsplit('/').next()?.rsplit_once(':')?;
    Some(verb)
}

fn check_access(known: &KnownClient, ask: &Ask<'_>) -> Result<(), GatewayError> {
    let access = &known.access;
    if !access.allows_ip(ask.address) {
        let text = format!("this client key may not be used from {}", ask.address);
        return Err(forbidden(text));
    }
    if let Some(provider) = ask
        .provider
        .filter(|provider| !access.allows_provider(provider))
    {
        let text = format!("this client key may not use the provider {provider}");
        return Err(forbidden(text));
    }
    if !access.allows_endpoint(ask.endpoint) {
        let text = format!("this client key may not use the endpoint {}", ask.endpoint);
        return Err(forbidden(text));
    }
    let is_refused = |provider| !access.allows_model(provider, ask.model);
    if !ask.model.is_empty() && ask.provider.is_some_and(is_refused) {
        return Err(model_refused(ask.model));
    }
    if makes_token(ask) && !may_make_tokens(&known.client.limits) {
        return Err(forbidden(
            "a token is used past keymux, where the limits of this client key do not hold; \
             allowed_endpoints can name auth_tokens",
        ));
    }
    Ok(())
}

/// An ephemeral token opens the provider to whoever holds it.
fn makes_token(ask: &Ask<'_>) -> bool {
    ask.endpoint == "auth_tokens" && *ask.method == Method::POST
}

fn may_make_tokens(limits: &ClientLimits) -> bool {
    *limits == ClientLimits::default() || limits.allowed_endpoints.contains("auth_tokens")
}

pub(crate) fn model_refused(model: &str) -> GatewayError {
    forbidden(format!("this client key may not use the model {model}"))
}

pub(crate) fn forbidden(text: impl Into<String>) -> GatewayError {
    GatewayError::upstream(StatusCode::FORBIDDEN, Class::Refused, text).code("not_allowed")
}

/// A limit is used up, which is the same for client keys and for addresses.
pub(crate) fn too_much(refusal: &Refusal) -> GatewayError {
    GatewayError::upstream(
        StatusCode::TOO_MANY_REQUESTS,
        Class::Refused,
        refusal.to_string(),
    )
    .code(match refusal.limit {
        metering::Limit::Budget => "insufficient_quota",
        _ => "rate_limit_exceeded",
    })
    .retry_after(refusal.retry_after_s().map(Duration::from_secs))
}

/// What a JSON body names as that which is to answer: models, and agents, which stand for one. None where it cannot be
/// said for certain: another parser may read a name that is written twice otherwise.
fn models_in(body: &OutgoingBody) -> Vec<String> {
    #[derive(Deserialize)]
    struct Named {
        model: Option<String>,
        agent: Option<String>,
        batch: Option<Batch>,
    }
    #[derive(Deserialize)]
    struct Batch {
        model: Option<String>,
    }
    let Ok(request) = Request::read(body.chunks()) else {
        return Vec::new();
    };
    let Ok(named) = serde_json::from_slice::<Named>(&request.whole()) else {
        return Vec::new();
    };
    if names_others(&request).is_some() {
        return Vec::new();
    }
    let batched = named.batch.and_then(|batch| batch.model);
    [named.model, named.agent, batched]
        .into_iter()
        .flatten()
        .collect()
}

/// Members by which some providers let a request name further models, or a choice of them.
const OTHER_MODELS: [&str; 4] = ["models", "fallbacks", "preset", "effort"];
/// Members by which an answer is made later, and fetched past the limits of what it takes.
const LATER: [&str; 2] = ["deferred", "background"];

fn names_others(request: &Request) -> Option<&'static str> {
    OTHER_MODELS.into_iter().find(|member| request.has(member))
}

/// Refuses members of a request by which a limited client key would get past its limits.
pub(crate) fn check_members(caller: &Caller, request: &Request) -> Result<(), GatewayError> {
    let Some(client) = caller.client() else {
        return Ok(());
    };
    if !client.limits.allowed_models.is_empty()
        && let Some(member) = names_others(request)
    {
        let text = format!("this client key may use some models only, so {member} may not be used");
        return Err(forbidden(text).param(member));
    }
    let later = LATER.into_iter().find(|member| request.has(member));
    match later.filter(|_| counts_answers(caller)) {
        Some(member) => {
            let text = format!(
                "this client key has a limit of tokens or money, so {member} may not be used"
            );
            Err(forbidden(text).param(member))
        }
        None => Ok(()),
    }
}
