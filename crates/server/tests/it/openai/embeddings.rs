//! Embeddings and images: vectors written as the caller asked, also where a provider knows one way only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::{Rule, gemini, openai, xai};
use serde_json::{Value, json};

use super::{both, post, refusal};
use crate::support::{Answer, TestGateway};

const HOUSE: &str = "keys: [house-key-1]\nmodels_refresh: 0s";
const MODELS: [&str; 3] = [
    "gemini-embedding-2",
    "xai/grok-embedding-1",
    "house/text-embedding-3-small",
];

async fn three() -> TestGateway {
    both(gemini().models(&["gemini-embedding-2"]), xai())
        .with_provider("house", openai(), HOUSE)
        .start()
        .await
}

async fn embed(gateway: &TestGateway, model: &str, encoding: Value) -> Answer {
    let mut body = json!({"model": model, "input": ["one", "two"], "dimensions": 8});
    if !encoding.is_null() {
        body["encoding_format"] = encoding;
    }
    gateway.send(post("/v1/embeddings", body.to_string())).await
}

/// The vectors of an answer, which is in one encoding throughout.
fn vectors(answer: &Answer, is_base64: bool) -> Vec<Vec<f32>> {
    let body = answer.json();
    let entries = body["data"].as_array().unwrap().iter();
    let read = |entry: &Value| match &entry["embedding"] {
        Value::String(text) if is_base64 => {
            let bytes = STANDARD.decode(text).unwrap();
            let floats = bytes.chunks_exact(4);
            floats
                .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                .collect()
        }
        Value::Array(list) if !is_base64 => {
            let floats = list.iter();
            floats.map(|float| float.as_f64().unwrap() as f32).collect()
        }
        other => panic!("{other} with base64 {is_base64}"),
    };
    entries.map(read).collect()
}

#[tokio::test]
async fn vectors_come_as_they_were_asked_for() {
    let gateway = three().await;
    for model in MODELS {
        let plain = embed(&gateway, model, Value::Null).await.expect(200);
        let floats = embed(&gateway, model, json!("float")).await.expect(200);
        let packed = embed(&gateway, model, json!("base64")).await.expect(200);
        let expected = vectors(&floats, false);
        assert_eq!((expected.len(), expected[0].len()), (2, 8), "{model}");
        assert_eq!(vectors(&plain, false), expected, "{model}");
        assert_eq!(vectors(&packed, true), expected, "{model}");
        let record = gateway.record_of(&packed).await;
        assert!(record.usage.unwrap().prompt > 0, "{model}");
        assert_eq!(record.endpoint, "embeddings");
    }
}

/// A provider that gives vectors in one encoding, whatever is asked.
async fn giving(embedding: &Value) -> TestGateway {
    let entry = |index: u32| json!({"object": "embedding", "index": index, "embedding": embedding, "x": [1.50]});
    let body = json!({
        "object": "list", "data": [entry(0), entry(1)], "model": "m",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    });
    let rule = Rule::new().respond(200, body.to_string());
    TestGateway::new()
        .with_provider("house", openai().rule(rule), HOUSE)
        .start()
        .await
}

#[tokio::test]
async fn a_provider_that_gives_floats_alone_is_good_enough() {
    let gateway = giving(&json!([0.25, -1, 3e-3])).await;
    let model = "house/text-embedding-3-small";
    let packed = embed(&gateway, model, json!("base64")).await.expect(200);
    assert_eq!(vectors(&packed, true)[1], [0.25, -1.0, 0.003]);
    assert_eq!(packed.json()["data"][0]["x"], json!([1.5]));
    let floats = embed(&gateway, model, json!("float")).await.expect(200);
    assert_eq!(vectors(&floats, false)[0], [0.25, -1.0, 0.003]);
}

#[tokio::test]
async fn a_provider_that_gives_base64_alone_is_good_enough() {
    let bytes: Vec<u8> = [0.25f32, -1.0]
        .iter()
        .flat_map(|f| f.to_le_bytes())
        .collect();
    let gateway = giving(&json!(STANDARD.encode(bytes))).await;
    let model = "house/text-embedding-3-small";
    for encoding in [Value::Null, json!("float")] {
        let floats = embed(&gateway, model, encoding).await.expect(200);
        assert_eq!(vectors(&floats, false)[1], [0.25, -1.0]);
    }
    let packed = embed(&gateway, model, json!("base64")).await.expect(200);
    assert_eq!(vectors(&packed, true)[0], [0.25, -1.0]);
}

#[tokio::test]
async fn what_is_wrong_with_the_input_is_told() {
    let gateway = three().await;
    for model in MODELS {
        let body = json!({"model": model, "input": []});
        let answer = gateway.send(post("/v1/embeddings", body.to_string())).await;
        assert!(
            refusal(&answer).starts_with("400 invalid_request_error"),
            "{model}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn images_are_made_by_whoever_makes_them() {
    let gateway = both(gemini().models(&["gemini-3.8-flash-image"]), xai())
        .with_provider("house", openai(), HOUSE)
        .start()
        .await;
    for (model, path) in [
        (
            "google/gemini-3.8-flash-image",
            "/v1beta/openai/images/generations",
        ),
        ("xai/grok-imagine-image-2.0", "/v1/images/generations"),
        ("house/gpt-image-2", "/v1/images/generations"),
    ] {
        let body =
            json!({"model": model, "prompt": "a cat", "n": 2, "response_format": "b64_json"});
        let answer = gateway
            .send(post("/v1/images/generations", body.to_string()))
            .await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let images = answer.json()["data"].as_array().unwrap().len();
        assert_eq!(images, 2, "{model}");
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.endpoint, "images.generations");
        assert!(record.usage.unwrap().output > 0, "{model}");
        let upstream = match model.split('/').next().unwrap() {
            "google" => &gateway.upstream,
            other => gateway.provider(other),
        };
        assert_eq!(upstream.seen()[0].path_and_query, path, "{model}");
    }
}

#[tokio::test]
async fn a_picture_that_is_blocked_is_a_400() {
    let gateway = three().await;
    for model in ["xai/grok-imagine-image-2.0", "house/gpt-image-2"] {
        let body = json!({"model": model, "prompt": "BLOCK_ME"});
        let answer = gateway
            .send(post("/v1/images/generations", body.to_string()))
            .await;
        assert_eq!(
            refusal(&answer),
            "400 invalid_request_error content_policy_violation -",
            "{model}"
        );
    }
}
