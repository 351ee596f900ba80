//! What the configuration says of outbound proxies, ready to be followed: built with a snapshot, so that what cannot be
//! built, such as certificates that are not there, changes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::{Config, ProxyUrl};
use rustls::ClientConfig;

use super::proxy::Trust;
use crate::egress::{Reach, tls};

/// The proxies of the configuration, and how they are used.
#[derive(Clone, Debug)]
pub(crate) struct ProxySettings {
    pub(super) proxies: Vec<ProxyUrl>,
    pub(super) fallback_to_direct: bool,
    /// Whether requests are meant to leave through proxies, even where there is none just now.
    pub(super) are_wanted: bool,
    /// Proxies that are kept at most: all of the configuration, and of lists as many as there is room for.
    pub(super) most: usize,
    /// Whether proxies of lists are used before they were checked.
    pub(super) trust_of_found: Trust,
    /// How long a proxy of a list is not asked again after its first failure; doubles.
    pub(super) rest_of_found: Duration,
    /// Where hosts of proxies may lead that the configuration or an administrator names.
    pub(super) reach: Reach,
    pub(super) tls: Arc<ClientConfig>,
    ca_file: Option<PathBuf>,
}

impl ProxySettings {
    /// Those of a configuration; `before` lends what has not changed.
    pub(crate) fn of(config: &Config, before: Option<&Self>) -> anyhow::Result<Arc<Self>> {
        let egress = &config.egress;
        let same = before.filter(|before| before.ca_file == egress.ca_file);
        let tls = match same {
            Some(before) => before.tls.clone(),
            None => tls::client_config(egress.ca_file.as_deref(), false).context("egress")?,
        };
        let proxies = egress.proxies.iter();
        Ok(Arc::new(Self {
            proxies: proxies.map(|proxy| proxy.value.clone()).collect(),
            fallback_to_direct: egress.fallback_to_direct,
            are_wanted: !egress.proxies.is_empty() || !egress.sources.is_empty(),
            most: egress.max_proxies.max(egress.proxies.len()),
            trust_of_found: if egress.health_check.enabled {
                Trust::Earned
            } else {
                Trust::Given
            },
            rest_of_found: egress.health_check.recheck_interval,
            reach: if config.server.allow_link_local {
                Reach::Anywhere
            } else {
                Reach::Private
            },
            tls,
            ca_file: egress.ca_file.clone(),
        }))
    }
}
