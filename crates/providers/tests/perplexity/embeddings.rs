//! Embeddings: what is asked for, and vectors in both encodings.

use providers::perplexity::{Encoding, embeddings_answer, embeddings_request};
use serde_json::{Value, json};

use crate::{fixture, translated};

fn check(body: &Value, expected: Value) {
    let bytes = embeddings_request(body.to_string().as_bytes(), "pplx-embed-v1-4b").unwrap();
    let request: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(request, expected, "{body}");
}

fn check_refused(body: &Value, param: &str, says: &str) {
    let refused = embeddings_request(body.to_string().as_bytes(), "m").unwrap_err();
    assert_eq!(refused.param.as_deref(), Some(param), "{body}");
    assert!(refused.message.contains(says), "{body}: {refused}");
}

fn answer(encoding: Encoding, body: &[u8]) -> Value {
    let out = translated(embeddings_answer(encoding), body.chunks(7));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn bytes_are_asked_for_whatever_the_caller_wants() {
    for wanted in [json!("float"), json!("base64"), json!(null)] {
        check(
            &json!({"model": "x", "input": "hi", "encoding_format": wanted, "user": "u", "dimensions": 128, "x_new": 1}),
            json!({"model": "pplx-embed-v1-4b", "encoding_format": "base64_int8", "input": "hi", "dimensions": 128, "x_new": 1}),
        );
    }
    check(
        &json!({"input": ["a", "b"]}),
        json!({"model": "pplx-embed-v1-4b", "encoding_format": "base64_int8", "input": ["a", "b"]}),
    );
}

#[test]
fn the_callers_encoding_is_read_from_its_body() {
    for (body, expected) in [
        (json!({"encoding_format": "base64"}), Encoding::Base64),
        (json!({"encoding_format": "float"}), Encoding::Float),
        (json!({"encoding_format": null}), Encoding::Float),
        (json!({}), Encoding::Float),
        (json!([]), Encoding::Float),
    ] {
        let asked = Encoding::asked(body.to_string().as_bytes());
        assert_eq!(asked, expected, "{body}");
    }
}

#[test]
fn tokens_and_odd_encodings_are_refused() {
    check_refused(&json!({}), "input", "missing");
    check_refused(
        &json!({"input": [1, 2]}),
        "input",
        "tokens are not supported",
    );
    check_refused(
        &json!({"input": [[1], [2]]}),
        "input",
        "tokens are not supported",
    );
    check_refused(&json!({"input": 7}), "input", "a list of texts");
    let int8 = json!({"input": "x", "encoding_format": "base64_int8"});
    check_refused(&int8, "encoding_format", "send float or base64");
}

#[test]
fn vectors_are_numbers_of_length_one() {
    let seen = answer(Encoding::Float, &fixture("perplexity/embeddings.json"));
    insta::assert_json_snapshot!(seen, @r#"
    {
      "object": "list",
      "model": "pplx-embed-v1-0.6b",
      "data": [
        {
          "object": "embedding",
          "index": 0,
          "embedding": [
            0.066354066,
            -0.038706537,
            0.7022472,
            -0.70777667
          ]
        }
      ],
      "usage": {
        "prompt_tokens": 4,
        "total_tokens": 4,
        "cost": {
          "input_cost": 0.000000016,
          "total_cost": 0.000000016,
          "currency": "USD"
        }
      }
    }
    "#);
    let vector = seen["data"][0]["embedding"].as_array().unwrap();
    let square: f64 = vector.iter().map(|c| c.as_f64().unwrap().powi(2)).sum();
    assert!((square - 1.0).abs() < 1e-6, "{square}");
}

#[test]
fn base64_has_the_same_numbers() {
    use base64::Engine;
    let body = fixture("perplexity/embeddings.json");
    let floats = answer(Encoding::Float, &body);
    let floats: Vec<f32> = serde_json::from_value(floats["data"][0]["embedding"].clone()).unwrap();
    let packed = answer(Encoding::Base64, &body);
    let packed = packed["data"][0]["embedding"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .unwrap();
    let read: Vec<f32> = bytes
        .chunks(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    assert_eq!(read, floats);
}

#[test]
fn a_vector_of_zeros_stays_one() {
    let body = json!({"data": [{"index": 0, "embedding": "AAA="}]});
    let seen = answer(Encoding::Float, body.to_string().as_bytes());
    assert_eq!(seen["data"][0]["embedding"], json!([0.0, 0.0]));
}

#[test]
fn what_is_no_list_of_vectors_is_an_error() {
    for body in [
        "",
        "[]",
        "{}",
        "{\"data\":{}}",
        "{\"data\":[{\"embedding\":\"!\"}]}",
        "{\"data\":[{}]}",
        "{\"data\":[7]}",
    ] {
        let seen = answer(Encoding::Float, body.as_bytes());
        assert_eq!(seen["error"]["type"], "server_error", "{body}: {seen}");
    }
    let own = json!({"error": {"message": "no", "type": "invalid_request", "code": 400}});
    let seen = answer(Encoding::Float, own.to_string().as_bytes());
    assert_eq!(seen["error"]["type"], "invalid_request");
}
