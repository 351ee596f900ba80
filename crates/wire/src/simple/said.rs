//! What the model said, taken out of a whole `generateContent` answer: the text of its first candidate, without thoughts.
//! Whether the answer is one at all is judged elsewhere, from the answer as it passed.

use std::borrow::Cow;
use std::fmt::{self, Formatter};
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The longest reason that is told.
const LONGEST_REASON: usize = 64;

/// What was said, and why there is no more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The text; empty where the model only thought.
    pub text: String,
    /// Why the prompt was blocked, or else why the answer ended, for example `SAFETY`.
    pub reason: Option<String>,
}

impl Said {
    /// Reads an answer; none where it is not of that shape.
    pub fn read(body: &[u8]) -> Option<Self> {
        let answer: Answer<'_> = match body.trim_ascii_start().first()? {
            b'[' => serde_json::from_slice::<First<_>>(body).ok()?.0?,
            _ => serde_json::from_slice(body).ok()?,
        };
        let candidate = answer.candidates.and_then(|First(first)| first);
        let Candidate {
            content,
            finish_reason,
        } = candidate.unwrap_or_default();
        let blocked = answer.prompt_feedback.and_then(|it| it.block_reason);
        let is_word = |reason: &Cow<'_, str>| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            reason.len() <= LONGEST_REASON && reason.bytes().all(is_plain)
        };
        let reason = blocked.or(finish_reason).filter(is_word);
        Some(Self {
            text: content.and_then(|it| it.parts).unwrap_or_default().0,
            reason: reason.map(Cow::into_owned),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    candidates: Option<First<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    content: Option<Content>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Option<Words>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    thought: Option<bool>,
}

/// The first element of a list, the others unread.
struct First<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstOf(PhantomData))
    }
}

struct FirstOf<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOf<T> {
    type Value = First<T>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

/// The text of all parts that are no thoughts, joined; however many there are, nothing else is kept.
#[derive(Default)]
struct Words(String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(WordsOf)
    }
}

struct WordsOf;

impl<'de> Visitor<'de> for WordsOf {
    type Value = Words;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of parts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut words = String::new();
        while let Some(part) = parts.next_element::<Part<'de>>()? {
            let text = part.text.filter(|_| part.thought != Some(true));
            words.push_str(text.as_deref().unwrap_or_default());
        }
        Ok(Words(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Option<(&str, Option<&str>)>) {
        let said = Said::read(body.as_bytes());
        let seen = said.as_ref().map(|it| (&*it.text, it.reason.as_deref()));
        assert_eq!(seen, expected, "{body}");
    }

    #[test]
    fn the_first_candidate_is_heard_without_its_thoughts() {
        let parts = r#"[{"text":"hmm","thought":true},{"text":"a\n"},{"inlineData":{"data":"x"}},{"text":"b","thought":false,"thoughtSignature":"s"}]"#;
        let candidate =
            format!(r#"{{"content":{{"parts":{parts},"role":"model"}},"finishReason":"STOP"}}"#);
        let answer = format!(
            r#"{{"candidates":[{candidate},{{"content":{{"parts":[{{"text":"c"}}]}}}}],"usageMetadata":{{}}}}"#
        );
        check(&answer, Some(("a\nb", Some("STOP"))));
        check(&format!("[{answer}]"), Some(("a\nb", Some("STOP"))));
    }

    #[test]
    fn an_answer_without_text_says_why() {
        for (body, expected) in [
            (
                r#"{"candidates":[{"finishReason":"MAX_TOKENS","content":{"role":"model"}}]}"#,
                ("", Some("MAX_TOKENS")),
            ),
            (
                r#"{"candidates":[{"finishReason":"SAFETY","index":0}]}"#,
                ("", Some("SAFETY")),
            ),
            (
                r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#,
                ("", Some("PROHIBITED_CONTENT")),
            ),
            (r#"{"candidates":[]}"#, ("", None)),
            (r#"{"candidates":null,"promptFeedback":null}"#, ("", None)),
            ("{}", ("", None)),
            (
                r#"{"candidates":[{"finishReason":"<script>"}]}"#,
                ("", None),
            ),
        ] {
            check(body, Some(expected));
        }
    }

    #[test]
    fn what_has_another_shape_is_not_read() {
        for body in [
            "",
            "x",
            "7",
            "[]",
            r#"{"candidates":7}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":7}]}}]}"#,
            r#"{"candidates":[{"content""#,
        ] {
            check(body, None);
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>, text: String) {
            let _ = Said::read(&body);
            let _ = Said::read(format!("{{\"candidates\":[{{\"content\":{text}").as_bytes());
        }
    }
}
