//! The JSON of a generated answer: candidates, parts, usage; whole, or as the events of a stream.
//! Field order and names are Google's. What is said is decided in `generate.rs`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::voice::tokens;

/// `GenerateContentResponse`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_feedback: Option<Value>,
    pub(crate) usage_metadata: Usage,
    pub(crate) model_version: String,
    pub(crate) response_id: String,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Candidate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) safety_ratings: Option<Value>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Content {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part>,
    pub(crate) role: &'static str,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function_call: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thought_signature: Option<String>,
}

/// `UsageMetadata`; in a stream each event carries the total so far.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_content_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_token_count: Option<u64>,
    total_token_count: u64,
    prompt_tokens_details: Vec<Modality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thoughts_token_count: Option<u64>,
    service_tier: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Modality {
    modality: &'static str,
    token_count: u64,
}

impl Part {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    pub(crate) fn thought(text: &str) -> Self {
        Self {
            thought: Some(true),
            ..Self::text(text)
        }
    }

    pub(crate) fn signed(mut self, signature: &str) -> Self {
        self.thought_signature = Some(signature.to_owned());
        self
    }
}

/// What stays the same in every event of one answer.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) model: String,
    pub(crate) response_id: String,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) thought_tokens: u64,
}

impl Frame {
    /// An answer with one candidate that has spoken `output` tokens so far.
    pub(crate) fn answer(&self, candidate: Candidate, output: u64) -> Answer {
        Answer {
            candidates: vec![candidate],
            prompt_feedback: None,
            usage_metadata: self.usage(output),
            model_version: self.model.clone(),
            response_id: self.response_id.clone(),
        }
    }

    /// An answer without candidates.
    pub(crate) fn nothing(&self, prompt_feedback: Option<Value>) -> Answer {
        Answer {
            candidates: Vec::new(),
            prompt_feedback,
            usage_metadata: self.usage(0),
            model_version: self.model.clone(),
            response_id: self.response_id.clone(),
        }
    }

    fn usage(&self, output: u64) -> Usage {
        let some = |n: u64| (n > 0).then_some(n);
        Usage {
            prompt_token_count: self.prompt_tokens,
            cached_content_token_count: some(self.cached_tokens),
            candidates_token_count: some(output),
            total_token_count: self.prompt_tokens + output + self.thought_tokens,
            prompt_tokens_details: vec![Modality {
                modality: "TEXT",
                token_count: self.prompt_tokens,
            }],
            thoughts_token_count: some(self.thought_tokens),
            service_tier: "standard",
        }
    }
}

/// A candidate with these parts; the last one of an answer has a finish reason.
pub(crate) fn candidate(parts: Vec<Part>, finish_reason: Option<&'static str>) -> Candidate {
    let content = Some(Content {
        parts,
        role: "model",
    });
    Candidate {
        content,
        finish_reason,
        ..Candidate::default()
    }
}

/// A candidate withheld for safety.
pub(crate) fn unsafe_candidate() -> Candidate {
    let rating = json!([{
        "category": "HARM_CATEGORY_DANGEROUS_CONTENT",
        "probability": "HIGH",
        "blocked": true,
    }]);
    Candidate {
        finish_reason: Some("SAFETY"),
        safety_ratings: Some(rating),
        ..Candidate::default()
    }
}

/// A spoken answer as stream events: the thought first, then the chunks, the last one signed and
/// finished.
pub(crate) fn spoken_events(
    frame: &Frame,
    thought: Option<&str>,
    chunks: &[String],
    finish_reason: &'static str,
) -> Vec<Answer> {
    let mut events = Vec::with_capacity(chunks.len() + 1);
    if let Some(thought) = thought {
        events.push(frame.answer(candidate(vec![Part::thought(thought)], None), 0));
    }
    let mut said = String::new();
    for (index, chunk) in chunks.iter().enumerate() {
        said.push_str(chunk);
        let last = index + 1 == chunks.len();
        let part = Part::text(chunk.as_str());
        let part = if last {
            part.signed(&signature(&frame.response_id))
        } else {
            part
        };
        let finish = last.then_some(finish_reason);
        events.push(frame.answer(candidate(vec![part], finish), tokens(&said)));
    }
    events
}

/// An opaque signature that belongs to this answer.
pub(crate) fn signature(response_id: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .encode(format!("signed by the stand-in {response_id}"))
}
