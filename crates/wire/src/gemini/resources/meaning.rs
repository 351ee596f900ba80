//! What the members of a request mean: one row each. What is in no row may name something: the provider refuses members that
//! it does not know, so a row too few refuses too much at worst, and never lets a name pass unread.
//! Sources: providers/gemini.md, sections 2, 3, 7 and 8; google-genai 3.6.1, `types.py` and `_gaos/types`.

use crate::json::Kind;
use crate::members::CUT_NAME;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It may name something.
    Open,
    /// It is there to name something.
    Reference,
    /// The name, or the id, of what the request makes.
    Made,
    /// A text of it names nothing; what else it holds may.
    Text,
    /// An id, without the collection before it.
    Id(Id),
    /// What a function has answered: a text or an object of the function's own, or a list of contents.
    Result,
    /// Nothing in it names anything.
    Foreign,
}

impl Meaning {
    /// What the elements of an array mean that has this meaning; the members of an object have meanings of their own, but
    /// where nothing counts.
    pub(super) fn inside(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Foreign, _) | (Self::Result, Kind::Object) => Self::Foreign,
            // Contents, which may have a file each.
            (Self::Result, _) | (_, Kind::Object) => Self::Open,
            (meaning, _) => meaning,
        }
    }
}

/// What an id is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) collection: &'static str,
    /// It cannot be a word of the provider's own, as `remote` is for an environment.
    pub(super) is_sure: bool,
}

const fn sure(collection: &'static str) -> Meaning {
    Meaning::Id(Id {
        collection,
        is_sure: true,
    })
}

const fn perhaps(collection: &'static str) -> Meaning {
    Meaning::Id(Id {
        collection,
        is_sure: false,
    })
}

/// What a member's value is. `is_outermost`: it is a member of the document itself.
pub(super) fn meaning(member: &str, is_outermost: bool) -> Meaning {
    // Google's `fileName` names a file there; OpenAI's `filename` is what a file is called.
    if member == "filename" {
        return Meaning::Text;
    }
    let mut buffer = [0; CUT_NAME];
    match plain(member, &mut buffer) {
        b"interactionid" | b"previousinteractionid" => sure("interactions"),
        b"environment" | b"environmentid" | b"fromenvironment" | b"baseenvironment" => {
            perhaps("environments")
        }
        b"agent" | b"agentid" | b"baseagent" => perhaps("agents"),
        b"credential" | b"credentialid" => perhaps("credentials"),
        // In OpenAI's shape.
        b"fileid" | b"inputfileid" => perhaps("files"),
        b"voice" | b"voiceid" | b"basevoice" => perhaps("voices"),
        // The options of a model's method, which have this name too, are the caller's wishes and no schema.
        b"parameters" if is_outermost => Meaning::Open,
        // Values of functions, and what they are to look like.
        b"args" | b"arguments" | b"response" | b"parameters" | b"parametersjsonschema"
        | b"responseschema" | b"responsejsonschema" | b"schema" | b"inputschema"
        // What the caller has noted for itself.
        | b"labels" | b"metadata" | b"custommetadata" | b"usermetadata" | b"partmetadata"
        | b"customconfig" => Meaning::Foreign,
        b"result" => Meaning::Result,
        b"uri" | b"url" | b"fileuri" | b"filename" | b"file"
        | b"cachedcontent" | b"filesearchstore" | b"filesearchstorename" | b"filesearchstorenames"
        | b"imageurl" | b"videouri" | b"corpus" | b"ragcorpus" => Meaning::Reference,
        // For people and models.
        b"text" | b"input" | b"content" | b"prompt" | b"title" | b"description" | b"displayname"
        | b"systeminstruction" | b"instructions" | b"negativeprompt" | b"textinput" | b"query"
        | b"question" | b"choices" | b"suffix" | b"refusal" | b"reasoning" | b"reasoningcontent"
        | b"stop" | b"stopsequences" | b"user" | b"safetyidentifier" | b"promptcachekey"
        | b"metadatafilter"
        // Data, programs and what they print, and paths in a sandbox.
        | b"data" | b"code" | b"output" | b"stringvalue" | b"value" | b"target"
        | b"thoughtsignature" => Meaning::Text,
        _ => Meaning::Open,
    }
}

/// A member's name in one spelling: Google takes `snake_case` for `camelCase`, and some readers do not look at case.
fn plain<'a>(member: &str, buffer: &'a mut [u8; CUT_NAME]) -> &'a [u8] {
    let letters = member.bytes().filter(|byte| *byte != b'_');
    let mut length = 0;
    for (slot, letter) in buffer.iter_mut().zip(letters) {
        *slot = letter.to_ascii_lowercase();
        length += 1;
    }
    &buffer[..length]
}
