//! Attempts as they are kept in a request's row: a JSON array of small objects that an operator can read and
//! query. What goes without saying is left out: a direct egress, and a reason that is the name of its class.
//! Unknown fields are passed over, so that a later version may add some.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{Attempt, AttemptOutcome, Class, Elsewhere, KeyId};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::names::Word as _;

const DIRECT: &str = "direct";

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    provider: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    model: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<i64>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    egress: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(borrow)]
    class: Cow<'a, str>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    us: u64,
    #[serde(borrow)]
    chosen: Cow<'a, str>,
}

/// The column's text; none for no attempts.
pub(crate) fn to_json(attempts: &[Attempt]) -> Result<Option<String>, StoreError> {
    if attempts.is_empty() {
        return Ok(None);
    }
    let mut text = Vec::with_capacity(96 * attempts.len());
    let mut json = serde_json::Serializer::new(&mut text);
    let rows = attempts.iter().map(row);
    serde::Serializer::collect_seq(&mut json, rows).map_err(|error| unreadable(&error))?;
    let text = String::from_utf8(text);
    text.map(Some).map_err(|error| unreadable(&error))
}

/// The attempts of the column.
pub(crate) fn from_json(text: Option<&str>) -> Result<Vec<Attempt>, StoreError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let rows: Vec<Row<'_>> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    rows.into_iter().map(attempt).collect()
}

fn unreadable(error: &dyn std::error::Error) -> StoreError {
    StoreError::corrupt(format!("requests.attempts: {error}"))
}

fn row(attempt: &Attempt) -> Row<'_> {
    let class = attempt.outcome.class.name();
    let reason = &*attempt.outcome.reason;
    let elsewhere = attempt.elsewhere.as_ref();
    Row {
        provider: elsewhere.map(|it| Cow::Borrowed(&*it.provider)),
        model: elsewhere.map(|it| Cow::Borrowed(&*it.model)),
        key: attempt.key.map(|key| key.0),
        egress: (*attempt.egress != *DIRECT).then_some(Cow::Borrowed(&*attempt.egress)),
        status: attempt.status,
        class: Cow::Borrowed(class),
        reason: (reason != class).then_some(Cow::Borrowed(reason)),
        us: attempt.latency_us,
        chosen: Cow::Borrowed(&*attempt.chosen),
    }
}

fn attempt(row: Row<'_>) -> Result<Attempt, StoreError> {
    let class = Class::from_word(&row.class)?;
    let reason = match row.reason {
        Some(reason) => Cow::Owned(reason.into_owned()),
        None => Cow::Borrowed(class.name()),
    };
    let elsewhere = row.provider.zip(row.model);
    Ok(Attempt {
        elsewhere: elsewhere.map(|(provider, model)| Elsewhere {
            provider: (&*provider).into(),
            model: (&*model).into(),
        }),
        key: row.key.map(KeyId),
        egress: Arc::from(row.egress.as_deref().unwrap_or(DIRECT)),
        status: row.status,
        outcome: AttemptOutcome { class, reason },
        latency_us: row.us,
        chosen: Cow::Owned(row.chosen.into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt_of(
        key: Option<KeyId>,
        egress: &str,
        status: Option<u16>,
        class: Class,
        reason: &'static str,
    ) -> Attempt {
        Attempt {
            elsewhere: None,
            key,
            egress: egress.into(),
            status,
            outcome: AttemptOutcome {
                class,
                reason: reason.into(),
            },
            latency_us: 1234,
            chosen: "least_loaded".into(),
        }
    }

    fn check(attempts: &[Attempt], text: Option<&str>) {
        assert_eq!(to_json(attempts).unwrap().as_deref(), text);
        assert_eq!(from_json(text).unwrap(), attempts);
    }

    #[test]
    fn attempts_are_written_compactly_and_read_back() {
        check(&[], None);
        check(
            &[
                attempt_of(
                    Some(KeyId(7)),
                    "http://10.0.0.1:3128",
                    Some(400),
                    Class::KeyInvalid,
                    "api_key_expired",
                ),
                attempt_of(None, "direct", None, Class::Timeout, "timeout"),
            ],
            Some(concat!(
                r#"[{"key":7,"egress":"http://10.0.0.1:3128","status":400,"class":"key_invalid","#,
                r#""reason":"api_key_expired","us":1234,"chosen":"least_loaded"},"#,
                r#"{"class":"timeout","us":1234,"chosen":"least_loaded"}]"#
            )),
        );
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over() {
        let text = r#"[{"class":"ok","us":1,"chosen":"only \"one\"","again":"never"}]"#;
        let attempts = from_json(Some(text)).unwrap();
        assert_eq!(attempts[0].chosen, r#"only "one""#);
    }

    #[test]
    fn damaged_text_is_an_error() {
        for text in ["", "[", r#"[{"class":"nonsense","us":1,"chosen":""}]"#] {
            assert!(from_json(Some(text)).is_err(), "{text}");
        }
    }
}
