//! What can be wrong with a key. The names are common to all stand-ins; status and body are each
//! provider's own and written in its folder (`*/faults.rs`). Not every provider knows every fault.

use serde::{Deserialize, Serialize};

/// What a provider says to every request of a key.
///
/// After each fault stand the providers that know it; a script that gives a key a fault which its
/// provider does not know is answered with a 500 that says so, and steering refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFault {
    /// The key is wrong. Gemini 400 `API_KEY_INVALID`, xAI 400 "Incorrect API key provided",
    /// OpenAI and Perplexity 401, GigaChat 401 code 6 of its token endpoint.
    Invalid,
    /// Gemini: 400 `API_KEY_INVALID` that quotes the key in its `DebugInfo`.
    InvalidDebugInfo,
    /// The wrong key in older words: xAI 400 with a gRPC code, Perplexity 401 with an HTML page.
    InvalidOld,
    /// Gemini: 400 "API key expired".
    Expired,
    /// Gemini: 400 "API Key not found".
    NotFound,
    /// xAI: 401, the key was revoked.
    Revoked,
    /// Gemini: 403 "reported as leaked". xAI: 401, and the key shows as disabled.
    Leaked,
    /// Gemini: 403 `CONSUMER_SUSPENDED`, which quotes the key. xAI: 403, and the team shows as blocked.
    Suspended,
    /// Gemini: 403 "project has been denied access".
    ProjectDenied,
    /// Gemini: 403 `SERVICE_DISABLED`.
    ServiceDisabled,
    /// Gemini: 403 `API_KEY_SERVICE_BLOCKED`. xAI: 403, and the key shows as blocked.
    ServiceBlocked,
    /// Gemini: 401 `ACCESS_TOKEN_TYPE_UNSUPPORTED`.
    AccessTokenType,
    /// Perplexity: 403 for an organisation key on an inference endpoint.
    WrongKind,
    /// GigaChat: 400 code 7 of its token endpoint, the key belongs to another scope.
    ScopeMismatch,
    /// Credits are used up. Gemini and Perplexity 402, xAI 403 "used all available credits",
    /// OpenAI 429 `insufficient_quota`, GigaChat 402 "Payment Required".
    PrepayDepleted,
    /// The same in another form: Gemini and xAI 429, Perplexity 401.
    PrepayLegacy,
    /// xAI: 403 "used all available credits" with a gRPC code.
    PrepayOld,
    /// xAI: 403 "newly created team doesn't have any credits".
    NewTeam,
    /// xAI: 402 "usage balance exhausted".
    BalanceExhausted,
    /// Gemini: 429 "monthly spending cap".
    SpendCap,
    /// 403, a permission is missing: all.
    NoPermission,
    /// Gemini: 400 "User location is not supported". OpenAI: 403
    /// `unsupported_country_region_territory`.
    Location,
    /// Gemini: 404 "no longer available to new users".
    ModelNewUsers,
    /// 404, the model is not for this key: xAI, OpenAI, GigaChat. Perplexity: 400.
    ModelDenied,
    /// xAI: 410, the feature is retired.
    Retired,
    /// xAI: 429 "Requests per Second", with `retry-after: 1`.
    PerSecond,
    /// 429 of a minute's limit: xAI, OpenAI, Perplexity (both with `retry-after`).
    PerMinute,
    /// xAI: 429 "(actual/limit): 0/0", the model was not granted.
    LimitZero,
    /// xAI: 429 "Free usage quota exceeded".
    FreeQuota,
    /// 429 without details: Gemini, GigaChat.
    BareQuota,
    /// GigaChat: 401 "Token has expired", whatever the token.
    TokenExpired,
    /// GigaChat: 401 "Unauthorized", whatever the token.
    Unauthorized,
    /// GigaChat: 422 "Requested model does not support functions".
    NoFunctions,
    /// GigaChat: 413 "Payload too large". OpenAI: 400 `context_length_exceeded`.
    TooLong,
    /// xAI: 403 with the HTML page of a bot challenge.
    Challenge,
    /// Gemini: 499 `CANCELLED`.
    Cancelled,
    /// 500: all.
    Internal,
    /// 502 with an HTML page: all.
    BadGateway,
    /// 503: all.
    Overloaded,
    /// Gemini: 503 "experiencing high demand". xAI: 503 "model is at capacity".
    HighDemand,
    /// 504: all.
    Deadline,
}

/// Whom and what a refusal is about, for the bodies that name them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) key: &'a str,
    pub(crate) project: &'a str,
    pub(crate) model: Option<&'a str>,
}
