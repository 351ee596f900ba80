//! A request as the API shows it. Ids of the record become names of today; what is gone keeps its id.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use domain::{Attempt, ClientId, KeyId, RequestRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::cells::inert;
use crate::admin::time::Time;
use crate::app::App;

/// A request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestView {
    /// What callers read as `x-keymux-request-id`.
    #[schema(example = "6gzkrb1p2nw0v")]
    id: String,
    /// When it began.
    time: Time,
    /// The client key; null: an anonymous caller.
    #[schema(example = 3)]
    client_id: Option<i64>,
    /// Its name, while it is there.
    #[schema(example = "chat app")]
    client: Option<String>,
    /// The shape of the request: `gemini`, `openai`, `anthropic`, `simple`.
    #[schema(example = "gemini")]
    dialect: &'static str,
    /// What was asked, a name from a bounded set.
    #[schema(example = "streamGenerateContent")]
    endpoint: String,
    #[schema(example = "google")]
    provider: Option<String>,
    #[schema(example = "gemini-2.5-flash")]
    model: Option<String>,
    /// The key of the last attempt.
    #[schema(example = 17)]
    key_id: Option<i64>,
    /// Its label or its masked form, while it is there.
    #[schema(example = "billing")]
    key: Option<String>,
    /// The status that the caller got; 499 when it went away before an answer.
    #[schema(example = 200)]
    status: u16,
    /// Whether the answer was a stream.
    stream: bool,
    /// How many attempts it took.
    #[schema(example = 2)]
    attempts: usize,
    /// From the first byte of the request to the last of the answer.
    #[schema(example = 1834.2)]
    latency_ms: f64,
    /// To the first useful byte of the answer.
    #[schema(example = 412.7)]
    first_byte_ms: Option<f64>,
    /// As the provider counted them.
    tokens: Option<TokensView>,
    /// What they cost, where the model has a price.
    #[schema(example = 0.00042)]
    cost_usd: Option<f64>,
    /// What went wrong, for example `rate_limited`; null: nothing.
    #[schema(example = "rate_limited")]
    error: Option<&'static str>,
}

/// Tokens of one answer.
#[derive(Debug, Serialize, ToSchema)]
struct TokensView {
    /// Input, cached tokens included.
    #[schema(example = 1200)]
    prompt: u32,
    /// Output, reasoning included.
    #[schema(example = 340)]
    output: u32,
    /// The part of the output that was reasoning.
    #[schema(example = 50)]
    reasoning: u32,
    /// The part of the input that came from a cache.
    #[schema(example = 0)]
    cached: u32,
    /// Tool results that were fed back.
    #[schema(example = 0)]
    tool: u32,
    /// The provider's own total.
    #[schema(example = 1540)]
    total: u32,
}

/// A request with its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestDetail {
    #[serde(flatten)]
    request: RequestView,
    /// In order.
    attempt_list: Vec<AttemptView>,
    /// What the caller sent, where `logs.bodies` keeps it.
    pub(super) request_body: Option<BodyView>,
    /// What the caller got, where `logs.bodies` keeps it.
    pub(super) response_body: Option<BodyView>,
}

/// One try of the request with one key.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptView {
    /// 1 for the first.
    #[schema(example = 1)]
    number: usize,
    /// The provider that was asked; along a chain of models it is another one than the request's in the end.
    #[schema(example = "google")]
    provider: Option<String>,
    /// The model that it was asked for.
    #[schema(example = "gemini-2.5-flash")]
    model: Option<String>,
    /// The key; null: the caller brought its own.
    #[schema(example = 17)]
    key_id: Option<i64>,
    #[schema(example = "billing")]
    key: Option<String>,
    /// How it left: `direct`, or a proxy.
    #[schema(example = "direct")]
    egress: String,
    /// What the provider answered; null: nothing.
    #[schema(example = 429)]
    status: Option<u16>,
    /// What that means.
    #[schema(example = "rate_limited")]
    class: &'static str,
    /// More exactly.
    #[schema(example = "rpm_exceeded")]
    reason: String,
    /// Until the answer was judged.
    #[schema(example = 84.1)]
    latency_ms: f64,
    /// How the key was chosen.
    #[schema(example = "least_loaded of 20")]
    why_this_key: String,
    /// Why there was another try after the one before; null for the first.
    #[schema(example = "attempt 1 was rate_limited (rpm_exceeded)")]
    why_again: Option<String>,
}

/// A body that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BodyView {
    /// Text as it passed, without secrets.
    #[schema(example = "{\"contents\": []}")]
    pub(super) text: String,
    /// How long it was.
    #[schema(example = 1234)]
    pub(super) original_bytes: u64,
    /// Whether only its beginning was kept.
    pub(super) truncated: bool,
}

/// Names of clients and keys, as they are now.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    clients: HashMap<ClientId, String>,
    keys: HashMap<KeyId, String>,
}

impl Labels {
    /// The names that these records need.
    pub(crate) fn of(app: &App, records: &[RequestRecord]) -> Self {
        let snapshot = app.snapshot.load();
        let asked: HashSet<ClientId> = records.iter().filter_map(|record| record.client).collect();
        let clients = snapshot.clients.values().map(|known| &known.client);
        let names = clients
            .filter(|client| asked.contains(&client.id))
            .map(|client| (client.id, client.name.clone()));
        let used = records.iter().flat_map(|record| {
            let tried = record.attempts.iter().filter_map(|attempt| attempt.key);
            tried.chain(record.key)
        });
        let label = |id: KeyId| {
            let (_, status) = snapshot.key(id)?;
            let key = &status.cell.key;
            Some((id, key.label.clone().unwrap_or_else(|| key.secret.masked())))
        };
        Self {
            clients: names.collect(),
            keys: used.filter_map(label).collect(),
        }
    }
}

impl RequestView {
    pub(crate) fn new(record: &RequestRecord, labels: &Labels) -> Self {
        Self {
            id: record.id.to_string(),
            time: record.id.time().into(),
            client_id: record.client.map(|id| id.0),
            client: record
                .client
                .and_then(|id| labels.clients.get(&id).cloned()),
            dialect: record.dialect.name(),
            endpoint: record.endpoint.to_owned(),
            provider: record.provider.as_deref().map(str::to_owned),
            model: record.model.as_deref().map(str::to_owned),
            key_id: record.key.map(|id| id.0),
            key: record.key.and_then(|id| labels.keys.get(&id).cloned()),
            status: record.status,
            stream: record.stream,
            attempts: record.attempts.len(),
            latency_ms: ms(record.latency_us),
            first_byte_ms: record.first_byte_us.map(ms),
            tokens: record.usage.map(|usage| TokensView {
                prompt: usage.prompt,
                output: usage.output,
                reasoning: usage.reasoning,
                cached: usage.cached,
                tool: usage.tool,
                total: usage.total,
            }),
            cost_usd: record.cost.map(domain::Nanodollars::dollars),
            error: record.error.map(domain::Class::name),
        }
    }
}

/// A request in one line of a table.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    id: &'a str,
    time: String,
    client_id: Option<i64>,
    client: Option<Cow<'a, str>>,
    dialect: &'a str,
    endpoint: Cow<'a, str>,
    provider: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    key_id: Option<i64>,
    key: Option<Cow<'a, str>>,
    status: u16,
    stream: bool,
    attempts: usize,
    latency_ms: f64,
    first_byte_ms: Option<f64>,
    prompt_tokens: Option<u32>,
    output_tokens: Option<u32>,
    reasoning_tokens: Option<u32>,
    cached_tokens: Option<u32>,
    total_tokens: Option<u32>,
    cost_usd: Option<f64>,
    error: Option<&'a str>,
}

impl Line<'_> {
    /// The names of its fields, in their order.
    pub(super) const COLUMNS: [&'static str; 22] = [
        "id",
        "time",
        "client_id",
        "client",
        "dialect",
        "endpoint",
        "provider",
        "model",
        "key_id",
        "key",
        "status",
        "stream",
        "attempts",
        "latency_ms",
        "first_byte_ms",
        "prompt_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cached_tokens",
        "total_tokens",
        "cost_usd",
        "error",
    ];
}

impl RequestView {
    pub(super) fn line(&self) -> Line<'_> {
        let tokens = self.tokens.as_ref();
        Line {
            id: &self.id,
            time: self.time.to_string(),
            client_id: self.client_id,
            client: self.client.as_deref().map(inert),
            dialect: self.dialect,
            endpoint: inert(&self.endpoint),
            provider: self.provider.as_deref().map(inert),
            model: self.model.as_deref().map(inert),
            key_id: self.key_id,
            key: self.key.as_deref().map(inert),
            status: self.status,
            stream: self.stream,
            attempts: self.attempts,
            latency_ms: self.latency_ms,
            first_byte_ms: self.first_byte_ms,
            prompt_tokens: tokens.map(|tokens| tokens.prompt),
            output_tokens: tokens.map(|tokens| tokens.output),
            reasoning_tokens: tokens.map(|tokens| tokens.reasoning),
            cached_tokens: tokens.map(|tokens| tokens.cached),
            total_tokens: tokens.map(|tokens| tokens.total),
            cost_usd: self.cost_usd,
            error: self.error,
        }
    }
}

impl RequestDetail {
    pub(super) fn new(record: &RequestRecord, labels: &Labels) -> Self {
        let attempts = 0..record.attempts.len();
        Self {
            request: RequestView::new(record, labels),
            attempt_list: attempts
                .map(|index| AttemptView::new(record, index, labels))
                .collect(),
            request_body: None,
            response_body: None,
        }
    }
}

impl AttemptView {
    fn new(record: &RequestRecord, index: usize, labels: &Labels) -> Self {
        let attempt = &record.attempts[index];
        let before = index.checked_sub(1).map(|before| &record.attempts[before]);
        let again = |before: &Attempt| {
            let outcome = &before.outcome;
            format!(
                "attempt {index} was {} ({})",
                outcome.class.name(),
                outcome.reason
            )
        };
        let (provider, model) = match &attempt.elsewhere {
            Some(elsewhere) => (Some(&elsewhere.provider), Some(&elsewhere.model)),
            None => (record.provider.as_ref(), record.model.as_ref()),
        };
        Self {
            number: index + 1,
            provider: provider.map(ToString::to_string),
            model: model.map(ToString::to_string),
            key_id: attempt.key.map(|id| id.0),
            key: attempt.key.and_then(|id| labels.keys.get(&id).cloned()),
            egress: attempt.egress.to_string(),
            status: attempt.status,
            class: attempt.outcome.class.name(),
            reason: attempt.outcome.reason.to_string(),
            latency_ms: ms(attempt.latency_us),
            why_this_key: attempt.chosen.to_string(),
            why_again: before.map(again),
        }
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}
