//! What can be set but is not acted upon in this version, said instead of silently ignored.
//! Whoever builds one of these pieces deletes its lines here. What would weaken security without a word is an error.

use crate::findings::Findings;
use crate::reader::Reader;
use crate::sections::{Auth, Kind, Sections};
use crate::value::Value;
use crate::{Env, layers};

/// Fields without effect; `*` stands for one segment, or at the end for everything below.
const WITHOUT_EFFECT: [&str; 11] = [
    "redis.url",
    "providers.*.keys_dir",
    "providers.*.health_check.models",
    "aliases.*",
    "health_checks.*",
    "shedding.*",
    "ip_limits.*",
    "egress.*",
    "simple.*",
    "logs.status_file",
    "logs.status_interval",
];

/// The kinds of providers that are acted upon.
const KINDS: [Kind; 1] = [Kind::Gemini];

/// Warns of what has no effect, and refuses what must not be without effect.
pub(crate) fn check(sections: &Sections, findings: &mut Findings) {
    fields(findings);
    providers(sections, findings);
    open_access(sections, findings);
    outbound_proxies(sections, findings);
}

/// Whether the field at that path is acted upon, all of it.
pub(crate) fn has_effect(path: &str) -> bool {
    let is_whole = |pattern: &str| pattern.strip_suffix(".*") == Some(path);
    let is_without = |pattern: &&str| matches(pattern, path) || is_whole(pattern);
    !WITHOUT_EFFECT.iter().any(is_without)
}

fn fields(findings: &mut Findings) {
    let changed: Vec<_> = findings
        .set_fields
        .iter()
        .filter(|(path, field)| {
            field.changed && WITHOUT_EFFECT.iter().any(|pattern| matches(pattern, path))
        })
        .map(|(path, field)| (path.clone(), field.origin.clone()))
        .collect();
    for (path, origin) in &changed {
        // A mapping is named by its fields.
        let inner = format!("{path}.");
        if !changed.iter().any(|(other, _)| other.starts_with(&inner)) {
            findings.warn(origin, format!("{path} has no effect in this version"));
        }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('.').peekable(), path.split('.'));
    while let Some(segment) = pattern.next() {
        let is_last = pattern.peek().is_none();
        match path.next() {
            Some(_) if segment == "*" && is_last => return true,
            Some(name) if segment == "*" || segment == name => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

fn providers(sections: &Sections, findings: &mut Findings) {
    let built_in = built_in();
    for (name, provider) in &sections.providers {
        let is_built_in = built_in.as_ref().and_then(|it| it.providers.get(name)) == Some(provider);
        if is_built_in || KINDS.contains(&provider.kind) {
            continue;
        }
        let path = format!("providers.{name}");
        let key = provider.keys.first();
        let origin = key.map_or_else(|| findings.origin(&path), |key| key.origin.clone());
        let kind = provider.kind.name();
        findings.warn(
            &origin,
            format!("{path} has no effect in this version: its kind is {kind}"),
        );
    }
}

/// The sections as they are when nothing is set.
fn built_in() -> Option<Sections> {
    let env = Env::default();
    let mut reader = Reader::new(&env);
    let tree = layers::merged(None, &env, &mut reader.findings);
    Sections::read(&tree, &mut reader)
}

fn open_access(sections: &Sections, findings: &mut Findings) {
    if sections.server.auth == Auth::Open {
        let text = "server.auth: open access is without ip_limits and shedding in this version";
        findings.warn(&findings.origin("server.auth"), text);
    }
}

const NO_PROXIES: &str =
    "outbound proxies are not in this version; refusing to connect directly instead";

fn outbound_proxies(sections: &Sections, findings: &mut Findings) {
    let egress = &sections.egress;
    let proxies = egress
        .proxies
        .iter()
        .map(|proxy| (&proxy.origin, "egress.proxies".to_owned()));
    let sources = egress
        .sources
        .iter()
        .map(|source| (&source.origin, "egress.sources".to_owned()));
    let of_keys = sections.providers.iter().flat_map(|(name, provider)| {
        let keys = provider
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| key.value.egress.is_some());
        keys.map(move |(index, key)| {
            (
                &key.origin,
                format!("providers.{name}.keys[{index}].egress"),
            )
        })
    });
    for (origin, path) in proxies.chain(sources).chain(of_keys) {
        findings.problem(origin, &path, NO_PROXIES);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_one_segment_and_at_the_end_everything_below() {
        assert!(matches("providers.*.keys_dir", "providers.google.keys_dir"));
        assert!(!matches("providers.*.keys_dir", "providers.google.keys"));
        assert!(!matches("providers.*.keys_dir", "providers.google"));
        assert!(matches("egress.*", "egress.health_check.url"));
        assert!(!matches("egress.*", "egress"));
        assert!(!matches("redis.url", "redis.url.more"));
    }
}
