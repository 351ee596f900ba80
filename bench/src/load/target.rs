//! What is asked and where: an address and prepared requests.

use std::net::SocketAddr;

/// The model that every request names.
pub(crate) const MODEL: &str = "gemini-flash-latest";

/// What to ask of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// One JSON answer to a short prompt.
    Unary,
    /// A stream of server-sent events.
    Stream,
    /// One JSON answer to a prompt of about so many bytes.
    Large(usize),
}

/// An address, and how to ask there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    /// A header line that authenticates, for example `x-goog-api-key: …`.
    pub(crate) credential: String,
    pub(crate) dialect: Shape,
}

/// The API that the target speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Google's.
    Gemini,
    /// OpenAI's chat completions.
    OpenAi,
}

impl Target {
    /// A target that speaks Google's API.
    pub(crate) fn gemini(addr: SocketAddr, key: &str) -> Self {
        Self {
            addr,
            credential: format!("x-goog-api-key: {key}"),
            dialect: Shape::Gemini,
        }
    }

    /// A target that speaks OpenAI's API.
    pub(crate) fn openai(addr: SocketAddr, key: &str) -> Self {
        Self {
            addr,
            credential: format!("authorization: Bearer {key}"),
            dialect: Shape::OpenAi,
        }
    }

    /// The bytes of a request, head and body.
    pub(crate) fn request(&self, ask: Ask) -> Vec<u8> {
        let prompt = match ask {
            Ask::Large(bytes) => "word ".repeat(bytes / 5),
            Ask::Unary | Ask::Stream => "Say this is an answer.".to_owned(),
        };
        let (path, body) = match self.dialect {
            Shape::Gemini => gemini(ask, &prompt),
            Shape::OpenAi => openai(ask, &prompt),
        };
        let Self {
            addr, credential, ..
        } = self;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\nuser-agent: bench\r\naccept: */*\r\n\
             content-type: application/json\r\n{credential}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

fn gemini(ask: Ask, prompt: &str) -> (String, String) {
    let method = match ask {
        Ask::Stream => "streamGenerateContent?alt=sse",
        Ask::Unary | Ask::Large(_) => "generateContent",
    };
    let body = format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{prompt}"}}]}}]}}"#);
    (format!("/v1beta/models/{MODEL}:{method}"), body)
}

fn openai(ask: Ask, prompt: &str) -> (String, String) {
    let stream = ask == Ask::Stream;
    let messages = format!(r#"[{{"role":"user","content":"{prompt}"}}]"#);
    let body = format!(r#"{{"model":"{MODEL}","stream":{stream},"messages":{messages}}}"#);
    ("/v1/chat/completions".to_owned(), body)
}
