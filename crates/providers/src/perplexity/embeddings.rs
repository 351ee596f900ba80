//! Embeddings: Perplexity sends vectors of signed bytes, callers get numbers, as a list or as floats in base64.
//! Bytes are only a direction: every vector is scaled to length 1, as OpenAI's have it.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::document::Document;
use super::fault::Fault;
use super::members::Members;
use super::request::{elements, read_members, refuse, shown, text};
use crate::{Refused, Translate};

/// The one of Perplexity's encodings that keeps more than signs.
const INT8: &str = "base64_int8";

/// Padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the caller wants its vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// A list of numbers: OpenAI's default.
    #[default]
    Float,
    /// Little-endian 32-bit floats in base64: what OpenAI's SDKs ask for by themselves.
    Base64,
}

impl Encoding {
    /// What the body of a request asks for; [`embeddings_request`] refuses bodies of which this cannot be said.
    pub fn asked(body: &[u8]) -> Self {
        let members = read_members(body).unwrap_or_default();
        let asked = members.get("encoding_format");
        asked
            .and_then(|value| Self::read(value).ok())
            .unwrap_or_default()
    }

    fn read(value: &RawValue) -> Result<Self, Refused> {
        let param = "encoding_format";
        if value.get() == "null" {
            return Ok(Self::default());
        }
        match text(value, param)?.as_str() {
            "float" => Ok(Self::Float),
            "base64" => Ok(Self::Base64),
            _ => {
                let message = format!("\"{param}\" is {}: send float or base64", shown(value));
                Err(refuse(param, message))
            }
        }
    }
}

/// The body for [`super::EMBEDDINGS_PATH`] that asks for what an embedding request of OpenAI's shape asks for.
///
/// `model` is the model's id without the provider's prefix.
pub fn embeddings_request(body: &[u8], model: &str) -> Result<Vec<u8>, Refused> {
    let mut members = read_members(body)?;
    check_input(members.get("input"))?;
    if let Some(value) = members.get("encoding_format") {
        Encoding::read(value)?;
    }
    members.0.retain(|(name, value)| {
        let is_ours = matches!(name.as_str(), "model" | "encoding_format" | "user");
        !is_ours && value.get() != "null"
    });
    let request = Request {
        model,
        encoding_format: INT8,
        rest: members,
    };
    serde_json::to_vec(&request).map_err(|error| refuse("", format!("not JSON: {error}")))
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    encoding_format: &'static str,
    #[serde(flatten)]
    rest: Members<'a>,
}

/// A text, or a list of them. Tokens are another maker's: nobody here could read them.
fn check_input(input: Option<&RawValue>) -> Result<(), Refused> {
    let Some(input) = input else {
        return Err(refuse(
            "input",
            "\"input\" is missing: send a text or a list of texts",
        ));
    };
    if input.get().starts_with('"') {
        return Ok(());
    }
    let wrong = |value: &RawValue| {
        let message = format!(
            "\"input\" has {}: send a text or a list of texts, tokens are not supported",
            shown(value)
        );
        refuse("input", message)
    };
    let texts = elements(input, "input").map_err(|_| wrong(input))?;
    let odd = texts.into_iter().find(|text| !text.get().starts_with('"'));
    odd.map_or(Ok(()), |value| Err(wrong(value)))
}

/// The translator of an answer to [`embeddings_request`]. All but the vectors passes untouched.
pub fn embeddings_answer(encoding: Encoding) -> Box<dyn Translate> {
    Box::new(Document::new(move |body: &[u8], out: &mut Vec<u8>| {
        translate(body, encoding, out)
    }))
}

fn translate(body: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<(), Fault> {
    let unreadable = |_| Fault::found("the provider's answer is no list of embeddings");
    let answer: Members<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    if let Some(error) = answer.get("error").filter(|error| error.get() != "null") {
        return Err(Fault::read_object(error.get().as_bytes()));
    }
    let data = answer.get("data").map_or("null", RawValue::get);
    let data: Vec<Members<'_>> = serde_json::from_str(data).map_err(unreadable)?;
    let mut vectors = Vec::with_capacity(data.len());
    for entry in &data {
        vectors.push(vector(entry, encoding)?);
    }
    let mut entries = data;
    for (entry, vector) in entries.iter_mut().zip(&vectors) {
        put(entry, "embedding", vector);
    }
    let entries = raw(&entries)?;
    let mut answer = answer;
    put(&mut answer, "data", &entries);
    serde_json::to_writer(out, &answer).map_err(unreadable)
}

fn put<'a>(members: &mut Members<'a>, name: &str, value: &'a RawValue) {
    for member in &mut members.0 {
        if member.0 == name {
            member.1 = value;
        }
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Fault> {
    to_raw_value(value).map_err(|_| Fault::found("an embedding cannot be written"))
}

fn vector(entry: &Members<'_>, encoding: Encoding) -> Result<Box<RawValue>, Fault> {
    let given = entry.get("embedding").map_or("null", RawValue::get);
    let unreadable = || Fault::found("an embedding of the provider's answer is no base64");
    let given: String = serde_json::from_str(given).map_err(|_| unreadable())?;
    let bytes = BASE64.decode(given).map_err(|_| unreadable())?;
    let floats = unit(&bytes);
    match encoding {
        Encoding::Float => raw(&floats),
        Encoding::Base64 => {
            let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
            raw(&STANDARD.encode(bytes))
        }
    }
}

/// Signed bytes as a vector of length 1; of nothing but zeros, as they are.
fn unit(bytes: &[u8]) -> Vec<f32> {
    let components = bytes.iter().map(|&byte| f64::from(byte.cast_signed()));
    let square: f64 = components.clone().map(|component| component.powi(2)).sum();
    let length = if square > 0.0 { square.sqrt() } else { 1.0 };
    components
        .map(|component| (component / length) as f32)
        .collect()
}
