//! Chats: sources, prices, old names, streams, tools and schemas, as callers of the retired chat endpoint know them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::perplexity;
use serde_json::{Value, json};

use super::{MODEL, ONE, ask, last_asked, last_seen, start, stream};
use crate::support::talk::{ask_with, chat, chunks, is_done, said};
use crate::support::{Answer, TestGateway};

async fn ask_for(gateway: &TestGateway, model: &str, text: &str, members: Value) -> Answer {
    let answer = gateway.talk(chat(model, text, members)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

#[tokio::test]
async fn an_answer_has_its_sources_and_its_price() {
    let gateway = start(perplexity(), ONE).await;
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(last_seen(&gateway).path_and_query, "/v1/responses");
    let body = answer.json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(said(&answer), "You said: Tell me of Oslo[1][2]");
    let citations = json!(["https://example.org/oslo", "https://example.com/oslo"]);
    assert_eq!(body["citations"], citations);
    let first = &body["search_results"][0];
    assert_eq!(first["url"], citations[0], "{first}");
    for member in ["title", "snippet", "date", "last_updated", "source"] {
        assert!(first[member].is_string(), "{first}");
    }
    assert!(
        body["choices"][0]["message"]["tool_calls"].is_null(),
        "{body}"
    );
    let usage = &body["usage"];
    for member in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        assert!(usage[member].as_u64().unwrap() > 0, "{usage}");
    }
    let cost = usage["cost"]["total_cost"].as_f64().unwrap();
    let record = gateway.record_of(&answer).await;
    assert!(
        (record.cost.unwrap().dollars() - cost).abs() < 1e-9,
        "{:?}",
        record.cost
    );
    assert_eq!(
        u64::from(record.usage.unwrap().prompt),
        usage["prompt_tokens"].as_u64().unwrap()
    );
    assert_eq!(record.provider.as_deref(), Some("perplexity"));
}

#[tokio::test]
async fn the_old_names_still_work() {
    let gateway = start(perplexity(), ONE).await;
    for (name, searches) in [
        ("sonar", true),
        ("sonar-pro", true),
        ("sonar-reasoning", true),
        ("sonar-reasoning-pro", true),
        ("sonar-deep-research", true),
        ("r1-1776", false),
    ] {
        for model in [name.to_owned(), format!("perplexity/{name}")] {
            let answer = ask_for(&gateway, &model, "Tell me of Oslo", json!({})).await;
            assert_eq!(last_asked(&gateway)["model"], "perplexity/sonar", "{model}");
            assert_eq!(answer.json()["citations"].is_array(), searches, "{model}");
        }
    }
}

#[tokio::test]
async fn models_of_other_makers_are_reached_through_perplexity() {
    let gateway = start(perplexity(), ONE).await;
    let model = "perplexity/openai/gpt-6-luna";
    let answer = ask_for(&gateway, model, "Hello", json!({})).await;
    assert_eq!(last_asked(&gateway)["model"], "openai/gpt-6-luna");
    assert_eq!(said(&answer), "You said: Hello");
    assert!(answer.json()["citations"].is_null());
    let model = "perplexity/anthropic/claude-sonnet-5";
    assert_eq!(
        said(&ask_for(&gateway, model, "Hello", json!({})).await),
        "You said: Hello"
    );
}

#[tokio::test]
async fn filters_of_the_old_api_become_those_of_the_search() {
    let gateway = start(perplexity(), ONE).await;
    let members = json!({"search_domain_filter": ["example.org"], "search_recency_filter": "week",
        "web_search_options": {"search_context_size": "high"}, "return_images": true, "max_tokens": 4});
    ask_for(&gateway, MODEL, "Tell me of Oslo", members).await;
    let asked = last_asked(&gateway);
    let tool = &asked["tools"][0];
    assert_eq!(tool["type"], "web_search", "{asked}");
    assert_eq!(
        tool["filters"]["search_domain_filter"],
        json!(["example.org"]),
        "{asked}"
    );
    assert_eq!(tool["search_context_size"], "high", "{asked}");
    assert!(
        asked["max_output_tokens"].as_u64().unwrap() >= 16,
        "{asked}"
    );
    let answer = ask_for(
        &gateway,
        MODEL,
        "Tell me of Oslo",
        json!({"disable_search": true}),
    )
    .await;
    assert!(answer.json()["citations"].is_null(), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_has_the_sources_and_hides_the_search() {
    let gateway = start(perplexity(), ONE).await;
    let answer = stream(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(said(&answer), "You said: Tell me of Oslo[1][2]");
    assert!(is_done(&answer), "{}", answer.text());
    let chunks = chunks(&answer);
    assert!(
        chunks.iter().any(|chunk| chunk["citations"].is_array()),
        "{}",
        answer.text()
    );
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk", "{chunk}");
        assert!(
            chunk["choices"][0]["delta"]["tool_calls"].is_null(),
            "{chunk}"
        );
    }
    assert!(!answer.text().contains("search_web"), "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    assert!(record.cost.unwrap().dollars() > 0.0);
    assert!(record.usage.unwrap().output > 0);
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}])
}

#[tokio::test]
async fn tools_are_called_and_results_go_back() {
    let gateway = start(perplexity(), ONE).await;
    for streamed in [false, true] {
        let members = json!({"tools": weather(), "stream": streamed});
        let answer = ask_for(&gateway, MODEL, "Weather in Oslo?", members).await;
        let calls = if streamed {
            of_chunks(&answer)
        } else {
            answer.json()["choices"][0]["message"]["tool_calls"].clone()
        };
        assert_eq!(calls.as_array().unwrap().len(), 1, "{}", answer.text());
        let call = &calls[0];
        assert_eq!(call["function"]["name"], "weather", "{call}");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(arguments).unwrap(),
            json!({"city": "Oslo"})
        );
        let messages = json!([
            {"role": "user", "content": "Weather in Oslo?"},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": "rain"},
        ]);
        let members = json!({"tools": weather(), "messages": messages});
        let answer = ask_for(&gateway, MODEL, "", members).await;
        assert!(said(&answer).contains("rain"), "{}", answer.text());
    }
}

/// The calls of a stream, their arguments put together.
fn of_chunks(answer: &Answer) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    for chunk in chunks(answer) {
        for piece in chunk["choices"][0]["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let index = piece["index"].as_u64().unwrap() as usize;
            if index == calls.len() {
                calls.push(piece.clone());
                continue;
            }
            let known = &mut calls[index]["function"]["arguments"];
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            *known = json!(format!("{}{more}", known.as_str().unwrap_or_default()));
        }
    }
    let finish = chunks(answer).into_iter().rev().find_map(|chunk| {
        let reason = chunk["choices"][0]["finish_reason"].as_str();
        reason.map(str::to_owned)
    });
    assert_eq!(finish.as_deref(), Some("tool_calls"));
    json!(calls)
}

#[tokio::test]
async fn an_answer_keeps_to_a_schema() {
    let gateway = start(perplexity(), ONE).await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "place", "schema": schema}});
    let answer = ask_for(
        &gateway,
        MODEL,
        "Where?",
        json!({"response_format": format}),
    )
    .await;
    let content: Value = serde_json::from_str(&said(&answer)).unwrap();
    assert!(content["city"].is_string(), "{content}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_says_so() {
    let gateway = start(perplexity(), ONE).await;
    let text = "Tell me of Oslo ".repeat(30);
    let answer = ask_for(&gateway, MODEL, &text, json!({"max_tokens": 16})).await;
    assert_eq!(
        answer.json()["choices"][0]["finish_reason"],
        "length",
        "{}",
        answer.text()
    );
}

async fn embed(gateway: &TestGateway, members: Value) -> Value {
    let mut body = json!({"model": "perplexity/pplx-embed-v1-0.6b", "input": ["one", "two"]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let answer = gateway.talk(ask_with("/v1/embeddings", &[], &body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn embeddings_become_numbers_of_length_one_or_base64_of_them() {
    let gateway = start(perplexity(), ONE).await;
    let numbers = embed(&gateway, json!({})).await;
    let texts = embed(&gateway, json!({"encoding_format": "base64"})).await;
    for place in 0..2 {
        let floats = numbers["data"][place]["embedding"].as_array().unwrap();
        let floats: Vec<f64> = floats.iter().map(|float| float.as_f64().unwrap()).collect();
        assert_eq!(floats.len(), 1024);
        let length: f64 = floats.iter().map(|float| float * float).sum();
        assert!((length - 1.0).abs() < 1e-3, "{length}");
        let bytes = STANDARD
            .decode(texts["data"][place]["embedding"].as_str().unwrap())
            .unwrap();
        let same = bytes.chunks(4).zip(&floats).all(|(four, float)| {
            let four = f32::from_le_bytes(four.try_into().unwrap());
            (f64::from(four) - float).abs() < 1e-6
        });
        assert!(same && bytes.len() == 4096);
    }
    assert!(
        numbers["usage"]["prompt_tokens"].as_u64().unwrap() > 0,
        "{}",
        numbers["usage"]
    );
}
