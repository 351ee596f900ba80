//! `countTokens`, `embedContent` and `batchEmbedContents`. The vectors are made of the text alone,
//! so equal texts have equal vectors.

use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::prompt::{field, text_of};
use crate::gemini::strict;
use crate::keys::Caller;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;
use crate::vector::vector;
use crate::voice::tokens;

const DIMENSIONS: u64 = 3072;

pub(crate) fn count_tokens(call: &Call) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    let request = field(&body, "generateContentRequest").unwrap_or(&body);
    strict::require_contents(request)?;
    let total = Prompt::read(request).tokens;
    Ok(Reply::json(&json!({
        "totalTokens": total,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}],
    })))
}

pub(crate) fn single(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    model: &str,
) -> Result<Reply, Refusal> {
    let request = strict::json_body(call)?;
    let text = embedded_text(&request)?;
    stand.ledger.charge(caller, model, tokens(&text))?;
    let values = vector(&text, dimensions(&request));
    Ok(Reply::json(&json!({
        "embedding": {"values": values},
        "usageMetadata": {"promptTokenCount": tokens(&text)},
    })))
}

pub(crate) fn batch(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    model: &str,
) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    let requests = field(&body, "requests")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if requests.is_empty() {
        return Err(Refusal::invalid(
            "* BatchEmbedContentsRequest.requests: requests is not specified\n",
        ));
    }
    let texts = requests
        .iter()
        .map(embedded_text)
        .collect::<Result<Vec<_>, _>>()?;
    let total: u64 = texts.iter().map(|text| tokens(text)).sum();
    stand.ledger.charge(caller, model, total)?;
    let embedding =
        |(text, request): (&String, &Value)| json!({"values": vector(text, dimensions(request))});
    let embeddings: Vec<Value> = texts.iter().zip(&requests).map(embedding).collect();
    Ok(Reply::json(&json!({
        "embeddings": embeddings,
        "usageMetadata": {"promptTokenCount": total},
    })))
}

fn embedded_text(request: &Value) -> Result<String, Refusal> {
    let missing = || Refusal::invalid("* EmbedContentRequest.content: contents is not specified\n");
    field(request, "content").map(text_of).ok_or_else(missing)
}

fn dimensions(request: &Value) -> usize {
    let wanted = field(request, "outputDimensionality").and_then(Value::as_u64);
    wanted.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS) as usize
}
