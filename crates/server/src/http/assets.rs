//! The files of `web/dist`, which were embedded when the program was built: found by name, answered in the coding that
//! the browser takes. Which page is at which path is in `docs.rs`; how the files are made, in `web/build.mjs`.

use std::collections::HashMap;
use std::io::Read as _;
use std::net::IpAddr;
use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use rust_embed::{Embed, EmbeddedFile};

use super::coding::Coding;
use super::{Body, own};
use crate::app::App;

/// Also a document of its own, such as a picture in its own window, may do nothing.
const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let names = Dist::iter();
    let names = names.filter_map(|file| file.strip_suffix(".br").map(str::to_owned));
    names
        .filter_map(|name| Asset::embedded(&name).map(|asset| (name, asset)))
        .collect()
});

/// A file. It is embedded compressed only.
#[derive(Debug)]
pub(super) struct Asset {
    kind: HeaderValue,
    tag: HeaderValue,
    brotli: Bytes,
    gzip: Bytes,
    /// Inflated when somebody first asks who takes neither.
    plain: OnceLock<Bytes>,
}

/// For how long a browser may use a file without asking for it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Its name changes with its content.
    ForEver,
    /// It may have changed.
    AskFirst,
}

/// `/assets/**`: what pages load.
pub(crate) fn serve(_: &App, request: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    let name = request.uri().path().trim_start_matches('/');
    match find(name) {
        Some(asset) => asset.answer(request.headers(), Keep::ForEver),
        None => own::error(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such file; a page of another version may have named it",
        ),
    }
}

/// The file of this name, such as `docs.html`; none where it was not built.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.get(name)
}

impl Asset {
    fn embedded(name: &str) -> Option<Self> {
        let brotli = Dist::get(&format!("{name}.br"))?;
        let gzip = Dist::get(&format!("{name}.gz"))?;
        Some(Self {
            kind: kind_of(name),
            tag: tag_of(&brotli),
            brotli: bytes_of(brotli),
            gzip: bytes_of(gzip),
            plain: OnceLock::new(),
        })
    }

    /// The file, or that the browser's copy is still right.
    pub(super) fn answer(&self, asked: &HeaderMap, keep: Keep) -> Response<Body> {
        let coding = Coding::accepted(asked);
        let mut response = if self.is_what_they_have(asked) {
            let mut response = Response::new(Body::full(""));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            self.whole(coding)
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, self.tag.clone());
        headers.insert(
            CACHE_CONTROL,
            match keep {
                Keep::ForEver => FOR_EVER,
                Keep::AskFirst => ASK_FIRST,
            },
        );
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CONTENT_SECURITY_POLICY, NOTHING);
        response
    }

    fn whole(&self, coding: Coding) -> Response<Body> {
        let bytes = match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
            Coding::Identity => self.plain.get_or_init(|| inflate(&self.gzip)),
        };
        let mut response = Response::new(Body::full(bytes.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.kind.clone());
        if let Some(name) = coding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }

    /// Whether one of the tags in `If-None-Match` is ours (RFC 9110, section 13.1.2).
    fn is_what_they_have(&self, asked: &HeaderMap) -> bool {
        let ours = self.tag.as_bytes();
        let is_ours = |tag: &[u8]| {
            tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == &ours[b"W/".len()..]
        };
        let lines = asked.get_all(IF_NONE_MATCH).into_iter();
        lines
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .any(|tag| is_ours(tag.trim_ascii()))
    }
}

/// One tag for all codings of a file, and therefore a weak one.
fn tag_of(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    HeaderValue::try_from(format!("W/\"{number:016x}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

fn bytes_of(file: EmbeddedFile) -> Bytes {
    match file.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    }
}

fn inflate(gzip: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    // What our own build has compressed can be inflated; the tests read every file.
    let _ = GzDecoder::new(gzip).read_to_end(&mut plain);
    plain.into()
}

fn kind_of(name: &str) -> HeaderValue {
    let extension = name.rsplit('.').next().unwrap_or_default();
    HeaderValue::from_static(match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}
