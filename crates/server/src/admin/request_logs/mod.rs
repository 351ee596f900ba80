//! The request log: pages of it, one request with its attempts, and exports. Members read what their own client keys
//! asked.

mod export;
mod filter;
mod view;

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{RequestId, RequestRecord};
use flate2::read::GzDecoder;
use store::{SearchBudget, StoredBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::page::{Page, Paging, cursor};
use super::who::Who;
use crate::app::App;
use filter::{Form, LogFilter};
use view::{BodyView, RequestDetail};
pub(crate) use view::{Labels, RequestView};

/// How long one page is searched for; what is found by then is given, with a cursor to go on from.
const BUDGET: SearchBudget = SearchBudget {
    time: Duration::from_millis(300),
    candidates: 1_000_000,
};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_requests))
        .routes(routes!(get_request))
}

/// Requests, newest first. A page may hold fewer rows than asked for, even none, and still have a `next_cursor`: rare
/// things are searched for in steps. With `format` the answer is a file with all that match; in CSV a name that a
/// spreadsheet would take for a formula has a `'` in front.
#[utoipa::path(get, path = "/api/request_logs", tag = "records", params(Paging, LogFilter),
    responses((status = 200, description = "A page, or a file.", content(
        (Page<RequestView> = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")))))]
async fn list_requests(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<LogFilter>,
) -> Result<Response, ApiError> {
    paging.refuse_order()?;
    let limit = paging.limit()?;
    let before = paging.after::<i64>()?.map(RequestId);
    let wanted = filter.wanted(&app, &who)?;
    if let Some(form @ (Form::Csv | Form::Jsonl)) = filter.format {
        return Ok(export::file(app, wanted, form));
    }
    let page = app
        .store
        .records_page(&wanted, before, limit as u64, BUDGET)
        .await?;
    let labels = Labels::of(&app, &page.records);
    let items = page
        .records
        .iter()
        .map(|record| RequestView::new(record, &labels));
    let page = Page {
        items: items.collect(),
        next_cursor: page.next.and_then(|id| cursor(&id.0)),
        total: None,
    };
    Ok(Json(page).into_response())
}

/// One request with every attempt: which key, why this one, why again; and its bodies, where they are kept.
#[utoipa::path(get, path = "/api/request_logs/{id}", tag = "records",
    params(("id" = String, Path, description = "The request's id.", example = "6gzkrb1p2nw0v")),
    responses(
        (status = 200, description = "The request.", body = RequestDetail),
        (status = 404, description = "There is no such request, or no more.", body = ErrorBody)))]
async fn get_request(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<String>,
) -> Result<Json<RequestDetail>, ApiError> {
    let not_found = || ApiError::not_found("request", &id);
    let number: RequestId = id.parse().map_err(|_| not_found())?;
    let record = app.store.record(number).await?;
    let record = record
        .filter(|record| may_read(&app, &who, record))
        .ok_or_else(not_found)?;
    let labels = Labels::of(&app, std::slice::from_ref(&record));
    let mut detail = RequestDetail::new(&record, &labels);
    let bodies = app.store.bodies(number).await?;
    detail.request_body = bodies.request.as_ref().map(read_body).transpose()?;
    detail.response_body = bodies.response.as_ref().map(read_body).transpose()?;
    Ok(Json(detail))
}

fn may_read(app: &App, who: &Who, record: &RequestRecord) -> bool {
    let Some(member) = who.only() else {
        return true;
    };
    let own = app.snapshot.load().clients_of(member);
    record.client.is_some_and(|client| own.contains(&client))
}

fn read_body(body: &StoredBody) -> Result<BodyView, ApiError> {
    let mut bytes = Vec::new();
    GzDecoder::new(body.bytes.as_slice())
        .read_to_end(&mut bytes)
        .map_err(ApiError::internal)?;
    Ok(BodyView {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        original_bytes: body.original_len,
        truncated: body.truncated,
    })
}
