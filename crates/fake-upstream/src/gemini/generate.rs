//! `generateContent` and `streamGenerateContent`: from a request to an answer in its framing.
//! The order is Google's: the body is checked, the model found, quota charged, resources looked up.

use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::answer::{
    Answer, Candidate, Frame, Part, candidate, signature, spoken_events, unsafe_candidate,
};
use crate::gemini::prompt::text_field;
use crate::gemini::strict;
use crate::keys::Caller;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::reply::{Reply, pretty};
use crate::rule::{EmptyKind, Midway};
use crate::sample;
use crate::stand::Stand;
use crate::stream::{self, Event, Framing};
use crate::voice::{padded, tokens};

const THOUGHT: &str = "**Considering the question**\n\nI look at what is asked, then answer.";
const THOUGHT_TOKENS: u64 = 24;

/// What a model has to say to a prompt.
#[derive(Debug)]
pub(super) enum Said {
    Text {
        text: String,
        finish_reason: &'static str,
    },
    Call {
        name: String,
        args: Value,
    },
    BlockedPrompt,
    Unsafe,
}

/// Answers a generating call on `model`.
pub(crate) fn serve(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    model: &str,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    let request = strict::json_body(call)?;
    strict::check_generate(&request)?;
    let prompt = Prompt::read(&request);
    stand.ledger.charge(caller, model, prompt.tokens)?;
    let notes = stand.files.notes(caller, &prompt.file_uris)?;
    stand.owned.check_stores(caller, &request)?;
    let cached = match &prompt.cached_content {
        Some(name) => stand.caches.tokens(caller, name)?,
        None => 0,
    };
    let frame = Frame {
        model: model.to_owned(),
        response_id: stand.fresh_id(22),
        prompt_tokens: prompt.tokens + cached,
        cached_tokens: cached,
        thought_tokens: if prompt.wants_thoughts {
            THOUGHT_TOKENS
        } else {
            0
        },
    };
    let said = say(stand, &prompt, &notes);
    Ok(match framing(call) {
        None => unary(stand, &frame, said),
        Some(framing) => {
            let at_least = midway.map_or(1, |m| m.after + 1);
            let answers = events(stand, &frame, said, at_least);
            streamed(stand, framing, &answers, midway)
        }
    })
}

/// The framing of a generating call; `None` when it is unary.
fn framing(call: &Call) -> Option<Framing> {
    let streams = call.resource_and_method().1 == "streamGenerateContent";
    let framing = if call.wants_sse() {
        Framing::Sse
    } else {
        Framing::Array
    };
    streams.then_some(framing)
}

/// Answers a prompt.
pub(super) fn say(stand: &Stand, prompt: &Prompt, notes: &[String]) -> Said {
    if prompt.text.contains("BLOCK_ME") {
        return Said::BlockedPrompt;
    }
    if prompt.text.contains("UNSAFE") {
        return Said::Unsafe;
    }
    if prompt.function_result.is_none()
        && let Some(function) = prompt.functions.first()
    {
        return called(function, prompt);
    }
    let text = stand.voice.answer(prompt, notes);
    limited(structured(prompt, text), prompt.max_output_tokens)
}

fn called(function: &Value, prompt: &Prompt) -> Said {
    let schema = [
        "parameters",
        "parametersJsonSchema",
        "parameters_json_schema",
    ]
    .iter()
    .find_map(|name| function.get(name))
    .cloned()
    .unwrap_or_default();
    let filled = sample::value(&schema, &sample::subject(&prompt.text));
    let args = if filled.is_object() {
        filled
    } else {
        json!({})
    };
    Said::Call {
        name: text_field(function, "name").unwrap_or_default(),
        args,
    }
}

fn structured(prompt: &Prompt, text: String) -> String {
    match &prompt.schema {
        Some(schema) => sample::value(schema, &text).to_string(),
        None if prompt.wants_json => json!({"answer": text}).to_string(),
        None => text,
    }
}

fn limited(text: String, max_tokens: Option<u64>) -> Said {
    match max_tokens {
        Some(max) if tokens(&text) > max => {
            let kept = text.chars().take(max as usize * 4).collect();
            Said::Text {
                text: kept,
                finish_reason: "MAX_TOKENS",
            }
        }
        _ => Said::Text {
            text,
            finish_reason: "STOP",
        },
    }
}

fn unary(stand: &Stand, frame: &Frame, said: Said) -> Reply {
    let answer = match said {
        Said::Text {
            text,
            finish_reason,
        } => {
            let room = stand.voice.answer_bytes;
            return Reply::json(&fitted(room, &text, |text| {
                whole(frame, text, finish_reason)
            }));
        }
        Said::Call { name, args } => {
            let part = call_part(frame, &name, &args);
            frame.answer(candidate(vec![part], Some("STOP")), tokens(&name) + 8)
        }
        Said::BlockedPrompt => prompt_block(frame),
        Said::Unsafe => frame.answer(unsafe_candidate(), 0),
    };
    Reply::json(&answer)
}

/// Builds an answer and, when a size is asked for, builds it again with the text prolonged to it.
pub(crate) fn fitted(bytes: Option<usize>, text: &str, build: impl Fn(&str) -> Answer) -> Answer {
    let answer = build(text);
    let Some(bytes) = bytes else { return answer };
    let missing = bytes.saturating_sub(pretty(&answer).len());
    build(&padded(text, text.len() + missing))
}

/// A unary answer that says `text`.
pub(crate) fn whole(frame: &Frame, text: &str, finish_reason: &'static str) -> Answer {
    let spoken = Part::text(text).signed(&signature(&frame.response_id));
    let thought = (frame.thought_tokens > 0).then(|| Part::thought(THOUGHT));
    let parts = thought.into_iter().chain([spoken]).collect();
    frame.answer(candidate(parts, Some(finish_reason)), tokens(text))
}

fn events(stand: &Stand, frame: &Frame, said: Said, at_least: usize) -> Vec<Answer> {
    match said {
        Said::Text {
            text,
            finish_reason,
        } => {
            let thought = (frame.thought_tokens > 0).then_some(THOUGHT);
            let chunks = stand.voice.chunks(&text, at_least);
            spoken_events(frame, thought, &chunks, finish_reason)
        }
        Said::Call { name, args } => {
            let output = tokens(&name) + 8;
            let call = candidate(vec![call_part(frame, &name, &args)], None);
            let end = candidate(vec![Part::text("")], Some("STOP"));
            vec![frame.answer(call, output), frame.answer(end, output)]
        }
        Said::BlockedPrompt => vec![prompt_block(frame)],
        Said::Unsafe => vec![frame.answer(unsafe_candidate(), 0)],
    }
}

fn call_part(frame: &Frame, name: &str, args: &Value) -> Part {
    let id: String = frame.response_id.chars().take(8).collect();
    let call = json!({"id": format!("fc_{id}"), "name": name, "args": args});
    Part {
        function_call: Some(call),
        ..Part::default()
    }
    .signed(&signature(&frame.response_id))
}

fn prompt_block(frame: &Frame) -> Answer {
    frame.nothing(Some(json!({"blockReason": "PROHIBITED_CONTENT"})))
}

fn streamed(stand: &Stand, framing: Framing, answers: &[Answer], midway: Option<&Midway>) -> Reply {
    let events: Vec<Event> = answers
        .iter()
        .map(|answer| Event::plain(framing.json(answer)))
        .collect();
    stream::reply(framing, &events, stand.voice.pause, midway)
}

/// A scripted empty answer, whole or as the only event of a stream.
pub(crate) fn empty(stand: &Stand, call: &Call, kind: EmptyKind) -> Reply {
    let stopped = |parts: Vec<Part>| candidate(parts, Some("STOP"));
    scripted(stand, call, |frame| match kind {
        EmptyKind::NoCandidates => frame.nothing(None),
        EmptyKind::StopNoParts => frame.answer(stopped(Vec::new()), 0),
        EmptyKind::EmptyText => frame.answer(stopped(vec![Part::text("")]), 0),
    })
}

/// A scripted block of the prompt.
pub(crate) fn blocked_prompt(stand: &Stand, call: &Call) -> Reply {
    scripted(stand, call, prompt_block)
}

/// A scripted block of the answer.
pub(crate) fn blocked_safety(stand: &Stand, call: &Call) -> Reply {
    let withheld: fn() -> Candidate = unsafe_candidate;
    scripted(stand, call, |frame| frame.answer(withheld(), 0))
}

fn scripted(stand: &Stand, call: &Call, build: impl Fn(&Frame) -> Answer) -> Reply {
    let frame = Frame {
        model: call.path_model().unwrap_or("gemini-3.8-flash").to_owned(),
        response_id: stand.fresh_id(22),
        prompt_tokens: 12,
        cached_tokens: 0,
        thought_tokens: 0,
    };
    let answer = build(&frame);
    match framing(call) {
        None => Reply::json(&answer),
        Some(framing) => streamed(stand, framing, &[answer], None),
    }
}
