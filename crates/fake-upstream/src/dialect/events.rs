//! A chat completion as a stream. OpenAI opens with the role, sends the arguments of a call in
//! fragments and the usage in a chunk of its own, when asked; xAI sends calls whole; Google repeats
//! the role in each chunk and puts finish reason and usage into the last one with content.

use serde_json::{Value, json};

use super::Flavour;
use super::completion::{Completion, Wording};
use crate::said::Said;
use crate::stand::Stand;
use crate::stream::{Event, Framing};

/// What one chunk says of one choice.
struct Chunk {
    delta: Value,
    finish: Option<String>,
}

impl Chunk {
    fn of(delta: Value) -> Self {
        Self {
            delta,
            finish: None,
        }
    }
}

/// The events of a stream, with at least so many chunks of text.
pub(crate) fn of(
    stand: &Stand,
    completion: &Completion,
    include_usage: bool,
    at_least: usize,
) -> Vec<Event> {
    let mut bodies = Vec::new();
    for index in 0..completion.choices() {
        for chunk in chunks(stand, completion, at_least) {
            let choice = json!({
                "index": index,
                "delta": chunk.delta,
                "finish_reason": chunk.finish,
            });
            bodies.push(completion.envelope("chat.completion.chunk", &json!([choice])));
        }
    }
    add_usage(completion, include_usage, &mut bodies);
    bodies
        .iter()
        .map(|body| Event::plain(Framing::OpenAi.json(body)))
        .collect()
}

fn add_usage(completion: &Completion, include_usage: bool, bodies: &mut Vec<Value>) {
    match completion.flavour {
        Flavour::Google => {
            if let Some(last) = bodies.last_mut() {
                last["usage"] = completion.usage();
            }
        }
        _ if !include_usage => {}
        flavour => {
            if flavour == Flavour::OpenAi {
                for body in bodies.iter_mut() {
                    body["usage"] = Value::Null;
                }
            }
            let mut last = completion.envelope("chat.completion.chunk", &json!([]));
            last["usage"] = completion.usage();
            bodies.push(last);
        }
    }
}

fn chunks(stand: &Stand, completion: &Completion, at_least: usize) -> Vec<Chunk> {
    if completion.flavour == Flavour::Google {
        return google(stand, completion, at_least);
    }
    let mut chunks = opening(completion);
    match &completion.said {
        Said::Text { text, .. } if completion.wording == Wording::Said && !text.is_empty() => {
            let pieces = stand.voice.chunks(text, at_least);
            chunks.extend(
                pieces
                    .into_iter()
                    .map(|piece| Chunk::of(json!({"content": piece}))),
            );
        }
        Said::Calls(calls) => {
            for index in 0..calls.len() {
                chunks.extend(call(completion, index));
            }
        }
        _ => {}
    }
    chunks.push(Chunk {
        delta: json!({}),
        finish: Some(completion.finish.clone()),
    });
    chunks
}

fn opening(completion: &Completion) -> Vec<Chunk> {
    let is_text = matches!(completion.said, Said::Text { .. });
    let content = match completion.flavour {
        Flavour::Xai => json!(""),
        _ if is_text && completion.wording == Wording::Said => json!(""),
        _ => Value::Null,
    };
    let role = json!({"role": "assistant", "content": content});
    match (completion.thought, completion.flavour) {
        (None, _) => vec![Chunk::of(role)],
        (Some(thought), Flavour::Xai) => {
            let mut first = role;
            first["reasoning_content"] = json!(thought);
            vec![Chunk::of(first)]
        }
        (Some(thought), _) => {
            let (head, tail) = thought.split_at(thought.find(',').unwrap_or(0));
            let piece = |text: &str| Chunk::of(json!({"reasoning_content": text}));
            vec![Chunk::of(role), piece(head), piece(tail)]
        }
    }
}

fn call(completion: &Completion, index: usize) -> Vec<Chunk> {
    let mut whole = completion.tool_call(index);
    whole["index"] = json!(index);
    if completion.flavour == Flavour::Xai {
        return vec![Chunk::of(json!({"tool_calls": [whole]}))];
    }
    let arguments = whole["function"]["arguments"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    whole["function"]["arguments"] = json!("");
    let middle = arguments.char_indices().nth(arguments.chars().count() / 2);
    let (head, tail) = arguments.split_at(middle.map_or(0, |(at, _)| at));
    let fragment = |text: &str| {
        let call = json!({"index": index, "function": {"arguments": text}});
        Chunk::of(json!({"tool_calls": [call]}))
    };
    let first = Chunk::of(json!({"tool_calls": [whole]}));
    vec![first, fragment(head), fragment(tail)]
}

fn google(stand: &Stand, completion: &Completion, at_least: usize) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = match &completion.said {
        Said::Text { text, .. } => {
            let pieces = stand.voice.chunks(text, at_least).into_iter();
            let delta = |piece: String| Chunk::of(json!({"role": "assistant", "content": piece}));
            pieces.map(delta).collect()
        }
        Said::Calls(calls) => {
            let indexed = |index| {
                let mut call = completion.tool_call(index);
                call["index"] = json!(index);
                call
            };
            let calls: Vec<Value> = (0..calls.len()).map(indexed).collect();
            vec![Chunk::of(json!({"role": "assistant", "tool_calls": calls}))]
        }
        Said::BlockedPrompt | Said::Unsafe => vec![Chunk::of(json!({"role": "assistant"}))],
    };
    if let Some(last) = chunks.last_mut() {
        last.finish = Some(completion.finish.clone());
    }
    chunks
}
