//! What keymux asks a provider of its own accord: which models it has. It costs no quota. How keys are proved is in
//! `check.rs`.

use wire::gemini::models::ModelPage;

use crate::{Api, Place, perplexity};

/// One page of a provider's list of models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelsPage {
    /// The ids, as the provider takes them in requests.
    pub ids: Vec<String>,
    /// What the next page is asked with; none on the last.
    pub next: Option<String>,
}

impl ModelsPage {
    /// Reads a page; none where the body is none.
    pub fn read(api: Api, body: &[u8]) -> Option<Self> {
        if api == Api::Google {
            let page = ModelPage::read(body).ok()?;
            return Some(Self {
                ids: page.ids,
                next: page.next_page_token,
            });
        }
        let ids = wire::openai::models::ids(body)?;
        Some(Self {
            ids: match api {
                Api::Perplexity => perplexity::offered(ids),
                _ => ids,
            },
            next: None,
        })
    }
}

impl Api {
    /// The path of a page of models, and the part of the API that answers.
    pub fn models(self, next: Option<&str>) -> (String, Place) {
        let next = next.map(|token| {
            percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC)
        });
        match (self, next) {
            // The most that Google puts on a page.
            (Self::Google, None) => ("/v1beta/models?pageSize=1000".to_owned(), Place::Model),
            (Self::Google, Some(token)) => {
                let path = format!("/v1beta/models?pageSize=1000&pageToken={token}");
                (path, Place::Model)
            }
            (Self::Perplexity, _) => ("/v1/models".to_owned(), Place::OpenAi),
            (Self::OpenAi | Self::Xai | Self::GigaChat, _) => ("/models".to_owned(), Place::OpenAi),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_in_the_providers_own_shape() {
        let google = ModelsPage::read(
            Api::Google,
            br#"{"models":[{"name":"models/gemini-2.5-pro"}],"nextPageToken":"a b"}"#,
        );
        let google = google.unwrap();
        assert_eq!(google.ids, ["gemini-2.5-pro"]);
        let (path, _) = Api::Google.models(google.next.as_deref());
        assert_eq!(path, "/v1beta/models?pageSize=1000&pageToken=a%20b");
        let list =
            br#"{"object":"list","data":[{"id":"grok-4.7","object":"model"},{"id":"grok-4.6"}]}"#;
        let xai = ModelsPage::read(Api::Xai, list).unwrap();
        assert_eq!((xai.ids.len(), xai.next), (2, None));
        assert_eq!(ModelsPage::read(Api::Xai, b"<html>"), None);
        let list = br#"{"data":[{"id":"perplexity/sonar"},{"id":"openai/gpt-6-luna"}]}"#;
        let ids = ModelsPage::read(Api::Perplexity, list).unwrap().ids;
        assert_eq!(ids[..2], ["sonar", "openai/gpt-6-luna"]);
        assert!(ids.iter().any(|id| id == "sonar-pro"), "{ids:?}");
        assert_eq!(ids.iter().filter(|id| *id == "sonar").count(), 1);
    }
}
