//! What can be set but is not acted upon in this version, said instead of silently ignored.
//! Whoever builds one of these pieces deletes its lines here.

use crate::findings::Findings;

/// Fields without effect; `*` stands for one segment, or at the end for everything below.
const WITHOUT_EFFECT: [&str; 1] = ["redis.url"];

/// Whether the field at that path is acted upon, all of it.
pub(crate) fn has_effect(path: &str) -> bool {
    let is_whole = |pattern: &str| pattern.strip_suffix(".*") == Some(path);
    let is_without = |pattern: &&str| matches(pattern, path) || is_whole(pattern);
    !WITHOUT_EFFECT.iter().any(is_without)
}

/// Warns of what has no effect.
pub(crate) fn check(findings: &mut Findings) {
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

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_one_segment_and_at_the_end_everything_below() {
        assert!(matches("providers.*.ca_file", "providers.google.ca_file"));
        assert!(!matches("providers.*.ca_file", "providers.google.keys"));
        assert!(!matches("providers.*.ca_file", "providers.google"));
        assert!(matches("egress.*", "egress.health_check.url"));
        assert!(!matches("egress.*", "egress"));
        assert!(!matches("redis.url", "redis.url.more"));
    }
}
