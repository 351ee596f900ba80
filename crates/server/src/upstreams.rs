//! The providers, built from the configuration: connections, pools, headers. What a new
//! configuration leaves as it was goes on unchanged: keys keep their state, connections stay open.

use std::sync::Arc;

use anyhow::Context;
use config::{Config, Kind};
use http::{HeaderMap, HeaderName, HeaderValue};
use keypool::{PoolRules, Strategy};
use providers::Api;

use crate::egress::{Origin, OriginOptions, Reach};
use crate::pools::Pools;
use crate::snapshot::Provider;
use crate::tokens::Tokens;
use crate::turns::Turns;

/// The scope of individuals' keys.
const PERSONAL: &str = "GIGACHAT_API_PERS";

/// The providers of a configuration; `known` are those of the one before.
pub(crate) fn build(
    config: &Config,
    known: &[Arc<Provider>],
) -> anyhow::Result<Arc<[Arc<Provider>]>> {
    let built = config.providers.iter().map(|(name, settings)| {
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
        api: api(name, settings),
        models: settings.models.clone().into(),
        models_refresh: settings.models_refresh,
        origin,
        pools,
        attribution: before.map_or_else(Arc::default, |provider| provider.attribution.clone()),
        default_headers: header_map(settings)?,
        tokens: tokens(settings, config, before)?,
        turns: turns(settings, before),
        given: before.map_or_else(Arc::default, |provider| provider.given.clone()),
        image_reach: if config.server.allow_private_images {
            Reach::Private
        } else {
            Reach::Public
        },
    }))
}

/// A provider without keys, to ask it something.
pub(crate) fn alone(name: &str, config: &Config) -> anyhow::Result<Arc<Provider>> {
    let settings = config.providers.get(name);
    let settings = settings.with_context(|| format!("there is no provider {name:?}"))?;
    one(name, settings, config, None).with_context(|| format!("providers.{name}"))
}

/// Tokens that are known stay known, as long as they come from the same place.
fn tokens(
    settings: &config::Provider,
    config: &Config,
    before: Option<&Arc<Provider>>,
) -> anyhow::Result<Option<Tokens>> {
    let Some(url) = settings
        .token_url
        .as_ref()
        .filter(|_| settings.kind == Kind::GigaChat)
    else {
        return Ok(None);
    };
    let options = OriginOptions {
        base_url: url.as_str().to_owned(),
        ..options(settings, config)
    };
    let scope = settings.scope.as_deref().unwrap_or(PERSONAL);
    let known = before.and_then(|provider| provider.tokens.clone());
    if let Some(known) = known.filter(|tokens| tokens.are(&options, scope)) {
        return Ok(Some(known));
    }
    let origin = Origin::new(options).context("token_url")?;
    Ok(Some(Tokens::new(Arc::new(origin), scope)))
}

/// Requests that have a turn keep it, as long as there are as many.
fn turns(settings: &config::Provider, before: Option<&Arc<Provider>>) -> Option<Turns> {
    let most = settings.concurrent_per_key()?;
    let known = before.and_then(|provider| provider.turns.clone());
    let known = known.filter(|turns| turns.per_account() == most);
    Some(known.unwrap_or_else(|| Turns::new(most)))
}

fn api(name: &str, settings: &config::Provider) -> Api {
    match settings.kind {
        Kind::Gemini => Api::Google,
        Kind::Perplexity => Api::Perplexity,
        Kind::GigaChat => Api::GigaChat,
        Kind::OpenAi => {
            let address: Option<http::Uri> = settings.base_url.as_str().parse().ok();
            let host = address.as_ref().and_then(http::Uri::host);
            providers::compatible(name, host.unwrap_or_default())
        }
    }
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
