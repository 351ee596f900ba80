//! A request of OpenAI's dialect, read without parsing what is only forwarded: bodies are up to 100 MiB, in chunks.
//! What the next parser could understand otherwise is refused, so that nobody shows one request here and another to the
//! provider (`members.rs`). What must change on the way is spliced in by `edit.rs`; nothing here knows a provider.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::json::Kind;
use crate::members::{self, Member, Members, MembersError};
use crate::request::{ModelError, agreed, given_by};

mod edit;

pub use edit::Edit;

/// The longest small member that is read, in bytes of JSON.
const MOST_READ: usize = 4096;

/// Why a request cannot be read; the text is for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The body is not one JSON object by the letter of RFC 8259, or is nested deeper than 64 levels.
    NotAnObject,
    /// The body has more than 256 members.
    TooManyMembers,
    /// A member's value is not what it must be.
    WrongValue {
        /// Which member.
        param: &'static str,
        /// What it must be, for example `true or false`.
        expected: &'static str,
    },
    /// A member's value is longer than any such value is.
    TooLong {
        /// Which member.
        param: &'static str,
    },
    /// A member is given several times, and not always the same.
    Contradictory {
        /// Which member.
        param: String,
    },
}

impl RequestError {
    /// The member at fault, as `param` of an error in OpenAI's shape has it.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::NotAnObject | Self::TooManyMembers => None,
            Self::WrongValue { param, .. } | Self::TooLong { param } => Some(param),
            Self::Contradictory { param } => Some(param),
        }
    }
}

impl Display for RequestError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => {
                f.write_str("the body is not a JSON object, or is nested deeper than 64 levels")
            }
            Self::TooManyMembers => f.write_str("the body has too many members"),
            Self::WrongValue { param, expected } => write!(f, "{param:?} is not {expected}"),
            Self::TooLong { param } => write!(f, "{param:?} is too long"),
            Self::Contradictory { param } => {
                write!(f, "{param:?} is given twice, with different values")
            }
        }
    }
}

impl Error for RequestError {}

impl From<MembersError> for RequestError {
    fn from(error: MembersError) -> Self {
        match error {
            MembersError::Nothing | MembersError::NotAnObject => Self::NotAnObject,
            MembersError::TooMany => Self::TooManyMembers,
        }
    }
}

impl From<ModelError> for RequestError {
    fn from(error: ModelError) -> Self {
        let param = "model";
        match error {
            ModelError::NotAnObject => Self::NotAnObject,
            ModelError::TooManyMembers => Self::TooManyMembers,
            ModelError::NotText => Self::WrongValue {
                param,
                expected: "a text",
            },
            ModelError::TooLong => Self::TooLong { param },
            ModelError::Contradictory => Self::Contradictory {
                param: param.to_owned(),
            },
        }
    }
}

/// A request's body, and where its outermost members stand.
///
/// Members are found by their names as a parser reads them (`"mod\u0065l"`), without regard to case. Where one is given
/// several times, all are the same.
#[derive(Clone, Debug)]
pub struct Request {
    chunks: Arc<[Bytes]>,
    members: Members,
    model: Option<String>,
    is_stream: bool,
    includes_usage: bool,
}

impl Request {
    /// Reads a body as it was received.
    pub fn read(chunks: Arc<[Bytes]>) -> Result<Self, RequestError> {
        let members = Members::read(chunks.iter().map(AsRef::as_ref))?;
        if let Some(member) = members.contradictory(&chunks) {
            return Err(RequestError::Contradictory {
                param: member.name().into_owned(),
            });
        }
        let models = members.named("model");
        let given: Result<Vec<_>, _> = models.map(|member| given_by(&chunks, member)).collect();
        let model = agreed(given?)?;
        let is_stream = truth(&chunks, &members, "stream")?;
        let includes_usage = includes_usage(&chunks, &members)?;
        Ok(Self {
            chunks,
            members,
            model,
            is_stream,
            includes_usage,
        })
    }

    /// The model it asks for; none where that is missing, null or empty.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// It asks for a stream.
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// It asks for the usage in the stream: `stream_options.include_usage`.
    pub fn includes_usage(&self) -> bool {
        self.includes_usage
    }

    /// It has this member, be it null.
    pub fn has(&self, member: &str) -> bool {
        self.members.named(member).next().is_some()
    }

    /// The text of a member; none where it is no text, or longer than 4 KiB.
    pub fn text(&self, member: &str) -> Option<String> {
        let member = self.members.named(member).next()?;
        serde_json::from_slice(&self.written(member)?).ok()
    }

    /// The body in one piece, for those who parse it; copied only where it came in several.
    pub fn whole(&self) -> Bytes {
        if let [chunk] = &*self.chunks {
            return chunk.clone();
        }
        let mut whole = BytesMut::with_capacity(self.chunks.iter().map(Bytes::len).sum());
        for chunk in &*self.chunks {
            whole.extend_from_slice(chunk);
        }
        whole.freeze()
    }

    /// The body as it was received.
    pub fn chunks(&self) -> &Arc<[Bytes]> {
        &self.chunks
    }

    /// The beginning of a changed copy.
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }

    /// A member's value as it is written, unless it is large.
    fn written(&self, member: &Member) -> Option<Cow<'_, [u8]>> {
        members::gathered(&self.chunks, &member.value, MOST_READ)
    }
}

/// A member that is true, false, null or missing.
fn truth(
    chunks: &[impl AsRef<[u8]>],
    members: &Members,
    param: &'static str,
) -> Result<bool, RequestError> {
    let Some(member) = members.named(param).next() else {
        return Ok(false);
    };
    match members::gathered(chunks, &member.value, MOST_READ).as_deref() {
        Some(b"true") => Ok(true),
        Some(b"false" | b"null") => Ok(false),
        _ => Err(RequestError::WrongValue {
            param,
            expected: "true or false",
        }),
    }
}

fn includes_usage(chunks: &[Bytes], members: &Members) -> Result<bool, RequestError> {
    let param = "stream_options";
    let Some(member) = members.named(param).next() else {
        return Ok(false);
    };
    let options = members::gathered(chunks, &member.value, MOST_READ)
        .ok_or(RequestError::TooLong { param })?;
    match (member.kind, &*options) {
        (Kind::Word, b"null") => return Ok(false),
        (Kind::Object, _) => {}
        _ => {
            return Err(RequestError::WrongValue {
                param,
                expected: "an object",
            });
        }
    }
    let members = Members::read([&*options])?;
    if members.contradictory(&[&*options]).is_some() {
        return Err(RequestError::Contradictory {
            param: param.to_owned(),
        });
    }
    truth(&[&*options], &members, "include_usage")
}

#[cfg(test)]
mod tests;
