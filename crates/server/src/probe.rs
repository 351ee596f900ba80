//! Asks a provider whether a key works, by the cheapest call that proves it: a list of models, which costs no quota.

use std::time::Duration;

use domain::{Class, Key, Verdict};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Limited};
use providers::google::{self, ErrorAnswer, Place};

use crate::egress::{Origin, Outgoing, OutgoingBody};

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_ERROR: usize = 64 * 1024;

/// What the provider says of the key.
pub(crate) async fn probe(origin: &Origin, key: &Key) -> Verdict {
    let asked = tokio::time::timeout(PATIENCE, ask(origin, key)).await;
    asked.unwrap_or_else(|_| Verdict::new(Class::Timeout, "no_answer"))
}

async fn ask(origin: &Origin, key: &Key) -> Verdict {
    let mut headers = HeaderMap::new();
    if google::authenticate(&mut headers, &key.secret, Place::Model).is_err() {
        return Verdict::new(Class::KeyInvalid, "key_not_sendable");
    }
    let mut request = Outgoing {
        method: Method::GET,
        path_and_query: "/v1beta/models?pageSize=1".into(),
        headers,
        body: OutgoingBody::Buffered(Vec::new().into()),
        creates: false,
    };
    let answer = match origin.send(&mut request).await {
        Ok(answer) => answer,
        Err(error) => return Verdict::new(Class::Network, error.reason()),
    };
    let is_success = answer.status().is_success();
    let (head, body) = answer.into_parts();
    // Read to its end also where it says nothing new, so that the connection can be used again.
    let body = Limited::new(body, LARGEST_ERROR).collect().await;
    if is_success {
        return Verdict::ok();
    }
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let (status, place) = (head.status.as_u16(), Place::Model);
    google::judge_error(&ErrorAnswer {
        status,
        headers: &head.headers,
        body: &body,
        place,
    })
}
