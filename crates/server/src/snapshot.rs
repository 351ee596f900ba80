//! What a request reads: configuration, client keys, providers. Swapped whole when something changes, so that each
//! request sees one state from its beginning to its end.

use std::collections::HashMap;
use std::sync::Arc;

use config::{Config, Kind};
use domain::{Client, ClientId, Fingerprint};
use http::{HeaderMap, HeaderName, HeaderValue};
use keypool::Pool;

use crate::egress::Origin;

/// One state of everything that requests are served by.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) config: Arc<Config>,
    pub(crate) clients: HashMap<Fingerprint, Arc<Client>>,
    pub(crate) providers: Arc<[Arc<Provider>]>,
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

    /// The client with that id.
    pub(crate) fn client(&self, id: ClientId) -> Option<Arc<Client>> {
        self.clients
            .values()
            .find(|client| client.id == id)
            .cloned()
    }

    /// The same with other client keys.
    pub(crate) fn with_clients(&self, clients: Vec<Client>) -> Self {
        let clients = clients
            .into_iter()
            .map(|client| (client.fingerprint, Arc::new(client)));
        Self {
            config: self.config.clone(),
            clients: clients.collect(),
            providers: self.providers.clone(),
        }
    }
}

/// An upstream API with its connections and its keys.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) pool: Pool,
    pub(crate) default_headers: HeaderMap,
}

impl Provider {
    /// Adds the configured headers that a request does not have.
    pub(crate) fn add_default_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.default_headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Reads `default_headers` of the configuration; values are never logged.
pub(crate) fn header_map(provider: &config::Provider) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &provider.default_headers {
        let header: HeaderName = name
            .parse()
            .map_err(|_| anyhow::anyhow!("default_headers: {name:?} is no header name"))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| anyhow::anyhow!("default_headers.{name}: the value cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}
