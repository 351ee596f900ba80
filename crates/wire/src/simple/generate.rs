//! What is asked, as the body of a `generateContent` call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Role, Turn};

/// The largest image, in bytes: as Base64 with its prompt it still fits into a request that carries its data itself,
/// which may have 100 MB. Source: Gemini API, "File input methods".
pub const LARGEST_IMAGE: usize = 74_000_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

/// A body with one prompt.
pub fn prompt_body(prompt: &str) -> Vec<u8> {
    let content = json!({"role": "user", "parts": [{"text": prompt}]});
    json!({"contents": [content]}).to_string().into_bytes()
}

/// A body with a conversation. Sides take turns: what one says several times in a row is one turn of several parts.
pub fn chat_body(turns: &[Turn]) -> Vec<u8> {
    let mut system = Vec::new();
    let mut contents: Vec<Content<'_>> = Vec::new();
    for turn in turns {
        let part = Part { text: &turn.text };
        let role = match turn.role {
            Role::System => {
                system.push(part);
                continue;
            }
            Role::User => Some("user"),
            Role::Model => Some("model"),
        };
        match contents.last_mut().filter(|last| last.role == role) {
            Some(last) => last.parts.push(part),
            None => contents.push(Content {
                role,
                parts: vec![part],
            }),
        }
    }
    let system_instruction = (!system.is_empty()).then_some(Content {
        role: None,
        parts: system,
    });
    let body = Body {
        system_instruction,
        contents,
    };
    // Text with text inside: nothing of it can fail to be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// A body with an image and what to do with it. Large images are encoded into their place, not copied there.
pub fn image_body(mime: &str, image: &[u8], prompt: &str) -> Vec<u8> {
    let (mime, prompt) = (Value::from(mime), Value::from(prompt));
    let head = format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"inlineData":{{"mimeType":{mime},"data":""#
    );
    let tail = format!(r#""}}}},{{"text":{prompt}}}]}}]}}"#);
    let encoded = image.len().div_ceil(3) * 4;
    let mut body = String::with_capacity(head.len() + encoded + tail.len());
    body.push_str(&head);
    STANDARD.encode_string(image, &mut body);
    body.push_str(&tail);
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], expected: &Value) {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(&body, expected);
    }

    fn turns(said: &[(Role, &str)]) -> Vec<Turn> {
        let turns = said.iter().map(|&(role, text)| Turn {
            role,
            text: text.to_owned(),
        });
        turns.collect()
    }

    #[test]
    fn a_prompt_is_one_turn_of_the_user() {
        let expected = json!({"contents": [{"role": "user", "parts": [{"text": "say \"hi\""}]}]});
        check(&prompt_body("say \"hi\""), &expected);
    }

    #[test]
    fn sides_take_turns_and_the_system_speaks_apart() {
        use Role::{Model, System, User};
        let said = [
            (System, "be brief"),
            (User, "a"),
            (User, "b"),
            (Model, "c"),
            (System, "be kind"),
            (Model, "d"),
            (User, "e"),
        ];
        let expected = json!({
            "systemInstruction": {"parts": [{"text": "be brief"}, {"text": "be kind"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
                {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
                {"role": "user", "parts": [{"text": "e"}]},
            ],
        });
        check(&chat_body(&turns(&said)), &expected);
        let alone = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]});
        check(&chat_body(&turns(&[(User, "a")])), &alone);
    }

    #[test]
    fn an_image_stands_before_its_prompt() {
        let expected = json!({"contents": [{"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "AAEC/w=="}},
            {"text": "read \"it\""},
        ]}]});
        check(
            &image_body("image/png", &[0, 1, 2, 255], "read \"it\""),
            &expected,
        );
    }

    #[test]
    fn the_largest_image_leaves_room_for_a_prompt() {
        assert!(LARGEST_IMAGE.div_ceil(3) * 4 < 100_000_000 - 1_000_000);
    }
}
