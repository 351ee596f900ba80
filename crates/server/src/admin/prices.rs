//! What models cost. keymux comes with a table; an operator's rows go before it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, LongPrompt, Price};
use http::StatusCode;
use metering::{PriceRow, PriceSource, check_price};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Input, Params};
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::who::Admin;
use crate::app::App;
use crate::live::{self, Touched};

/// What a model costs, in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceBody {
    /// Input that came from no cache.
    #[schema(minimum = 0, maximum = 1_000_000, example = 1.25)]
    input: f64,
    /// Input that came from a cache; null: as other input.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0.125)]
    cached_input: Option<f64>,
    /// Output.
    #[schema(minimum = 0, maximum = 1_000_000, example = 10.0)]
    output: f64,
    /// Output that was reasoning; null: as other output.
    #[schema(minimum = 0, maximum = 1_000_000)]
    reasoning: Option<f64>,
    /// What holds for all tokens of a request with a long prompt.
    long_prompt: Option<LongPromptBody>,
}

/// What a request with a long prompt costs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LongPromptBody {
    /// Prompts of more tokens than this are long.
    #[schema(example = 200_000)]
    above_tokens: u32,
    /// Input that came from no cache.
    #[schema(minimum = 0, maximum = 1_000_000, example = 2.5)]
    input: f64,
    /// Input that came from a cache; null: as other input.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0.25)]
    cached_input: Option<f64>,
    /// Output.
    #[schema(minimum = 0, maximum = 1_000_000, example = 15.0)]
    output: f64,
}

/// A row of the table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PriceView {
    #[schema(example = "google")]
    provider: String,
    /// A model's id; `*` at the end stands for anything.
    #[schema(example = "gemini-2.5-pro")]
    model: String,
    /// Input that came from no cache.
    #[schema(example = 1.25)]
    input: f64,
    /// Input that came from a cache; null: as other input.
    #[schema(example = 0.125)]
    cached_input: Option<f64>,
    /// Output.
    #[schema(example = 10.0)]
    output: f64,
    /// Output that was reasoning; null: as other output.
    #[schema(example = 10.0)]
    reasoning: Option<f64>,
    /// What holds for all tokens of a request with a long prompt.
    long_prompt: Option<LongPromptBody>,
    /// Whether keymux came with it, or an operator has set it.
    source: SourceName,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SourceName {
    BuiltIn,
    Operator,
}

/// Which row. Model ids may hold slashes, so they are parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Row {
    /// The model's id; `*` at the end stands for anything.
    #[param(example = "gemini-2.5-pro", min_length = 1, max_length = 200)]
    model: String,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_prices))
        .routes(routes!(put_price, delete_price))
}

/// Prices.
#[utoipa::path(get, path = "/api/prices", tag = "settings", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them, by provider and model.", body = Page<PriceView>)))]
async fn list_prices(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<PriceView>>, ApiError> {
    let order = paging.order(&["model"])?;
    let snapshot = app.snapshot.load();
    let mut rows = snapshot.prices.rows();
    rows.retain(|row| filter.matches(&[row.provider, row.model]));
    let rows = turned(rows, order);
    let id = |row: &PriceRow<'_>| (row.provider.to_owned(), row.model.to_owned());
    slice(&rows, &paging, id, |row| PriceView::from(row)).map(Json)
}

/// Set what a model costs, from now on.
#[utoipa::path(put, path = "/api/prices/{provider}", tag = "settings", request_body = PriceBody,
    params(("provider" = String, Path, description = "The provider.", example = "google"), Row),
    responses(
        (status = 204, description = "The price holds for requests that end from now on."),
        (status = 404, description = "There is no such provider.", body = ErrorBody)))]
async fn put_price(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(provider): Id<String>,
    Params(row): Params<Row>,
    Input(input): Input<PriceBody>,
) -> Result<StatusCode, ApiError> {
    check_row(&app, &provider, &row.model)?;
    let price = Price::from(input);
    check_price(&price).map_err(|error| ApiError::invalid(error.field, error.to_string()))?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    change.put_price(&provider, &row.model, &price, now).await?;
    let details = format!(
        "{} of {provider}: {} in, {} out",
        row.model, price.input, price.output
    );
    change
        .log(
            &event(&who.name(), Action::Update, &provider, &row.model, details),
            now,
        )
        .await?;
    live::publish(&app, change, Touched::Prices).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Return a model to the price that keymux came with, if there is one.
#[utoipa::path(delete, path = "/api/prices/{provider}", tag = "settings",
    params(("provider" = String, Path, description = "The provider.", example = "google"), Row),
    responses(
        (status = 204, description = "The operator's price is gone."),
        (status = 404, description = "No operator has set this price.", body = ErrorBody)))]
async fn delete_price(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(provider): Id<String>,
    Params(row): Params<Row>,
) -> Result<StatusCode, ApiError> {
    let now = app.clock.now();
    let change = app.store.change().await?;
    if !change.delete_price(&provider, &row.model).await? {
        return Err(ApiError::not_found("operator's price of", row.model));
    }
    let details = format!("{} of {provider}", row.model);
    change
        .log(
            &event(&who.name(), Action::Delete, &provider, &row.model, details),
            now,
        )
        .await?;
    live::publish(&app, change, Touched::Prices).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_row(app: &App, provider: &str, model: &str) -> Result<(), ApiError> {
    if !app.snapshot.load().config.providers.contains_key(provider) {
        return Err(ApiError::not_found("provider", provider));
    }
    let is_name = (1..=200).contains(&model.len())
        && !model.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_name {
        return Ok(());
    }
    Err(ApiError::invalid(
        "model",
        format!("{model:?} is no model id"),
    ))
}

impl From<PriceBody> for Price {
    fn from(body: PriceBody) -> Self {
        Self {
            input: body.input,
            cached_input: body.cached_input,
            output: body.output,
            reasoning: body.reasoning,
            long_prompt: body.long_prompt.map(|long| LongPrompt {
                above_tokens: long.above_tokens,
                input: long.input,
                cached_input: long.cached_input,
                output: long.output,
            }),
        }
    }
}

impl From<&PriceRow<'_>> for PriceView {
    fn from(row: &PriceRow<'_>) -> Self {
        let price = row.price;
        Self {
            provider: row.provider.to_owned(),
            model: row.model.to_owned(),
            input: price.input,
            cached_input: price.cached_input,
            output: price.output,
            reasoning: price.reasoning,
            long_prompt: price.long_prompt.map(|long| LongPromptBody {
                above_tokens: long.above_tokens,
                input: long.input,
                cached_input: long.cached_input,
                output: long.output,
            }),
            source: match row.source {
                PriceSource::BuiltIn => SourceName::BuiltIn,
                PriceSource::Operator => SourceName::Operator,
            },
        }
    }
}

fn event(actor: &str, action: Action, provider: &str, model: &str, details: String) -> Event {
    Event::new(actor, action, "prices")
        .about(model)
        .at(provider)
        .details(details)
}
