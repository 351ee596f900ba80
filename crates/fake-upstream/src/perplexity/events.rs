//! A response of the Agent API as named events. The search shows as a call of the internal function
//! `search_web`, at the same index as the results that take its place.

use serde_json::{Value, json};

use super::agent::{Response, error};
use crate::responses::events::numbered;
use crate::responses::parts::{Named, of_part, whole};
use crate::said::Said;
use crate::stand::Stand;
use crate::stream::Event;

/// The events of a stream, with at least so many chunks of text.
pub(crate) fn of(stand: &Stand, response: &Response, at_least: usize) -> Vec<Event> {
    let frame = response.frame("in_progress", &response.ask.early_model);
    let begun = json!({"response": frame});
    let mut events = vec![
        ("response.created", begun.clone()),
        ("response.in_progress", begun),
    ];
    if response.failed {
        events.push(("response.failed", json!({"error": error()})));
        return numbered(events);
    }
    let found = response.search();
    let first = usize::from(found.is_some());
    if let Some(found) = found {
        events.extend(search(stand, &found));
    }
    for (index, item) in response.said_items().iter().enumerate() {
        let index = first + index;
        if item["type"] == "message" {
            events.extend(message(stand, response, index, item, at_least));
        } else {
            events.extend(whole(index, item));
        }
    }
    let body = response.body();
    let last = match body["status"].as_str() {
        Some("incomplete") => "response.incomplete",
        _ => "response.completed",
    };
    events.push((last, json!({"response": body})));
    numbered(events)
}

fn search(stand: &Stand, found: &Value) -> Vec<Named> {
    let id = stand.fresh_id(12);
    let call_id = format!("call_{id}");
    let queries = &found["queries"];
    let item = json!({
        "type": "function_call",
        "id": format!("fc_{id}"),
        "call_id": call_id,
        "name": "search_web",
        "arguments": json!({"queries": queries}).to_string(),
        "status": "completed",
    });
    let asked = json!({"call_id": call_id, "queries": queries, "thought": "Searching the web..."});
    let results = json!({
        "call_id": call_id,
        "results": found["results"],
        "thought": "Found 2 results",
    });
    vec![
        (
            "response.output_item.added",
            json!({"output_index": 0, "item": item}),
        ),
        ("response.reasoning.search_queries", asked),
        ("response.reasoning.search_results", results),
        (
            "response.output_item.done",
            json!({"output_index": 0, "item": found}),
        ),
    ]
}

fn message(
    stand: &Stand,
    response: &Response,
    index: usize,
    item: &Value,
    at_least: usize,
) -> Vec<Named> {
    let mut empty = item.clone();
    empty["content"] = Value::Null;
    let mut events = vec![(
        "response.output_item.added",
        json!({"output_index": index, "item": empty}),
    )];
    let at = |name: &str, value| of_part(index, item, name, value);
    if let (Said::Text { text, .. }, Some(_)) = (&response.said, item["content"].get(0)) {
        for piece in stand.voice.chunks(text, at_least) {
            events.push(("response.output_text.delta", at("delta", json!(piece))));
        }
        events.push(("response.output_text.done", at("text", json!(text))));
    }
    events.push((
        "response.output_item.done",
        json!({"output_index": index, "item": item}),
    ));
    events
}
