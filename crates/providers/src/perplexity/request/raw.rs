//! Values of a caller's body, looked at without being copied; what they should be and are not is refused by name.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Refused;
use crate::perplexity::members::Members;

/// Characters of a wrong value that are repeated to the caller.
const SHOWN: usize = 40;

/// A refusal of a parameter; without one where the body as a whole is wrong.
pub(in crate::perplexity) fn refuse(
    param: impl Into<String>,
    message: impl Into<String>,
) -> Refused {
    let param = param.into();
    Refused {
        message: message.into(),
        param: (!param.is_empty()).then_some(param),
    }
}

/// The members of a body.
pub(in crate::perplexity) fn read_members(body: &[u8]) -> Result<Members<'_>, Refused> {
    let no_object = |why: &str| refuse("", format!("the body is not a JSON object: {why}"));
    let text = std::str::from_utf8(body).map_err(|error| no_object(&error.to_string()))?;
    serde_json::from_str(text).map_err(|error| no_object(&error.to_string()))
}

/// The value as an error message repeats it.
pub(in crate::perplexity) fn shown(value: &RawValue) -> String {
    let text = value.get();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn wrong(value: &RawValue, param: &str, expected: &str) -> Refused {
    let message = format!("\"{param}\" is {}: it must be {expected}", shown(value));
    refuse(param, message)
}

pub(super) fn is_text(value: &RawValue) -> bool {
    value.get().starts_with('"')
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The value itself, if it is a text.
pub(super) fn as_text<'a>(value: &'a RawValue, param: &str) -> Result<&'a RawValue, Refused> {
    if is_text(value) {
        Ok(value)
    } else {
        Err(wrong(value, param, "a text"))
    }
}

/// The text, unescaped.
pub(in crate::perplexity) fn text(value: &RawValue, param: &str) -> Result<String, Refused> {
    serde_json::from_str(value.get()).map_err(|_| wrong(value, param, "a text"))
}

pub(super) fn flag(value: &RawValue, param: &str) -> Result<bool, Refused> {
    serde_json::from_str(value.get()).map_err(|_| wrong(value, param, "true or false"))
}

/// A whole number of at least 1.
pub(super) fn count(value: &RawValue, param: &str) -> Result<u64, Refused> {
    let number = serde_json::from_str(value.get()).ok();
    number
        .filter(|&number| number > 0)
        .ok_or_else(|| wrong(value, param, "a whole number of at least 1"))
}

/// The elements of a list.
pub(in crate::perplexity) fn elements<'a>(
    value: &'a RawValue,
    param: &str,
) -> Result<Vec<&'a RawValue>, Refused> {
    serde_json::from_str(value.get()).map_err(|_| wrong(value, param, "a list"))
}

/// The members of interest of an object.
pub(super) fn object<'a, T: Deserialize<'a>>(
    value: &'a RawValue,
    param: &str,
) -> Result<T, Refused> {
    let read = is_object(value).then(|| serde_json::from_str(value.get()).ok());
    read.flatten()
        .ok_or_else(|| wrong(value, param, "an object"))
}

/// The value as a tree, for what is small; nesting is limited.
pub(super) fn tree(value: &RawValue, param: &str) -> Result<Value, Refused> {
    serde_json::from_str(value.get()).map_err(|_| wrong(value, param, "JSON of at most 128 levels"))
}
