//! `POST /api/v1/vision/extract-text`: an image, and the text in it.

use domain::Class;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use wire::simple::{Image, LARGEST_IMAGE, NotAnImage, Wrong, image_answer, image_body};

use super::ask::Question;
use super::form::{self, Form};
use super::{Desk, wrong};
use crate::gateway::error::GatewayError;

/// What is asked where the caller asks nothing in particular.
const PROMPT: &str = "Extract all text that is visible in this image. Answer with that text alone, in reading order, \
     with its line breaks, and do not translate, explain or format it.";

/// Answers with the text in an image.
pub(super) async fn answer(mut desk: Desk) -> Result<Vec<u8>, GatewayError> {
    desk.keep_body();
    let content_type = desk.received.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|kind| kind.to_str().ok());
    let boundary = form::boundary(content_type).map_err(wrong)?;
    let form = Form::read(desk.received.take_chunks(), boundary).await?;
    let file = form.file.ok_or_else(|| wrong(Wrong::missing("file")))?;
    let image = Image::of(file.content_type.as_deref(), &file.data).map_err(unsupported)?;
    if file.data.len() > LARGEST_IMAGE {
        return Err(too_large());
    }
    let model = desk.model(form.model.as_deref())?;
    let prompt = form.prompt.as_deref().unwrap_or(PROMPT);
    let body = image_body(image.mime(), &file.data, prompt);
    drop(file.data);
    let question = Question {
        model: model.clone(),
        body,
        only_key: None,
    };
    let text = desk.ask(question).await?;
    Ok(image_answer(file.name.as_deref(), image, &text, &model))
}

fn unsupported(not_an_image: NotAnImage) -> GatewayError {
    GatewayError::upstream(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Class::BadRequest,
        not_an_image.to_string(),
    )
}

fn too_large() -> GatewayError {
    let text = format!("the image is larger than {LARGEST_IMAGE} bytes, which models do not take");
    GatewayError::caller(StatusCode::PAYLOAD_TOO_LARGE, text)
}
