//! The content of a message: GigaChat has one text, and files beside it; OpenAI has parts.
//! Texts are joined by a line break. Files are listed for upload (`image.rs`).

use serde_json::Value;

use super::file::{File, mime_of_name};
use super::messages::Attachment;
use crate::Refused;
use crate::gigachat::refuse;

/// The most pictures in a request, of GigaChat's limits.
const MOST_PICTURES: usize = 10;

/// What a message says.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
}

/// The files of a request as they are found.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) images: Vec<File>,
    pictures: usize,
}

/// Reads a content, which stands at `at`, for example `messages[3].content`.
pub(super) fn read(value: Value, at: &str, files: &mut Files) -> Result<Content, Refused> {
    let mut content = Content::default();
    match value {
        Value::Null => {}
        Value::String(text) => content.text = text,
        Value::Array(parts) => {
            for (index, part) in parts.into_iter().enumerate() {
                read_part(part, &format!("{at}[{index}]"), &mut content, files)?;
            }
        }
        _ => {
            let text = format!("{at} is neither a text nor an array of parts");
            return Err(refuse::member(at, text));
        }
    }
    Ok(content)
}

/// Reads a content that can only be text.
pub(super) fn read_text(value: Value, at: &str) -> Result<String, Refused> {
    let content = read(value, at, &mut Files::default())?;
    if content.attachments.is_empty() {
        return Ok(content.text);
    }
    Err(refuse::member(
        at,
        format!("{at} has a file; GigaChat takes files only in messages of the role \"user\""),
    ))
}

fn read_part(
    mut part: Value,
    at: &str,
    content: &mut Content,
    files: &mut Files,
) -> Result<(), Refused> {
    if let Value::String(text) = part {
        join(&mut content.text, text, "\n");
        return Ok(());
    }
    let kind = part.get("type").and_then(Value::as_str).map(str::to_owned);
    let kind = kind.as_deref().unwrap_or("none");
    match (kind, part.get_mut(kind).map(Value::take)) {
        ("text" | "refusal", Some(Value::String(text))) => {
            join(&mut content.text, text, "\n");
        }
        ("image_url", Some(image)) => {
            let address = image.as_str().or_else(|| image.get("url")?.as_str());
            let image = File::of_address(address.unwrap_or_default());
            content.attachments.push(files.add(image, at)?);
        }
        ("input_audio", Some(audio)) => {
            let format = audio.get("format").and_then(Value::as_str);
            let data = audio.get("data").and_then(Value::as_str);
            let mime = format!("audio/{}", format.unwrap_or("wav"));
            let audio = File::of_base64(&mime, data.unwrap_or_default());
            content.attachments.push(files.add(audio, at)?);
        }
        ("file", Some(file)) => content.attachments.push(read_file(&file, at, files)?),
        _ => {
            let text = format!(
                "{at} is of type {kind:?}, or without what belongs to it; GigaChat takes \"text\", \"image_url\", \"input_audio\" and \"file\""
            );
            return Err(refuse::member(at, text));
        }
    }
    Ok(())
}

/// A file that came with the request, or the id of one that the account has.
fn read_file(file: &Value, at: &str, files: &mut Files) -> Result<Attachment, Refused> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    if let Some(id) = text("file_id") {
        return Ok(Attachment::File(id.to_owned()));
    }
    let data = text("file_data").unwrap_or_default();
    let read = if let Some(uri) = data.strip_prefix("data:") {
        File::of_data_uri(uri)
    } else {
        let mime = text("filename").and_then(mime_of_name);
        File::of_base64(mime.unwrap_or("application/pdf"), data)
    };
    files.add(read, at)
}

impl Files {
    fn add(&mut self, read: Result<File, String>, at: &str) -> Result<Attachment, Refused> {
        let image = read.map_err(|problem| refuse::member(at, format!("{at} {problem}")))?;
        let is_picture = image.is_picture();
        self.pictures += usize::from(is_picture);
        if self.pictures > MOST_PICTURES {
            let text = format!(
                "{at} is picture {}; GigaChat takes {MOST_PICTURES} in a request",
                self.pictures
            );
            return Err(refuse::member(at, text));
        }
        self.images.push(image);
        let place = self.images.len() - 1;
        Ok(if is_picture {
            Attachment::Picture(place)
        } else {
            Attachment::Upload(place)
        })
    }
}

/// Puts a text behind another, with something between where both say something.
pub(super) fn join(text: &mut String, more: String, between: &str) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        text.push_str(between);
        text.push_str(&more);
    }
}
