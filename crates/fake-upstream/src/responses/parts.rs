//! What a response is made of, the same for every provider: its frame, the items of its output, their events. What a
//! provider adds is in `answer.rs` and `events.rs`, here for OpenAI and xAI, in its own folder for Perplexity.

use serde_json::{Value, json};

use crate::dialect::CREATED;
use crate::said::{Finish, FunctionCall, Said};

/// An event with its name, before it is numbered.
pub(crate) type Named = (&'static str, Value);

/// What every response tells of itself, and of what was asked, with neither output nor usage. `extra` comes on top.
pub(crate) fn frame(id: &str, status: &str, model: &str, asked: &Value, extra: Value) -> Value {
    let mut frame = json!({
        "id": id,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": model,
        "error": null,
        "incomplete_details": null,
        "max_output_tokens": asked["max_output_tokens"],
        "metadata": {},
        "output": [],
        "previous_response_id": asked["previous_response_id"],
        "temperature": given(asked, "temperature", json!(1)),
        "tool_choice": given(asked, "tool_choice", json!("auto")),
        "tools": given(asked, "tools", json!([])),
        "top_p": given(asked, "top_p", json!(1)),
        "usage": null,
        "user": null,
    });
    if let (Some(frame), Value::Object(extra)) = (frame.as_object_mut(), extra) {
        frame.extend(extra);
    }
    frame
}

/// A member of the request, or what stands for it when there is none.
pub(crate) fn given(asked: &Value, name: &str, default: Value) -> Value {
    match &asked[name] {
        Value::Null => default,
        given => given.clone(),
    }
}

/// `completed`, `incomplete` or `failed`: the finish of the text and its blocks decide.
pub(crate) fn status(said: &Said, failed: bool) -> &'static str {
    match said {
        _ if failed => "failed",
        Said::Text { finish, .. } if *finish == Finish::Length => "incomplete",
        Said::BlockedPrompt | Said::Unsafe => "incomplete",
        _ => "completed",
    }
}

/// A message of these parts.
pub(crate) fn message(id: &str, status: &str, content: &Value) -> Value {
    json!({
        "type": "message",
        "id": format!("msg_{id}"),
        "role": "assistant",
        "status": status,
        "content": content,
    })
}

/// A function that is called.
pub(crate) fn call(id: &str, call_id: &str, call: &FunctionCall) -> Value {
    json!({
        "type": "function_call",
        "id": format!("fc_{id}"),
        "call_id": call_id,
        "name": call.name,
        "arguments": call.args.to_string(),
        "status": "completed",
    })
}

/// A part that says `text`.
pub(crate) fn text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}

/// An item that is there at once.
pub(crate) fn whole(index: usize, item: &Value) -> Vec<Named> {
    let fields = json!({"output_index": index, "item": item});
    vec![
        ("response.output_item.added", fields.clone()),
        ("response.output_item.done", fields),
    ]
}

/// The fields of an event of a message's one part, with one of its own.
pub(crate) fn of_part(index: usize, item: &Value, name: &str, value: Value) -> Value {
    let mut fields = json!({
        "item_id": item["id"],
        "output_index": index,
        "content_index": 0,
    });
    fields[name] = value;
    fields
}
