//! `GET /v1/models` and `/v1/models/{id}` in OpenAI's dialect: Google's own list, page by page, with the provider's
//! prefix before each id.

use bytes::{Bytes, BytesMut};
use domain::Class;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use wire::gemini::models::{ModelPage, model_id};
use wire::openai::models::{Model, list};

use super::error::GatewayError;
use super::exchange::Exchange;
use super::failover::{self, Outcome};
use super::relay::Ending;
use crate::http::Body;

/// Google lists at most this many models on a page.
const PAGE: &str = "pageSize=1000";
/// What a model's id is encoded for: everything but what ids are made of.
const IN_A_PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
const MOST_PAGES: usize = 20;
const LARGEST_PAGE: usize = 16 << 20;

/// Answers with the list, or with one model of it.
pub(crate) async fn answer(mut exchange: Exchange) -> Result<Response<Body>, GatewayError> {
    let path = exchange.call.outgoing.path_and_query.clone();
    let path = path.split('?').next().unwrap_or_default();
    let body = match path
        .strip_prefix("/v1/models")
        .map(|rest| rest.trim_matches('/'))
    {
        Some("") | None => all(&mut exchange).await?,
        Some(id) => one(&mut exchange, id).await?,
    };
    exchange.recording.answered(200, false);
    exchange.recording.over(Ending {
        class: Class::Ok,
        usage: None,
        model: None,
    });
    let mut response = Response::new(Body::full(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn all(exchange: &mut Exchange) -> Result<Vec<u8>, GatewayError> {
    let mut models = Vec::new();
    let mut query = PAGE.to_owned();
    for _ in 0..MOST_PAGES {
        let body = get(exchange, format!("/v1beta/models?{query}")).await?;
        let page = ModelPage::read(&body).map_err(|error| {
            let text = "the provider's list of models could not be read";
            GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::ServerError, text)
                .private(error.to_string())
        })?;
        models.extend(
            page.ids
                .iter()
                .map(|id| Model::of(&exchange.provider.name, id)),
        );
        let Some(token) = page.next_page_token else {
            break;
        };
        let token =
            percent_encoding::utf8_percent_encode(&token, percent_encoding::NON_ALPHANUMERIC);
        query = format!("{PAGE}&pageToken={token}");
    }
    Ok(list(&models))
}

async fn one(exchange: &mut Exchange, id: &str) -> Result<Vec<u8>, GatewayError> {
    let provider = exchange.provider.name.clone();
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    let id = id
        .strip_prefix(&*provider)
        .and_then(|id| id.strip_prefix('/'))
        .unwrap_or(&id);
    let encoded = percent_encoding::utf8_percent_encode(id, IN_A_PATH);
    get(exchange, format!("/v1beta/models/{encoded}")).await?;
    Ok(Model::of(&provider, model_id(id)).to_json())
}

async fn get(exchange: &mut Exchange, path_and_query: String) -> Result<Bytes, GatewayError> {
    exchange.call.outgoing.path_and_query = path_and_query;
    exchange.start_over();
    match failover::run(exchange).await? {
        Outcome::Answer(mut answer, _credential) => {
            let idle = exchange.snapshot.config.pool.stream_idle_timeout;
            let mut whole = BytesMut::new();
            while let Some(chunk) = answer.flow.pop() {
                whole.extend_from_slice(&chunk);
            }
            while let Some(Ok(frame)) = match &mut answer.rest {
                Some(rest) => tokio::time::timeout(idle, rest.frame())
                    .await
                    .ok()
                    .flatten(),
                None => None,
            } {
                whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
                if whole.len() > LARGEST_PAGE {
                    break;
                }
            }
            Ok(whole.freeze())
        }
        Outcome::Refusal(refusal, verdict) if refusal.head.status == StatusCode::NOT_FOUND => {
            let text = "the model does not exist; GET /v1/models lists those that do";
            let error = GatewayError::upstream(StatusCode::NOT_FOUND, verdict.class, text);
            Err(error.code("model_not_found"))
        }
        Outcome::Refusal(refusal, verdict) => {
            let text = format!(
                "the provider answered with status {}",
                refusal.head.status.as_u16()
            );
            Err(GatewayError::upstream(
                refusal.head.status,
                verdict.class,
                text,
            ))
        }
    }
}
