//! Provider keys that callers bring themselves, each in a header of its provider's.

use domain::Secret;
use http::HeaderMap;
use providers::Api;

/// The headers, by the API that their keys are for.
const HEADERS: [(Api, &str); 4] = [
    (Api::Google, "x-google-api-key"),
    (Api::Xai, "x-xai-api-key"),
    (Api::GigaChat, "x-gigachat-api-key"),
    (Api::Perplexity, "x-perplexity-api-key"),
];

/// The keys that one caller brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Brought(Vec<(Api, Secret)>);

impl Brought {
    /// Reads the headers as they came.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let given = HEADERS.into_iter().filter_map(|(api, name)| {
            let text = headers.get(name)?.to_str().ok()?.trim();
            (!text.is_empty()).then(|| (api, Secret::new(text)))
        });
        Self(given.collect())
    }

    /// The key for a provider of that API.
    pub(crate) fn key(&self, api: Api) -> Option<Secret> {
        let mut keys = self.0.iter();
        keys.find(|(known, _)| *known == api)
            .map(|(_, key)| key.clone())
    }
}
