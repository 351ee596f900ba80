//! The providers that this version speaks to, built from the configuration: connections, pools, headers. What a new
//! configuration leaves as it was goes on unchanged: keys keep their state, connections stay open.

use std::sync::Arc;

use anyhow::Context;
use config::{Config, Kind};
use http::{HeaderMap, HeaderName, HeaderValue};
use keypool::{PoolRules, Strategy};

use crate::egress::{Origin, OriginOptions};
use crate::pools::Pools;
use crate::snapshot::Provider;

/// The providers of a configuration; `known` are those of the one before.
pub(crate) fn build(
    config: &Config,
    known: &[Arc<Provider>],
) -> anyhow::Result<Arc<[Arc<Provider>]>> {
    let spoken = config
        .providers
        .iter()
        .filter(|(_, settings)| settings.kind == Kind::Gemini);
    let built = spoken.map(|(name, settings)| {
        let before = known.iter().find(|provider| *provider.name == **name);
        one(name, settings, config, before).with_context(|| format!("providers.{name}"))
    });
    let built: Vec<_> = built.collect::<anyhow::Result<_>>()?;
    Ok(built.into())
}

fn one(
    name: &str,
    settings: &config::Provider,
    config: &Config,
    before: Option<&Arc<Provider>>,
) -> anyhow::Result<Arc<Provider>> {
    let options = options(settings, config);
    let same = before.filter(|provider| provider.origin.options() == &options);
    let origin = match same {
        Some(provider) => provider.origin.clone(),
        None => Arc::new(Origin::new(options)?),
    };
    let pools = match before {
        Some(provider) => provider.pools.clone(),
        None => Arc::new(Pools::new(name, rules(config))),
    };
    Ok(Arc::new(Provider {
        name: name.into(),
        kind: settings.kind,
        origin,
        pools,
        default_headers: header_map(settings)?,
    }))
}

/// The address of a provider, without connections so far.
pub(crate) fn open_origin(settings: &config::Provider, config: &Config) -> anyhow::Result<Origin> {
    Origin::new(options(settings, config))
}

fn options(settings: &config::Provider, config: &Config) -> OriginOptions {
    OriginOptions {
        base_url: settings.base_url.as_str().to_owned(),
        ca_file: settings.ca_file.clone(),
        http2: settings.http2,
        allow_link_local: config.server.allow_link_local,
    }
}

/// What pools follow.
pub(crate) fn rules(config: &Config) -> PoolRules {
    let strategy = match config.pool.strategy {
        config::Strategy::LeastLoaded => Strategy::LeastLoaded,
        config::Strategy::RoundRobin => Strategy::RoundRobin,
        config::Strategy::Random => Strategy::Random,
        config::Strategy::FillFirst => Strategy::FillFirst,
        config::Strategy::SelectedFirst => Strategy::SelectedFirst,
    };
    PoolRules {
        strategy,
        max_failures: config.pool.max_failures,
        recheck_interval: config.pool.recheck_interval,
    }
}

/// Reads `default_headers` of the configuration; values are never logged.
fn header_map(provider: &config::Provider) -> anyhow::Result<HeaderMap> {
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
