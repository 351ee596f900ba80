//! `POST /api/v1/chat/generate-text`: a message with what was said before it, and its answer.

use wire::simple::{ChatRequest, chat_answer, chat_body};

use super::ask::Question;
use super::{Desk, wrong};
use crate::gateway::error::GatewayError;

/// Answers a message.
pub(super) async fn answer(desk: Desk) -> Result<Vec<u8>, GatewayError> {
    desk.keep_body();
    let request = ChatRequest::read(&desk.body()).map_err(wrong)?;
    let model = desk.model(request.model.as_deref())?;
    let question = Question {
        model: model.clone(),
        body: chat_body(&request.turns),
        only_key: None,
    };
    let text = desk.ask(question).await?;
    Ok(chat_answer(&text, &model))
}
