//! Model lists in OpenAI's shape: our own, and the ids in those of providers.

use serde::{Deserialize, Serialize};
use serde_json::json;

/// A model as OpenAI's clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// What callers ask for, with the provider's prefix.
    pub id: String,
    /// Seconds since 1970; 0 where it is not known.
    pub created: u64,
    /// Who offers it.
    pub owned_by: String,
}

impl Model {
    /// A model that `provider` calls `id`.
    pub fn of(provider: &str, id: &str) -> Self {
        Self {
            id: format!("{provider}/{id}"),
            created: 0,
            owned_by: provider.to_owned(),
        }
    }

    /// The answer to `GET /v1/models/{id}`.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&Card::from(self)).unwrap_or_default()
    }
}

/// The answer to `GET /v1/models`.
pub fn list(models: &[Model]) -> Vec<u8> {
    let cards: Vec<Card<'_>> = models.iter().map(Card::from).collect();
    json!({"object": "list", "data": cards})
        .to_string()
        .into_bytes()
}

/// The ids in a provider's list; none where the body is no list.
pub fn ids(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let list: List = serde_json::from_slice(body).ok()?;
    Some(list.data.into_iter().map(|entry| entry.id).collect())
}

#[derive(Serialize)]
struct Card<'a> {
    object: &'static str,
    #[serde(flatten)]
    model: &'a Model,
}

impl<'a> From<&'a Model> for Card<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            object: "model",
            model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_providers_prefix() {
        let model = Model::of("p", "m-1");
        let card = json!({"id": "p/m-1", "object": "model", "created": 0, "owned_by": "p"});
        let single: serde_json::Value = serde_json::from_slice(&model.to_json()).unwrap();
        assert_eq!(single, card);
        let listed: serde_json::Value = serde_json::from_slice(&list(&[model])).unwrap();
        assert_eq!(listed, json!({"object": "list", "data": [card]}));
    }
}
