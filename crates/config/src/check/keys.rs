//! Keys of providers and of clients: names, duplicates, and what cannot be sent.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{Fingerprint, Secret};

use crate::Origin;
use crate::findings::Findings;
use crate::sections::{ClientKey, Sections};
use crate::shown::safe_value;
use crate::value::not_among;

const MAX_NAME: usize = 32;

/// Client keys have names and secrets of their own.
pub(crate) fn clients(sections: &Sections, findings: &mut Findings) {
    let (mut names, mut keys) = (BTreeSet::new(), HashMap::new());
    for (index, client) in sections.clients.iter().enumerate() {
        let (origin, client) = (&client.origin, &client.value);
        if !names.insert(&client.name) {
            let text = format!("{:?} is the name of two client keys", client.name);
            findings.problem(origin, &format!("clients[{index}].name"), text);
        }
        let path = format!("clients[{index}].key");
        if !is_sendable(&client.key) {
            findings.problem(origin, &path, UNSENDABLE);
        }
        if let Some(other) = keys.insert(client.key.fingerprint(), &client.name) {
            let text = format!("(hidden) is the key of {other:?} too; expected one of its own");
            findings.problem(origin, &path, text);
        }
        allowed(index, client, origin, sections, findings);
    }
}

/// What a client key is allowed exists, as far as the configuration knows: a wrong name would lock its callers out.
fn allowed(
    index: usize,
    client: &ClientKey,
    origin: &Origin,
    sections: &Sections,
    findings: &mut Findings,
) {
    for name in &client.allowed_providers {
        if !sections.providers.contains_key(name) {
            let known: Vec<&str> = sections.providers.keys().map(String::as_str).collect();
            let text = format!("{} {}", safe_value(name), not_among(name, &known));
            let path = format!("clients[{index}].allowed_providers");
            findings.problem(origin, &path, text);
        }
    }
    for name in &client.allowed_endpoints {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !name.bytes().all(is_name) {
            let wrong = "is not an endpoint's name such as generateContent or files";
            let path = format!("clients[{index}].allowed_endpoints");
            findings.problem(origin, &path, format!("{} {wrong}", safe_value(name)));
        }
    }
}

/// Providers have plain names, and each key of one counts once: later ones are dropped with a warning.
pub(crate) fn providers(sections: &mut Sections, findings: &mut Findings) {
    for (name, provider) in &mut sections.providers {
        let path = format!("providers.{name}");
        if !is_provider_name(name) {
            let expected = "expected lower-case letters, digits, \"-\" and \"_\", at most 32";
            let text = format!("is not a provider's name; {expected}");
            findings.problem(&findings.origin(&path), &path, text);
        }
        for (header, value) in &provider.default_headers {
            let is_right = http::HeaderName::try_from(header).is_ok()
                && http::HeaderValue::try_from(value.expose()).is_ok();
            if !is_right {
                let path = format!("{path}.default_headers");
                let text = format!("{header:?} or its value is not a header");
                findings.problem(&findings.origin(&path), &path, text);
            }
        }
        let mut seen: HashSet<Fingerprint> = HashSet::new();
        let mut index = 0;
        provider.keys.retain(|key| {
            let path = format!("{path}.keys[{index}]");
            index += 1;
            if !is_sendable(&key.value.key) {
                findings.problem(&key.origin, &path, UNSENDABLE);
            }
            let is_new = seen.insert(key.value.key.fingerprint());
            if !is_new {
                let masked = key.value.key.masked();
                let text = format!("{path}: {masked} is here twice and counts as one key");
                findings.warn(&key.origin, text);
            }
            is_new
        });
    }
}

const UNSENDABLE: &str = "(hidden) has spaces or other characters that no key has";

fn is_sendable(secret: &Secret) -> bool {
    secret.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_provider_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}
