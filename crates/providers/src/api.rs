//! Which API a provider speaks, and whose functions understand it: the one place that lists them all.

use domain::{Class, Secret, Verdict};
use http::HeaderMap;
use http::header::InvalidHeaderValue;
use wire::gemini::Summary;

use crate::{ErrorAnswer, Place, gigachat, google, openai, perplexity, xai};

/// The API of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// Google's Gemini API, its paths of OpenAI's shape included.
    Google,
    /// OpenAI's, or any that is like it.
    OpenAi,
    /// xAI's: like OpenAI's, with refusals of its own.
    Xai,
    /// Perplexity's.
    Perplexity,
    /// Sber's GigaChat.
    GigaChat,
}

/// Providers that are like OpenAI but for what they refuse: the name in a configuration, the host, and who they are.
const COMPATIBLE: &[(&str, &str, Api)] = &[("xai", "api.x.ai", Api::Xai)];

/// Which OpenAI-compatible provider that is, by its name in the configuration or by its host.
pub fn compatible(name: &str, host: &str) -> Api {
    let host = host.to_ascii_lowercase();
    COMPATIBLE
        .iter()
        .find(|(known, domain, _)| name == *known || is_within(&host, domain))
        .map_or(Api::OpenAi, |(_, _, api)| *api)
}

/// The host itself, or a region of it (`us.api.x.ai`).
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|region| region.is_empty() || region.ends_with('.'))
}

impl Api {
    /// What the provider of this API is called unless it is configured otherwise.
    pub const fn usual_name(self) -> Option<&'static str> {
        match self {
            Self::Google => Some("google"),
            Self::Xai => Some("xai"),
            Self::Perplexity => Some("perplexity"),
            Self::GigaChat => Some("gigachat"),
            Self::OpenAi => None,
        }
    }

    /// Shows a key to the provider. Fails for a key that no header can carry.
    pub fn authenticate(
        self,
        headers: &mut HeaderMap,
        key: &Secret,
        place: Place,
    ) -> Result<(), InvalidHeaderValue> {
        match self {
            Self::Google => google::authenticate(headers, key, place),
            Self::OpenAi | Self::Xai | Self::Perplexity | Self::GigaChat => {
                openai::authenticate(headers, key)
            }
        }
    }

    /// The token that was shown is over, and another one may do: the key itself was not refused.
    pub fn says_token_is_over(self, verdict: &Verdict) -> bool {
        self == Self::GigaChat && verdict.reason == gigachat::TOKEN_EXPIRED
    }

    /// The account has as many requests under way as it may: a turn will be free when one of them ends.
    pub fn says_turns_are_taken(self, verdict: &Verdict) -> bool {
        self == Self::GigaChat && verdict.reason == gigachat::TURNS_TAKEN
    }

    /// What a refusal means.
    pub fn judge_error(self, answer: &ErrorAnswer<'_>) -> Verdict {
        match self {
            Self::Google => google::judge_error(answer),
            Self::Xai => xai::judge_error(answer),
            Self::Perplexity => perplexity::judge_error(answer),
            Self::GigaChat => gigachat::judge_error(answer),
            Self::OpenAi => openai::judge_error(answer),
        }
    }

    /// What it means that a WebSocket was closed like this.
    pub fn judge_close(self, code: u16, reason: &str) -> Verdict {
        match (self, code) {
            (Self::Google, _) => google::judge_close(code, reason),
            (_, 1000 | 1001 | 1005) => Verdict::ok(),
            (_, 1003 | 1007 | 1008 | 1009) => Verdict::new(Class::BadRequest, "closed_by_provider"),
            _ => Verdict::new(Class::ServerError, "closed_by_provider"),
        }
    }

    /// What an answer that ended means; `summary` is final, and `streamed` tells an answer in events from one document.
    pub fn judge_success(self, summary: &Summary, streamed: bool) -> Verdict {
        match self {
            Self::Google => google::judge_success(summary, streamed),
            Self::Xai => xai::judge_success(summary, streamed),
            Self::Perplexity => perplexity::judge_success(summary, streamed),
            Self::GigaChat => gigachat::judge_success(summary, streamed),
            Self::OpenAi => openai::judge_success(summary, streamed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compatible_provider_is_known_by_name_or_host() {
        for (name, host, expected) in [
            ("xai", "proxy.example", Api::Xai),
            ("grok", "api.x.ai", Api::Xai),
            ("grok", "us.API.x.ai", Api::Xai),
            ("x", "evilapi.x.ai", Api::OpenAi),
            ("x", "api.x.ai.example", Api::OpenAi),
            ("openai", "api.openai.com", Api::OpenAi),
        ] {
            assert_eq!(compatible(name, host), expected, "{name} {host}");
        }
    }

    #[test]
    fn keys_are_bearers_but_googles() {
        for (api, header) in [
            (Api::Google, "x-goog-api-key"),
            (Api::OpenAi, "authorization"),
            (Api::Xai, "authorization"),
            (Api::Perplexity, "authorization"),
            (Api::GigaChat, "authorization"),
        ] {
            let mut headers = HeaderMap::new();
            let key = Secret::new("k");
            api.authenticate(&mut headers, &key, Place::Model).unwrap();
            assert_eq!(headers.len(), 1, "{api:?}");
            let value = headers.get(header).unwrap();
            assert!(value.is_sensitive(), "{api:?}");
            assert!(value.to_str().unwrap().ends_with('k'), "{api:?}");
        }
    }
}
