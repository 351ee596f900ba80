//! The small fields of a chat: how much is to be said, in which form, with how much thought.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fields::Fields;
use super::model::Target;
use super::raw::{count, flag, object, refuse, shown, text, tree};
use crate::Refused;
use crate::perplexity::members::Members;

/// The Agent API refuses a smaller limit.
const LEAST_TOKENS: u64 = 16;
/// What models that must be given a limit get where the caller gives none. The limit is keymux's choice:
/// room for a long answer.
const DEFAULT_TOKENS: u64 = 8192;

/// Fields that are only looked at.
pub(super) fn check(fields: &mut Fields<'_>) -> Result<(), Refused> {
    if let Some(stream) = fields.take("stream") {
        flag(stream, "stream")?;
        fields.pass("stream", stream);
    }
    match fields.take("n") {
        Some(n) if count(n, "n")? > 1 => {
            let message = format!("\"n\" is {}: this model gives one answer; send 1", shown(n));
            Err(refuse("n", message))
        }
        _ => Ok(()),
    }
}

/// The limit of the output; the newest name for it that the caller uses counts.
pub(super) fn max_output_tokens(
    fields: &mut Fields<'_>,
    target: &Target<'_>,
) -> Result<Option<u64>, Refused> {
    let names = ["max_output_tokens", "max_completion_tokens", "max_tokens"];
    for name in names {
        if let Some(value) = fields.take(name) {
            return Ok(Some(count(value, name)?.max(LEAST_TOKENS)));
        }
    }
    Ok(target.needs_limit().then_some(DEFAULT_TOKENS))
}

/// `reasoning_effort` as `reasoning.effort`; an object `reasoning` of the caller's own passes, and lacks only that.
pub(super) fn reasoning(fields: &mut Fields<'_>) -> Result<Option<Value>, Refused> {
    let own = fields.take("reasoning");
    let mut reasoning = match own {
        Some(value) => tree(value, "reasoning")?,
        None => json!({}),
    };
    let Some(members) = reasoning.as_object_mut() else {
        let message = "\"reasoning\" must be an object, for example {\"effort\": \"low\"}";
        return Err(refuse("reasoning", message));
    };
    if let Some(value) = fields.take("reasoning_effort") {
        let effort = text(value, "reasoning_effort")?;
        // The strongest that the Agent API has.
        let effort = if effort == "max" { "xhigh" } else { &effort };
        members.entry("effort").or_insert_with(|| effort.into());
    }
    Ok((!members.is_empty()).then_some(reasoning))
}

/// A form of the answer. The Agent API knows schemas and regular expressions; any JSON is the schema of any object.
pub(super) fn response_format(fields: &mut Fields<'_>) -> Result<Option<Value>, Refused> {
    let Some(value) = fields.take("response_format") else {
        return Ok(None);
    };
    Ok(match form(value)?.as_deref() {
        Some("text") => None,
        Some("json_object") => Some(json!({
            "type": "json_schema",
            "json_schema": {"name": "json_object", "schema": {"type": "object"}},
        })),
        _ => Some(tree(value, "response_format")?),
    })
}

fn form(value: &RawValue) -> Result<Option<String>, Refused> {
    let members: Members<'_> = object(value, "response_format")?;
    let kind = members.get("type");
    kind.map(|kind| text(kind, "response_format.type"))
        .transpose()
}
