//! How names and values of the configuration are shown in messages, so that no message carries a secret.

use domain::Secret;

const LONGEST: usize = 60;

/// What stands for a value that must not be seen.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A field's name as it may be shown: a text that does not look like a name may be a key in the wrong place.
pub(crate) fn safe_name(name: &str) -> String {
    let is_name = name.len() <= 24
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    if is_name {
        name.to_owned()
    } else {
        Secret::new(name).masked()
    }
}

/// A value as it may be shown: quoted and shortened, and hidden where it is a URL with credentials.
pub(crate) fn safe_value(text: &str) -> String {
    if text.contains("://") && text.contains('@') {
        return HIDDEN.to_owned();
    }
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{:?}", head + "…")
}

/// A free name in a mapping as it may be shown in a path: any but a URL, which may have credentials.
pub(crate) fn entry_name(name: &str) -> &str {
    if name.contains("://") { HIDDEN } else { name }
}

/// A path of field names as it may be shown. An address is none, whatever its dots make of it.
pub(crate) fn safe_path(path: &str) -> String {
    if path.contains("://") {
        return Secret::new(path).masked();
    }
    let names: Vec<String> = path.split('.').map(safe_name).collect();
    names.join(".")
}

/// A secret as it may be shown: of a URL the host and the port, of anything else its first and last characters.
/// What is left out is an `…`.
pub(crate) fn masked(secret: &Secret) -> String {
    let Some((scheme @ ("http" | "https"), rest)) = secret.expose().split_once("://") else {
        return secret.masked();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password with one of these characters: what looks like the host may be a part of it.
    if path.contains('@') {
        return format!("{scheme}://…");
    }
    let path = if matches!(path, "" | "/") {
        path
    } else {
        "/…"
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{path}"),
        None => format!("{scheme}://{authority}{path}"),
    }
}

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), other);
    let best = known.min_by_key(|other| distance(other))?;
    (distance(best) <= 1 + best.len() / 4).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_an_address_passes_for_a_name() {
        assert_eq!(safe_path("pool.max_failures"), "pool.max_failures");
        let path = safe_path("http://me:.hunter2.@10.0.0.9:1080");
        assert!(!path.contains("hunter2"), "{path}");
    }

    #[test]
    fn of_a_url_only_the_host_is_shown() {
        for (url, expected) in [
            ("https://x.ai", "https://x.ai"),
            ("https://x.ai:8443/", "https://x.ai:8443/"),
            ("https://x.ai/list?key=hunter2", "https://x.ai/…"),
            ("https://x.ai?hunter2", "https://x.ai/…"),
            ("http://me:hunter2@x.ai/list", "http://…@x.ai/…"),
            ("http://me:hun@ter2@x.ai", "http://…@x.ai"),
            ("http://me:hun/ter2@x.ai", "http://…"),
            ("http://me:hun@ter/2@x.ai", "http://…"),
            ("hunter2://x", "hu…/x"),
        ] {
            assert_eq!(masked(&Secret::new(url)), expected, "{url}");
        }
    }
}
