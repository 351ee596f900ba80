//! `GET /v1/models` and `/v1/models/{id}` in OpenAI's dialect: what the caller could use now, of every provider, with the
//! provider's prefix before each id; and the aliases that lead to any of it.

use std::collections::VecDeque;

use domain::Class;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response};
use wire::openai::models::{Model, list};

use super::Visit;
use super::admission::Ask;
use super::brought::Brought;
use super::error::GatewayError;
use super::plan::{Known, Target};
use super::relay::Ending;
use crate::http::Body;
use crate::snapshot::Provider;

/// Who offers an alias.
const OURS: &str = "keymux";

/// Answers with the list, or with one model of it.
pub(crate) async fn answer(visit: Visit, head: Parts) -> Result<Response<Body>, GatewayError> {
    let id = visit
        .route
        .path()
        .trim_start_matches("/v1/models")
        .trim_matches('/');
    let ask = Ask {
        method: &head.method,
        provider: None,
        endpoint: if id.is_empty() {
            "models.list"
        } else {
            "models.get"
        },
        model: "",
        address: visit.address(&head.headers),
    };
    visit.recording.ask(&ask);
    visit.admit(&ask)?;
    visit.app.catalog.wait().await;
    let lists = visit.app.catalog.lists();
    let offer = Offer {
        visit: &visit,
        known: Known::of(&visit, &lists),
        brought: Brought::read(&head.headers),
    };
    let body = if id.is_empty() {
        list(&offer.all())
    } else {
        let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
        offer.one(&id)?.to_json()
    };
    visit.recording.answered(200, false);
    visit.recording.over(Ending::of(Class::Ok));
    let mut response = Response::new(Body::full(body));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// What there is for one caller.
struct Offer<'a> {
    visit: &'a Visit,
    known: Known<'a>,
    brought: Brought,
}

impl Offer<'_> {
    fn all(&self) -> Vec<Model> {
        let providers = self.visit.snapshot.providers.iter();
        let models = providers.flat_map(|provider| {
            let ids = self.known.models(provider).iter();
            let usable =
                ids.filter(|id| self.is_usable(provider, id) && self.known.may_use(provider, id));
            usable.map(|id| Model::of(&provider.name, id))
        });
        let aliases = self.visit.snapshot.config.aliases.keys();
        let aliases = aliases.filter(|alias| self.leads_anywhere(alias));
        models.chain(aliases.map(|alias| ours(alias))).collect()
    }

    /// One model, also where it is not usable at the moment: whoever asks for it by name wants to know whether it exists.
    fn one(&self, id: &str) -> Result<Model, GatewayError> {
        let targets = self.known.targets(id)?;
        if self.visit.snapshot.config.aliases.contains_key(id) {
            return Ok(ours(id));
        }
        let is_known =
            |target: &&Target| self.known.models(&target.provider).contains(&target.model);
        let found = targets.iter().find(is_known);
        let found = found.map(|target| Model::of(&target.provider.name, &target.model));
        found.ok_or_else(|| self.known.unknown(id))
    }

    /// A key could be had for it now.
    fn is_usable(&self, provider: &Provider, model: &str) -> bool {
        let owner = self.visit.caller.client().and_then(|client| client.owner);
        let own = owner.and_then(|owner| provider.pools.of(owner));
        let now = self.visit.now;
        self.brought.key(provider.api).is_some()
            || provider.pool().usable(model, now) > 0
            || own.is_some_and(|pool| pool.usable(model, now) > 0)
    }

    fn leads_anywhere(&self, alias: &str) -> bool {
        let targets: VecDeque<Target> = self.known.targets(alias).unwrap_or_default();
        targets
            .iter()
            .any(|target| self.is_usable(&target.provider, &target.model))
    }
}

fn ours(alias: &str) -> Model {
    Model {
        id: alias.to_owned(),
        created: 0,
        owned_by: OURS.to_owned(),
    }
}
