//! Image generation: the smallest PNG there is, as often as asked for.

use http::StatusCode;
use serde_json::{Value, json};

use super::wrong::{Wrong, invalid_request};
use super::{CREATED, Flavour, members};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::stand::Stand;
use crate::voice::tokens;

/// A PNG of one pixel, in base64.
pub(crate) const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// What one image counts in tokens.
const IMAGE_TOKENS: u64 = 1120;

/// A request for images.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) prompt: String,
    n: u64,
    by_url: bool,
}

/// Reads and checks a request.
pub(crate) fn read(call: &Call, flavour: Flavour) -> Result<Ask, Refusal> {
    let body = members::read(call, members::IMAGES, flavour)?;
    let text = |name: &str| {
        let text = body[name].as_str().map(ToOwned::to_owned);
        text.ok_or_else(|| Wrong::missing(name).refusal(flavour))
    };
    let ask = Ask {
        prompt: text("prompt")?,
        model: text("model")?.trim_start_matches("models/").to_owned(),
        n: body["n"].as_u64().unwrap_or(1),
        by_url: body["response_format"] == "url",
    };
    if ask.prompt.contains("BLOCK_ME") && flavour != Flavour::Xai {
        let message = "Your request was rejected as a result of our safety system.";
        let code = Some("content_policy_violation");
        return Err(invalid_request(
            StatusCode::BAD_REQUEST,
            message,
            None,
            code,
        ));
    }
    Ok(ask)
}

impl Ask {
    pub(crate) fn tokens(&self) -> u64 {
        tokens(&self.prompt)
    }

    pub(crate) fn answer(&self, stand: &Stand) -> Value {
        let image = |_| {
            if self.by_url {
                json!({"url": format!("{}/images/{}.png", stand.base_url, stand.fresh_id(12))})
            } else {
                json!({"b64_json": PIXEL})
            }
        };
        let data: Vec<Value> = (0..self.n).map(image).collect();
        let (input, output) = (self.tokens(), IMAGE_TOKENS * self.n);
        json!({
            "created": CREATED,
            "data": data,
            "usage": {
                "input_tokens": input,
                "output_tokens": output,
                "total_tokens": input + output,
                "input_tokens_details": {"text_tokens": input, "image_tokens": 0},
            },
        })
    }
}
