//! Uploads: Google's resumable protocol (start, upload, query, finalize, cancel), and the simple
//! forms `multipart` and `raw`. A session belongs to the project of the key that started it; its
//! later requests need no key. A stand-in that is `fast` measures pieces as they come. Stored files are `files.rs`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderName;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::files::{Content, Described};
use crate::gemini::prompt::text_field;
use crate::gemini::strict;
use crate::keys::Caller;
use crate::multipart;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const UPLOAD_URL: HeaderName = HeaderName::from_static("x-goog-upload-url");
const CONTROL_URL: HeaderName = HeaderName::from_static("x-goog-upload-control-url");
const GRANULARITY: HeaderName = HeaderName::from_static("x-goog-upload-chunk-granularity");
const RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");
const UPLOADER_ID: HeaderName = HeaderName::from_static("x-guploader-uploadid");

/// Chunks are announced as multiples of this many bytes; smaller ones are taken all the same.
const CHUNK_BYTES: &str = "8388608";

/// Open and closed upload sessions by their id. The lock is held for one step of one session.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

#[derive(Debug)]
struct Session {
    project: String,
    /// What follows the version in the path, for example `files`.
    target: String,
    described: Described,
    received: Content,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Final,
    Cancelled,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Final => "final",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The first request of an upload, whichever protocol it names.
pub(crate) fn begin(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let protocol = call
        .header("x-goog-upload-protocol")
        .or_else(|| call.param("uploadType"))
        .or_else(|| call.param("upload_protocol"))
        .unwrap_or("raw");
    match protocol {
        "resumable" => start(stand, call, caller),
        "multipart" => multipart(stand, call, caller),
        _ => {
            let described = described(stand, call, &Value::Null)?;
            Ok(finished(
                stand,
                &caller.project,
                &call.rest,
                described,
                Content::whole(&call.body),
            ))
        }
    }
}

fn start(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let metadata = strict::json_body(call)?;
    let described = described(stand, call, &metadata)?;
    let id = stand.fresh_id(40);
    let url = format!(
        "{}{}?upload_id={id}&upload_protocol=resumable",
        stand.base_url, call.path
    );
    let session = Session {
        project: caller.project.clone(),
        target: call.rest.clone(),
        described,
        received: Content::new(!stand.is_fast()),
        state: State::Active,
    };
    stand.files.sessions.lock().insert(id.clone(), session);
    Ok(
        Reply::new(StatusCode::OK, "text/plain; charset=utf-8", Bytes::new())
            .header(UPLOADER_ID, &id)
            .header(STATUS, State::Active.name())
            .header(UPLOAD_URL, &url)
            .header(CONTROL_URL, &url)
            .header(GRANULARITY, CHUNK_BYTES),
    )
}

/// The id of the upload that a request goes on with.
pub(crate) fn under_way(call: &Call) -> Option<&str> {
    call.param("upload_id").filter(|_| call.upload)
}

/// A later request of a resumable upload, recognised by its `upload_id` alone.
pub(crate) fn proceed(stand: &Stand, call: &Call, id: &str) -> Result<Reply, Refusal> {
    stand.files.sessions.visit(id, |session| {
        for command in commands(call) {
            if command == "upload" {
                session.check_piece(call)?;
                session.received.push(&call.body);
            } else if let Some(reply) = session.obey(stand, &command)? {
                return Ok(reply);
            }
        }
        Ok(session.shown())
    })
}

/// The same, with a body that is read here and not kept.
pub(crate) async fn measure(
    stand: &Stand,
    call: &Call,
    id: &str,
    mut body: Incoming,
) -> Result<Reply, Refusal> {
    let sessions = &stand.files.sessions;
    for command in commands(call) {
        if command == "upload" {
            sessions.visit(id, |session| session.check_piece(call))?;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Refusal::invalid("The body broke off."))?;
                let piece = frame.into_data().unwrap_or_default();
                sessions.visit(id, |session| {
                    session.received.push(&piece);
                    Ok(())
                })?;
            }
        } else if let Some(reply) = sessions.visit(id, |session| session.obey(stand, &command))? {
            return Ok(reply);
        }
    }
    sessions.visit(id, |session| Ok(session.shown()))
}

fn commands(call: &Call) -> Vec<String> {
    let commands = call.header("x-goog-upload-command").unwrap_or_default();
    let commands = commands.to_ascii_lowercase();
    commands
        .split(',')
        .map(|command| command.trim().to_owned())
        .collect()
}

impl Session {
    /// Whether a piece may come now, and here.
    fn check_piece(&self, call: &Call) -> Result<(), Refusal> {
        let offset = call
            .header("x-goog-upload-offset")
            .and_then(|text| text.parse().ok());
        if self.state != State::Active {
            return Err(wrong_command("upload", self.state));
        }
        let expected = self.received.length();
        if offset != Some(expected) {
            return Err(Refusal::invalid(&format!(
                "Invalid request. The upload offset does not match the {expected} bytes received."
            )));
        }
        Ok(())
    }

    /// Does what a command says that brings no bytes; a reply is the last.
    fn obey(&mut self, stand: &Stand, command: &str) -> Result<Option<Reply>, Refusal> {
        match command {
            "query" => Ok(Some(self.shown())),
            "cancel" => {
                self.state = State::Cancelled;
                Ok(None)
            }
            "finalize" if self.state == State::Active => {
                self.state = State::Final;
                let content = std::mem::replace(&mut self.received, Content::new(false));
                let described = self.described.clone();
                let reply = finished(stand, &self.project, &self.target, described, content);
                Ok(Some(reply))
            }
            other => Err(wrong_command(other, self.state)),
        }
    }

    fn shown(&self) -> Reply {
        Reply::new(StatusCode::OK, "text/plain; charset=utf-8", Bytes::new())
            .header(STATUS, self.state.name())
            .header(RECEIVED, &self.received.length().to_string())
            .header(GRANULARITY, CHUNK_BYTES)
    }
}

impl Sessions {
    /// Lets one step of a session be made.
    fn visit<T>(
        &self,
        id: &str,
        step: impl FnOnce(&mut Session) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut sessions = self.lock();
        step(sessions.get_mut(id).ok_or_else(Refusal::no_entity)?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrong_command(command: &str, state: State) -> Refusal {
    let state = state.name();
    Refusal::invalid(&format!(
        "Invalid upload command {command:?} in a session that is {state}."
    ))
}

/// Metadata and bytes in one `multipart/related` body (RFC 2387).
fn multipart(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let bad = || Refusal::invalid("Invalid multipart request with 0 mime parts.");
    let content_type = call.header("content-type").unwrap_or_default();
    let parts = multipart::parts(content_type, &call.body).ok_or_else(bad)?;
    let [metadata, file] = parts.as_slice() else {
        return Err(bad());
    };
    let content = &file.content;
    let metadata: Value = serde_json::from_slice(&metadata.content).map_err(|_| bad())?;
    let mut described = described(stand, call, &metadata)?;
    file.content_type().clone_into(&mut described.mime_type);
    Ok(finished(
        stand,
        &caller.project,
        &call.rest,
        described,
        Content::whole(content),
    ))
}

/// What headers and metadata (`{"file":{…}}`) say about the file, its id made up when they do not.
fn described(stand: &Stand, call: &Call, metadata: &Value) -> Result<Described, Refusal> {
    let file = metadata.get("file").unwrap_or(metadata);
    let named = text_field(file, "name");
    let id = named
        .as_deref()
        .map(|name| name.trim_start_matches("files/").to_owned());
    if id.as_deref().is_some_and(|id| !is_file_id(id)) {
        return Err(Refusal::invalid(
            "Invalid file name: use lower-case letters, digits and dashes.",
        ));
    }
    let mime_type = text_field(file, "mimeType")
        .or_else(|| {
            call.header("x-goog-upload-header-content-type")
                .map(ToOwned::to_owned)
        })
        .or_else(|| call.header("content-type").map(ToOwned::to_owned))
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let display_name = text_field(file, "displayName")
        .or_else(|| {
            call.header("x-goog-upload-file-name")
                .map(ToOwned::to_owned)
        })
        .unwrap_or_default();
    Ok(Described {
        id: id.unwrap_or_else(|| stand.fresh_id(12)),
        display_name,
        mime_type,
    })
}

fn is_file_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.len() <= 40 && id.chars().all(allowed)
}

/// Stores the bytes. An upload into anything else than `files` ends in an operation, as Google's
/// file search stores do.
fn finished(
    stand: &Stand,
    project: &str,
    target: &str,
    described: Described,
    content: Content,
) -> Reply {
    let id = described.id.clone();
    let file = stand
        .files
        .store(&stand.base_url, project, described, content);
    let body = if target == "files" {
        json!({"file": file})
    } else {
        let resource = target.split(':').next().unwrap_or(target);
        json!({"name": format!("{resource}/upload/operations/{id}"), "done": true, "response": {}})
    };
    Reply::json(&body).header(STATUS, State::Final.name())
}
