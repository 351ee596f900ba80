//! The messages of a chat: one of the system, first; then users, assistants and functions in turn.
//! What OpenAI lets stand side by side is joined (texts by an empty line), and what it lets one message hold is spread:
//! GigaChat takes one call and one picture a message. `content.rs` reads what a message says.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Object;
use super::content::{Content, Files, join, read, read_text};
use super::file::File;
use super::names::Names;
use crate::Refused;
use crate::gigachat::call_id;
use crate::gigachat::refuse;

/// Between texts of several messages that become one.
const BETWEEN: &str = "\n\n";

/// Members of OpenAI's messages that GigaChat's have no place for.
const DROPPED: &[&str] = &[
    "annotations",
    "audio",
    "cache_control",
    "function_call",
    "name",
    "refusal",
    "tool_call_id",
    "tool_calls",
];

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attachment {
    /// The account has it already, by this id.
    File(String),
    /// A picture to be uploaded, by its place in the request.
    Picture(usize),
    /// Any other file to be uploaded.
    Upload(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    System,
    User,
    Assistant,
    Function,
}

/// A message as GigaChat knows it.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions_state_id: Option<String>,
    /// Sent by the request, which knows their ids.
    #[serde(skip)]
    pub(super) attachments: Vec<Attachment>,
    #[serde(flatten)]
    rest: Object,
}

#[derive(Debug, Serialize)]
struct FunctionCall {
    name: String,
    arguments: Object,
}

/// Takes the messages out of the body, and the files out of them.
pub(super) fn take(
    body: &mut Object,
    names: &mut Names,
) -> Result<(Vec<Message>, Vec<File>), Refused> {
    let list = match body.shift_remove("messages") {
        Some(Value::Array(list)) if !list.is_empty() => list,
        _ => {
            return Err(refuse::member(
                "messages",
                "messages is no array with a message in it",
            ));
        }
    };
    let mut talk = Talk {
        names,
        system: String::new(),
        messages: Vec::new(),
        files: Files::default(),
        called: HashMap::new(),
        open: HashMap::new(),
    };
    for (index, message) in list.into_iter().enumerate() {
        talk.read(message, &format!("messages[{index}]"))?;
    }
    talk.finish()
}

/// The messages as far as they are read.
struct Talk<'a> {
    names: &'a mut Names,
    system: String,
    messages: Vec<Message>,
    files: Files,
    /// Names of the functions called so far, by the ids of the calls.
    called: HashMap<String, String>,
    /// Calls of a message with several, by their ids, until their results come: each is sent with its result.
    open: HashMap<String, Message>,
}

impl Talk<'_> {
    fn read(&mut self, message: Value, at: &str) -> Result<(), Refused> {
        let Value::Object(mut message) = message else {
            return Err(refuse::member(at, format!("{at} is not an object")));
        };
        message.retain(|_, value| !value.is_null());
        let role = message.shift_remove("role");
        let role = role.as_ref().and_then(Value::as_str).unwrap_or("none");
        let content = message.shift_remove("content").unwrap_or_default();
        let content_at = format!("{at}.content");
        if !matches!(role, "tool" | "function") {
            self.check_answered(at)?;
        }
        match role {
            "system" | "developer" => {
                join(&mut self.system, read_text(content, &content_at)?, BETWEEN);
                Ok(())
            }
            "user" => {
                let content = read(content, &content_at, &mut self.files)?;
                self.user(content, message);
                Ok(())
            }
            "assistant" => self.assistant(read_text(content, &content_at)?, message, at),
            "tool" => self.result(read_text(content, &content_at)?, &message, at),
            "function" => self.legacy_result(read_text(content, &content_at)?, &message, at),
            _ => Err(refuse::member(
                at,
                format!(
                    "{at} has the role {role:?}; it may be \"system\", \"developer\", \"user\", \"assistant\", \"tool\" or \"function\""
                ),
            )),
        }
    }

    fn finish(mut self) -> Result<(Vec<Message>, Vec<File>), Refused> {
        self.check_answered("messages")?;
        if !self.system.is_empty() {
            let system = Message::new(Role::System, std::mem::take(&mut self.system));
            self.messages.insert(0, system);
        }
        if self.messages.is_empty() {
            self.messages.push(Message::new(Role::User, String::new()));
        }
        Ok((self.messages, self.files.images))
    }

    /// All but the last picture get messages of their own before the one with the text, which may speak of them.
    fn user(&mut self, content: Content, mut rest: Object) {
        let mut attachments = own_attachments(&mut rest);
        let (mut pictures, others): (Vec<_>, Vec<_>) = content
            .attachments
            .into_iter()
            .partition(Attachment::is_picture);
        attachments.extend(others);
        attachments.extend(pictures.pop());
        for picture in pictures {
            self.push(Message {
                attachments: vec![picture],
                ..Message::new(Role::User, String::new())
            });
        }
        self.push(Message {
            attachments,
            rest,
            ..Message::new(Role::User, content.text)
        });
    }

    fn assistant(&mut self, text: String, mut rest: Object, at: &str) -> Result<(), Refused> {
        let calls = match rest.shift_remove("tool_calls") {
            Some(Value::Array(calls)) => calls,
            _ => Vec::new(),
        };
        let legacy = rest.shift_remove("function_call");
        let state = rest.shift_remove("functions_state_id");
        let state = state.as_ref().and_then(Value::as_str).map(str::to_owned);
        let mut first = Message {
            functions_state_id: state,
            rest,
            ..Message::new(Role::Assistant, text)
        };
        if calls.is_empty() {
            if let Some(call) = legacy {
                first.function_call = Some(self.call(&call, &format!("{at}.function_call"))?);
            }
            self.push(first);
            return Ok(());
        }
        let is_only = calls.len() == 1;
        for (index, call) in calls.iter().enumerate() {
            let at = format!("{at}.tool_calls[{index}]");
            let next = Message::new(Role::Assistant, String::new());
            let message = std::mem::replace(&mut first, next);
            self.tool_call(call, message, is_only, &at)?;
        }
        Ok(())
    }

    /// One of the calls of a message; several wait for their results.
    fn tool_call(
        &mut self,
        call: &Value,
        mut message: Message,
        is_only: bool,
        at: &str,
    ) -> Result<(), Refused> {
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
        let function = call.get("function").unwrap_or(&Value::Null);
        let function = self.call(function, at)?;
        self.called.insert(id.to_owned(), function.name.clone());
        message.function_call = Some(function);
        message.functions_state_id = message.functions_state_id.or_else(|| call_id::state(id));
        if is_only {
            self.push(message);
        } else if self.open.insert(id.to_owned(), message).is_some() {
            let text = format!("{at} has the id {id:?} of another call of the same message");
            return Err(refuse::member(at, text));
        }
        Ok(())
    }

    fn call(&mut self, function: &Value, at: &str) -> Result<FunctionCall, Refused> {
        let Some(name) = function.get("name").and_then(Value::as_str) else {
            return Err(refuse::member(at, format!("{at} names no function")));
        };
        Ok(FunctionCall {
            name: self.names.sent(name),
            arguments: arguments(function.get("arguments")),
        })
    }

    fn result(&mut self, text: String, message: &Object, at: &str) -> Result<(), Refused> {
        let id = message.get("tool_call_id").and_then(Value::as_str);
        let id = id.unwrap_or_default();
        if let Some(call) = self.open.remove(id) {
            self.push(call);
        }
        match self.called.get(id).cloned() {
            Some(name) => {
                self.push_result(name, text);
                Ok(())
            }
            None => Err(refuse::member(
                format!("{at}.tool_call_id"),
                format!("{at}.tool_call_id is {id:?}, which no tool call before it has"),
            )),
        }
    }

    fn legacy_result(&mut self, text: String, message: &Object, at: &str) -> Result<(), Refused> {
        let Some(name) = message.get("name").and_then(Value::as_str) else {
            let text = format!("{at} has the role \"function\" and no name of a function");
            return Err(refuse::member(format!("{at}.name"), text));
        };
        let name = self.names.sent(name);
        self.push_result(name, text);
        Ok(())
    }

    fn push_result(&mut self, name: String, text: String) {
        self.push(Message {
            name: Some(name),
            ..Message::new(Role::Function, result_object(text))
        });
    }

    /// Where several calls were made, none may go without its result.
    fn check_answered(&self, at: &str) -> Result<(), Refused> {
        match self.open.keys().min() {
            None => Ok(()),
            Some(id) => Err(refuse::member(
                at,
                format!("{at}: the tool call {id:?} before it has no result of the role \"tool\""),
            )),
        }
    }

    /// Adds a message, or joins it to the last.
    fn push(&mut self, mut message: Message) {
        message
            .rest
            .retain(|name, _| !DROPPED.contains(&name.as_str()));
        match self.messages.last_mut() {
            Some(last) if last.takes(&message) => last.join(message),
            _ => self.messages.push(message),
        }
    }
}

impl Attachment {
    const fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}

impl Message {
    fn new(role: Role, content: String) -> Self {
        Self {
            role,
            name: None,
            content,
            function_call: None,
            functions_state_id: None,
            attachments: Vec::new(),
            rest: Object::new(),
        }
    }

    fn has_picture(&self) -> bool {
        self.attachments.iter().any(Attachment::is_picture)
    }

    /// Whether the next message can be joined to this: not behind a call, nor to a second picture.
    fn takes(&self, next: &Self) -> bool {
        match (self.role, next.role) {
            (Role::User, Role::User) => !(self.has_picture() && next.has_picture()),
            (Role::Assistant, Role::Assistant) => self.function_call.is_none(),
            _ => false,
        }
    }

    fn join(&mut self, next: Self) {
        join(&mut self.content, next.content, BETWEEN);
        self.function_call = next.function_call;
        if next.functions_state_id.is_some() {
            self.functions_state_id = next.functions_state_id;
        }
        self.attachments.extend(next.attachments);
        self.rest.extend(next.rest);
    }
}

/// Ids of GigaChat's own files, for callers who have uploaded them.
fn own_attachments(rest: &mut Object) -> Vec<Attachment> {
    let Some(Value::Array(ids)) = rest.shift_remove("attachments") else {
        return Vec::new();
    };
    let file = |id: Value| id.as_str().map(|id| Attachment::File(id.to_owned()));
    ids.into_iter().filter_map(file).collect()
}

/// Arguments as an object, which OpenAI has as text. What a model once wrote and is none goes as the only member of
/// one: the conversation shall go on.
fn arguments(value: Option<&Value>) -> Object {
    let text = match value {
        Some(Value::Object(arguments)) => return arguments.clone(),
        Some(Value::String(text)) => text,
        _ => return Object::new(),
    };
    if text.trim().is_empty() {
        return Object::new();
    }
    serde_json::from_str(text)
        .unwrap_or_else(|_| Object::from_iter([("arguments".to_owned(), json!(text))]))
}

/// A result as the text of an object, which is all that GigaChat takes.
fn result_object(text: String) -> String {
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(_)) => text,
        Ok(value) => json!({"result": value}).to_string(),
        Err(_) => json!({"result": text}).to_string(),
    }
}
