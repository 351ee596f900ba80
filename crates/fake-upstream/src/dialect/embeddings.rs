//! Embeddings: texts or token ids in, unit vectors out, as numbers or in base64.

use serde_json::{Value, json};

use super::wrong::Wrong;
use super::{Flavour, members};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::vector::{base64_floats, unit};
use crate::voice::tokens;

/// A request for embeddings.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The model as named, without Google's `models/`.
    pub(crate) model: String,
    inputs: Vec<Input>,
    dimensions: Option<usize>,
    base64: bool,
}

#[derive(Debug)]
struct Input {
    text: String,
    tokens: u64,
}

impl Ask {
    pub(crate) fn tokens(&self) -> u64 {
        self.inputs.iter().map(|input| input.tokens).sum()
    }

    /// The answer, with vectors of `default` dimensions unless others were asked for.
    pub(crate) fn answer(&self, default: usize) -> Value {
        let dimensions = self.dimensions.unwrap_or(default).min(default);
        let entry = |(index, input): (usize, &Input)| {
            let values = unit(&input.text, dimensions);
            let embedding = if self.base64 {
                json!(base64_floats(&values))
            } else {
                json!(values)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        };
        let data: Vec<Value> = self.inputs.iter().enumerate().map(entry).collect();
        json!({
            "object": "list",
            "data": data,
            "model": self.model,
            "usage": {"prompt_tokens": self.tokens(), "total_tokens": self.tokens()},
        })
    }
}

/// Reads and checks a request.
pub(crate) fn read(call: &Call, flavour: Flavour) -> Result<Ask, Refusal> {
    let body = members::read(call, members::EMBEDDINGS, flavour)?;
    ask(&body).map_err(|wrong| wrong.refusal(flavour))
}

fn ask(body: &Value) -> Result<Ask, Wrong> {
    let model = body["model"].as_str();
    let model = model.ok_or_else(|| Wrong::missing("model"))?;
    let base64 = match body["encoding_format"].as_str() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            let message =
                format!("Invalid value: '{other}'. Supported values are: 'float' and 'base64'.");
            return Err(Wrong::value("encoding_format", "invalid_value", message));
        }
    };
    Ok(Ask {
        model: model.trim_start_matches("models/").to_owned(),
        inputs: inputs(&body["input"])?,
        dimensions: body["dimensions"].as_u64().map(|n| n as usize),
        base64,
    })
}

fn inputs(input: &Value) -> Result<Vec<Input>, Wrong> {
    match input {
        Value::Null => Err(Wrong::missing("input")),
        Value::Array(list) if list.is_empty() => Err(empty()),
        Value::Array(list) if list.iter().all(Value::is_u64) => Ok(vec![of_ids(list)]),
        Value::Array(list) => list.iter().map(one).collect(),
        single => Ok(vec![one(single)?]),
    }
}

fn one(input: &Value) -> Result<Input, Wrong> {
    match input {
        Value::String(text) if text.is_empty() => Err(empty()),
        Value::String(text) => Ok(Input {
            tokens: tokens(text),
            text: text.clone(),
        }),
        Value::Array(ids) if !ids.is_empty() && ids.iter().all(Value::is_u64) => Ok(of_ids(ids)),
        other => Err(Wrong::kind("input", "a string or an array of them", other)),
    }
}

fn of_ids(ids: &[Value]) -> Input {
    Input {
        text: json!(ids).to_string(),
        tokens: ids.len() as u64,
    }
}

fn empty() -> Wrong {
    Wrong::value(
        "input",
        "invalid_value",
        "Invalid 'input': input cannot be empty.",
    )
}
