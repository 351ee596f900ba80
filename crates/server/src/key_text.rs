//! Keys out of free text: separated by lines, blanks, commas or semicolons, `#` begins a comment. What is none is
//! reported by line, never dropped silently.

use domain::Secret;

/// What a text holds.
#[derive(Debug, Default)]
pub(crate) struct KeyText {
    pub(crate) keys: Vec<FoundKey>,
    pub(crate) malformed: Vec<Malformed>,
}

/// A key and where it stands.
#[derive(Debug)]
pub(crate) struct FoundKey {
    /// From 1 on.
    pub(crate) line: usize,
    pub(crate) secret: Secret,
}

/// Something that is no key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// From 1 on.
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

/// Reads a text.
pub(crate) fn read(text: &str) -> KeyText {
    let mut found = KeyText::default();
    for (number, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let words = content.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
        for word in words.filter(|word| !word.is_empty()) {
            found.take(number + 1, word);
        }
    }
    found
}

impl KeyText {
    /// Takes one word, which stands on that line.
    pub(crate) fn take(&mut self, line: usize, word: &str) {
        let word = word.trim_matches(['"', '\'']);
        match problem_with(word) {
            None => self.keys.push(FoundKey {
                line,
                secret: Secret::new(word),
            }),
            Some(reason) => self.malformed.push(Malformed { line, reason }),
        }
    }
}

/// Providers change the form of their keys, so only what can be no key at all is refused.
pub(crate) fn problem_with(word: &str) -> Option<&'static str> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_graphic());
    match word.len() {
        0..8 => Some("too short for a key"),
        513.. => Some("too long for a key"),
        _ if !is_plain => Some("has characters that no key has"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_out_of_free_text() {
        let text = "AIza-first-key, AIza-second-key # both of team a\n\n# nothing\n\"AQ.third-key\"\nshort\n";
        let read = read(text);
        let keys: Vec<(usize, &str)> = read
            .keys
            .iter()
            .map(|key| (key.line, key.secret.expose()))
            .collect();
        assert_eq!(
            keys,
            [
                (1, "AIza-first-key"),
                (1, "AIza-second-key"),
                (4, "AQ.third-key")
            ]
        );
        let reason = "too short for a key";
        assert_eq!(read.malformed, [Malformed { line: 5, reason }]);
    }
}
