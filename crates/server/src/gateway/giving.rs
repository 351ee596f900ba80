//! Gives a provider the files that a request names, before the request itself: with the key of the attempt, since a file
//! belongs to the key's account. What an account was given before is not given again.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Class, Fingerprint, Secret, UnixMs, Verdict};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use providers::{ErrorAnswer, File, Place, WithFiles};
use serde::Deserialize;

use super::failure::{Failure, Judged, refusal, unreachable_provider, unusable_key};
use crate::egress::{self, Egress, Outgoing, OutgoingBody};
use crate::files;
use crate::snapshot::Provider;

const LARGEST_ANSWER: usize = 64 * 1024;
/// The most that GigaChat takes of a picture, which is all that is fetched by address.
const LARGEST_PICTURE: usize = 15 << 20;

/// What a provider answers when it has been given a file.
#[derive(Deserialize)]
struct Given {
    id: String,
}

/// Who is given files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    pub(crate) provider: &'a Provider,
    /// What the key's project is known by.
    pub(crate) account: Fingerprint,
    pub(crate) egress: &'a Egress,
    /// What is shown as bearer.
    pub(crate) bearer: &'a Secret,
    pub(crate) now: UnixMs,
}

impl Account<'_> {
    /// The body of a request, once the account has its files.
    pub(crate) async fn finish(self, request: &dyn WithFiles) -> Result<Arc<[Bytes]>, Judged> {
        let mut ids = Vec::new();
        for file in request.files() {
            ids.push(self.give(request.path(), file).await?);
        }
        Ok(Arc::from([Bytes::from(request.finish(&ids))]))
    }

    async fn give(self, path: &str, file: &File) -> Result<String, Judged> {
        let fetched;
        let file = match file {
            File::Url(url) => {
                fetched = self.fetch(url).await?;
                &fetched
            }
            File::Inline { .. } => file,
        };
        let File::Inline { mime, data } = file else {
            let told = "a picture could not be read".to_owned();
            return Err(unusable(StatusCode::BAD_REQUEST, told, ""));
        };
        let place = files::Place {
            account: self.account,
            content: Fingerprint::of(data),
        };
        if let Some(id) = self.provider.given.id(place, self.now) {
            return Ok(id);
        }
        let id = self
            .post(path, &file.file_name(), mime, data.clone())
            .await?;
        self.provider.given.note(place, &id, self.now);
        Ok(id)
    }

    async fn fetch(self, url: &str) -> Result<File, Judged> {
        let limits = egress::Limits::new(LARGEST_PICTURE, self.provider.image_reach);
        let fetched = egress::fetch(url, limits).await.map_err(|error| {
            let status = if error.is_callers_fault() {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::BAD_GATEWAY
            };
            let private = error.private().unwrap_or_default();
            unusable(
                status,
                format!("a picture could not be fetched: {error}"),
                private,
            )
        })?;
        let mime = fetched.mime.unwrap_or_default();
        File::inline(&mime, fetched.body).map_err(|problem| {
            let told = format!("the picture that was fetched {problem}");
            unusable(StatusCode::BAD_REQUEST, told, "")
        })
    }

    async fn post(self, path: &str, name: &str, mime: &str, data: Bytes) -> Result<String, Judged> {
        let (kind, body) = egress::multipart(name, mime, data, "general");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind);
        let api = self.provider.api;
        if api
            .authenticate(&mut headers, self.bearer, Place::Resource)
            .is_err()
        {
            return Err(unusable_key());
        }
        self.provider.add_default_headers(&mut headers);
        let mut request = Outgoing {
            method: Method::POST,
            path_and_query: path.to_owned(),
            headers,
            body: OutgoingBody::Buffered(body),
            creates: false,
        };
        let answer = self.provider.origin.send(&mut request, self.egress).await;
        let answer = answer.map_err(|error| unreachable_provider(&error, self.egress))?;
        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        if !head.status.is_success() {
            let verdict = api.judge_error(&ErrorAnswer {
                status,
                headers: &head.headers,
                body: &body,
                place: Place::OpenAi,
            });
            let refusal = refusal(head, body, &[self.bearer.expose()]);
            return Err((
                Some(status),
                verdict,
                Err(Box::new(Failure::refused(refusal))),
            ));
        }
        let given = serde_json::from_slice::<Given>(&body);
        given.map(|given| given.id).map_err(|error| {
            let failure = Failure {
                private: error.to_string(),
                ..Failure::default()
            };
            let verdict = Verdict::new(Class::ServerError, "file_without_id");
            (Some(status), verdict, Err(Box::new(failure)))
        })
    }
}

/// A file that cannot be given to anybody, and what the caller is told of it. Another key would not help.
fn unusable(status: StatusCode, told: String, private: &str) -> Judged {
    let failure = Failure {
        told: Some((status, told)),
        is_harmless: true,
        private: private.to_owned(),
        ..Failure::default()
    };
    (
        None,
        Verdict::new(Class::BadRequest, "unusable_file"),
        Err(Box::new(failure)),
    )
}
