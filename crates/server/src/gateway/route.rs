//! Which dialect a path is spoken in, and what of a request is told by its path alone. `route/path.rs` brings the path
//! into the one form that it is read in from here on.

mod path;

use domain::Dialect;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use providers::{Api, Endpoint, Operation, operation};
use wire::gemini::error::Shape;

use super::caller;
use super::error::ErrorShape;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Google's API, passed on.
    Gemini,
    /// An endpoint of OpenAI's dialect, for any provider.
    OpenAi(Endpoint),
    /// `GET /v1/models` and `/v1/models/{id}` in OpenAI's dialect.
    OpenAiModels,
    /// `/p/{provider}/…`: any endpoint of one provider, passed on.
    Raw,
    /// keymux's own short forms.
    Simple(Simple),
}

/// An endpoint of the simple dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simple {
    /// `POST /gemini-proxy`.
    Proxy,
    /// `POST /api/v1/chat/generate-text`.
    GenerateText,
    /// `POST /api/v1/vision/extract-text`.
    ExtractText,
}

/// A callers' endpoint, and where it leads upstream.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) kind: Kind,
    target: PathAndQuery,
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// An endpoint for callers.
    Route(Route),
    /// An endpoint of OpenAI's or Anthropic's API that this version has not.
    NotYet(PathAndQuery),
    /// An endpoint that takes this method and no other.
    OnlyTakes(Method),
    /// The path climbs out of itself.
    BadPath,
    /// None of the callers' endpoints.
    Nothing,
}

/// Endpoints below `/v1/` that are OpenAI's or Anthropic's and not Google's.
const OPENAI_ENDPOINTS: [&str; 9] = [
    "chat",
    "completions",
    "embeddings",
    "images",
    "audio",
    "responses",
    "messages",
    "moderations",
    "fine_tuning",
];
/// Endpoints below `/v1/` that both APIs have.
const SHARED_ENDPOINTS: [&str; 3] = ["models", "files", "batches"];
/// Endpoints of OpenAI's dialect that take a model.
const ENDPOINTS: [Endpoint; 3] = [Endpoint::Chat, Endpoint::Embeddings, Endpoint::Images];
/// What passes on whatever a provider has stands below this, behind the provider's name.
const RAW: &str = "/p/";
/// The WebSockets of Google's Live API.
const LIVE: &str = "/ws/google.ai.generativelanguage.";

impl Route {
    /// Finds the endpoint that a request is for.
    pub(crate) fn find(method: &Method, uri: &Uri, headers: &HeaderMap) -> Found {
        let Some(target) = path::tidy(uri) else {
            return Found::BadPath;
        };
        let kind = match Self::kind(method, &target, headers) {
            Ok(kind) => kind,
            Err(NoKind::NotYet) => return Found::NotYet(target),
            Err(NoKind::OnlyTakes(method)) => return Found::OnlyTakes(method),
            Err(NoKind::Nothing) => return Found::Nothing,
        };
        Found::Route(Self { kind, target })
    }

    fn kind(method: &Method, target: &PathAndQuery, headers: &HeaderMap) -> Result<Kind, NoKind> {
        let path = target.path();
        let is_googles = ["/v1beta/", "/v1alpha/", "/upload/", "/download/", LIVE];
        if is_googles.iter().any(|prefix| path.starts_with(prefix)) {
            return Ok(Kind::Gemini);
        }
        if let Some(simple) = Simple::at(path) {
            return Ok(Kind::Simple(simple));
        }
        if path.starts_with(RAW) {
            return Ok(Kind::Raw);
        }
        let rest = path.strip_prefix("/v1/").ok_or(NoKind::Nothing)?;
        let endpoint = rest.split('/').next().unwrap_or_default();
        if OPENAI_ENDPOINTS.contains(&endpoint) {
            let rest = rest.trim_end_matches('/');
            let mut known = ENDPOINTS.into_iter();
            let known = known.find(|known| known.path().strip_prefix('/') == Some(rest));
            return match known {
                Some(known) if method == Method::POST => Ok(Kind::OpenAi(known)),
                Some(_) => Err(NoKind::OnlyTakes(Method::POST)),
                None => Err(NoKind::NotYet),
            };
        }
        let is_shared = SHARED_ENDPOINTS.contains(&endpoint) && !rest.contains(':');
        if !is_shared || !caller::speaks_openai(headers, target.query()) {
            return Ok(Kind::Gemini);
        }
        match endpoint {
            "models" if method == Method::GET || method == Method::HEAD => Ok(Kind::OpenAiModels),
            "models" => Err(NoKind::OnlyTakes(Method::GET)),
            _ => Err(NoKind::NotYet),
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.target.path()
    }

    /// The provider whose API is passed on, and what is asked of it; none where the path is no such path.
    pub(crate) fn raw(&self) -> Option<(&str, &str)> {
        let rest = self.path().strip_prefix(RAW)?;
        let end = rest.find('/').unwrap_or(rest.len());
        Some(rest.split_at(end))
    }

    /// What a request that is passed on asks for, by method and path.
    pub(crate) fn operation(&self, api: Api, method: &Method) -> Operation<'_> {
        let path = self.raw().map_or(self.path(), |(_, path)| path);
        operation(api, method, path)
    }

    /// What is asked for, by a name from a bounded set, as far as the path alone tells it.
    pub(crate) fn endpoint(&self) -> &'static str {
        match self.kind {
            Kind::Gemini | Kind::Raw => "other",
            Kind::OpenAi(endpoint) => endpoint.name(),
            Kind::OpenAiModels => "models.list",
            Kind::Simple(simple) => simple.endpoint(),
        }
    }

    /// The shape of the request.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.kind {
            Kind::Gemini => Dialect::Gemini,
            // Most of what is passed on has this shape, and errors of ours are told in it.
            Kind::OpenAi(_) | Kind::OpenAiModels | Kind::Raw => Dialect::OpenAi,
            Kind::Simple(_) => Dialect::Simple,
        }
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.target.query()
    }

    /// The query of a request that goes on with an upload; an upload's id opens no other door.
    pub(crate) fn upload(&self) -> Option<&str> {
        let query = self.query()?;
        let path = self.raw().map_or(self.path(), |(_, path)| path);
        let path = percent_decode_str(path).decode_utf8_lossy();
        let is_upload = path.trim_start_matches('/').starts_with("upload/");
        is_upload.then_some(query)
    }

    /// Whether it is one of the Live API's WebSockets, under Google's path or passed on.
    pub(crate) fn is_live(&self) -> bool {
        let path = self.raw().map_or(self.path(), |(_, path)| path);
        path.starts_with(LIVE)
    }

    /// Whether the answer is to be server-sent events (`alt=sse`).
    pub(crate) fn asks_for_events(&self) -> bool {
        self.query()
            .is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"))
    }

    /// The shape in which the caller reads errors of ours.
    pub(crate) fn error_shape(&self) -> ErrorShape {
        match self.kind {
            Kind::Gemini => self.googles_shape(self.path()),
            Kind::Raw => match self.raw() {
                // Google's own client libraries may be pointed here.
                Some((_, path)) if path.starts_with("/v1beta/") => self.googles_shape(path),
                _ => ErrorShape::OpenAi,
            },
            Kind::OpenAi(_) | Kind::OpenAiModels => ErrorShape::OpenAi,
            Kind::Simple(Simple::Proxy) => ErrorShape::Proxy,
            Kind::Simple(Simple::GenerateText | Simple::ExtractText) => ErrorShape::Detail,
        }
    }

    fn googles_shape(&self, path: &str) -> ErrorShape {
        let is_array_stream = path.ends_with(":streamGenerateContent") && !self.asks_for_events();
        ErrorShape::Gemini(if is_array_stream || path.starts_with("/v1beta/openai/") {
            Shape::Array
        } else if path.split('/').nth(2) == Some("interactions") {
            Shape::Interaction
        } else {
            Shape::Object
        })
    }
}

impl Simple {
    fn at(path: &str) -> Option<Self> {
        Some(match path.trim_end_matches('/') {
            "/gemini-proxy" => Self::Proxy,
            "/api/v1/chat/generate-text" => Self::GenerateText,
            "/api/v1/vision/extract-text" => Self::ExtractText,
            _ => return None,
        })
    }

    const fn endpoint(self) -> &'static str {
        match self {
            Self::Proxy => "gemini-proxy",
            Self::GenerateText => "generate-text",
            Self::ExtractText => "extract-text",
        }
    }
}

/// Why a path leads to no endpoint for callers.
enum NoKind {
    NotYet,
    OnlyTakes(Method),
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, header: Option<&'static str>, expected: &str) {
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            headers.insert(name, "Bearer sk-1".parse().unwrap());
        }
        let found = match Route::find(&Method::GET, &path.parse().unwrap(), &headers) {
            Found::Route(route) => format!("{:?} {}", route.kind, route.target),
            Found::NotYet(_) => "NotYet".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{path} with {header:?}");
    }

    #[test]
    fn paths_lead_to_their_dialect() {
        let bearer = Some("authorization");
        let googles = Some("x-goog-api-key");
        check(
            "/v1beta/models?pageSize=5",
            None,
            "Gemini /v1beta/models?pageSize=5",
        );
        check(
            "/v1alpha/anything/new:method",
            None,
            "Gemini /v1alpha/anything/new:method",
        );
        check(
            "/v1beta/openai/chat/completions",
            bearer,
            "Gemini /v1beta/openai/chat/completions",
        );
        check("//%761beta/models", None, "Gemini /v1beta/models");
        check("/v1/models", bearer, "OpenAiModels /v1/models");
        check("/v1/models", googles, "Gemini /v1/models");
        check("/v1/models?key=sk", None, "Gemini /v1/models?key=sk");
        check(
            "/v1/models/x:generateContent",
            bearer,
            "Gemini /v1/models/x:generateContent",
        );
        check("/v1/files", bearer, "NotYet");
        check("/v1/chat/completions", bearer, "OnlyTakes(POST)");
        check("/v1/chat/completion", bearer, "NotYet");
        check("/v1/responses", bearer, "NotYet");
        check("/p/xai/models", bearer, "Raw /p/xai/models");
        check("/p", bearer, "Nothing");
        check("/v1/interactions", bearer, "Gemini /v1/interactions");
        let live = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
        check(&format!("/{live}"), None, &format!("Gemini {live}"));
        check("/ws/else", None, "Nothing");
        check("/else", None, "Nothing");
    }

    #[test]
    fn paths_that_climb_lead_nowhere() {
        check("/v1beta/../admin", None, "BadPath");
    }
}
