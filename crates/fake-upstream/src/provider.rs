//! Whom a stand-in imitates, and where each imitation begins: routes, faults, quota bodies, models.
//! Everything a provider does differently from the others is in its own folder.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::fault::{KeyFault, Subject};
use crate::quota::Breach;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Deed;
use crate::stand::Stand;
use crate::{gemini, gigachat, openai, perplexity, xai};

/// A provider that the crate imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google's Gemini API.
    Gemini,
    /// xAI (Grok).
    Xai,
    /// Perplexity's Agent API.
    Perplexity,
    /// Sber's GigaChat with its token endpoint.
    Gigachat,
    /// Any server that speaks OpenAI's API.
    Openai,
}

impl Provider {
    /// Every provider, in the order in which the program starts them.
    pub const ALL: [Self; 5] = [
        Self::Gemini,
        Self::Xai,
        Self::Perplexity,
        Self::Gigachat,
        Self::Openai,
    ];

    /// The name in flags and JSON, for example `xai`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::Xai => "xai",
            Self::Perplexity => "perplexity",
            Self::Gigachat => "gigachat",
            Self::Openai => "openai",
        }
    }

    /// What follows the origin in the base URL to configure, for example `/v1`.
    pub fn base_path(self) -> &'static str {
        match self {
            Self::Gemini | Self::Perplexity => "",
            Self::Xai | Self::Openai => "/v1",
            Self::Gigachat => "/api/v1",
        }
    }

    /// The `server` header of its answers.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Self::Gemini => "scaffolding on HTTPServer2",
            Self::Xai | Self::Perplexity | Self::Openai => "cloudflare",
            Self::Gigachat => "nginx",
        }
    }

    /// The models that are offered unless a script names others.
    pub(crate) fn catalogue(self) -> &'static [&'static str] {
        match self {
            Self::Gemini => gemini::models::CATALOGUE,
            Self::Xai => xai::CATALOGUE,
            Self::Perplexity => perplexity::CATALOGUE,
            Self::Gigachat => gigachat::CATALOGUE,
            Self::Openai => openai::CATALOGUE,
        }
    }

    /// Answers a call in the way of this provider, bent by a rule's deed.
    pub(crate) fn serve(self, stand: &Stand, call: &Call, deed: &Deed) -> Reply {
        match self {
            Self::Gemini => gemini::serve(stand, call, deed),
            Self::Xai => xai::serve(stand, call, deed),
            Self::Perplexity => perplexity::serve(stand, call, deed),
            Self::Gigachat => gigachat::serve(stand, call, deed),
            Self::Openai => openai::serve(stand, call, deed),
        }
    }

    /// What this provider says to a key with a fault; `None` when it has no such fault.
    pub(crate) fn fault(self, fault: KeyFault, subject: &Subject) -> Option<Refusal> {
        match self {
            Self::Gemini => gemini::faults::refusal(fault, subject),
            Self::Xai => xai::faults::refusal(fault, subject),
            Self::Perplexity => perplexity::faults::refusal(fault, subject),
            Self::Gigachat => gigachat::faults::refusal(fault),
            Self::Openai => openai::faults::refusal(fault, subject),
        }
    }

    /// As [`fault`](Self::fault); a fault it has not is a 500 that says so.
    pub(crate) fn refuse(self, fault: KeyFault, subject: &Subject) -> Refusal {
        self.fault(fault, subject).unwrap_or_else(|| {
            let message = format!("{self} has no fault {fault:?}");
            Refusal::text(StatusCode::INTERNAL_SERVER_ERROR, &message)
        })
    }

    /// What this provider says when a limit is passed.
    pub(crate) fn over_limit(self, breach: &Breach) -> Refusal {
        match self {
            Self::Gemini => gemini::quota::refusal(breach),
            Self::Xai => xai::faults::over_limit(breach),
            Self::Perplexity => perplexity::faults::over_limit(breach),
            Self::Gigachat => gigachat::faults::over_limit(breach),
            Self::Openai => openai::faults::over_limit(breach),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|provider| provider.name() == text)
            .ok_or_else(|| format!("{text:?} is no provider; expected one of {}", known()))
    }
}
