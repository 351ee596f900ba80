//! `/api/v1/chat/generate-text`: a message, what was said before it, and the answer.

use std::fmt::{self, Formatter};

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Wrong, fields};

/// More turns than this are no conversation.
const MOST_TURNS: usize = 4096;

/// A message in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRequest {
    /// What was said, in its order; the message is the last turn.
    pub turns: Vec<Turn>,
    /// The model's name as it was written; none: the default.
    pub model: Option<String>,
}

/// What one side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which side.
    pub role: Role,
    /// Never blank.
    pub text: String,
}

/// A side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who asks.
    User,
    /// Who answers: `assistant` or `model`.
    Model,
    /// What the model is told beforehand.
    System,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    history: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_name: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    role: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

impl ChatRequest {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Self, Wrong> {
        let body: Body<'_> = fields::object(body)?;
        let message = fields::required(body.message, "message")?;
        let mut turns = body.history.map_or_else(|| Ok(Vec::new()), history)?;
        turns.push(Turn {
            role: Role::User,
            text: message,
        });
        Ok(Self {
            turns,
            model: fields::model(body.model, body.model_name)?,
        })
    }
}

/// What was said before. Entries without words are left out: providers refuse them, and nothing is lost.
fn history(value: &RawValue) -> Result<Vec<Turn>, Wrong> {
    let entries: Entries<'_> = serde_json::from_str(value.get()).map_err(|_| {
        let text = format!("`history` must be a list of at most {MOST_TURNS} entries");
        Wrong::new("history", "list_type", text)
    })?;
    let turns = entries.0.into_iter().enumerate();
    let turns = turns.map(|(at, entry)| turn(entry, &format!("history.{at}")));
    let said =
        |turn: &Result<Turn, Wrong>| !matches!(turn, Ok(turn) if turn.text.trim().is_empty());
    turns.filter(said).collect()
}

fn turn(value: &RawValue, at: &str) -> Result<Turn, Wrong> {
    let not_an_entry = || {
        let text = format!("`{at}` must be an object with `role` and `content`");
        Wrong::new(at, "model_type", text)
    };
    if !value.get().starts_with('{') {
        return Err(not_an_entry());
    }
    let entry: Entry<'_> = serde_json::from_str(value.get()).map_err(|_| not_an_entry())?;
    let (role_at, content_at) = (format!("{at}.role"), format!("{at}.content"));
    let name = fields::text(entry.role, &role_at)?.ok_or_else(|| Wrong::missing(&role_at))?;
    let role = role(&name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let text = format!(
            "`{role_at}` is {shown:?}; it must be `user`, `assistant`, `model` or `system`"
        );
        Wrong::new(&role_at, "literal_error", text)
    })?;
    let text = fields::text(entry.content, &content_at)?;
    let text = text.ok_or_else(|| Wrong::missing(&content_at))?;
    Ok(Turn { role, text })
}

fn role(name: &str) -> Option<Role> {
    Some(match name {
        "user" => Role::User,
        "assistant" | "model" => Role::Model,
        "system" => Role::System,
        _ => return None,
    })
}

/// The entries of a list as they are written, if they are not too many.
struct Entries<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesOf)
    }
}

struct EntriesOf;

impl<'de> Visitor<'de> for EntriesOf {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            if entries.len() == MOST_TURNS {
                return Err(A::Error::custom("too many"));
            }
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

/// `{"response_text","model_used"}`
pub fn chat_answer(text: &str, model: &str) -> Vec<u8> {
    json!({"response_text": text, "model_used": model})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: (&str, &str)) {
        let wrong = ChatRequest::read(body.as_bytes()).expect_err(body);
        assert_eq!((&*wrong.at, wrong.kind), expected, "{body}: {wrong}");
    }

    fn history_of(entries: &str) -> String {
        format!(r#"{{"message":"hi","history":[{entries}]}}"#)
    }

    #[test]
    fn turns_keep_their_order_and_blank_ones_are_left_out() {
        let body = r#"{"message":"third","model_name":"m-1","more":{},"history":[
            {"role":"system","content":"be brief","name":"x"},
            {"role":"user","content":"first"},
            {"role":"assistant","content":"second"},
            {"role":"model","content":" "}
        ]}"#;
        let request = ChatRequest::read(body.as_bytes()).unwrap();
        let turns = request.turns.iter();
        let turns: Vec<_> = turns.map(|turn| (turn.role, &*turn.text)).collect();
        let expected = [
            (Role::System, "be brief"),
            (Role::User, "first"),
            (Role::Model, "second"),
            (Role::User, "third"),
        ];
        assert_eq!(turns, expected);
        assert_eq!(request.model.as_deref(), Some("m-1"));
    }

    #[test]
    fn a_message_needs_neither_history_nor_model() {
        for body in [
            r#"{"message":"hi"}"#,
            r#"{"message":"hi","history":null,"model":null}"#,
            r#"{"message":"hi","history":[],"model":""}"#,
        ] {
            let request = ChatRequest::read(body.as_bytes()).unwrap();
            assert_eq!((request.turns.len(), request.model), (1, None), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, expected) in [
            ("", ("", "missing")),
            ("{", ("", "json_invalid")),
            (r#"["hi"]"#, ("", "model_type")),
            ("{}", ("message", "missing")),
            (r#"{"message":7}"#, ("message", "string_type")),
            (r#"{"message":" "}"#, ("message", "string_too_short")),
            (r#"{"message":"hi","model":[]}"#, ("model", "string_type")),
            (r#"{"message":"hi","history":{}}"#, ("history", "list_type")),
            (
                r#"{"message":"hi","history":"x"}"#,
                ("history", "list_type"),
            ),
            (&history_of("7"), ("history.0", "model_type")),
            (&history_of(r#"["user","x"]"#), ("history.0", "model_type")),
            (&history_of("{}"), ("history.0.role", "missing")),
            (
                &history_of(r#"{"role":"user","content":"a"},{"role":"user"}"#),
                ("history.1.content", "missing"),
            ),
            (
                &history_of(r#"{"role":"tool","content":"a"}"#),
                ("history.0.role", "literal_error"),
            ),
            (
                &history_of(r#"{"role":"User","content":"a"}"#),
                ("history.0.role", "literal_error"),
            ),
            (
                &history_of(r#"{"role":"user","content":[{"text":"a"}]}"#),
                ("history.0.content", "string_type"),
            ),
        ] {
            check(body, expected);
        }
    }

    #[test]
    fn an_endless_history_is_refused_before_it_is_kept() {
        let entry = r#"{"role":"user","content":"a"}"#;
        let at_bound = vec![entry; MOST_TURNS].join(",");
        let request = ChatRequest::read(history_of(&at_bound).as_bytes()).unwrap();
        assert_eq!(request.turns.len(), MOST_TURNS + 1);
        let over = format!("{at_bound},{entry}");
        check(&history_of(&over), ("history", "list_type"));
    }

    #[test]
    fn an_answer_has_its_two_fields() {
        let body = String::from_utf8(chat_answer("a", "m-1")).unwrap();
        assert_eq!(body, r#"{"response_text":"a","model_used":"m-1"}"#);
    }
}
