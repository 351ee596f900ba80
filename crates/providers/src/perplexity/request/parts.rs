//! The content of a message: a text, or parts of text, images and files. Data stays where it is: nothing is decoded.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::raw::{as_text, elements, is_text, object, refuse, text};
use crate::Refused;

/// Content as the Agent API takes it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    /// A text as the caller wrote it.
    Raw(&'a RawValue),
    Text(String),
    Parts(Vec<Part<'a>>),
}

impl Content<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Raw(text) => text.get() == "\"\"",
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.is_empty(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    /// A part of a type that is not OpenAI's: it passes untouched.
    Raw(&'a RawValue),
    Read(ReadPart<'a>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum ReadPart<'a> {
    #[serde(rename = "input_text")]
    Text { text: &'a RawValue },
    /// Without `detail`, which the Agent API is not documented to have.
    #[serde(rename = "input_image")]
    Image { image_url: &'a RawValue },
    #[serde(rename = "input_file")]
    File(File<'a>),
}

/// A file by what it is given as.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    file_url: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    filename: Option<&'a RawValue>,
}

/// A part of any type that chats have, the Sonar API's `file_url` among them.
#[derive(Deserialize)]
struct Given<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    file: Option<&'a RawValue>,
    #[serde(borrow)]
    file_url: Option<&'a RawValue>,
    #[serde(borrow)]
    file_name: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Url<'a> {
    #[serde(borrow)]
    url: Option<&'a RawValue>,
}

/// What somebody says to the model.
pub(super) fn input<'a>(value: &'a RawValue, param: &str) -> Result<Content<'a>, Refused> {
    if is_text(value) {
        return Ok(Content::Raw(value));
    }
    let mut parts = Vec::new();
    for (at, part) in list(value, param)?.into_iter().enumerate() {
        parts.push(input_part(part, &format!("{param}[{at}]"))?);
    }
    Ok(Content::Parts(parts))
}

/// What is only text: an answer of before, or the result of a tool. Its parts are joined.
pub(super) fn spoken<'a>(value: &'a RawValue, param: &str) -> Result<Content<'a>, Refused> {
    if is_text(value) {
        return Ok(Content::Raw(value));
    }
    let mut joined = String::new();
    for (at, part) in list(value, param)?.into_iter().enumerate() {
        let param = format!("{param}[{at}]");
        let part: Given<'_> = object(part, &param)?;
        let Some(spoken) = part.text.or(part.refusal) else {
            let message = format!("\"{param}\" has no text: only text can be sent here");
            return Err(refuse(param, message));
        };
        joined.push_str(&text(spoken, &format!("{param}.text"))?);
    }
    Ok(Content::Text(joined))
}

fn list<'a>(value: &'a RawValue, param: &str) -> Result<Vec<&'a RawValue>, Refused> {
    elements(value, param).map_err(|_| {
        refuse(
            param,
            format!("\"{param}\" must be a text or a list of parts"),
        )
    })
}

fn input_part<'a>(value: &'a RawValue, param: &str) -> Result<Part<'a>, Refused> {
    let part: Given<'a> = object(value, param)?;
    let kind_param = format!("{param}.type");
    let Some(kind) = part.kind else {
        return Err(refuse(&kind_param, format!("\"{kind_param}\" is missing")));
    };
    let read = match text(kind, &kind_param)?.as_str() {
        "text" => ReadPart::Text {
            text: given(part.text, &format!("{param}.text"))?,
        },
        "image_url" => ReadPart::Image {
            image_url: url(part.image_url, &format!("{param}.image_url"))?,
        },
        "file" => ReadPart::File(file(part.file, &format!("{param}.file"))?),
        "file_url" => ReadPart::File(File {
            file_url: Some(url(part.file_url, &format!("{param}.file_url"))?),
            filename: part.file_name,
            ..File::default()
        }),
        kind @ ("input_audio" | "video_url") => {
            let message = format!(
                "\"{kind_param}\" is {kind:?}: this model takes text, image_url and file parts"
            );
            return Err(refuse(kind_param, message));
        }
        _ => return Ok(Part::Raw(value)),
    };
    Ok(Part::Read(read))
}

/// A URL as itself, or inside an object.
fn url<'a>(value: Option<&'a RawValue>, param: &str) -> Result<&'a RawValue, Refused> {
    match value {
        Some(value) if !is_text(value) => {
            let inner: Url<'a> = object(value, param)?;
            given(inner.url, &format!("{param}.url"))
        }
        value => given(value, param),
    }
}

fn file<'a>(value: Option<&'a RawValue>, param: &str) -> Result<File<'a>, Refused> {
    match value {
        Some(value) => object(value, param),
        None => Err(refuse(param, format!("\"{param}\" is missing"))),
    }
}

fn given<'a>(value: Option<&'a RawValue>, param: &str) -> Result<&'a RawValue, Refused> {
    match value {
        Some(value) => as_text(value, param),
        None => Err(refuse(param, format!("\"{param}\" is missing"))),
    }
}
