//! A chat as OpenAI's callers ask for it, put into GigaChat's dialect (v1).
//! Here are the request as a whole and its body; `messages.rs`, `functions.rs` and `options.rs` translate its parts.
//! It is sent once the files it needs are uploaded: their ids come in last (`finish`).

mod content;
mod file;
mod functions;
mod messages;
mod names;
mod options;
mod schema;

use domain::UnixMs;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Asked;
use super::asked::Calls;
use super::refuse;
use crate::Refused;
use messages::{Attachment, Message};
use names::Names;

pub use file::File;

/// A JSON object.
type Object = Map<String, Value>;

/// A chat that can be sent once its files are uploaded.
#[derive(Debug)]
pub struct ChatRequest {
    model: String,
    messages: Vec<Message>,
    images: Vec<File>,
    functions: Vec<Value>,
    function_call: Option<Value>,
    rest: Object,
    names: Names,
    calls: Calls,
}

/// Translates the body of a chat completion; `model` is GigaChat's name of the model.
///
/// Members that are not known pass as they are; those that GigaChat has no counterpart for are left out
/// (`options.rs` lists them). Refused is what GigaChat could not answer as it was meant.
pub fn chat_request(body: &[u8], model: &str) -> Result<ChatRequest, Refused> {
    let mut rest = object(body)?;
    rest.retain(|_, value| !value.is_null());
    rest.remove("model");
    let mut names = Names::default();
    let asked = functions::take(&mut rest, &mut names)?;
    let (messages, images) = messages::take(&mut rest, &mut names)?;
    options::translate(&mut rest)?;
    Ok(ChatRequest {
        model: model.to_owned(),
        messages,
        images,
        functions: asked.functions,
        function_call: asked.function_call,
        rest,
        names,
        calls: asked.calls,
    })
}

/// The body as an object.
pub(super) fn object(body: &[u8]) -> Result<Object, Refused> {
    serde_json::from_slice(body)
        .map_err(|error| refuse::body(format!("the body is not a JSON object: {error}")))
}

impl ChatRequest {
    /// What has to be uploaded before the request can be sent, in the order of their ids in [`ChatRequest::finish`].
    pub fn files(&self) -> &[File] {
        &self.images
    }

    /// What the answer's translator needs: `id` and `created` become those of an answer, which has no id of its own.
    ///
    /// `id` is of the form `chatcmpl-…`, new for each answer: the ids of tool calls are made of it.
    pub fn asked(&self, id: &str, created: UnixMs) -> Asked {
        Asked {
            id: id.to_owned(),
            created,
            model: self.model.clone(),
            calls: self.calls,
            renamed: self.names.renamed(),
        }
    }

    /// The body to send. `files` are the ids of the uploaded [`ChatRequest::images`], in their order.
    ///
    /// A file belongs to the account that it was uploaded with: another key needs ids, and a body, of its own.
    pub fn finish(&self, files: &[String]) -> Vec<u8> {
        let body = Body {
            model: &self.model,
            messages: self
                .messages
                .iter()
                .map(|message| sent(message, files))
                .collect(),
            functions: &self.functions,
            function_call: self.function_call.as_ref(),
            rest: &self.rest,
        };
        // Maps of strings and values cannot fail to be written.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<SentMessage<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    functions: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<&'a Value>,
    #[serde(flatten)]
    rest: &'a Object,
}

#[derive(Serialize)]
struct SentMessage<'a> {
    #[serde(flatten)]
    message: &'a Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<&'a str>,
}

fn sent<'a>(message: &'a Message, files: &'a [String]) -> SentMessage<'a> {
    let id = |attachment: &'a Attachment| match attachment {
        Attachment::File(id) => Some(&**id),
        Attachment::Picture(at) | Attachment::Upload(at) => files.get(*at).map(String::as_str),
    };
    SentMessage {
        message,
        attachments: message.attachments.iter().filter_map(id).collect(),
    }
}
