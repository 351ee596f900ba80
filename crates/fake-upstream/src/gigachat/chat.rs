//! The answer to a chat request, whole or as a stream. Streams keep `object: "chat.completion"`, tell
//! the usage in the event with the finish reason, and end with `[DONE]`.

use serde_json::{Value, json};

use super::request::Ask;
use crate::dialect::{CREATED, images};
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::{Reply, SSE};
use crate::rule::{Deed, EmptyKind};
use crate::said::{self, Finish, FunctionCall, Said, THOUGHT, THOUGHT_TOKENS, Wishes};
use crate::stand::Stand;
use crate::stream::{self, Event, Framing};

/// What is said about a topic that is not talked about.
const REFUSED: &str = "Эта тема вне моих возможностей, давайте поговорим о другом.";

/// What every model's name ends with in answers.
const VERSION: &str = "2.0.28.2";

/// One answer.
#[derive(Debug)]
struct Answer {
    model: String,
    message: Message,
    finish: String,
    /// No choices at all.
    nothing: bool,
    usage: Value,
}

#[derive(Debug, Default)]
struct Message {
    content: String,
    call: Option<FunctionCall>,
    state_id: Option<String>,
    thought: Option<&'static str>,
}

/// Answers a request to `model`, bent as a rule's deed says.
pub(crate) fn answer(
    stand: &Stand,
    caller: &Caller,
    ask: &Ask,
    model: &str,
    deed: &Deed,
) -> Result<Reply, Refusal> {
    let files = &stand.accounts.files;
    let notes = ask
        .attachments
        .iter()
        .map(|id| files.note(&caller.project, id));
    let wishes = Wishes {
        notes: notes.collect::<Result<_, _>>()?,
        single_call: true,
        ..Wishes::default()
    };
    let said = match deed {
        Deed::Empty(_) => Said::text(""),
        Deed::BlockedPrompt => Said::BlockedPrompt,
        Deed::BlockedSafety => Said::Unsafe,
        _ => said::say(&stand.voice, &ask.prompt, &wishes),
    };
    let said = if ask.built_ins && wants_picture(&ask.prompt.text) {
        Said::text(&picture(stand, caller))
    } else {
        said
    };
    let mut answer = Answer::of(stand, ask, model, said);
    match deed {
        Deed::Finish(reason) => answer.finish.clone_from(reason),
        Deed::Empty(EmptyKind::NoCandidates) => answer.nothing = true,
        _ => {}
    }
    if !ask.streams {
        return Ok(Reply::compact(&answer.whole()));
    }
    let midway = deed.midway();
    let events = answer.events(stand, midway.map_or(1, |m| m.after + 1));
    let reply = stream::reply(Framing::OpenAi, &events, stand.voice.pause, midway);
    Ok(reply.content_type(SSE))
}

fn wants_picture(text: &str) -> bool {
    ["Нарисуй", "нарисуй", "Draw", "draw"]
        .iter()
        .any(|word| text.contains(word))
}

/// Draws, and mentions the file as GigaChat does.
fn picture(stand: &Stand, caller: &Caller) -> String {
    use base64::Engine;
    let png = base64::engine::general_purpose::STANDARD.decode(images::PIXEL);
    let content = png.unwrap_or_default().into();
    let files = &stand.accounts.files;
    let file = files.store(stand, &caller.project, "image.png", "image/png", content);
    let id = file["id"].as_str().unwrap_or_default();
    format!("<img src=\"{id}\" fuse=\"true\"/> вот рисунок.")
}

impl Answer {
    fn of(stand: &Stand, ask: &Ask, model: &str, said: Said) -> Self {
        let spoken = said.tokens();
        let thinks = model.contains("Reasoning") || ask.effort;
        let mut message = Message {
            thought: thinks.then_some(THOUGHT),
            ..Message::default()
        };
        let finish = match said {
            Said::Text { text, finish } => {
                message.content = text;
                match finish {
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                }
            }
            Said::Calls(calls) => {
                message.call = calls.into_iter().next();
                message.state_id = Some(stand.fresh_uuid());
                "function_call"
            }
            Said::BlockedPrompt | Said::Unsafe => {
                REFUSED.clone_into(&mut message.content);
                "blacklist"
            }
        };
        let completion = spoken + if thinks { THOUGHT_TOKENS } else { 0 };
        let prompt = ask.prompt.tokens;
        Self {
            model: format!("{model}:{VERSION}"),
            message,
            finish: finish.to_owned(),
            nothing: false,
            usage: json!({
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
                "precached_prompt_tokens": 0,
            }),
        }
    }

    fn whole(&self) -> Value {
        let choice = json!({
            "message": self.message.json(&self.message.content),
            "index": 0,
            "finish_reason": self.finish,
        });
        let choices = if self.nothing {
            json!([])
        } else {
            json!([choice])
        };
        self.envelope(&choices, true)
    }

    fn events(&self, stand: &Stand, at_least: usize) -> Vec<Event> {
        let plain = |body: &Value| Event::plain(Framing::OpenAi.json(body));
        let ending = |delta: Value| {
            let choice = json!({"delta": delta, "index": 0, "finish_reason": self.finish});
            plain(&self.envelope(&json!([choice]), true))
        };
        if self.nothing {
            return vec![plain(&self.envelope(&json!([]), true))];
        }
        if self.message.call.is_some() {
            return vec![ending(self.message.json(""))];
        }
        let mut events = Vec::new();
        let mut delta = |delta: Value| {
            let choice = json!({"delta": delta, "index": 0});
            events.push(plain(&self.envelope(&json!([choice]), false)));
        };
        if let Some(thought) = self.message.thought {
            delta(json!({"content": "", "role": "assistant", "reasoning_content": thought}));
        }
        let pieces = stand.voice.chunks(&self.message.content, at_least);
        for (index, piece) in pieces.iter().enumerate() {
            delta(if index == 0 {
                json!({"content": piece, "role": "assistant"})
            } else {
                json!({"content": piece})
            });
        }
        events.push(ending(json!({"content": ""})));
        events
    }

    fn envelope(&self, choices: &Value, ends: bool) -> Value {
        let mut body = json!({
            "choices": choices,
            "created": CREATED,
            "model": self.model,
            "object": "chat.completion",
        });
        if ends {
            body["usage"] = self.usage.clone();
        }
        body
    }
}

impl Message {
    fn json(&self, content: &str) -> Value {
        let mut message = json!({"content": content, "role": "assistant"});
        if let Some(call) = &self.call {
            message["function_call"] = json!({"name": call.name, "arguments": call.args});
        }
        if let Some(id) = &self.state_id {
            message["functions_state_id"] = json!(id);
        }
        if let Some(thought) = self.thought {
            message["reasoning_content"] = json!(thought);
        }
        message
    }
}
