//! What a client key may be used for, and from where: its lists, compiled once and asked on the path without allocation.
//! An empty list allows everything. Whether a refusal is 403 and how it is said is the server's.

mod addresses;
mod pattern;

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::ClientLimits;
use ipnet::IpNet;

pub(crate) use pattern::Pattern;

/// The compiled form of a client key's lists.
///
/// An entry of a list of names is a name, or the beginning of names with `*` behind it; case matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    providers: Box<[Pattern]>,
    models: Box<[Pattern]>,
    endpoints: Box<[Pattern]>,
    addresses: Box<[IpNet]>,
}

/// An entry that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: `{entry}` {problem}")]
pub struct AccessError {
    /// The list, by its field's name, for example `allowed_ips`.
    pub field: &'static str,
    /// The entry.
    pub entry: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Access {
    /// Compiles the lists.
    pub fn of(limits: &ClientLimits) -> Result<Self, AccessError> {
        let model = |entry: &str| Pattern::read(without_collection(entry));
        Ok(Self {
            providers: each(
                "allowed_providers",
                &limits.allowed_providers,
                Pattern::read,
            )?,
            models: each("allowed_models", &limits.allowed_models, model)?,
            endpoints: each(
                "allowed_endpoints",
                &limits.allowed_endpoints,
                Pattern::read,
            )?,
            addresses: each("allowed_ips", &limits.allowed_ips, addresses::read)?,
        })
    }

    /// Whether a provider may be used, by its name in the configuration.
    pub fn allows_provider(&self, provider: &str) -> bool {
        self.providers.is_empty() || any(&self.providers, provider)
    }

    /// Whether a model may be used, and its provider.
    ///
    /// An entry means the model's id, at any provider, or `provider/id`; `models/` before an id means nothing on either side.
    /// Ids with a slash of their own are not told from those with a provider before them: `openai/gpt-6-luna` is that model
    /// of a provider that calls it so, and `gpt-6-luna` of the provider `openai`. Allowed providers tell them apart.
    pub fn allows_model(&self, provider: &str, model: &str) -> bool {
        let model = without_collection(model);
        let is_listed =
            |entry: &Pattern| entry.matches(model) || entry.matches_qualified(provider, model);
        self.allows_provider(provider)
            && (self.models.is_empty() || self.models.iter().any(is_listed))
    }

    /// Whether an endpoint may be used, by its name in records, for example `generateContent` or `models.list`.
    pub fn allows_endpoint(&self, endpoint: &str) -> bool {
        self.endpoints.is_empty() || any(&self.endpoints, endpoint)
    }

    /// Whether a caller may come from an address.
    pub fn allows_ip(&self, address: IpAddr) -> bool {
        self.addresses.is_empty() || addresses::hold(&self.addresses, address)
    }
}

fn each<T>(
    field: &'static str,
    entries: &BTreeSet<String>,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Box<[T]>, AccessError> {
    let read_entry = |entry: &String| {
        read(entry).map_err(|problem| AccessError {
            field,
            entry: entry.clone(),
            problem,
        })
    };
    entries.iter().map(read_entry).collect()
}

fn any(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

/// A model's id without Google's `models/`.
pub(crate) fn without_collection(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

#[cfg(test)]
mod tests;
