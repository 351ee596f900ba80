//! Which model a JSON request asks for where its path names none, read out of the body's chunks as they lie.
//! What another parser could understand otherwise is an error: nobody may show one model here and another to the
//! provider. `members.rs` finds the members; requests of OpenAI's dialect are read by `openai/request.rs`.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::json::Kind;
use crate::members::{self, Member, Members, MembersError};

/// The longest name of a model, in characters.
const LONGEST: usize = 200;
/// The same in bytes of JSON, with the quotes: a character takes at most two escapes `\uXXXX`.
const LONGEST_WRITTEN: usize = LONGEST * 12 + 2;

/// Why it cannot be said which model a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The body is not one JSON object by the letter of RFC 8259, or is nested deeper than 64 levels.
    NotAnObject,
    /// The body has more members than any request.
    TooManyMembers,
    /// The model is neither text nor null, or has control characters.
    NotText,
    /// The model is longer than 200 characters.
    TooLong,
    /// The model is given several times, and not always the same.
    Contradictory,
}

impl Display for ModelError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the body is not a JSON object"),
            Self::TooManyMembers => f.write_str("the body has too many members"),
            Self::NotText => f.write_str("\"model\" is not a text"),
            Self::TooLong => write!(f, "\"model\" is longer than {LONGEST} characters"),
            Self::Contradictory => f.write_str("\"model\" is given twice, with different values"),
        }
    }
}

impl Error for ModelError {}

/// The model that a body asks for: its member `model`, or that of its member `batch`, as it is written there.
///
/// None where there is no such member, where it is null or empty, and where there is no body. All of the body is
/// read unless it is in error, since parsers take the last of several members of one name.
pub fn model<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<String>, ModelError> {
    let chunks: Vec<&[u8]> = chunks.into_iter().collect();
    let mut given = Vec::new();
    for member in members_of(&chunks)?.all() {
        if member.is_named("model") {
            given.push(given_by(&chunks, member)?);
        } else if member.is_named("batch") && member.kind == Kind::Object {
            let batch: Vec<&[u8]> = members::slices(&chunks, &member.value).collect();
            for member in members_of(&batch)?.named("model") {
                given.push(given_by(&batch, member)?);
            }
        }
    }
    agreed(given)
}

fn members_of(chunks: &[&[u8]]) -> Result<Members, ModelError> {
    match Members::read(chunks.iter().copied()) {
        Ok(members) => Ok(members),
        Err(MembersError::Nothing) => Ok(Members::default()),
        Err(MembersError::NotAnObject) => Err(ModelError::NotAnObject),
        Err(MembersError::TooMany) => Err(ModelError::TooManyMembers),
    }
}

/// The one model that all name; none where it is null or empty. Null is a value of its own: some take it for an
/// earlier value's end, some do not.
pub(crate) fn agreed(given: Vec<Option<String>>) -> Result<Option<String>, ModelError> {
    let mut given = given.into_iter();
    let first = given.next().flatten();
    if given.any(|other| other != first) {
        return Err(ModelError::Contradictory);
    }
    Ok(first.filter(|model| !model.is_empty()))
}

/// What a member gives as the model: a text, or null.
pub(crate) fn given_by(
    chunks: &[impl AsRef<[u8]>],
    member: &Member,
) -> Result<Option<String>, ModelError> {
    let written = members::gathered(chunks, &member.value, LONGEST_WRITTEN);
    match (member.kind, written) {
        (Kind::String, None) => Err(ModelError::TooLong),
        (Kind::String, Some(quoted)) => read_model(&quoted).map(Some),
        (Kind::Word, Some(word)) if &*word == b"null" => Ok(None),
        _ => Err(ModelError::NotText),
    }
}

fn read_model(quoted: &[u8]) -> Result<String, ModelError> {
    let model: String = serde_json::from_slice(quoted).map_err(|_| ModelError::NotAnObject)?;
    if model.chars().count() > LONGEST {
        return Err(ModelError::TooLong);
    }
    if model.contains(char::is_control) {
        return Err(ModelError::NotText);
    }
    Ok(model)
}

#[cfg(test)]
mod tests;
