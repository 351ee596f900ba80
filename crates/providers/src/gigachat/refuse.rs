//! How a request is refused: with the member at fault, and a sentence that quotes no more of it than a line.

use crate::Refused;

/// The longest sentence, in characters: what is quoted may be as long as the request.
const LONGEST: usize = 400;

/// A refusal because of one member, for example `messages[3].content[1]`.
pub(super) fn member(at: impl Into<String>, message: impl Into<String>) -> Refused {
    Refused {
        message: short(message.into()),
        param: Some(at.into()),
    }
}

/// A refusal of the body as a whole.
pub(super) fn body(message: impl Into<String>) -> Refused {
    Refused {
        message: short(message.into()),
        param: None,
    }
}

fn short(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push('…');
    }
    message
}
