//! Masked secrets that come back: somebody reads a setting, changes a part of it, and sends the rest as it was shown.
//! A mask stands for what is stored at the same place of the same setting; where several secrets there look alike, all of them
//! must be sent back, and are taken in their order. What cannot be told is left as it is, and refused by `reader.rs`.

use std::collections::{HashMap, VecDeque};

use serde_json::Value as Json;

use crate::stored;

/// What stands for the left-out part of a secret.
const MASK: char = '…';

/// The field names that lead to a text, and the text.
type Place = (String, String);

/// The new value of a setting, with the secrets of the old one where their masks are.
pub(crate) fn restored(name: &str, new: &Json, old: Option<&Json>) -> Json {
    let listed = old.and_then(|old| stored::listed(name, old).ok());
    let (Some(old), Some(listed)) = (old, listed) else {
        return new.clone();
    };
    let mut secrets = Secrets::default();
    secrets.learn(old, &listed, "");
    secrets.count(new, "");
    secrets.restore(new, "")
}

#[derive(Default)]
struct Secrets {
    known: HashMap<Place, VecDeque<String>>,
    sent: HashMap<Place, usize>,
}

impl Secrets {
    /// Takes in every text that is not listed as it is.
    fn learn(&mut self, old: &Json, listed: &Json, place: &str) {
        match (old, listed) {
            (Json::String(secret), Json::String(mask)) if secret != mask && mask.contains(MASK) => {
                let known = self.known.entry((place.to_owned(), mask.clone()));
                known.or_default().push_back(secret.clone());
            }
            (Json::Array(old), Json::Array(listed)) => {
                for (old, listed) in old.iter().zip(listed) {
                    self.learn(old, listed, &within(place, "[]"));
                }
            }
            (Json::Object(old), Json::Object(listed)) => {
                for (key, old) in old {
                    let listed = listed.get(key).unwrap_or(&Json::Null);
                    self.learn(old, listed, &within(place, key));
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, new: &Json, place: &str) {
        match new {
            Json::String(text) => {
                *self
                    .sent
                    .entry((place.to_owned(), text.clone()))
                    .or_default() += 1;
            }
            Json::Array(items) => {
                for item in items {
                    self.count(item, &within(place, "[]"));
                }
            }
            Json::Object(fields) => {
                for (key, value) in fields {
                    self.count(value, &within(place, key));
                }
            }
            _ => {}
        }
    }

    fn restore(&mut self, new: &Json, place: &str) -> Json {
        match new {
            Json::String(text) => {
                let secret = self.secret(&(place.to_owned(), text.clone()));
                secret.map_or_else(|| new.clone(), Json::String)
            }
            Json::Array(items) => {
                let items = items.iter();
                items
                    .map(|item| self.restore(item, &within(place, "[]")))
                    .collect()
            }
            Json::Object(fields) => {
                let fields = fields.iter();
                fields
                    .map(|(key, value)| (key.clone(), self.restore(value, &within(place, key))))
                    .collect()
            }
            other => other.clone(),
        }
    }

    fn secret(&mut self, mask: &Place) -> Option<String> {
        let sent = self.sent.get(mask).copied().unwrap_or_default();
        let known = self.known.get_mut(mask)?;
        let first = known.front()?.clone();
        if known.iter().all(|secret| *secret == first) {
            return Some(first);
        }
        // Each that is taken is gone from both.
        if known.len() != sent {
            return None;
        }
        self.sent.insert(mask.clone(), sent - 1);
        known.pop_front()
    }
}

fn within(place: &str, name: &str) -> String {
    format!("{place}/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(name: &str, new: &Json, expected: &Json) {
        let old = match name {
            "egress.proxies" => json!([
                "http://a:1@gate:1",
                "http://b:2@gate:1",
                "http://c:3@other:1",
                "http://plain:1"
            ]),
            _ => {
                json!([{"url": "https://me:pw@x.ai/", "refresh": "60s"}, {"url": "https://y.ai/list"}])
            }
        };
        assert_eq!(restored(name, new, Some(&old)), *expected);
    }

    #[test]
    fn masks_are_replaced_where_they_stand_for_one_secret() {
        check(
            "egress.proxies",
            &json!(["http://new:9@x:1", "http://…@other:1"]),
            &json!(["http://new:9@x:1", "http://c:3@other:1"]),
        );
        check(
            "egress.sources",
            &json!([{"url": "https://y.ai/…"}, {"url": "https://…@x.ai/", "refresh": "5m"}]),
            &json!([{"url": "https://y.ai/list"}, {"url": "https://me:pw@x.ai/", "refresh": "5m"}]),
        );
    }

    #[test]
    fn secrets_that_look_alike_are_told_apart_only_when_all_are_there() {
        check(
            "egress.proxies",
            &json!(["http://…@gate:1", "http://…@gate:1"]),
            &json!(["http://a:1@gate:1", "http://b:2@gate:1"]),
        );
        let one = json!(["http://…@gate:1", "http://plain:1"]);
        check("egress.proxies", &one, &one);
    }

    #[test]
    fn a_mask_in_another_field_is_only_a_text() {
        let other = json!([{"fields": {"host": "https://…@x.ai/"}}]);
        check("egress.sources", &other, &other);
    }
}
