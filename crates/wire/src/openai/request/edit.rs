//! Changes to a request's outermost members, spliced into the body (`splice.rs`): all else stays the slices that it was.
//! What is put in is JSON as it stands; it is not checked.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Request;
use crate::members::gathered;
use crate::splice::{Change, pieces, splice};

/// A changed copy of a request's body in the making. Of several changes to one member the last holds.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    request: &'a Request,
    changes: Vec<Change>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self {
            request,
            changes: Vec::new(),
        }
    }

    /// Gives a member this value, written as JSON: in its place, or as the last one where it is missing.
    #[must_use]
    pub fn set(self, member: &str, json: impl Into<String>) -> Self {
        self.change(member, Some(json.into()))
    }

    /// Takes a member out.
    #[must_use]
    pub fn remove(self, member: &str) -> Self {
        self.change(member, None)
    }

    /// Asks for the usage in the stream, the other `stream_options` as they are.
    #[must_use]
    pub fn ask_for_usage(self) -> Self {
        if self.request.includes_usage() {
            return self;
        }
        let member = self.request.members.named("stream_options").next();
        let written = member.and_then(|member| self.request.written(member));
        let options = written.and_then(|json| serde_json::from_slice(&json).ok());
        let mut options: Map<String, Value> = options.unwrap_or_default();
        options.retain(|name, _| !name.eq_ignore_ascii_case("include_usage"));
        options.insert("include_usage".to_owned(), Value::Bool(true));
        self.set("stream_options", Value::Object(options).to_string())
    }

    /// Takes a member out of each message but those of role `user`. Messages that have none stay as they were written.
    #[must_use]
    pub fn remove_outside_users_messages(self, member: &str) -> Self {
        let found = self.request.members.named("messages").next();
        let quoted = format!("\"{member}\"");
        let written = found.and_then(|messages| {
            let chunks = self.request.chunks();
            gathered(chunks, &messages.value, usize::MAX)
        });
        let written = written.filter(|json| memmem::find(json, quoted.as_bytes()).is_some());
        let messages = written.and_then(|json| without(&json, member));
        match messages {
            Some(messages) => self.set("messages", messages),
            None => self,
        }
    }

    /// The changed body; the very same where nothing changes.
    pub fn finish(self) -> Arc<[Bytes]> {
        let chunks = self.request.chunks();
        if self.changes.iter().all(|change| self.is_idle(change)) {
            return Arc::clone(chunks);
        }
        let length = chunks.iter().map(Bytes::len).sum();
        let pieces = pieces(&self.request.members, &self.changes, length);
        splice(chunks, pieces).into()
    }

    fn change(mut self, member: &str, json: Option<String>) -> Self {
        self.changes
            .retain(|change| !change.member.eq_ignore_ascii_case(member));
        self.changes.push(Change {
            member: member.to_owned(),
            json,
        });
        self
    }

    fn is_idle(&self, change: &Change) -> bool {
        change.json.is_none() && !self.request.has(&change.member)
    }
}

/// The messages without that member; none where no message has it.
fn without(messages: &[u8], member: &str) -> Option<String> {
    let messages: Vec<&RawValue> = serde_json::from_slice(messages).ok()?;
    let mut is_changed = false;
    let kept = messages.into_iter().map(|message| {
        let mut members: Map<String, Value> = match serde_json::from_str(message.get()) {
            Ok(members) => members,
            Err(_) => return message.get().to_owned(),
        };
        let is_users = members.get("role").is_some_and(|role| role == "user");
        if is_users || members.shift_remove(member).is_none() {
            return message.get().to_owned();
        }
        is_changed = true;
        Value::Object(members).to_string()
    });
    let kept: Vec<String> = kept.collect();
    is_changed.then(|| format!("[{}]", kept.join(",")))
}
