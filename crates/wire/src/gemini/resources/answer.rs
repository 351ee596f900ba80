//! What an answer says was made.

use domain::ResourceName;

use super::{Addresses, LONGEST, Look, Reading, is_of_interactions, plain_text};
use crate::json::{Kind, Scanner, Visitor, Want};
use crate::openai::resources::DEFERRED_COMPLETIONS;

/// What an answer tells of what was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The names, each once.
    pub names: Vec<ResourceName>,
    /// When the first of them expires, as it is written.
    pub expires: Option<String>,
}

/// What an answer says was made, as far as it is here. `of_id` is the collection of what has an `id` and no name.
/// Only the answer's own members count: much of an answer may be what the caller has sent, or what a model says.
pub fn in_answer<'a>(
    of_id: Option<&'static str>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    is_google: impl Fn(&str) -> bool,
) -> Told {
    let mut scanner = Scanner::default();
    let mut reader = AnswerReader {
        of_id,
        addresses: Addresses(is_google),
        path: Vec::new(),
        next: Step::Top,
        member: Made::Nothing,
        told: Told::default(),
    };
    for chunk in chunks {
        scanner.push(chunk, &mut reader);
    }
    reader.told
}

/// What the text of a member of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Nothing,
    Name,
    /// The id of one of this collection.
    Id(&'static str),
    /// When it expires.
    Expiry,
}

/// The visitor of an answer.
struct AnswerReader<F> {
    of_id: Option<&'static str>,
    addresses: Addresses<F>,
    /// The containers that are open.
    path: Vec<Step>,
    /// Where the value that comes next leads, if it is a container.
    next: Step,
    member: Made,
    told: Told,
}

/// A member that leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Top,
    File,
    Response,
    Video,
    Output,
    Metadata,
    Other,
}

impl<F: Fn(&str) -> bool> AnswerReader<F> {
    fn step(&self, member: &str) -> Step {
        match (self.path.as_slice(), member) {
            ([Step::Top], "file") => Step::File,
            ([Step::Top], "response") => Step::Response,
            ([Step::Top], "metadata") => Step::Metadata,
            ([Step::Top, Step::Metadata], "output") => Step::Output,
            ([Step::Top, Step::Response, ..], "video" | "generatedVideo") => Step::Video,
            _ => Step::Other,
        }
    }

    fn made(&self, member: &str) -> Made {
        match (self.path.as_slice(), member) {
            ([Step::Top], "id") => self.of_id.map_or(Made::Nothing, Made::Id),
            ([Step::Top], "request_id") if self.of_id == Some(DEFERRED_COMPLETIONS) => {
                Made::Id(DEFERRED_COMPLETIONS)
            }
            ([Step::Top], "environment_id") if self.of_id.is_some_and(is_of_interactions) => {
                Made::Id("environments")
            }
            ([Step::Top] | [Step::Top, Step::File], "name")
            | ([Step::Top], "output_file_id" | "error_file_id")
            | (
                [Step::Top, Step::Response] | [Step::Top, Step::Metadata, Step::Output],
                "responsesFile",
            )
            | ([.., Step::Video], "uri") => Made::Name,
            ([Step::Top] | [Step::Top, Step::File], "expirationTime" | "expireTime") => {
                Made::Expiry
            }
            _ => Made::Nothing,
        }
    }

    fn tell(&mut self, text: &str) {
        let name = match self.member {
            Made::Nothing => None,
            Made::Expiry => {
                self.told.expires.get_or_insert_with(|| text.to_owned());
                None
            }
            Made::Id(collection) => {
                let known = text.strip_prefix(collection);
                let id = known
                    .and_then(|rest| rest.strip_prefix('/'))
                    .unwrap_or(text);
                ResourceName::new(&format!("{collection}/{id}"))
            }
            Made::Name => match self.addresses.read(text, Look::Anything) {
                Reading::Name(name) => Some(name),
                Reading::Nothing | Reading::Hidden => None,
            },
        };
        if let Some(name) = name
            && !self.told.names.contains(&name)
        {
            self.told.names.push(name);
        }
    }
}

impl<F: Fn(&str) -> bool> Visitor for AnswerReader<F> {
    fn name(&mut self, name: &[u8]) {
        let name = plain_text(name).unwrap_or_default();
        self.member = self.made(&name);
        self.next = self.step(&name);
    }

    fn begin(&mut self, kind: Kind) -> Want {
        match kind {
            Kind::Object | Kind::Array => {
                self.path.push(self.next);
                self.next = Step::Other;
                Want::Enter
            }
            Kind::String if self.member != Made::Nothing => Want::Keep(LONGEST),
            Kind::String | Kind::Word => Want::Skip,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        if let Some(text) = plain_text(text).filter(|_| whole) {
            self.tell(&text);
        }
    }

    fn leave(&mut self, _: usize) {
        self.path.pop();
        (self.next, self.member) = (Step::Other, Made::Nothing);
    }
}
