//! xAI's richer model lists, one for each kind of model, with prices and modalities.

use http::StatusCode;
use serde_json::{Value, json};

use super::no_such_path;
use crate::dialect::wrong::native;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

/// What each list is called, and under which name its models stand in it.
const LISTS: [(&str, &str); 3] = [
    ("language-models", "grok"),
    ("image-generation-models", "image"),
    ("embedding-models", "embedding"),
];

pub(crate) fn is_list(name: &str) -> bool {
    LISTS.iter().any(|(known, _)| *known == name)
}

/// Answers a list, or one model of it.
pub(crate) fn serve(stand: &Stand, list: &str, id: &[&str]) -> Result<Reply, Refusal> {
    let of_list = |id: &&str| kind(id) == list;
    match id {
        [] => {
            let models: Vec<Value> = stand.models.ids().filter(of_list).map(entry).collect();
            Ok(Reply::compact(&json!({"models": models})))
        }
        [id] => {
            let found = stand
                .models
                .ids()
                .find(|known| known == id && of_list(known));
            let missing = || {
                native(
                    StatusCode::NOT_FOUND,
                    "not-found",
                    "The model was not found.",
                )
            };
            found
                .map(|id| Reply::compact(&entry(id)))
                .ok_or_else(missing)
        }
        _ => Err(no_such_path()),
    }
}

fn kind(id: &str) -> &'static str {
    let found = LISTS.iter().skip(1).find(|(_, word)| id.contains(word));
    found.map_or(
        if id.contains("video") { "" } else { LISTS[0].0 },
        |(list, _)| list,
    )
}

fn entry(id: &str) -> Value {
    json!({
        "id": id,
        "fingerprint": "fp_5ca1ab1e00",
        "created": 1_793_491_200,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0.0",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "prompt_text_token_price": super::cost(id, 1, 0),
        "completion_text_token_price": super::cost(id, 0, 1),
        "aliases": [],
    })
}
