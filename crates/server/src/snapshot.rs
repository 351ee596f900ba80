//! What a request reads: configuration, client keys, providers, proxies, prices, bans. Swapped whole when something changes, so
//! that each request sees one state from its beginning to its end. `live.rs` builds the next one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use domain::{Ban, Client, ClientId, Fingerprint, KeyId, Secret, UnixMs, UserId, Verdict};
use http::HeaderMap;
use keypool::{KeyStatus, Pool};
use metering::{Access, Meter, PriceTable};
use providers::Api;

use crate::egress::{Attributions, Egress, Origin, ProxySettings, Reach};
use crate::files::GivenFiles;
use crate::pools::Pools;
use crate::tokens::{Refusal, Tokens};
use crate::turns::Turns;

/// One state of everything that requests are served by.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) config: Arc<Config>,
    pub(crate) clients: Arc<HashMap<Fingerprint, Arc<KnownClient>>>,
    pub(crate) providers: Arc<[Arc<Provider>]>,
    pub(crate) egress: Arc<ProxySettings>,
    pub(crate) prices: Arc<PriceTable>,
    pub(crate) bans: Arc<HashMap<IpAddr, Ban>>,
}

/// A client key as requests meet it.
#[derive(Debug)]
pub(crate) struct KnownClient {
    pub(crate) client: Client,
    /// What it may use.
    pub(crate) access: Access,
    /// What it has used.
    pub(crate) meter: Arc<Meter>,
}

impl Snapshot {
    /// The provider that Google's dialect goes to: `google`, or else the first that speaks it.
    pub(crate) fn gemini(&self) -> Option<&Arc<Provider>> {
        self.speaking(Api::Google).next()
    }

    /// The providers of an API, the one that is called as it is by default before the others.
    pub(crate) fn speaking(&self, api: Api) -> impl Iterator<Item = &Arc<Provider>> {
        let usual = move |provider: &&Arc<Provider>| Some(&*provider.name) == api.usual_name();
        let speakers = move || self.providers.iter().filter(move |it| it.api == api);
        let others = speakers().filter(move |provider| !usual(provider));
        speakers().filter(usual).chain(others)
    }

    /// The provider of that name.
    pub(crate) fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers
            .iter()
            .find(|provider| &*provider.name == name)
    }

    /// A key, wherever it is, and its provider.
    pub(crate) fn key(&self, id: KeyId) -> Option<(&Arc<Provider>, KeyStatus)> {
        let mut providers = self.providers.iter();
        providers.find_map(|provider| Some((provider, provider.pools.status(id)?)))
    }

    /// The client with that id.
    pub(crate) fn client(&self, id: ClientId) -> Option<Arc<KnownClient>> {
        self.clients
            .values()
            .find(|known| known.client.id == id)
            .cloned()
    }

    /// The client keys of a user, by id.
    pub(crate) fn clients_of(&self, owner: UserId) -> Vec<ClientId> {
        let own = self
            .clients
            .values()
            .filter(|known| known.client.owner == Some(owner));
        own.map(|known| known.client.id).collect()
    }

    /// The ban of an address that is in force.
    pub(crate) fn ban(&self, address: IpAddr, now: UnixMs) -> Option<&Ban> {
        let ban = self.bans.get(&network(address))?;
        ban.is_in_force(now).then_some(ban)
    }
}

/// What of an address counts: all of IPv4, the /64 of IPv6, of which whoever has one address has all.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

/// An upstream API with its connections and its keys.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: Arc<str>,
    /// What it speaks.
    pub(crate) api: Api,
    /// The models that it is configured to have; empty: whatever it lists.
    pub(crate) models: Box<[String]>,
    /// How long its list is believed; zero: it is not asked for one.
    pub(crate) models_refresh: Duration,
    pub(crate) origin: Arc<Origin>,
    pub(crate) pools: Arc<Pools>,
    /// Whether keys or proxies are to blame where it refuses.
    pub(crate) attribution: Arc<Attributions>,
    pub(crate) default_headers: HeaderMap,
    /// What keys are exchanged for, where they are not shown themselves.
    pub(crate) tokens: Option<Tokens>,
    /// How many requests an account may have under way, where that is limited.
    pub(crate) turns: Option<Turns>,
    /// What accounts have been given, where requests may not bring files along.
    pub(crate) given: Arc<GivenFiles>,
    /// Which addresses pictures may be fetched from.
    pub(crate) image_reach: Reach,
}

impl Provider {
    /// The pool of keys that belong to nobody in particular.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pools.shared
    }

    /// What is shown to the provider for a key: the key, or the token that it is exchanged for by that egress.
    pub(crate) async fn bearer(
        &self,
        key: &Secret,
        egress: &Egress,
        now: UnixMs,
    ) -> Result<Secret, Arc<Refusal>> {
        match &self.tokens {
            None => Ok(key.clone()),
            Some(tokens) => tokens.token(key, egress, now).await,
        }
    }

    /// Closes connections that have been idle for long, and forgets proxies that are used no more.
    pub(crate) fn close_idle(&self) {
        self.origin.close_idle();
        if let Some(tokens) = &self.tokens {
            tokens.origin().close_idle();
        }
        self.attribution.forget_gone();
    }

    /// Whether all that is sent for a key is encrypted: only then may it leave through a proxy.
    pub(crate) fn is_encrypted(&self) -> bool {
        let of_tokens = self.tokens.as_ref().map(Tokens::origin);
        self.origin.is_encrypted() && of_tokens.is_none_or(|origin| origin.is_encrypted())
    }

    /// Whether only the token was refused that a key had been exchanged for, and another one may do.
    pub(crate) fn says_token_is_over(&self, verdict: &Verdict) -> bool {
        self.tokens.is_some() && self.api.says_token_is_over(verdict)
    }

    /// Has the next token of the key fetched anew, where this one was refused.
    pub(crate) fn refuse_token(&self, key: &Secret, token: &Secret, verdict: &Verdict) {
        let tokens = self.tokens.as_ref();
        if let Some(tokens) = tokens.filter(|_| self.api.says_token_is_over(verdict)) {
            tokens.refuse(key, token);
        }
    }

    /// Adds the configured headers that a request does not have.
    pub(crate) fn add_default_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.default_headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}
