//! Names of models as callers of the simple dialect give them.

use super::Wrong;

/// The longest name, in characters.
const LONGEST: usize = 128;

/// The id in a model's name: without the collection `models/`, and without one of `prefixes`, which are names of the
/// provider. What could be no id is refused, because it becomes part of a path.
pub fn model_id<'a>(name: &'a str, prefixes: &[&str]) -> Result<&'a str, Wrong> {
    let unprefixed = prefixes.iter().find_map(|prefix| {
        let rest = name.strip_prefix(prefix)?;
        rest.strip_prefix('/')
    });
    let id = unprefixed.unwrap_or(name);
    let id = id.strip_prefix("models/").unwrap_or(id);
    if is_id(id) && name.len() <= LONGEST {
        return Ok(id);
    }
    let shown: String = name.chars().take(LONGEST).collect();
    let text = format!(
        "the model name {shown:?} is not well-formed: letters, digits, `-`, `_` and `.`, at most {LONGEST} of them"
    );
    Err(Wrong::new("model", "value_error", text))
}

fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    id.bytes().all(is_plain) && id.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<&str>) {
        let id = model_id(name, &["own", "google"]);
        assert_eq!(id.as_deref().ok(), expected, "{name:?}");
        if let Err(wrong) = id {
            assert_eq!((&*wrong.at, wrong.kind), ("model", "value_error"));
            assert!(!wrong.message.contains(char::is_control), "{wrong}");
        }
    }

    #[test]
    fn well_formed_names_are_taken_with_and_without_prefix() {
        let longest = "m".repeat(LONGEST);
        for (name, id) in [
            ("gemini-2.5-flash", "gemini-2.5-flash"),
            ("models/gemini-2.5-flash", "gemini-2.5-flash"),
            ("google/gemini-2.5-flash", "gemini-2.5-flash"),
            ("own/gemini-2.5-flash", "gemini-2.5-flash"),
            ("google/models/gemini-2.5-flash", "gemini-2.5-flash"),
            ("Gemma_3", "Gemma_3"),
            ("0", "0"),
            (&longest, &longest),
        ] {
            check(name, Some(id));
        }
    }

    #[test]
    fn what_could_leave_its_place_in_a_path_is_refused() {
        let too_long = "m".repeat(LONGEST + 1);
        for name in [
            "",
            " ",
            "gemini 2.5",
            " gemini",
            "gemini\n",
            "gemini\0",
            "gemini\u{7f}",
            "gémini",
            "models/",
            "google/",
            "models/models/x",
            "models/google/x",
            "xai/grok-4",
            "../x",
            "..",
            ".",
            "-x",
            "a/../b",
            "models/../../v1beta/files",
            "a:countTokens",
            "a?key=1",
            "a#b",
            "a%2fb",
            "a\\b",
            &too_long,
        ] {
            check(name, None);
        }
    }
}
