//! Lists in pages. A cursor names the last row that was given, so pages stay right while rows come and go.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;

const USUAL: usize = 50;
/// The most rows of a page.
pub(crate) const MOST: usize = 500;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub(crate) items: Vec<T>,
    /// What to ask the next page with; null: there is none.
    #[schema(example = "WyItY3JlYXRlZF9hdCIsNDJd")]
    pub(crate) next_cursor: Option<String>,
    /// How many rows there are in all pages, where that is cheap to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1204)]
    pub(crate) total: Option<usize>,
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Rows of the page: 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// The field to sort by; with `-` in front, the largest first.
    #[param(example = "-created_at")]
    pub(crate) sort: Option<String>,
}

/// An order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    pub(crate) field: &'a str,
    pub(crate) is_descending: bool,
}

impl Paging {
    /// The names of its parameters.
    pub(crate) const NAMES: [&str; 3] = ["limit", "cursor", "sort"];

    /// The order that is asked for, of those that there are; the first is the usual one.
    pub(crate) fn order(&self, known: &[&'static str]) -> Result<Order<'_>, ApiError> {
        let usual = known.first().copied().unwrap_or_default();
        let asked = self
            .sort
            .as_deref()
            .filter(|text| !text.is_empty())
            .unwrap_or(usual);
        let (field, is_descending) = match asked.strip_prefix('-') {
            Some(field) => (field, true),
            None => (asked, false),
        };
        if known.contains(&field) {
            return Ok(Order {
                field,
                is_descending,
            });
        }
        let text = format!(
            "{asked:?} is no order; expected {}, perhaps with - in front",
            known.join(", ")
        );
        Err(ApiError::invalid("sort", text))
    }

    /// Refuses an order where there is only one.
    pub(crate) fn refuse_order(&self) -> Result<(), ApiError> {
        match &self.sort {
            None => Ok(()),
            Some(_) => Err(ApiError::invalid(
                "sort",
                "this list has one order: newest first",
            )),
        }
    }

    /// Rows of the page, within bounds.
    pub(crate) fn limit(&self) -> Result<usize, ApiError> {
        match self.limit {
            None => Ok(USUAL),
            Some(limit @ 1..=MOST) => Ok(limit),
            Some(limit) => {
                let text = format!("limit is {limit}; expected 1 to {MOST}");
                Err(ApiError::invalid("limit", text))
            }
        }
    }

    /// What the cursor holds.
    pub(crate) fn after<C: DeserializeOwned>(&self) -> Result<Option<C>, ApiError> {
        self.cursor
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(read_cursor)
            .transpose()
    }
}

/// The page of a list that is in memory and sorted. The cursor is the row that was given last and its place: the row is
/// looked for again, so the order may be any; where it is gone meanwhile, the row that has its place comes next.
pub(crate) fn slice<R, V, C: Serialize + DeserializeOwned + PartialEq>(
    rows: &[R],
    paging: &Paging,
    id: impl Fn(&R) -> C,
    view: impl Fn(&R) -> V,
) -> Result<Page<V>, ApiError> {
    let limit = paging.limit()?;
    let last: Option<(C, usize)> = paging.after()?;
    let begin = last.map_or(0, |(last, place)| {
        let found = rows.iter().position(|row| id(row) == last);
        found.map_or(place.min(rows.len()), |place| place + 1)
    });
    let end = rows.len().min(begin + limit);
    let given = &rows[begin..end];
    let last = given.last().filter(|_| end < rows.len());
    Ok(Page {
        next_cursor: last.and_then(|row| cursor(&(id(row), end - 1))),
        total: Some(rows.len()),
        items: given.iter().map(view).collect(),
    })
}

/// Turns a list round when the largest are asked for first.
pub(crate) fn turned<R>(mut rows: Vec<R>, order: Order<'_>) -> Vec<R> {
    if order.is_descending {
        rows.reverse();
    }
    rows
}

/// A filter by text, in capital letters or not.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TextFilter {
    /// Rows that hold this text.
    q: Option<String>,
}

impl TextFilter {
    /// Whether one of the texts holds what is asked for.
    pub(crate) fn matches(&self, texts: &[&str]) -> bool {
        holds(self.q.as_deref(), texts)
    }
}

/// Whether one of the texts holds what is asked for, in capital letters or not.
pub(crate) fn holds(wanted: Option<&str>, texts: &[&str]) -> bool {
    let wanted = wanted.unwrap_or_default().to_lowercase();
    texts
        .iter()
        .any(|text| text.to_lowercase().contains(&wanted))
}

/// The cursor that leads on from a row.
pub(crate) fn cursor<C: Serialize>(position: &C) -> Option<String> {
    let json = serde_json::to_vec(position).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(json))
}

fn read_cursor<C: DeserializeOwned>(text: &str) -> Result<C, ApiError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| {
        let text = "it is no `next_cursor` of this list; leave it out to begin anew";
        ApiError::invalid("cursor", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        let paging = Paging {
            cursor: cursor(&("-created_at", 42)),
            ..Paging::default()
        };
        assert_eq!(
            paging.after::<(String, i64)>().unwrap(),
            Some(("-created_at".to_owned(), 42))
        );
        let other = Paging {
            cursor: Some("nonsense!".into()),
            ..Paging::default()
        };
        assert!(other.after::<i64>().is_err());
    }
}
