//! Fetches what lies at a URL: an image that a caller names, a list of proxies that an operator names. Callers are
//! strangers: each hop is checked for where it leads, by the address that is then connected to (`address.rs`,
//! `connect.rs`), and what comes is bounded in size and time.
//! Nothing of the caller or of keymux is sent along, and no connection is kept.

mod error;
mod target;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use self::error::host_failed;
use self::target::Target;
use super::connections::IdleConnections;
use super::h1::H1;
use super::{Reach, RequestBody, UpstreamBody};

pub(crate) use error::FetchError;

const USUAL_TIME: Duration = Duration::from_secs(15);
const MOST_REDIRECTS: usize = 3;

/// What a fetch may take, and where it may lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The largest body.
    pub(crate) most_bytes: usize,
    /// For all hops and the body together.
    pub(crate) time: Duration,
    /// Where it may lead.
    pub(crate) reach: Reach,
    pub(crate) ports: Ports,
    /// The `Accept` header.
    pub(crate) accept: &'static str,
}

/// Which ports may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// 80 and 443 at public addresses; beyond those any.
    Web,
    /// Any.
    Any,
}

impl Limits {
    /// Images up to this size, from there, within 15 s.
    pub(crate) fn new(most_bytes: usize, reach: Reach) -> Self {
        Self {
            most_bytes,
            time: USUAL_TIME,
            reach,
            ports: Ports::Web,
            accept: "image/*, */*;q=0.5",
        }
    }
}

/// What lay at a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Its type in lower case and without parameters, for example `image/png`; none where none was said.
    pub(crate) mime: Option<String>,
    pub(crate) body: Bytes,
}

/// Fetches what lies at an absolute http or https URL, following redirects.
pub(crate) async fn fetch(url: &str, limits: Limits) -> Result<Fetched, FetchError> {
    tokio::time::timeout(limits.time, follow(url, limits))
        .await
        .unwrap_or(Err(FetchError::TimedOut {
            seconds: limits.time.as_secs(),
        }))
}

async fn follow(url: &str, limits: Limits) -> Result<Fetched, FetchError> {
    let mut target = Target::read(url, limits)?;
    for _ in 0..=MOST_REDIRECTS {
        let answer = get(&target, limits).await?;
        match location(&answer) {
            Some(location) => target = target.redirected(location, limits)?,
            None => return read(answer, &target, limits.most_bytes).await,
        }
    }
    Err(FetchError::TooManyRedirects {
        most: MOST_REDIRECTS,
    })
}

/// Asks for a target on a connection of its own.
async fn get(target: &Target, limits: Limits) -> Result<Response<UpstreamBody>, FetchError> {
    let failed = |error| host_failed(target.host(), &error);
    let (io, _) = target
        .endpoint(limits.reach)?
        .connect()
        .await
        .map_err(failed)?;
    let mut connection = H1::handshake(io).await.map_err(failed)?;
    let answer = connection.send(request(target, limits.accept)?).await;
    let (head, incoming) = answer.map_err(|error| failed(error.into()))?.into_parts();
    let body = UpstreamBody::h1(incoming, connection, Arc::new(IdleConnections::new(0)));
    Ok(Response::from_parts(head, body))
}

fn request(target: &Target, accept: &'static str) -> Result<Request<RequestBody>, FetchError> {
    let headers = [
        (HOST, target.authority()?),
        (ACCEPT, HeaderValue::from_static(accept)),
        // Some hosts of images refuse requests without.
        (
            USER_AGENT,
            HeaderValue::from_static("Mozilla/5.0 (compatible)"),
        ),
        (CONNECTION, HeaderValue::from_static("close")),
    ];
    let mut request = Request::new(RequestBody::empty());
    *request.uri_mut() = target.path()?.into();
    *request.headers_mut() = HeaderMap::from_iter(headers);
    Ok(request)
}

/// Where an answer redirects to.
fn location(answer: &Response<UpstreamBody>) -> Option<&str> {
    let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.headers().get(LOCATION).filter(|_| is_redirect)?;
    location.to_str().ok()
}

async fn read(
    answer: Response<UpstreamBody>,
    target: &Target,
    most: usize,
) -> Result<Fetched, FetchError> {
    if !answer.status().is_success() {
        return Err(FetchError::Refused {
            host: target.host().to_owned(),
            status: answer.status().as_u16(),
        });
    }
    let mime = mime(answer.headers());
    let body = answer.into_body();
    // Before any of it is read, where its length is said.
    if body.size_hint().lower() > most as u64 {
        return Err(FetchError::TooLarge { most });
    }
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(Fetched {
            mime,
            body: whole.to_bytes(),
        }),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge { most }),
        Err(error) => Err(FetchError::BrokeOff {
            host: target.host().to_owned(),
            private: error.to_string(),
        }),
    }
}

fn mime(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mime = text.split(';').next().unwrap_or_default().trim();
    (!mime.is_empty()).then(|| mime.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
