//! GigaChat's answers in OpenAI's dialect: one document (`document.rs`) or a stream of events (`stream.rs`).
//! `choice.rs` and `usage.rs` translate what both are made of, `failure.rs` what is an error inside a success.
//!
//! Pictures that GigaChat draws stay in the text as it writes them, `<img src="<file id>" fuse="true"/>`: their bytes
//! are at `/files/<file id>/content` of the account.

mod choice;
mod document;
pub(super) mod failure;
mod stream;
mod usage;

use serde_json::{Map, Value};
use wire::gemini::Framing;

use super::Asked;
use crate::Translate;

pub(super) use document::Collected;

/// A JSON object.
type Object = Map<String, Value>;

/// The translator of one chat's answer; whatever is not [`Framing::Sse`] is one document.
pub fn chat_answer(framing: Framing, asked: Asked) -> Box<dyn Translate> {
    match framing {
        Framing::Sse => Box::new(stream::Stream::new(asked)),
        Framing::Json | Framing::JsonArray => Box::new(document::Document::new(asked)),
    }
}

/// The members that every answer and chunk begins with; GigaChat's own come behind them.
fn head(asked: &Asked, object: &str, answer: &mut Object) -> Object {
    let created = answer
        .shift_remove("created")
        .filter(Value::is_i64)
        .unwrap_or_else(|| asked.created_seconds().into());
    let model = answer
        .shift_remove("model")
        .filter(Value::is_string)
        .unwrap_or_else(|| asked.model.clone().into());
    answer.shift_remove("id");
    answer.shift_remove("object");
    Object::from_iter([
        ("id".to_owned(), asked.id.clone().into()),
        ("object".to_owned(), object.into()),
        ("created".to_owned(), created),
        ("model".to_owned(), model),
    ])
}
