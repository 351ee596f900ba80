//! A text of keys, brought into one key a line. Comments stay, a comment behind a key with that key; what is no key stays
//! where it is, as it is. Lines that hold one key already, or none, are not touched, whatever they look like.

use super::{Line, Lines, key_in, words};

/// The text in one key a line; none: it is that already.
pub(crate) fn tidied(text: &[u8]) -> Option<Vec<u8>> {
    if Lines(text).all(|line| pieces(&line).is_none()) {
        return None;
    }
    let mut tidy = Vec::with_capacity(text.len() + 64);
    let usual = Lines(text).next().map(|line| line.ending);
    let usual = usual.filter(|ending| !ending.is_empty());
    for line in Lines(text) {
        let Some(pieces) = pieces(&line) else {
            tidy.extend_from_slice(line.content);
            tidy.extend_from_slice(line.comment);
            tidy.extend_from_slice(line.ending);
            continue;
        };
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                tidy.extend_from_slice(usual.unwrap_or(b"\n"));
            }
            tidy.extend_from_slice(piece);
        }
        if !line.comment.is_empty() {
            tidy.push(b' ');
            tidy.extend_from_slice(line.comment);
        }
        tidy.extend_from_slice(line.ending);
    }
    Some(tidy)
}

/// What stands on lines of its own: keys, and what is between them; none: the line stays as it is.
fn pieces<'t>(line: &Line<'t>) -> Option<Vec<&'t [u8]>> {
    let words = words(line.content);
    let (mut pieces, mut keys) = (Vec::new(), 0);
    // What is no key and not yet among the pieces: several words of it in a row are one piece.
    let mut between: Option<std::ops::Range<usize>> = None;
    for word in &words {
        if let Ok(key) = key_in(&line.content[word.clone()]) {
            pieces.extend(between.take().map(|range| &line.content[range]));
            pieces.push(key.as_bytes());
            keys += 1;
        } else {
            let begin = between.map_or(word.start, |range| range.start);
            between = Some(begin..word.end);
        }
    }
    pieces.extend(between.map(|range| &line.content[range]));
    let is_plain = match (pieces.as_slice(), words.as_slice()) {
        ([key], [word]) => {
            let rest = [&line.content[..word.start], &line.content[word.end..]];
            let has_commas = rest.concat().iter().any(|byte| b",;".contains(byte));
            key.len() == word.len() && !has_commas
        }
        _ => false,
    };
    (keys > 0 && !is_plain).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read;
    use super::*;

    fn check(text: &str, expected: &str) {
        let tidy = tidied(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(tidy.as_deref().unwrap_or(text), expected);
        assert_eq!(tidied(expected.as_bytes()), None, "{expected:?}");
    }

    #[test]
    fn keys_get_lines_of_their_own() {
        check("AIza-key-1", "AIza-key-1");
        check("AIza-key-1 AIza-key-2", "AIza-key-1\nAIza-key-2");
        check("AIza-key-1,AIza-key-2;\n", "AIza-key-1\nAIza-key-2\n");
        check("'AIza-key-1',\r\n# c\r\n", "AIza-key-1\r\n# c\r\n");
        check("\u{feff}AIza-key-1,AIza-key-2", "AIza-key-1\nAIza-key-2");
        check(
            "# c\r\nAIza-key-1 AIza-key-2",
            "# c\r\nAIza-key-1\r\nAIza-key-2",
        );
    }

    #[test]
    fn comments_stay_and_those_behind_a_key_stay_behind_it() {
        check(
            "# team a, b\n\nAIza-key-1, AIza-key-2 # of team a\n  AIza-key-3   # mine, too\n#\n",
            "# team a, b\n\nAIza-key-1\nAIza-key-2 # of team a\n  AIza-key-3   # mine, too\n#\n",
        );
        check("AIza-key-1,#c\n", "AIza-key-1 #c\n");
    }

    #[test]
    fn what_is_no_key_stays_where_it_is() {
        check("hello, my  key\n", "hello, my  key\n");
        check(
            "the key AIza-key-1 of, team a # c\n",
            "the key\nAIza-key-1\nof, team a # c\n",
        );
        check("short \"x\", 'AIza-key-1'", "short \"x\"\nAIza-key-1");
    }

    /// Text that is much like key files: words, gaps, comments, and anything at all in between.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[A-Za-z0-9_-]{8,12}".prop_map(String::into_bytes),
            2 => "[a-z]{1,4}".prop_map(String::into_bytes),
            4 => prop::sample::select(vec![" ", ",", ";", "\n", "\r\n", "\r", "\t", "\"", "'", "#", " # c, d", "\u{feff}", "\u{a0}", "é"])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn keys(text: &[u8]) -> Vec<String> {
        let keys = read(text).keys.into_iter();
        keys.map(|key| key.secret.expose().to_owned()).collect()
    }

    fn reasons(text: &[u8]) -> Vec<&'static str> {
        let malformed = read(text).malformed.into_iter();
        malformed.map(|entry| entry.reason).collect()
    }

    fn comments(text: &[u8]) -> Vec<&[u8]> {
        let comments = Lines(text).map(|line| line.comment);
        comments.filter(|comment| !comment.is_empty()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn tidying_keeps_every_key_comment_and_malformed_entry_and_is_done_once(text in texts()) {
            let tidy = tidied(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(keys(&tidy), keys(&text));
            prop_assert_eq!(reasons(&tidy), reasons(&text));
            prop_assert_eq!(comments(&tidy), comments(&text));
            prop_assert_eq!(tidied(&tidy), None);
            for line in Lines(&tidy) {
                let words = words(line.content);
                let is_key = |word: &&std::ops::Range<usize>| key_in(&line.content[(*word).clone()]).is_ok();
                prop_assert!(words.iter().filter(is_key).count() <= 1);
            }
        }

        #[test]
        fn a_comment_stays_behind_the_last_key_of_its_line(first in "[a-z]{8}", last in "[a-z]{8}", comment in "#[ -~]{0,9}") {
            let text = format!("{first},{last}{comment}\n");
            let tidy = String::from_utf8(tidied(text.as_bytes()).unwrap()).unwrap();
            prop_assert_eq!(tidy, format!("{first}\n{last} {comment}\n"));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let tidy = tidied(&bytes).unwrap_or_else(|| bytes.clone());
            prop_assert_eq!(keys(&tidy), keys(&bytes));
            prop_assert_eq!(tidied(&tidy), None);
        }
    }
}
