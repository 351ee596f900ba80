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

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), other);
    let best = known.min_by_key(|other| distance(other))?;
    (distance(best) <= 1 + best.len() / 4).then_some(best)
}
