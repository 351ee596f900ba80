//! The JSON of a chat completion: choices, messages, usage. Streams of the same are `events.rs`.

use serde_json::{Value, json};

use super::{CREATED, Flavour};
use crate::said::{Finish, Said, THOUGHT_TOKENS};
use crate::stand::Stand;
use crate::voice::padded;

/// One answer to one request.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) flavour: Flavour,
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) said: Said,
    /// Ids of the calls, when functions are called.
    pub(crate) call_ids: Vec<String>,
    pub(crate) finish: String,
    pub(crate) thought: Option<&'static str>,
    pub(crate) n: usize,
    pub(crate) prompt_tokens: u64,
    pub(crate) wording: Wording,
}

/// How much there is of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    Said,
    /// The content is null.
    Null,
    /// There are no choices.
    None,
}

impl Completion {
    /// The unary answer.
    pub(crate) fn whole(&self) -> Value {
        let choice = |index| {
            json!({
                "index": index,
                "message": self.message(),
                "logprobs": null,
                "finish_reason": self.finish,
            })
        };
        let choices: Vec<Value> = (0..self.choices()).map(choice).collect();
        let mut body = self.envelope("chat.completion", &json!(choices));
        body["usage"] = self.usage();
        if self.flavour == Flavour::OpenAi {
            body["service_tier"] = json!("default");
        }
        body
    }

    pub(crate) fn choices(&self) -> usize {
        if self.wording == Wording::None {
            0
        } else {
            self.n
        }
    }

    /// The same with a text longer by about `bytes`.
    pub(crate) fn prolonged(mut self, bytes: usize) -> Self {
        if let Said::Text { text, .. } = &mut self.said {
            *text = padded(text, text.len() + bytes);
        }
        self
    }

    pub(crate) fn envelope(&self, object: &str, choices: &Value) -> Value {
        let mut body = json!({
            "id": self.id,
            "object": object,
            "created": CREATED,
            "model": self.model,
            "choices": choices,
        });
        if self.flavour != Flavour::Google {
            body["system_fingerprint"] = json!("fp_5ca1ab1e00");
        }
        body
    }

    fn message(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.content()});
        if let Said::Calls(_) = self.said {
            let calls = (0..self.call_ids.len()).map(|index| self.tool_call(index));
            message["tool_calls"] = calls.collect();
        }
        if let Some(thought) = self.thought {
            message["reasoning_content"] = json!(thought);
        }
        match self.flavour {
            Flavour::OpenAi => {
                message["refusal"] = Value::Null;
                message["annotations"] = json!([]);
            }
            Flavour::Xai => message["refusal"] = Value::Null,
            Flavour::Google => {}
        }
        message
    }

    fn content(&self) -> Value {
        match &self.said {
            _ if self.wording != Wording::Said => Value::Null,
            Said::Text { text, .. } => json!(text),
            Said::Calls(_) if self.flavour == Flavour::Xai => json!(""),
            Said::Unsafe => json!(""),
            Said::Calls(_) | Said::BlockedPrompt => Value::Null,
        }
    }

    /// One call with all of its arguments.
    pub(crate) fn tool_call(&self, index: usize) -> Value {
        let Said::Calls(calls) = &self.said else {
            return Value::Null;
        };
        let call = &calls[index];
        let function = json!({"name": call.name, "arguments": call.args.to_string()});
        let mut call = json!({
            "id": self.call_ids[index],
            "type": "function",
            "function": function,
        });
        if self.flavour == Flavour::Google && index == 0 {
            call["extra_content"] = json!({"google": {"thought_signature": "c2lnbmVk"}});
        }
        call
    }

    pub(crate) fn usage(&self) -> Value {
        let reasoning = self.thought.map_or(0, |_| THOUGHT_TOKENS);
        let said = self.said.tokens() * self.choices() as u64;
        match self.flavour {
            Flavour::OpenAi => openai_usage(self.prompt_tokens, said, reasoning),
            Flavour::Xai => crate::xai::usage(&self.model, self.prompt_tokens, said, reasoning),
            Flavour::Google => json!({
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": said,
                "total_tokens": self.prompt_tokens + said + reasoning,
            }),
        }
    }
}

fn openai_usage(prompt: u64, said: u64, reasoning: u64) -> Value {
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": said + reasoning,
        "total_tokens": prompt + said + reasoning,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

/// The finish reason that belongs to what is said.
pub(crate) fn finish(said: &Said) -> &'static str {
    match said {
        Said::Text { finish, .. } => match finish {
            Finish::Stop => "stop",
            Finish::Length => "length",
        },
        Said::Calls(_) => "tool_calls",
        Said::BlockedPrompt | Said::Unsafe => "content_filter",
    }
}

pub(crate) fn fresh_id(stand: &Stand, flavour: Flavour) -> String {
    match flavour {
        Flavour::OpenAi => format!("chatcmpl-{}", stand.fresh_id(24)),
        Flavour::Xai => stand.fresh_uuid(),
        Flavour::Google => stand.fresh_id(22),
    }
}

/// A fresh id for each call.
pub(crate) fn call_ids(stand: &Stand, flavour: Flavour, said: &Said) -> Vec<String> {
    let Said::Calls(calls) = said else {
        return Vec::new();
    };
    let id = |_| match flavour {
        Flavour::Google => format!("function-call-{}", stand.fresh_id(16)),
        _ => format!("call_{}", stand.fresh_id(24)),
    };
    calls.iter().map(id).collect()
}
