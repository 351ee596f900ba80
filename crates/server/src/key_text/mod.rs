//! Keys out of free text: separated by lines, blanks, commas or semicolons, `#` begins a comment. What is none is
//! reported by line, never dropped silently. The same for what is pasted, imported, and in key files; how a file is
//! brought into one key a line is in `tidy.rs`.
//!
//! It works on bytes: comments may be in any encoding, keys are ASCII.

mod tidy;

use domain::Secret;

pub(crate) use tidy::tidied;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// From 1 on.
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

/// Reads a text.
pub(crate) fn read(text: &[u8]) -> KeyText {
    let mut found = KeyText::default();
    for (number, line) in Lines(text).enumerate() {
        for word in words(line.content) {
            found.take_bytes(number + 1, &line.content[word]);
        }
    }
    found
}

impl KeyText {
    /// Takes one word, which stands on that line.
    pub(crate) fn take(&mut self, line: usize, word: &str) {
        self.take_bytes(line, word.as_bytes());
    }

    fn take_bytes(&mut self, line: usize, word: &[u8]) {
        match key_in(word) {
            Ok(key) => self.keys.push(FoundKey {
                line,
                secret: Secret::new(key),
            }),
            Err(reason) => self.malformed.push(Malformed { line, reason }),
        }
    }
}

/// Providers change the form of their keys, so only what can be no key at all is refused.
pub(crate) fn problem_with(word: &str) -> Option<&'static str> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_graphic());
    match word.len() {
        0..8 => Some("too short for a key"),
        513.. => Some("too long for a key"),
        _ if !is_plain => Some(STRANGE),
        _ => None,
    }
}

const STRANGE: &str = "has characters that no key has";

/// The key that a word is, without quotes around it; or why it is none.
fn key_in(word: &[u8]) -> Result<&str, &'static str> {
    let word = str::from_utf8(word).map_err(|_| STRANGE)?;
    let word = word.trim_matches(['"', '\'']);
    problem_with(word).map_or(Ok(word), Err)
}

/// One line: what is before a comment, the comment with its `#`, and how the line ends.
#[derive(Clone, Copy, Debug)]
struct Line<'t> {
    content: &'t [u8],
    comment: &'t [u8],
    ending: &'t [u8],
}

/// The lines of a text, whether they end as on Unix, on Windows or on an old Macintosh.
struct Lines<'t>(&'t [u8]);

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let end = text.iter().position(|byte| b"\r\n".contains(byte));
        let end = end.unwrap_or(text.len());
        let ending = match &text[end..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let (line, rest) = text.split_at(end + ending);
        self.0 = rest;
        let (line, ending) = line.split_at(end);
        let hash = line.iter().position(|&byte| byte == b'#');
        let (content, comment) = line.split_at(hash.unwrap_or(end));
        Some(Line {
            content,
            comment,
            ending,
        })
    }
}

/// Where the words of a line are. What is not UTF-8 is part of a word.
fn words(content: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let (mut at, mut begin) = (0, None);
    for chunk in content.utf8_chunks() {
        for char in chunk.valid().chars() {
            if is_gap(char) {
                words.extend(begin.take().map(|begin| begin..at));
            } else {
                begin.get_or_insert(at);
            }
            at += char.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            begin.get_or_insert(at);
            at += chunk.invalid().len();
        }
    }
    words.extend(begin.map(|begin| begin..at));
    words
}

/// Windows' editors put a byte order mark in front of a text, where it is no part of a key.
fn is_gap(char: char) -> bool {
    char.is_whitespace() || matches!(char, ',' | ';' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], keys: &[(usize, &str)], malformed: &[(usize, &'static str)]) {
        let read = read(text);
        let found: Vec<(usize, &str)> = read
            .keys
            .iter()
            .map(|key| (key.line, key.secret.expose()))
            .collect();
        assert_eq!(found, keys, "{}", text.escape_ascii());
        let malformed: Vec<Malformed> = malformed
            .iter()
            .map(|&(line, reason)| Malformed { line, reason })
            .collect();
        assert_eq!(read.malformed, malformed, "{}", text.escape_ascii());
    }

    #[test]
    fn keys_are_read_out_of_free_text() {
        check(
            b"AIza-first-key, AIza-second-key # both of team a\n\n# nothing\n\"AQ.third-key\"\nshort\n",
            &[
                (1, "AIza-first-key"),
                (1, "AIza-second-key"),
                (4, "AQ.third-key"),
            ],
            &[(5, "too short for a key")],
        );
    }

    #[test]
    fn lines_end_as_on_any_machine_and_a_byte_order_mark_is_no_key() {
        for text in [
            "AIza-key-1\nAIza-key-2",
            "AIza-key-1\r\nAIza-key-2\r\n",
            "\u{feff}AIza-key-1#c\rAIza-key-2",
            "AIza-key-1;\u{a0}\nAIza-key-2\t,,",
        ] {
            check(
                text.as_bytes(),
                &[(1, "AIza-key-1"), (2, "AIza-key-2")],
                &[],
            );
        }
    }

    #[test]
    fn what_is_no_text_is_malformed_where_it_stands_and_only_there() {
        check(
            b"AIza-key-1 # \xe9t\xe9\nAIza-\xff-key-2,AIza-key-3\n\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87\xd0\xba\xd0\xbb",
            &[(1, "AIza-key-1"), (2, "AIza-key-3")],
            &[(2, STRANGE), (3, STRANGE)],
        );
        check(
            "x".repeat(513).as_bytes(),
            &[],
            &[(1, "too long for a key")],
        );
    }
}
