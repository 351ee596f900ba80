//! Files of an account: uploaded as forms, read, and deleted by a POST. Another account's are not
//! there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::faults::error;
use crate::call::Call;
use crate::dialect::CREATED;
use crate::multipart;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

const MEGABYTE: usize = 1024 * 1024;

#[derive(Debug, Clone)]
struct Stored {
    project: String,
    mime: String,
    content: Bytes,
    resource: Value,
}

/// All files by their id. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<BTreeMap<String, Stored>>);

impl Files {
    /// `POST files`.
    pub(crate) fn upload(
        &self,
        stand: &Stand,
        call: &Call,
        project: &str,
    ) -> Result<Reply, Refusal> {
        let bad = |message: &str| error(StatusCode::BAD_REQUEST, message);
        let kind = call.header("content-type").unwrap_or_default();
        let parts = multipart::parts(kind, &call.body)
            .filter(|_| kind.starts_with("multipart/form-data"))
            .ok_or_else(|| bad("Bad Request: multipart/form-data is expected"))?;
        let named = |name: &str| {
            parts
                .iter()
                .find(|part| part.parameter("name") == Some(name))
        };
        let file = named("file").ok_or_else(|| bad("Bad Request: file is required"))?;
        if named("purpose").is_none_or(|part| part.content != "general") {
            return Err(bad("Bad Request: purpose must be general"));
        }
        let mime = file.content_type();
        let most = largest(mime).ok_or_else(|| bad("Bad Request: unsupported file format"))?;
        if file.content.len() > most {
            return Err(super::faults::named("413"));
        }
        let name = file.parameter("filename").unwrap_or("file");
        Ok(Reply::compact(&self.store(
            stand,
            project,
            name,
            mime,
            file.content.clone(),
        )))
    }

    /// Stores a file and shows it.
    pub(crate) fn store(
        &self,
        stand: &Stand,
        project: &str,
        name: &str,
        mime: &str,
        content: Bytes,
    ) -> Value {
        let id = stand.fresh_uuid();
        let resource = json!({
            "bytes": content.len(),
            "created_at": CREATED,
            "filename": name,
            "id": id,
            "object": "file",
            "purpose": "general",
            "access_policy": "private",
        });
        let stored = Stored {
            project: project.to_owned(),
            mime: mime.to_owned(),
            content,
            resource: resource.clone(),
        };
        self.lock().insert(id, stored);
        resource
    }

    /// `GET files`.
    pub(crate) fn list(&self, project: &str) -> Reply {
        let files = self.lock();
        let own = files.values().filter(|file| file.project == project);
        let data: Vec<&Value> = own.map(|file| &file.resource).collect();
        Reply::compact(&json!({"data": data}))
    }

    /// `GET files/{id}`.
    pub(crate) fn show(&self, project: &str, id: &str) -> Result<Reply, Refusal> {
        Ok(Reply::compact(&self.owned(project, id)?.resource))
    }

    /// `GET files/{id}/content`.
    pub(crate) fn content(&self, project: &str, id: &str) -> Result<Reply, Refusal> {
        let file = self.owned(project, id)?;
        Ok(Reply::new(StatusCode::OK, &file.mime, file.content))
    }

    /// `POST files/{id}/delete`.
    pub(crate) fn delete(&self, project: &str, id: &str) -> Result<Reply, Refusal> {
        self.owned(project, id)?;
        self.lock().remove(id);
        Ok(Reply::compact(
            &json!({"id": id, "deleted": true, "access_policy": "private"}),
        ))
    }

    /// A sentence on a file that a message refers to.
    pub(crate) fn note(&self, project: &str, id: &str) -> Result<String, Refusal> {
        let file = self.owned(project, id)?;
        Ok(format!(
            "The file is {} of {} bytes.",
            file.mime,
            file.content.len()
        ))
    }

    fn owned(&self, project: &str, id: &str) -> Result<Stored, Refusal> {
        let files = self.lock();
        let found = files.get(id).filter(|file| file.project == project);
        found
            .cloned()
            .ok_or_else(|| error(StatusCode::NOT_FOUND, "No such file"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How large a file of this type may be; `None` for types that are not taken.
fn largest(mime: &str) -> Option<usize> {
    match mime {
        "image/jpeg" | "image/png" | "image/tiff" | "image/bmp" => Some(15 * MEGABYTE),
        "text/plain" | "application/pdf" => Some(40 * MEGABYTE),
        _ if mime.starts_with("audio/") => Some(35 * MEGABYTE),
        _ => None,
    }
}
