//! `POST /gemini-proxy`: a prompt and its answer, with the defaults, or with the caller's own model and key.

use wire::simple::{ProxyRequest, prompt_body, proxy_answer};

use super::ask::Question;
use super::{Desk, wrong};
use crate::gateway::error::GatewayError;

/// Answers a prompt.
pub(super) async fn answer(desk: Desk) -> Result<Vec<u8>, GatewayError> {
    let most = desk.visit.snapshot.config.simple.max_prompt_chars;
    let request = ProxyRequest::read(&desk.body(), most).map_err(wrong)?;
    let given = request.given.as_ref();
    let model = desk.model(given.map(|given| &*given.model))?;
    let began = desk.began;
    // Only now: the caller's key in it is known, and will be kept out of the log with the first attempt.
    desk.keep_body();
    let question = Question {
        model: model.clone(),
        body: prompt_body(&request.prompt),
        only_key: request.given.map(|given| given.api_key),
    };
    let text = desk.ask(question).await?;
    let time_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(proxy_answer(&text, &model, time_ms))
}
