//! YAML text into a [`Node`] tree with line numbers, within bounds: a file cannot make it recurse or grow without end.
//! Not here: what the fields mean. Next: `layers.rs`.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::Origin;
use crate::findings::Problem;
use crate::shown::safe_name;
use crate::tree::{Entry, Node, Style};

const MAX_DEPTH: usize = 32;
/// How many values aliases (`*name`) may repeat altogether.
const MAX_ALIASED: usize = 10_000;

/// Reads a text of one document; an empty one is null.
///
/// `origin` says where a line of the text is. Duplicate keys and tags are problems that do not end the reading.
pub(crate) fn parse(
    text: &str,
    origin: &dyn Fn(usize) -> Origin,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        origin,
        problems,
        anchors: HashMap::new(),
        aliased: 0,
    };
    match builder.document() {
        Ok(node) => Some(node),
        Err(Fatal { line, text }) => {
            builder.problem(line, text);
            None
        }
    }
}

/// What ends the reading.
struct Fatal {
    line: usize,
    text: String,
}

impl From<ScanError> for Fatal {
    fn from(error: ScanError) -> Self {
        Self {
            line: error.marker().line(),
            text: format!("not valid YAML: {}", error.info()),
        }
    }
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    origin: &'a dyn Fn(usize) -> Origin,
    problems: &'a mut Vec<Problem>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Fatal> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(fatal(line, "a second document begins; expected one"));
                }
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                event => root = Some(self.node(event, span, None, 0)?),
            }
        }
        Ok(root.unwrap_or_else(|| Node::scalar((self.origin)(1), "", Style::Plain)))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Fatal> {
        let event = self.parser.next_event();
        event
            .unwrap_or(Ok((Event::StreamEnd, Span::default())))
            .map_err(Fatal::from)
    }

    /// The value that `event` begins. A list or mapping stands at the line of its key where it has one.
    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        key_line: Option<usize>,
        depth: usize,
    ) -> Result<Node, Fatal> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            let text = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(fatal(line, &text));
        }
        let place = (self.origin)(key_line.unwrap_or(line));
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                // An empty value's span may already be at the next token.
                let empty_at = key_line.filter(|_| text.is_empty());
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    _ => Style::Quoted,
                };
                let origin = (self.origin)(empty_at.unwrap_or(line));
                (Node::scalar(origin, text, style), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                (Node::list(place, self.items(depth)?), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                (Node::map(place, self.entries(depth)?), anchor)
            }
            Event::Alias(anchor) => (self.aliased(anchor, line)?, 0),
            _ => return Err(fatal(line, "not valid YAML: a value was expected")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Fatal> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, None, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Fatal> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(fatal(line, "the name of a field must be plain text")),
            };
            let (event, span) = self.next()?;
            let node = self.node(event, span, Some(line), depth + 1)?;
            if !seen.insert(key.clone()) {
                let name = safe_name(&key);
                self.problem(line, format!("\"{name}\" is set twice in this mapping"));
                continue;
            }
            let key_origin = (self.origin)(line);
            entries.push(Entry {
                key,
                key_origin,
                node,
            });
        }
    }

    fn aliased(&mut self, anchor: usize, line: usize) -> Result<Node, Fatal> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(fatal(
                line,
                "an alias refers to the value that it is part of",
            ));
        };
        self.aliased += node.count();
        if self.aliased > MAX_ALIASED {
            let text = format!("aliases repeat more than {MAX_ALIASED} values");
            return Err(fatal(line, &text));
        }
        Ok(node.clone())
    }

    fn refuse_tag(&mut self, line: usize, tagged: bool) {
        if tagged {
            self.problem(
                line,
                "tags such as !!str are not read; expected a plain value",
            );
        }
    }

    fn problem(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem {
            origin: (self.origin)(line),
            path: String::new(),
            text: text.into(),
        });
    }
}

fn fatal(line: usize, text: &str) -> Fatal {
    Fatal {
        line,
        text: text.to_owned(),
    }
}
