//! Google's list of models, as far as another dialect's list needs it.

use serde::Deserialize;

/// One page of `GET /models`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelPage {
    /// The models' ids without `models/`, in their order.
    pub ids: Vec<String>,
    /// What to ask the next page with; none on the last.
    pub next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawPage {
    models: Vec<RawModel>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct RawModel {
    name: String,
}

impl ModelPage {
    /// Reads a page; an error where the body is none.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let page: RawPage = serde_json::from_slice(body)?;
        let names = page.models.into_iter().map(|model| model.name);
        Ok(Self {
            ids: names.map(|name| model_id(&name).to_owned()).collect(),
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
        })
    }
}

/// A model's id: its resource name without `models/`.
pub fn model_id(name: &str) -> &str {
    name.strip_prefix("models/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_token() {
        let body = br#"{"models":[{"name":"models/a","x":1},{"name":"b"}],"nextPageToken":"t"}"#;
        let page = ModelPage::read(body).unwrap();
        assert_eq!(page.ids, ["a", "b"]);
        assert_eq!(page.next_page_token.as_deref(), Some("t"));
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = ModelPage::read(br#"{"nextPageToken":""}"#).unwrap();
        assert_eq!(page, ModelPage::default());
    }

    #[test]
    fn what_is_no_page_is_an_error() {
        assert!(ModelPage::read(b"<html>").is_err());
        assert!(ModelPage::read(br#"{"models":[{"id":"a"}]}"#).is_err());
    }
}
