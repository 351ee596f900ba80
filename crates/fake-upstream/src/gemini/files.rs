//! Uploaded files: looked at, listed, deleted and downloaded by keys of the project that uploaded
//! them, and by nobody else. How they get here is `upload.rs`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::call::Call;
use crate::gemini::echo::hex;
use crate::gemini::models::page;
use crate::gemini::upload::Sessions;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::Reply;

const LIFETIME: SignedDuration = SignedDuration::from_hours(48);
const DEFAULT_PAGE: usize = 10;
const LARGEST_PAGE: usize = 100;

/// A stored file and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    project: String,
    resource: Resource,
    /// None: it was measured only.
    content: Option<Bytes>,
}

/// A file as the API shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    mime_type: String,
    size_bytes: String,
    create_time: Timestamp,
    update_time: Timestamp,
    expiration_time: Timestamp,
    sha256_hash: String,
    uri: String,
    state: &'static str,
    source: &'static str,
}

/// What an uploader says about a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    /// The id after `files/`.
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) mime_type: String,
}

/// What has come of a file. A stand-in that is `fast` measures files without keeping their bytes, so that they may be
/// larger than its memory.
#[derive(Debug)]
pub(crate) struct Content {
    length: usize,
    digest: Sha256,
    kept: Option<Vec<u8>>,
}

impl Content {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            length: 0,
            digest: Sha256::new(),
            kept: is_kept.then(Vec::new),
        }
    }

    pub(crate) fn whole(bytes: &[u8]) -> Self {
        let mut content = Self::new(true);
        content.push(bytes);
        content
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        self.digest.update(bytes);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

/// All files and open upload sessions. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Files {
    stored: Mutex<BTreeMap<String, StoredFile>>,
    pub(crate) sessions: Sessions,
}

impl Files {
    /// Stores a file for a project and shows it as the API does.
    pub(crate) fn store(
        &self,
        base_url: &str,
        project: &str,
        described: Described,
        content: Content,
    ) -> Resource {
        let now = Timestamp::now();
        let resource = Resource {
            name: format!("files/{}", described.id),
            display_name: described.display_name,
            mime_type: described.mime_type,
            size_bytes: content.length.to_string(),
            create_time: now,
            update_time: now,
            expiration_time: now.saturating_add(LIFETIME).unwrap_or(now),
            // Google encodes the hexadecimal digits, not the digest.
            sha256_hash: STANDARD.encode(hex(&content.digest.finalize())),
            uri: format!("{base_url}/v1beta/files/{}", described.id),
            state: "ACTIVE",
            source: "UPLOADED",
        };
        let file = StoredFile {
            project: project.to_owned(),
            resource: resource.clone(),
            content: content.kept.map(Bytes::from),
        };
        self.lock().insert(described.id, file);
        resource
    }

    /// Answers `files`, `files/{id}` and `files/{id}:download`.
    pub(crate) fn serve(&self, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
        let (resource, action) = call.resource_and_method();
        let id = resource.strip_prefix("files/").unwrap_or_default();
        match (&call.method, id, action) {
            (&Method::GET, "", "") => self.list(call, caller),
            (&Method::GET, id, "") => Ok(Reply::json(&self.owned(caller, id)?.resource)),
            (&Method::GET, id, "download") => {
                let file = self.owned(caller, id)?;
                let content = file.content.ok_or_else(Refusal::no_entity)?;
                Ok(Reply::new(
                    StatusCode::OK,
                    &file.resource.mime_type,
                    content,
                ))
            }
            (&Method::DELETE, id, "") => {
                self.owned(caller, id)?;
                self.lock().remove(id);
                Ok(Reply::json(&json!({})))
            }
            _ => Ok(super::echo::reply(call)),
        }
    }

    /// A sentence on each file that a prompt refers to; 403 for one of another project. Addresses
    /// outside the Files API are anybody's.
    pub(crate) fn notes(&self, caller: &Caller, uris: &[String]) -> Result<Vec<String>, Refusal> {
        let ids = uris
            .iter()
            .filter_map(|uri| Some(uri.rsplit_once("files/")?.1));
        ids.map(|id| {
            let file = self.owned(caller, id)?.resource;
            Ok(format!(
                "The file {} has {} bytes.",
                file.display_name, file.size_bytes
            ))
        })
        .collect()
    }

    fn list(&self, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
        let stored = self.lock();
        let own: Vec<&Resource> = stored
            .values()
            .filter(|file| file.project == caller.project)
            .map(|file| &file.resource)
            .collect();
        let (files, next) = page(&own, call, DEFAULT_PAGE, LARGEST_PAGE)?;
        let mut body = json!({});
        if !files.is_empty() {
            body["files"] = json!(files);
        }
        if let Some(next) = next {
            body["nextPageToken"] = json!(next);
        }
        Ok(Reply::json(&body))
    }

    fn owned(&self, caller: &Caller, id: &str) -> Result<StoredFile, Refusal> {
        let stored = self.lock();
        let file = stored
            .get(id)
            .filter(|file| file.project == caller.project)
            .cloned();
        file.ok_or_else(|| Refusal::named("403_file_foreign").with("r7k2m9x1c0ab", id))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, StoredFile>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
