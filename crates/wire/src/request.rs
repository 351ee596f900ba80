//! Which model a JSON request asks for where its path names none, read out of the body's chunks as they lie.
//! What another parser could understand otherwise is an error: nobody may show one model here and another to the
//! provider. `json.rs` cuts the body; every container is entered, because what it skips it does not check.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::json::{Kind, Scanner, Visitor, Want};

/// The longest name of a model, in characters.
const LONGEST: usize = 200;
/// The same in bytes of JSON: a character takes at most two escapes `\uXXXX`.
const LONGEST_WRITTEN: usize = LONGEST * 12;
/// From this many bytes on, the scanner may have cut a member's name.
const CUT_NAME: usize = 64;

/// Why it cannot be said which model a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The body is not one JSON object by the letter of RFC 8259, or is nested deeper than 64 levels.
    NotAnObject,
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
    let mut scanner = Scanner::default();
    let mut finder = Finder::default();
    for chunk in chunks {
        scanner.push(chunk, &mut finder);
        if let Some(error) = finder.error {
            return Err(error);
        }
        if scanner.is_malformed() {
            return Err(ModelError::NotAnObject);
        }
    }
    if scanner.is_started() && !scanner.is_done() {
        return Err(ModelError::NotAnObject);
    }
    Ok(match finder.found {
        Given::Text(model) if !model.is_empty() => Some(model),
        _ => None,
    })
}

/// What the next member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Member {
    Model,
    Batch,
    #[default]
    Other,
}

/// What was given as the model. Null is a value of its own: some take it for an earlier value's end, some do not.
#[derive(Debug, Default, PartialEq, Eq)]
enum Given {
    #[default]
    Nothing,
    Null,
    Text(String),
}

/// The visitor that looks for the model.
#[derive(Debug, Default)]
struct Finder {
    /// Containers that are open.
    depth: usize,
    in_batch: bool,
    member: Member,
    /// The kind of the value that is kept.
    is_text: bool,
    found: Given,
    error: Option<ModelError>,
}

impl Finder {
    /// The members of the object entered last may name the model.
    fn is_looking(&self) -> bool {
        self.depth == 1 || (self.in_batch && self.depth == 2)
    }

    fn begin_model(&mut self, kind: Kind) -> Want {
        self.is_text = kind == Kind::String;
        match kind {
            Kind::String => Want::Keep(LONGEST_WRITTEN),
            Kind::Word => Want::Keep(b"null".len()),
            Kind::Object | Kind::Array => {
                self.fail(ModelError::NotText);
                Want::Skip
            }
        }
    }

    fn add(&mut self, given: Given) {
        if self.found == Given::Nothing {
            self.found = given;
        } else if self.found != given {
            self.fail(ModelError::Contradictory);
        }
    }

    fn fail(&mut self, error: ModelError) {
        self.error.get_or_insert(error);
    }
}

impl Visitor for Finder {
    fn name(&mut self, name: &[u8]) {
        if self.is_looking() {
            match member(name) {
                Ok(member) => self.member = member,
                Err(error) => self.fail(error),
            }
        }
    }

    fn begin(&mut self, kind: Kind) -> Want {
        if self.depth == 0 && kind != Kind::Object {
            self.fail(ModelError::NotAnObject);
        }
        if self.is_looking() && self.member == Member::Model {
            return self.begin_model(kind);
        }
        if matches!(kind, Kind::String | Kind::Word) {
            return Want::Skip;
        }
        self.in_batch |= self.depth == 1 && self.member == Member::Batch && kind == Kind::Object;
        self.depth += 1;
        Want::Enter
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        let given = match (self.is_text, whole) {
            (true, true) => read_model(text).map(Given::Text),
            (true, false) => Err(ModelError::TooLong),
            (false, true) if text == b"null" => Ok(Given::Null),
            (false, _) => Err(ModelError::NotText),
        };
        match given {
            Ok(given) => self.add(given),
            Err(error) => self.fail(error),
        }
    }

    fn leave(&mut self, _end: usize) {
        self.depth = self.depth.saturating_sub(1);
        self.in_batch &= self.depth > 1;
    }
}

/// Which member a name means, to whoever reads it. Some parsers do not tell `Model` from `model`.
fn member(name: &[u8]) -> Result<Member, ModelError> {
    let unescaped;
    let name = if !name.contains(&b'\\') {
        name
    } else if name.len() < CUT_NAME {
        unescaped = unescape(name)?;
        unescaped.as_bytes()
    } else {
        return Err(ModelError::NotAnObject);
    };
    Ok(if name.eq_ignore_ascii_case(b"model") {
        Member::Model
    } else if name.eq_ignore_ascii_case(b"batch") {
        Member::Batch
    } else {
        Member::Other
    })
}

fn read_model(text: &[u8]) -> Result<String, ModelError> {
    let model = unescape(text)?;
    if model.chars().count() > LONGEST {
        return Err(ModelError::TooLong);
    }
    if model.contains(char::is_control) {
        return Err(ModelError::NotText);
    }
    Ok(model)
}

/// The text of a JSON string without its quotes. Escapes that JSON does not have are read differently by those who
/// forgive them.
fn unescape(text: &[u8]) -> Result<String, ModelError> {
    let quoted = [b"\"", text, b"\""].concat();
    serde_json::from_slice(&quoted).map_err(|_| ModelError::NotAnObject)
}

#[cfg(test)]
mod tests;
