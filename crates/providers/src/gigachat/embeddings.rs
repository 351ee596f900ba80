//! Embeddings: GigaChat takes texts and answers with numbers, and counts tokens for each text apart.
//! OpenAI's own clients ask for base64 where nobody chose; that is made here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::Collected;
use super::answer::failure::Failure;
use super::{refuse, request::object};
use crate::{Refused, Translate};

/// The largest answer that is taken, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Members of OpenAI's embeddings that GigaChat has no counterpart for.
const DROPPED: [&str; 3] = ["dimensions", "encoding_format", "user"];

/// How the caller wants its vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Numbers.
    #[default]
    Float,
    /// Base64 of 32-bit floats, least significant byte first.
    Base64,
}

/// A request for embeddings as it is sent, and how its answer is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingsRequest {
    /// The body in GigaChat's dialect.
    pub body: Vec<u8>,
    /// For [`embeddings_answer`].
    pub encoding: Encoding,
}

/// Translates the body of a request for embeddings; `model` is GigaChat's name of the model.
///
/// Refused are token ids, which mean nothing to GigaChat. `dimensions` is left out: its vectors have the length they have.
pub fn embeddings_request(body: &[u8], model: &str) -> Result<EmbeddingsRequest, Refused> {
    let mut body = object(body)?;
    let encoding = match body.get("encoding_format").and_then(Value::as_str) {
        None | Some("float") => Encoding::Float,
        Some("base64") => Encoding::Base64,
        Some(other) => {
            let text = format!("encoding_format is {other:?}; it may be \"float\" or \"base64\"");
            return Err(refuse::member("encoding_format", text));
        }
    };
    body.retain(|name, value| !value.is_null() && !DROPPED.contains(&&**name));
    let input = texts(body.shift_remove("input"))?;
    body.insert("model".to_owned(), json!(model));
    body.insert("input".to_owned(), input);
    Ok(EmbeddingsRequest {
        body: Value::Object(body).to_string().into_bytes(),
        encoding,
    })
}

fn texts(input: Option<Value>) -> Result<Value, Refused> {
    match input {
        Some(Value::String(text)) => Ok(json!([text])),
        Some(Value::Array(texts)) if !texts.is_empty() && texts.iter().all(Value::is_string) => {
            Ok(Value::Array(texts))
        }
        Some(Value::Array(ids)) if !ids.is_empty() => Err(refuse::member(
            "input",
            "input has token ids or other values; GigaChat takes only texts",
        )),
        _ => Err(refuse::member(
            "input",
            "input is neither a text nor an array of texts",
        )),
    }
}

/// The translator of an answer with embeddings.
pub fn embeddings_answer(encoding: Encoding) -> Box<dyn Translate> {
    Box::new(Embeddings {
        encoding,
        body: Collected::new(LARGEST),
    })
}

#[derive(Debug)]
struct Embeddings {
    encoding: Encoding,
    body: Collected,
}

impl Translate for Embeddings {
    fn push(&mut self, chunk: &[u8], _out: &mut Vec<u8>) {
        self.body.push(chunk);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let encoding = self.encoding;
        match self.body.read(|body| translate(body, encoding)) {
            Ok(answer) => out.extend(answer),
            Err(failure) => out.extend(failure.to_json()),
        }
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    embedding: &'a RawValue,
    #[serde(default)]
    index: Option<u32>,
    #[serde(default)]
    usage: Option<ItemUsage>,
}

#[derive(Deserialize)]
struct ItemUsage {
    #[serde(default)]
    prompt_tokens: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    object: &'static str,
    data: Vec<WrittenItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    usage: Value,
}

#[derive(Serialize)]
struct WrittenItem<'a> {
    object: &'static str,
    index: u32,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Numbers(&'a RawValue),
    Base64(String),
}

fn translate(body: &[u8], encoding: Encoding) -> Result<Vec<u8>, Failure> {
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(body) else {
        let told = serde_json::from_slice(body).ok();
        let told = told.as_ref().and_then(Failure::told);
        return Err(told.unwrap_or_else(not_vectors));
    };
    let counts = answer.data.iter().filter_map(|item| item.usage.as_ref());
    let tokens = counts.fold(0u64, |sum, usage| sum.saturating_add(usage.prompt_tokens));
    let items = answer.data.iter().zip(0..);
    let data: Result<_, _> = items
        .map(|(item, at)| item.translate(at, encoding))
        .collect();
    let written = Written {
        object: "list",
        data: data?,
        model: answer.model,
        usage: json!({"prompt_tokens": tokens, "total_tokens": tokens}),
    };
    serde_json::to_vec(&written).map_err(|_| not_vectors())
}

impl<'a> Item<'a> {
    fn translate(&self, at: u32, encoding: Encoding) -> Result<WrittenItem<'a>, Failure> {
        if !self.embedding.get().starts_with('[') {
            return Err(not_vectors());
        }
        let embedding = match encoding {
            Encoding::Float => Vector::Numbers(self.embedding),
            Encoding::Base64 => Vector::Base64(base64_of(self.embedding)?),
        };
        Ok(WrittenItem {
            object: "embedding",
            index: self.index.unwrap_or(at),
            embedding,
        })
    }
}

fn base64_of(embedding: &RawValue) -> Result<String, Failure> {
    let numbers: Vec<f32> = serde_json::from_str(embedding.get()).map_err(|_| not_vectors())?;
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(STANDARD.encode(bytes))
}

fn not_vectors() -> Failure {
    Failure::not_understood("the provider's answer is no list of embeddings")
}
