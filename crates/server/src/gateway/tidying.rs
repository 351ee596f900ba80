//! What the caller's request of OpenAI's dialect says of the form of its answer, and so what has to be changed in a
//! provider's. The changes themselves are made by `wire::openai::tidy`.

use providers::{Api, Endpoint};
use wire::gemini::Framing;
use wire::openai::request::Request;
use wire::openai::tidy::{Tidy, Vectors};

/// How answers are tidied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tidying {
    endpoint: Endpoint,
    /// The caller did not ask for token counts, which are always asked of the provider.
    hides_usage: bool,
    /// How vectors are to be written; none where their translation has seen to it.
    vectors: Option<Vectors>,
    /// Documents may lack a finish reason.
    mends_documents: bool,
}

impl Tidying {
    /// How the answers of a provider that speaks OpenAI's dialect itself are tidied.
    pub(crate) fn of(endpoint: Endpoint, request: &Request, api: Api) -> Self {
        let wants_base64 = request.text("encoding_format").as_deref() == Some("base64");
        Self {
            endpoint,
            hides_usage: !request.includes_usage(),
            vectors: match api {
                Api::Perplexity | Api::GigaChat => None,
                _ if wants_base64 => Some(Vectors::Base64),
                _ => Some(Vectors::Floats),
            },
            mends_documents: api == Api::Xai,
        }
    }

    /// The tidying of one answer; none where nothing can need it.
    pub(crate) fn begin(self, framing: Framing) -> Option<Tidy> {
        match (self.endpoint, framing) {
            (Endpoint::Chat, Framing::Sse) => {
                // An error is in the provider's words: `hold.rs` tells it in ours.
                let tidy = Tidy::stream()
                    .drop_done_after_error()
                    .mend_finish_reasons()
                    .stop_at_error()
                    .stop_at_done();
                Some(if self.hides_usage {
                    tidy.hide_usage()
                } else {
                    tidy
                })
            }
            (Endpoint::Chat, _) if self.mends_documents => {
                Some(Tidy::document().mend_finish_reasons())
            }
            (Endpoint::Embeddings, Framing::Json) => self
                .vectors
                .map(|vectors| Tidy::document().write_vectors(vectors)),
            _ => None,
        }
    }
}
