//! Which requests.

use domain::{ClientId, KeyId};
use serde::Deserialize;
use store::{RecordFilter, StatusFilter};
use utoipa::{IntoParams, ToSchema};

use crate::admin::error::ApiError;
use crate::admin::time::Time;
use crate::admin::who::Who;
use crate::app::App;

/// Which requests; what is left out does not matter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogFilter {
    /// Begun from then on.
    from: Option<Time>,
    /// Begun before then.
    to: Option<Time>,
    /// Of this client key, by id.
    #[param(example = 3)]
    client: Option<i64>,
    /// To this provider.
    #[param(example = "google")]
    provider: Option<String>,
    /// For this model.
    #[param(example = "gemini-2.5-flash")]
    model: Option<String>,
    /// Last tried with this key, by id.
    #[param(example = 17)]
    key: Option<i64>,
    /// Answered with this status, or with one of a class.
    #[param(example = "4xx", pattern = "^([1-5][0-9][0-9]|[1-5]xx)$")]
    status: Option<String>,
    /// Only those that went wrong.
    failed: Option<bool>,
    /// With this text in model, endpoint, error or attempts.
    q: Option<String>,
    /// The form of the answer; without it, a page.
    #[param(inline)]
    pub(super) format: Option<Form>,
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// A page.
    Json,
    /// A file; the first line names the columns.
    Csv,
    /// A file; a JSON object a line.
    Jsonl,
}

impl LogFilter {
    /// The filter as the store takes it, cut down to what the user may see.
    pub(super) fn wanted(&self, app: &App, who: &Who) -> Result<RecordFilter, ApiError> {
        let own = who
            .only()
            .map(|member| app.snapshot.load().clients_of(member));
        Ok(RecordFilter {
            from: self.from.map(|time| time.0),
            to: self.to.map(|time| time.0),
            clients: own,
            client: self.client.map(ClientId),
            provider: self.provider.clone(),
            model: self.model.clone(),
            key: self.key.map(KeyId),
            status: self.status.as_deref().map(read_status).transpose()?,
            failed_only: self.failed.unwrap_or(false),
            text: self.q.clone().filter(|text| !text.is_empty()),
        })
    }
}

fn read_status(text: &str) -> Result<StatusFilter, ApiError> {
    let wrong = || {
        ApiError::invalid(
            "status",
            format!("{text:?} is no status; expected one such as 429 or 5xx"),
        )
    };
    let is_class = text.len() == 3 && text.ends_with("xx");
    let digits = if is_class { &text[..1] } else { text };
    // A number may have a sign, which no status has.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u16 = digits.parse().map_err(|_| wrong())?;
    match (is_class, number) {
        (true, 1..=5) => Ok(StatusFilter::Class(number)),
        (false, 100..=599) => Ok(StatusFilter::One(number)),
        _ => Err(wrong()),
    }
}
