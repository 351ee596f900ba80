//! What a model says to a prompt, before a dialect puts it into JSON: text, function calls, or nothing
//! for reasons of safety. The conventions are those of the stand-in for Google:
//!
//! - functions are offered and the last message is no result: the first of them is called with
//!   arguments of its schema; two calls when the prompt says "two", "both" or "parallel";
//! - the last message is a result: it is quoted;
//! - `BLOCK_ME` in the prompt blocks it, `UNSAFE` blocks the answer.

use serde_json::{Value, json};

use crate::prompt::Prompt;
use crate::sample;
use crate::voice::{Voice, tokens};

/// What a reasoning model thinks, and how many tokens that is.
pub(crate) const THOUGHT: &str = "The question is read, then answered.";
pub(crate) const THOUGHT_TOKENS: u64 = 24;

/// A function that the model calls.
#[derive(Debug, Clone)]
pub(crate) struct FunctionCall {
    pub(crate) name: String,
    /// A JSON object.
    pub(crate) args: Value,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
}

/// What a model has to say.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Text { text: String, finish: Finish },
    Calls(Vec<FunctionCall>),
    BlockedPrompt,
    Unsafe,
}

impl Said {
    /// An answer that is only this text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text {
            text: text.to_owned(),
            finish: Finish::Stop,
        }
    }

    /// About how many tokens it is.
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Self::Text { text, .. } => tokens(text),
            Self::Calls(calls) => calls.iter().map(|call| tokens(&call.name) + 8).sum(),
            Self::BlockedPrompt | Self::Unsafe => 0,
        }
    }
}

/// What an answer shall keep to, beside the prompt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    /// Sentences on what the prompt brought along.
    pub(crate) notes: Vec<String>,
    /// Texts before which the answer stops.
    pub(crate) stops: Vec<String>,
    /// Only one function may be called at once.
    pub(crate) single_call: bool,
}

/// Answers a prompt.
pub(crate) fn say(voice: &Voice, prompt: &Prompt, wishes: &Wishes) -> Said {
    if prompt.text.contains("BLOCK_ME") {
        return Said::BlockedPrompt;
    }
    if prompt.text.contains("UNSAFE") {
        return Said::Unsafe;
    }
    if prompt.function_result.is_none() && !prompt.functions.is_empty() {
        return Said::Calls(calls(prompt, wishes.single_call));
    }
    let text = structured(prompt, voice.answer(prompt, &wishes.notes));
    limited(stopped(text, &wishes.stops), prompt.max_output_tokens)
}

fn calls(prompt: &Prompt, single: bool) -> Vec<FunctionCall> {
    let wants_two = ["two", "both", "parallel"]
        .iter()
        .any(|word| prompt.text.contains(word));
    let subjects = sample::subjects(&prompt.text);
    let (Some(first), Some(last)) = (prompt.functions.first(), prompt.functions.last()) else {
        return Vec::new();
    };
    let last_subject = subjects.last().map_or("example", String::as_str);
    if single || !wants_two {
        return vec![call(first, last_subject)];
    }
    let other = prompt.functions.get(1).unwrap_or(last);
    let before = subjects.iter().rev().nth(1);
    let subject = before.map_or(last_subject, String::as_str);
    vec![call(first, subject), call(other, last_subject)]
}

fn call(function: &Value, subject: &str) -> FunctionCall {
    let filled = sample::value(&function["parameters"], subject);
    FunctionCall {
        name: function["name"].as_str().unwrap_or_default().to_owned(),
        args: if filled.is_object() {
            filled
        } else {
            json!({})
        },
    }
}

fn structured(prompt: &Prompt, text: String) -> String {
    match &prompt.schema {
        Some(schema) => sample::value(schema, &text).to_string(),
        None if prompt.wants_json => json!({"answer": text}).to_string(),
        None => text,
    }
}

fn stopped(text: String, stops: &[String]) -> String {
    let found = stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop));
    match found.min() {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn limited(text: String, most_tokens: Option<u64>) -> Said {
    match most_tokens {
        Some(most) if tokens(&text) > most => Said::Text {
            text: text.chars().take(most as usize * 4).collect(),
            finish: Finish::Length,
        },
        _ => Said::Text {
            text,
            finish: Finish::Stop,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::script::Script;

    fn said(prompt: &Prompt, wishes: &Wishes) -> Said {
        say(&Voice::of(&Script::of(Provider::Openai)), prompt, wishes)
    }

    fn weather(text: &str) -> Prompt {
        let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        Prompt {
            text: text.to_owned(),
            functions: vec![json!({"name": "weather", "parameters": city})],
            ..Prompt::default()
        }
    }

    fn cities(text: &str, wishes: &Wishes) -> Vec<Value> {
        match said(&weather(text), wishes) {
            Said::Calls(calls) => calls.into_iter().map(|c| c.args["city"].clone()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_calls_are_made_when_two_are_asked_for_and_allowed() {
        let single = Wishes {
            single_call: true,
            ..Wishes::default()
        };
        assert_eq!(cities("Weather in Oslo?", &Wishes::default()), ["Oslo"]);
        let two = "Weather in both Oslo and Bergen?";
        assert_eq!(cities(two, &Wishes::default()), ["Oslo", "Bergen"]);
        assert_eq!(cities(two, &single), ["Bergen"]);
    }

    #[test]
    fn an_answer_stops_before_the_first_stop_text() {
        let prompt = Prompt {
            text: "one END two STOP".to_owned(),
            ..Prompt::default()
        };
        let wishes = Wishes {
            stops: vec!["STOP".to_owned(), "END".to_owned()],
            ..Wishes::default()
        };
        let Said::Text { text, .. } = said(&prompt, &wishes) else {
            panic!("text");
        };
        assert_eq!(text, "You said: one ");
    }
}
