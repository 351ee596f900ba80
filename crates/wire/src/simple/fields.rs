//! The members of a request of the simple dialect, read with a complaint that names the one at fault. Members that are
//! not known are skipped without being kept, whatever they hold; null is as good as missing.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

/// What is wrong with a request; the text is for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The way to the value with points between, for example `history.2.role`; empty for the body itself.
    pub at: String,
    /// What kind of mistake it is, in the words of `FastAPI`, for example `missing`.
    pub kind: &'static str,
    /// One sentence that names the value.
    pub message: String,
}

impl Wrong {
    /// A mistake at this place.
    pub fn new(at: impl Into<String>, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            kind,
            message: message.into(),
        }
    }

    /// Something that has to be there is not.
    pub fn missing(at: &str) -> Self {
        Self::new(at, "missing", format!("`{at}` is missing"))
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

/// Reads a body that is one JSON object, each of its members at most once.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Wrong> {
    match body.trim_ascii_start().first() {
        None => {
            let text = "the body is empty; send a JSON object";
            return Err(Wrong::new("", "missing", text));
        }
        // Serde takes an array for the members in their order.
        Some(b'[') => return Err(not_an_object()),
        Some(_) => {}
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data if !error.to_string().contains("duplicate field") => not_an_object(),
        _ => {
            let text = format!("the body is not good JSON: {error}");
            Wrong::new("", "json_invalid", text)
        }
    })
}

fn not_an_object() -> Wrong {
    Wrong::new("", "model_type", "the body is not a JSON object")
}

/// A member that is a text; none where it is missing.
pub(super) fn text(value: Option<&RawValue>, at: &str) -> Result<Option<String>, Wrong> {
    let Some(value) = value else { return Ok(None) };
    let text = serde_json::from_str(value.get())
        .map_err(|_| Wrong::new(at, "string_type", format!("`{at}` must be a string")))?;
    Ok(Some(text))
}

/// A member that is a text and says something.
pub(super) fn required(value: Option<&RawValue>, at: &str) -> Result<String, Wrong> {
    let text = text(value, at)?.ok_or_else(|| Wrong::missing(at))?;
    if text.trim().is_empty() {
        let message = format!("`{at}` must not be blank");
        return Err(Wrong::new(at, "string_too_short", message));
    }
    Ok(text)
}

/// The model that `model` or `model_name` asks for; none where neither does. An empty name asks for none.
pub(super) fn model(
    model: Option<&RawValue>,
    model_name: Option<&RawValue>,
) -> Result<Option<String>, Wrong> {
    let given = |text: &String| !text.is_empty();
    let model = text(model, "model")?.filter(given);
    let other = text(model_name, "model_name")?.filter(given);
    match (&model, &other) {
        (Some(one), Some(two)) if one != two => Err(Wrong::new(
            "model_name",
            "value_error",
            "`model` and `model_name` mean the same and differ; send one of them",
        )),
        _ => Ok(model.or(other)),
    }
}
