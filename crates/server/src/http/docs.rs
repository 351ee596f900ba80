//! The pages `/docs` (Swagger UI) and `/redoc` (ReDoc), which show `/openapi.json`, and what each of them may do. How any
//! page is answered is here too; the dashboard's is in `dashboard.rs`.
//! The files themselves are served by `assets.rs`, and made by `web/build.mjs`.

use std::net::IpAddr;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::Body;
use super::assets::{self, Asset, Keep};
use crate::app::App;

/// Swagger UI draws its icons from `data:` addresses, and writes `style` attributes.
const SWAGGER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:",
);
/// ReDoc writes `style` elements, and searches in a worker that it makes out of its own bundle.
const REDOC_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:",
);
const NOT_BUILT: &str = "This keymux was built without its pages: the dashboard, and the documentation of its API.\n\n\
    In its sources, `make web` makes them (Node 20 or newer is needed); the next build of keymux\n\
    takes them in. `make run` does both. Everything else works without them: point your Gemini SDK\n\
    at this address, or your OpenAI SDK at /v1. The admin API is described in /openapi.json.\n";

/// `/docs`: Swagger UI.
pub(crate) fn swagger(_: &App, request: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    page(request, "docs", assets::find("docs.html"), SWAGGER_POLICY)
}

/// `/redoc`: ReDoc.
pub(crate) fn redoc(_: &App, request: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    page(request, "redoc", assets::find("redoc.html"), REDOC_POLICY)
}

/// A page of this name, or the way to it, or how to build it.
pub(super) fn page<B>(
    request: &Request<B>,
    name: &str,
    file: Option<&Asset>,
    policy: HeaderValue,
) -> Response<Body> {
    let path = request.uri().path();
    let slashes = path.len() - path.trim_end_matches('/').len();
    if slashes > 0 && path != "/" {
        return moved(&format!("{}{name}", "../".repeat(slashes)));
    }
    let Some(file) = file else {
        return not_built();
    };
    let mut response = file.answer(request.headers(), Keep::AskFirst);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Leads from `/docs/` to `/docs`: the page names its files relative to the folder that it is in, so that they are
/// also found where a proxy has put keymux below a path of its own.
fn moved(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(""));
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

/// An error, so that whoever watches the page notices.
fn not_built() -> Response<Body> {
    let mut response = Response::new(Body::full(NOT_BUILT));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str) -> Response<Body> {
        let request = Request::get(path).body(()).unwrap();
        page(&request, "docs", None, SWAGGER_POLICY)
    }

    #[test]
    fn a_page_that_was_not_built_says_how_to_build_it() {
        let response = ask("/docs");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap();
        assert_eq!(kind, "text/plain; charset=utf-8");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let body = response.into_body().into_full();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("`make web`"), "{text}");
    }

    #[test]
    fn a_slash_too_many_leads_back_to_the_page() {
        for (path, expected) in [("/docs/", "../docs"), ("/docs//", "../../docs")] {
            let response = ask(path);
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(response.headers()[LOCATION], expected, "{path}");
        }
    }
}
