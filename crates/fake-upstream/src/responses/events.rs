//! A response of OpenAI or xAI as named events, numbered from zero; the last one holds all of it.

use serde_json::{Value, json};

use super::answer::Response;
use super::parts::{self, Named, of_part, whole};
use crate::said::Said;
use crate::stand::Stand;
use crate::stream::{Event, Framing};

/// The events of a stream, with at least so many chunks of text.
pub(crate) fn of(stand: &Stand, response: &Response, at_least: usize) -> Vec<Event> {
    let begun = json!({"response": response.frame("in_progress")});
    let mut events = vec![
        ("response.created", begun.clone()),
        ("response.in_progress", begun),
    ];
    if !response.failed() {
        for (index, item) in response.items().iter().enumerate() {
            events.extend(match item["type"].as_str() {
                Some("message") => message(stand, response, index, item, at_least),
                Some("function_call") => call(index, item),
                _ => whole(index, item),
            });
        }
    }
    let last = match response.status() {
        "failed" => "response.failed",
        "incomplete" => "response.incomplete",
        _ => "response.completed",
    };
    events.push((last, json!({"response": response.body()})));
    numbered(events)
}

/// Writes type and number into each event.
pub(crate) fn numbered(events: Vec<Named>) -> Vec<Event> {
    let number = |(index, (name, fields)): (usize, Named)| {
        let mut body = json!({"type": name, "sequence_number": index});
        if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
            body.extend(fields);
        }
        Event {
            name,
            json: Framing::Responses.json(&body),
        }
    };
    events.into_iter().enumerate().map(number).collect()
}

fn message(
    stand: &Stand,
    response: &Response,
    index: usize,
    item: &Value,
    at_least: usize,
) -> Vec<Named> {
    let mut empty = item.clone();
    empty["status"] = json!("in_progress");
    empty["content"] = json!([]);
    let added = json!({"output_index": index, "item": empty});
    let done = json!({"output_index": index, "item": item});
    let mut events = vec![("response.output_item.added", added)];
    if let (Said::Text { text, .. }, Some(_)) = (&response.said, item["content"].get(0)) {
        let at = |name: &str, value| of_part(index, item, name, value);
        events.push(("response.content_part.added", at("part", parts::text(""))));
        for piece in stand.voice.chunks(text, at_least) {
            events.push(("response.output_text.delta", at("delta", json!(piece))));
        }
        events.push(("response.output_text.done", at("text", json!(text))));
        events.push(("response.content_part.done", at("part", parts::text(text))));
    }
    events.push(("response.output_item.done", done));
    events
}

fn call(index: usize, item: &Value) -> Vec<Named> {
    let mut empty = item.clone();
    empty["status"] = json!("in_progress");
    empty["arguments"] = json!("");
    let at = |name: &str| {
        let mut fields = json!({"item_id": item["id"], "output_index": index});
        fields[name] = item["arguments"].clone();
        fields
    };
    vec![
        (
            "response.output_item.added",
            json!({"output_index": index, "item": empty}),
        ),
        ("response.function_call_arguments.delta", at("delta")),
        ("response.function_call_arguments.done", at("arguments")),
        (
            "response.output_item.done",
            json!({"output_index": index, "item": item}),
        ),
    ]
}
