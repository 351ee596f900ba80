//! What is asked for through a proxy to see where it leads: a URL of the configuration, which must answer with a success;
//! else a model of a provider, which may answer whatever it likes, as long as it is the provider that does.

use std::sync::Arc;

use config::Config;
use domain::{Class, Key, UnixMs};
use http::Method;
use http_body_util::{BodyExt, Limited};
use providers::{Check, CheckCall, ErrorAnswer};
use url::{Position, Url};

use super::Failure;
use crate::clock::Clock;
use crate::egress::{
    Culprit, Egress, LeavingKey, Origin, OriginOptions, Outgoing, OutgoingBody, Proxy, UpstreamBody,
};
use crate::inquiry;
use crate::snapshot::{Provider, Snapshot};

/// Answers are read up to here.
const LARGEST_ANSWER: usize = 1 << 20;
/// Keys that are looked at for one that is free to leave by any proxy.
const MOST_KEYS: usize = 16;

/// What is asked for.
#[derive(Debug)]
pub(super) enum Question<'a> {
    /// What lies at a URL.
    Page { origin: Origin, path: String },
    /// A model of a provider's, with a key where there is one.
    Model {
        provider: &'a Provider,
        key: Option<Key>,
        now: UnixMs,
    },
}

impl<'a> Question<'a> {
    /// What that proxy is checked by; none: there is nothing.
    pub(super) fn of(snapshot: &'a Snapshot, proxy: &Proxy, clock: &Clock) -> Option<Self> {
        if let Some(url) = &snapshot.config.egress.health_check.url {
            return page(url.expose(), &snapshot.config);
        }
        let now = clock.now();
        let gemini = snapshot.gemini().into_iter();
        let all = || gemini.clone().chain(snapshot.providers.iter());
        let asked = || all().filter(|provider| provider.is_encrypted());
        let with_key = |provider: &'a Arc<Provider>| {
            let key = key_for(provider, proxy)?;
            Some(Self::Model {
                provider,
                key: Some(key),
                now,
            })
        };
        // Callers may bring keys of their own.
        let without = || {
            let provider = snapshot.gemini().filter(|it| it.is_encrypted())?;
            Some(Self::Model {
                provider,
                key: None,
                now,
            })
        };
        asked().find_map(with_key).or_else(without)
    }

    /// Asks through the proxy, on a connection of its own.
    pub(super) async fn ask(&self, egress: &Egress) -> Result<(), Failure> {
        match self {
            Self::Page { origin, path } => ask_for_page(origin, path, egress).await,
            Self::Model { provider, key, now } => {
                ask_for_model(provider, key.as_ref(), egress, *now).await
            }
        }
    }
}

fn page<'a>(url: &str, config: &Config) -> Option<Question<'a>> {
    let url = Url::parse(url).ok()?;
    let origin = Origin::new(OriginOptions {
        base_url: url[..Position::BeforePath].to_owned(),
        ca_file: config.egress.ca_file.clone(),
        http2: false,
        allow_link_local: config.server.allow_link_local,
    });
    Some(Question::Page {
        origin: origin.ok()?,
        path: url[Position::BeforePath..Position::AfterQuery].to_owned(),
    })
}

/// The usable key that is drawn to the proxy most, so that as few keys as can be are seen at more than one address.
fn key_for(provider: &Provider, proxy: &Proxy) -> Option<Key> {
    let mut usable = provider.pools.shared.members();
    usable.retain(|member| member.enabled && !member.is_out);
    for _ in 0..MOST_KEYS {
        let places = 0..usable.len();
        let most = places.max_by_key(|&place| proxy.draw(LeavingKey::Known(usable[place].id)))?;
        let status = provider.pools.shared.status(usable.swap_remove(most).id);
        let key = status.map(|status| status.cell.key.clone());
        if let Some(key) = key.filter(|key| key.egress.is_none()) {
            return Some(key);
        }
    }
    None
}

async fn ask_for_page(origin: &Origin, path: &str, egress: &Egress) -> Result<(), Failure> {
    let mut outgoing = Outgoing {
        method: Method::GET,
        path_and_query: path.to_owned(),
        headers: http::HeaderMap::new(),
        body: OutgoingBody::Buffered([].into()),
        creates: false,
    };
    let answer = origin.send(&mut outgoing, egress).await;
    let answer = answer.map_err(|error| Failure::of(&error, egress))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(Failure::doubtful("check_refused"))
}

async fn ask_for_model(
    provider: &Provider,
    key: Option<&Key>,
    egress: &Egress,
    now: UnixMs,
) -> Result<(), Failure> {
    let (_, call) = Check::begin(provider.api, None);
    let bearer = match key {
        None => None,
        Some(key) => match provider.bearer(&key.secret, egress, now).await {
            Ok(bearer) => Some(bearer),
            Err(refusal) => return refused(&refusal),
        },
    };
    let outgoing = inquiry::outgoing(provider, bearer.as_ref(), &call);
    let mut outgoing = outgoing.ok_or(Failure::doubtful("key_not_sendable"))?;
    let answer = provider.origin.unconnected();
    let answer = answer.send(&mut outgoing, egress).await;
    let answer = answer.map_err(|error| Failure::of(&error, egress))?;
    judge(provider, &call, answer).await
}

/// No token was to be had for the key. Any answer will do: then the proxy leads there.
fn refused(refusal: &crate::tokens::Refusal) -> Result<(), Failure> {
    match &refusal.egress {
        Some(fault) if fault.culprit == Culprit::Proxy => Err(Failure::certain(fault.reason)),
        Some(fault) => Err(Failure::doubtful(fault.reason)),
        None if refusal.status.is_some() => Ok(()),
        None => Err(Failure::doubtful("no_answer")),
    }
}

/// The provider has answered. What it says of the key is not the proxy's fault; that it does not serve there is.
async fn judge(
    provider: &Provider,
    call: &CheckCall,
    answer: http::Response<UpstreamBody>,
) -> Result<(), Failure> {
    if answer.status().is_success() {
        return Ok(());
    }
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST_ANSWER).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let verdict = provider.api.judge_error(&ErrorAnswer {
        status: head.status.as_u16(),
        headers: &head.headers,
        body: &body.unwrap_or_default(),
        place: call.place,
    });
    match verdict.class {
        Class::Region => Err(Failure::certain("region_not_served")),
        _ => Ok(()),
    }
}
