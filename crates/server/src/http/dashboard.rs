//! The dashboard: one page, which draws what its address names. It is answered at `/`, and to browsers at the paths of its
//! own navigation (`/keys`), which are one segment deep. What it shows comes from the admin API alone.
//! The page and its files are made by `web/build.mjs`, and served by `assets.rs`.

use std::net::IpAddr;

use http::header::{ACCEPT, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;

use super::Body;
use super::assets;
use super::docs::page;
use crate::app::App;

/// Scripts and styles come from files. Pictures that models make are `data:` and `blob:` addresses.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// First segments that belong to somebody else, whether or not anything answers there.
const TAKEN: [&str; 11] = [
    "api",
    "assets",
    "download",
    "gemini-proxy",
    "p",
    "upload",
    "v1",
    "v1alpha",
    "v1beta",
    "ws",
    "metrics",
];

/// The page.
pub(crate) fn serve(_: &App, request: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    let name = request.uri().path().trim_matches('/');
    let mut response = page(request, name, assets::find("index.html"), POLICY);
    let headers = response.headers_mut();
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    let vary = HeaderValue::from_static("accept, accept-encoding");
    headers.insert(VARY, vary);
    response
}

/// Whether the dashboard may have a page at this path. Programs, which do not ask for HTML, are told that there is
/// nothing: a base URL that was mistyped must not look as if it answered.
pub(super) fn is_at(path: &str, headers: &HeaderMap) -> bool {
    let name = path.trim_start_matches('/');
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    !name.is_empty()
        && name.bytes().all(is_name)
        && !TAKEN.contains(&name)
        && headers.get_all(ACCEPT).iter().any(names_html)
}

fn names_html(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|text| {
        let kinds = text.split(',');
        kinds
            .filter_map(|kind| kind.split(';').next())
            .any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_for_browsers_and_at_no_path_of_anybody_else() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (path, accept, expected) in [
            ("/keys", browser, true),
            ("/login", "Text/HTML;q=0.5", true),
            ("/keys", "application/json", false),
            ("/keys", "*/*", false),
            ("/keys/17", browser, false),
            ("/keys.html", browser, false),
            ("/Keys", browser, false),
            ("/api", browser, false),
            ("/v1beta", browser, false),
            ("/gemini-proxy", browser, false),
            ("/", browser, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(is_at(path, &headers), expected, "{path} {accept}");
        }
        assert!(!is_at("/keys", &HeaderMap::new()));
    }
}
