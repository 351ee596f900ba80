//! The form that brings an image: `file`, and perhaps `prompt` and `model` or `model_name`. It has been received whole, so
//! reading it waits for nothing; what it holds are slices of one buffer.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use multer::{Field, Multipart};
use wire::simple::Wrong;

use super::wrong;
use crate::gateway::error::GatewayError;

/// A form, as far as it is looked at. Of a field that is given twice the last one holds.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) file: Option<File>,
    /// Never blank.
    pub(super) prompt: Option<String>,
    pub(super) model: Option<String>,
}

/// A file as it was sent.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: Option<String>,
    /// What it is said to be.
    pub(super) content_type: Option<String>,
    pub(super) data: Bytes,
}

/// The boundary that a content type names.
pub(super) fn boundary(content_type: Option<&str>) -> Result<String, Wrong> {
    multer::parse_boundary(content_type.unwrap_or_default()).map_err(|_| {
        let text = "`file` is missing: send the image as multipart/form-data";
        Wrong::new("file", "missing", text)
    })
}

impl Form {
    pub(super) async fn read(chunks: Vec<Bytes>, boundary: String) -> Result<Self, GatewayError> {
        let chunks = chunks.into_iter().map(Ok::<_, Infallible>);
        let mut parts = Multipart::new(stream::iter(chunks), boundary);
        let mut form = Self::default();
        while let Some(mut field) = parts
            .next_field()
            .await
            .map_err(|error| unreadable(&error))?
        {
            let data = gather(&mut field)
                .await
                .map_err(|error| unreadable(&error))?;
            form.take(&field, data)?;
        }
        Ok(form)
    }

    fn take(&mut self, field: &Field<'_>, data: Bytes) -> Result<(), GatewayError> {
        match field.name() {
            Some("file") => {
                let content_type = field.content_type();
                self.file = Some(File {
                    name: field.file_name().map(str::to_owned),
                    content_type: content_type.map(|kind| kind.essence_str().to_owned()),
                    data,
                });
            }
            Some("prompt") => self.prompt = text("prompt", &data)?,
            Some(name @ ("model" | "model_name")) => {
                let model = text(name, &data)?;
                let differs = model.is_some() && self.model.is_some() && model != self.model;
                if differs {
                    let text =
                        "`model` and `model_name` mean the same and differ; send one of them";
                    return Err(wrong(Wrong::new(name, "value_error", text)));
                }
                self.model = model.or(self.model.take());
            }
            _ => {}
        }
        Ok(())
    }
}

/// A field that is a text; none where it is blank.
fn text(at: &str, data: &[u8]) -> Result<Option<String>, GatewayError> {
    let text = std::str::from_utf8(data).map_err(|_| {
        let text = format!("`{at}` must be a text in UTF-8");
        wrong(Wrong::new(at, "string_unicode", text))
    })?;
    Ok((!text.trim().is_empty()).then(|| text.to_owned()))
}

async fn gather(field: &mut Field<'_>) -> Result<Bytes, multer::Error> {
    let mut chunks = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        chunks.push(chunk);
    }
    Ok(match chunks.pop() {
        Some(only) if chunks.is_empty() => only,
        last => chunks.into_iter().chain(last).flatten().collect(),
    })
}

fn unreadable(error: &multer::Error) -> GatewayError {
    let text = format!("the form could not be read: {error}");
    GatewayError::caller(StatusCode::BAD_REQUEST, text)
}
