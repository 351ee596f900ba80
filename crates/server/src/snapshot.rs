//! What a request reads: configuration, client keys, providers, prices, bans. Swapped whole when something changes, so
//! that each request sees one state from its beginning to its end. `live.rs` builds the next one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use config::{Config, Kind};
use domain::{Ban, Client, ClientId, Fingerprint, KeyId, UnixMs, UserId};
use http::HeaderMap;
use keypool::{KeyStatus, Pool};
use metering::{Access, Meter, PriceTable};

use crate::egress::Origin;
use crate::pools::Pools;

/// One state of everything that requests are served by.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) config: Arc<Config>,
    pub(crate) clients: Arc<HashMap<Fingerprint, Arc<KnownClient>>>,
    pub(crate) providers: Arc<[Arc<Provider>]>,
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
        let mut speakers = self
            .providers
            .iter()
            .filter(|provider| provider.kind == Kind::Gemini);
        let first = speakers.next();
        speakers
            .find(|provider| &*provider.name == "google")
            .or(first)
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
        ban.until.is_none_or(|until| until > now).then_some(ban)
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
    pub(crate) kind: Kind,
    pub(crate) origin: Arc<Origin>,
    pub(crate) pools: Arc<Pools>,
    pub(crate) default_headers: HeaderMap,
}

impl Provider {
    /// The pool of keys that belong to nobody in particular.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pools.shared
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
