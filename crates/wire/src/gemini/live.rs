//! Messages of the Live API, and of realtime APIs that are like OpenAI's, read as they pass: what a session has taken, and
//! by which handle it can be resumed. Audio is skipped, however much of it there is.
//!
//! Google counts tokens per turn, the whole context each time: counts replace each other within a turn, and turns add up.

use domain::Usage;
use serde::Deserialize;

use super::counts::Counts;
use super::fields::{Act, Slot, usage};
use crate::json::{Kind, Scanner, Visitor, Want};
use crate::openai::fields as openai;

/// The longest handle that is read.
const LONGEST_HANDLE: usize = 4096;

/// What the first message of a session asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The model without `models/`; empty where none is named.
    pub model: String,
    /// The session that it goes on with.
    pub handle: Option<String>,
}

impl Setup {
    /// Reads the message; none where it is no `setup`, or says something twice.
    pub fn read(message: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct First {
            setup: Asked,
        }
        #[derive(Deserialize)]
        struct Asked {
            model: Option<String>,
            #[serde(alias = "session_resumption")]
            #[serde(rename = "sessionResumption")]
            resumption: Option<Resumption>,
        }
        #[derive(Deserialize)]
        struct Resumption {
            handle: Option<String>,
        }
        let First { setup } = serde_json::from_slice(message).ok()?;
        let model = setup.model.unwrap_or_default();
        let handle = setup.resumption.and_then(|resumption| resumption.handle);
        Some(Self {
            model: super::models::model_id(&model).to_owned(),
            handle: handle.filter(|handle| !handle.is_empty()),
        })
    }
}

/// What a message told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// By which the session can be resumed from now on.
    pub handle: Option<Box<str>>,
    /// Tokens were counted.
    pub has_usage: bool,
}

/// Reads what the provider's side says, message after message.
#[derive(Debug, Default)]
pub struct LiveScan {
    scanner: Scanner,
    /// Of turns that are over.
    before: Option<Usage>,
    /// Of the turn that is not.
    turn: Option<Usage>,
    is_between_turns: bool,
}

impl LiveScan {
    /// Reads a whole message.
    pub fn read(&mut self, message: &[u8]) -> Heard {
        let mut reader = Reader::default();
        self.scanner.reset();
        self.scanner.push(message, &mut reader);
        if reader.begins_turn {
            self.is_between_turns = false;
        }
        if let Some(usage) = reader.usage
            && let Some(replaced) = self.turn.replace(usage)
            && reader.is_of_one_response
        {
            self.before = Some(sum(self.before, replaced));
        }
        if reader.ends_turn || self.is_between_turns {
            self.is_between_turns = true;
            if let Some(turn) = self.turn.take() {
                self.before = Some(sum(self.before, turn));
            }
        }
        Heard {
            handle: reader.handle,
            has_usage: reader.usage.is_some(),
        }
    }

    /// What the session has taken so far; none: nothing was counted.
    pub fn usage(&self) -> Option<Usage> {
        match self.turn {
            Some(turn) => Some(sum(self.before, turn)),
            None => self.before,
        }
    }
}

fn sum(before: Option<Usage>, turn: Usage) -> Usage {
    let before = before.unwrap_or_default();
    Usage {
        prompt: before.prompt.saturating_add(turn.prompt),
        output: before.output.saturating_add(turn.output),
        reasoning: before.reasoning.saturating_add(turn.reasoning),
        cached: before.cached.saturating_add(turn.cached),
        tool: before.tool.saturating_add(turn.tool),
        total: before.total.saturating_add(turn.total),
    }
}

/// A container that is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Message,
    ServerContent,
    Usage,
    Update,
    /// Of OpenAI's kind.
    Response,
    ResponseUsage,
}

/// A value that is kept.
#[derive(Clone, Copy, Debug)]
enum Field {
    TurnComplete,
    Handle,
    Count(Slot),
}

/// The visitor of one message.
#[derive(Debug, Default)]
struct Reader {
    path: Vec<Node>,
    next: Option<Node>,
    field: Option<Field>,
    counts: Counts,
    usage: Option<Usage>,
    handle: Option<Box<str>>,
    begins_turn: bool,
    ends_turn: bool,
    /// The usage is that of one response, and no running total.
    is_of_one_response: bool,
}

impl Reader {
    fn count(&mut self, act: Act) {
        if let Act::Keep(slot) = act {
            self.field = Some(Field::Count(slot));
        }
    }
}

impl Visitor for Reader {
    fn name(&mut self, name: &[u8]) {
        self.next = None;
        self.field = None;
        match self.path.last() {
            Some(Node::Message) => {
                self.next = match name {
                    b"serverContent" => Some(Node::ServerContent),
                    b"usageMetadata" => Some(Node::Usage),
                    b"sessionResumptionUpdate" => Some(Node::Update),
                    b"response" => Some(Node::Response),
                    _ => None,
                };
                self.begins_turn |= matches!(name, b"serverContent" | b"toolCall");
            }
            Some(Node::ServerContent) if name == b"turnComplete" => {
                self.field = Some(Field::TurnComplete);
            }
            Some(Node::Update) if name == b"newHandle" => self.field = Some(Field::Handle),
            Some(Node::Response) if name == b"usage" => self.next = Some(Node::ResponseUsage),
            Some(Node::Usage) => self.count(usage(name)),
            Some(Node::ResponseUsage) => self.count(openai::usage(name)),
            _ => {}
        }
    }

    fn begin(&mut self, kind: Kind) -> Want {
        if self.path.is_empty() {
            self.next = Some(Node::Message);
        }
        match (kind, self.next.take(), self.field) {
            (Kind::Object, Some(node), _) => {
                self.path.push(node);
                Want::Enter
            }
            (Kind::Word, None, Some(Field::TurnComplete)) => Want::Keep(5),
            (Kind::String, None, Some(Field::Handle)) => Want::Keep(LONGEST_HANDLE),
            (Kind::Word | Kind::String, None, Some(Field::Count(_))) => Want::Keep(20),
            _ => {
                self.field = None;
                Want::Skip
            }
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        match self.field.take() {
            Some(Field::TurnComplete) => self.ends_turn |= text == b"true",
            Some(Field::Handle) if whole && !text.is_empty() => {
                self.handle = crate::members::unescape(text).map(String::into_boxed_str);
            }
            Some(Field::Count(slot)) => self.counts.set(slot, text),
            _ => {}
        }
    }

    fn leave(&mut self, _end: usize) {
        match self.path.pop() {
            Some(Node::Usage) => self.usage = Some(self.counts.googles()),
            Some(Node::ResponseUsage) => {
                self.usage = self.counts.by_total();
                self.is_of_one_response = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(messages: &[&str]) -> Option<(u32, u32, u32)> {
        let mut scan = LiveScan::default();
        for message in messages {
            scan.read(message.as_bytes());
        }
        let usage = scan.usage();
        usage.map(|usage| (usage.prompt, usage.output, usage.total))
    }

    const SAYS: &str =
        r#"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAAA\"}"}}]}}}"#;
    const ENDS: &str = r#"{"serverContent":{"turnComplete":true}}"#;

    fn counted(prompt: u32, output: u32) -> String {
        let total = prompt + output;
        format!(
            r#"{{"usageMetadata":{{"promptTokenCount":{prompt},"responseTokenCount":{output},"totalTokenCount":{total}}}}}"#
        )
    }

    #[test]
    fn counts_replace_each_other_within_a_turn_and_turns_add_up() {
        let (one, two) = (counted(3, 4), counted(3, 9));
        assert_eq!(scan(&[SAYS, ENDS]), None);
        assert_eq!(scan(&[SAYS, &one, SAYS, &two]), Some((3, 9, 12)));
        assert_eq!(scan(&[SAYS, &one, ENDS, SAYS, &two]), Some((6, 13, 19)));
        // Told after the end of its turn, each one is a turn's.
        assert_eq!(
            scan(&[SAYS, ENDS, &one, SAYS, ENDS, &two]),
            Some((6, 13, 19))
        );
        let both = r#"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}"#;
        assert_eq!(scan(&[both, both]), Some((2, 0, 2)));
    }

    #[test]
    fn responses_of_a_realtime_api_add_up() {
        let done = r#"{"type":"response.done","response":{"usage":{"input_tokens":2,"output_tokens":5,"total_tokens":7}}}"#;
        let begun = r#"{"type":"response.created","response":{"usage":null}}"#;
        assert_eq!(scan(&[begun, done, begun, done]), Some((4, 10, 14)));
    }

    #[test]
    fn a_handle_is_read_and_nothing_else_is_taken_for_one() {
        let mut scan = LiveScan::default();
        let update = r#"{"sessionResumptionUpdate":{"newHandle":"a\u002fb","resumable":true}}"#;
        assert_eq!(scan.read(update.as_bytes()).handle.as_deref(), Some("a/b"));
        let other = r#"{"serverContent":{"newHandle":"x"},"newHandle":"y"}"#;
        assert_eq!(scan.read(other.as_bytes()).handle, None);
        assert_eq!(scan.read(b"\xff{").handle, None);
    }

    #[test]
    fn a_setup_names_its_model_and_the_session_it_goes_on_with() {
        let check = |message: &str, expected: Option<(&str, Option<&str>)>| {
            let read = Setup::read(message.as_bytes());
            let seen = read.as_ref().map(|it| (&*it.model, it.handle.as_deref()));
            assert_eq!(seen, expected, "{message}");
        };
        check(r#"{"setup":{"model":"models/m"}}"#, Some(("m", None)));
        check(
            r#"{"setup":{"mod\u0065l":"m","session_resumption":{"handle":"h"}}}"#,
            Some(("m", Some("h"))),
        );
        check(r#"{"setup":{"sessionResumption":{}}}"#, Some(("", None)));
        check(r#"{"setup":{"model":"a","model":"b"}}"#, None);
        check(r#"{"setup":{},"setup":{"model":"b"}}"#, None);
        check(r#"{"clientContent":{}}"#, None);
        check("[]", None);
    }
}
