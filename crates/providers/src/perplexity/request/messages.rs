//! Messages of a chat as the items of an Agent API's input: messages, calls of the caller's tools, and their results.
//! What is inside a message is `parts.rs`'s.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fields::Fields;
use super::parts::{self, Content};
use super::raw::{as_text, elements, is_text, object, refuse, text};
use crate::Refused;

/// One element of `input`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        role: &'static str,
        content: Content<'a>,
    },
    FunctionCall {
        call_id: &'a RawValue,
        name: &'a RawValue,
        arguments: Content<'a>,
        /// What models of Google's want back with the call that they made.
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'a RawValue>,
    },
    FunctionCallOutput {
        call_id: &'a RawValue,
        output: Content<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'a RawValue>,
    },
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
    #[serde(borrow)]
    extra_content: Option<&'a RawValue>,
    #[serde(borrow)]
    provider_specific_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// A call that was made, for the result that follows it.
#[derive(Clone, Copy)]
struct Made<'a> {
    name: &'a RawValue,
    signature: Option<&'a RawValue>,
}

/// The items of a conversation.
pub(super) fn read<'a>(fields: &mut Fields<'a>) -> Result<Vec<Item<'a>>, Refused> {
    let Some(messages) = fields.take("messages") else {
        let message = "\"messages\" is missing: send at least one message";
        return Err(refuse("messages", message));
    };
    let mut conversation = Conversation::default();
    for (at, message) in elements(messages, "messages")?.into_iter().enumerate() {
        let param = format!("messages[{at}]");
        conversation.add(&object(message, &param)?, &param)?;
    }
    if conversation.items.is_empty() {
        let message = "\"messages\" says nothing: send at least one message with content";
        return Err(refuse("messages", message));
    }
    Ok(conversation.items)
}

#[derive(Default)]
struct Conversation<'a> {
    items: Vec<Item<'a>>,
    calls: HashMap<&'a str, Made<'a>>,
}

impl<'a> Conversation<'a> {
    fn add(&mut self, message: &Message<'a>, param: &str) -> Result<(), Refused> {
        let role_param = format!("{param}.role");
        let role = match message.role {
            Some(role) => text(role, &role_param)?,
            None => return Err(refuse(&role_param, format!("\"{role_param}\" is missing"))),
        };
        match role.as_str() {
            "system" => self.input("system", message, param),
            "developer" => self.input("developer", message, param),
            "user" => self.input("user", message, param),
            "assistant" => self.answer(message, param),
            "tool" => self.result(message, param),
            _ => Err(refuse(
                &role_param,
                format!(
                    "\"{role_param}\" is {role:?}: it must be system, developer, user, assistant or tool"
                ),
            )),
        }
    }

    fn input(
        &mut self,
        role: &'static str,
        message: &Message<'a>,
        param: &str,
    ) -> Result<(), Refused> {
        let content = needed(message.content, &format!("{param}.content"))?;
        let content = parts::input(content, &format!("{param}.content"))?;
        self.items.push(Item::Message { role, content });
        Ok(())
    }

    /// What was said before goes back as text, and the calls behind it.
    fn answer(&mut self, message: &Message<'a>, param: &str) -> Result<(), Refused> {
        for (name, value) in [("content", message.content), ("refusal", message.refusal)] {
            let Some(value) = value else { continue };
            let content = parts::spoken(value, &format!("{param}.{name}"))?;
            if !content.is_empty() {
                let role = "assistant";
                self.items.push(Item::Message { role, content });
            }
        }
        let Some(calls) = message.tool_calls else {
            return Ok(());
        };
        let param = format!("{param}.tool_calls");
        for (at, call) in elements(calls, &param)?.into_iter().enumerate() {
            let param = format!("{param}[{at}]");
            self.call(&object(call, &param)?, &param)?;
        }
        Ok(())
    }

    fn call(&mut self, call: &ToolCall<'a>, param: &str) -> Result<(), Refused> {
        let call_id = named(call.id, &format!("{param}.id"))?;
        let function = needed(call.function, &format!("{param}.function"))?;
        let function: Function<'a> = object(function, &format!("{param}.function"))?;
        let name = named(function.name, &format!("{param}.function.name"))?;
        let thought_signature = call.signature();
        let made = Made {
            name,
            signature: thought_signature,
        };
        self.calls.insert(call_id.get(), made);
        self.items.push(Item::FunctionCall {
            call_id,
            name,
            arguments: arguments(function.arguments),
            thought_signature,
        });
        Ok(())
    }

    fn result(&mut self, message: &Message<'a>, param: &str) -> Result<(), Refused> {
        let call_id = named(message.tool_call_id, &format!("{param}.tool_call_id"))?;
        let output = match message.content {
            Some(content) => parts::spoken(content, &format!("{param}.content"))?,
            None => Content::Text(String::new()),
        };
        let made = self.calls.get(call_id.get()).copied();
        self.items.push(Item::FunctionCallOutput {
            call_id,
            output,
            name: made.map(|made| made.name),
            thought_signature: made.and_then(|made| made.signature),
        });
        Ok(())
    }
}

impl<'a> ToolCall<'a> {
    /// The signature where chats carry it: as Google's endpoint of this shape does, and as litellm does.
    fn signature(&self) -> Option<&'a RawValue> {
        let googles = || member(self.extra_content?, "google");
        let carrier = googles().or(self.provider_specific_fields)?;
        member(carrier, "thought_signature").filter(|value| is_text(value))
    }
}

fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let members: super::Members<'a> = object(value, name).ok()?;
    members.get(name)
}

/// Arguments are JSON in a text. Some clients send the object itself, or nothing where there are none.
fn arguments(value: Option<&RawValue>) -> Content<'_> {
    match value {
        Some(value) if value.get() == "\"\"" => Content::Text("{}".to_owned()),
        Some(value) if is_text(value) => Content::Raw(value),
        Some(value) => Content::Text(value.get().to_owned()),
        None => Content::Text("{}".to_owned()),
    }
}

fn needed<'a>(value: Option<&'a RawValue>, param: &str) -> Result<&'a RawValue, Refused> {
    value.ok_or_else(|| refuse(param, format!("\"{param}\" is missing")))
}

fn named<'a>(value: Option<&'a RawValue>, param: &str) -> Result<&'a RawValue, Refused> {
    as_text(needed(value, param)?, param)
}
