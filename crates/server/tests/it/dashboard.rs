//! The dashboard as a browser gets it: one page at all its paths and at no others, files that are kept, and a policy that
//! lets nothing in. What the page does is seen in a browser (`web/e2e`); without built files (`make web`) there is none.

use crate::docs::{Browser, is_built};
use crate::support::Answer;

const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
);
/// The page, and two of the paths of its navigation.
const PATHS: [&str; 3] = ["/", "/keys", "/any-page"];

async fn navigate(browser: &mut Browser, path: &str) -> Answer {
    browser.ask("GET", path, &[BROWSER]).await
}

#[tokio::test]
async fn every_path_of_its_navigation_is_the_page_or_says_how_to_build_it() {
    let mut browser = Browser::new().await;
    for path in PATHS {
        let answer = navigate(&mut browser, path).await;
        let expected = if is_built() { 200 } else { 503 };
        assert_eq!(answer.status, expected, "{path}");
        assert_eq!(answer.text().contains("make web"), !is_built(), "{path}");
        assert_eq!(answer.text().contains("<div id=\"root\">"), is_built());
    }
}

#[tokio::test]
async fn whoever_asks_for_no_page_or_at_somebody_elses_path_gets_none() {
    let mut browser = Browser::new().await;
    for path in ["/keys", "/any-page"] {
        for accept in ["*/*", "application/json"] {
            let answer = browser.ask("GET", path, &[("accept", accept)]).await;
            assert_eq!(answer.status, 404, "{path} {accept}");
            assert_eq!(answer.json()["error"]["code"], "not_found");
        }
        let answer = browser.ask("POST", path, &[BROWSER]).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    for path in [
        "/api",
        "/api/",
        "/api/none",
        "/v1",
        "/v1beta",
        "/v1beta/none",
        "/p/none/x",
        "/assets/none.js",
        "/assets",
        "/keys/17",
        "/index.html",
        "/favicon.ico",
        "/gemini-proxy",
        "/.env",
    ] {
        let answer = navigate(&mut browser, path).await;
        assert!(answer.status >= 400, "{path}: {}", answer.status);
        assert!(!answer.text().contains("<html"), "{path}");
    }
}

#[tokio::test]
async fn slashes_behind_a_path_lead_to_the_path() {
    let mut browser = Browser::new().await;
    for (path, to) in [("/keys/", "../keys"), ("/keys//", "../../keys")] {
        let answer = navigate(&mut browser, path).await;
        assert_eq!((answer.status, answer.header("location")), (308, to));
    }
}

#[tokio::test]
async fn the_page_is_asked_for_anew_and_may_do_next_to_nothing() {
    if !is_built() {
        return;
    }
    let mut browser = Browser::new().await;
    for path in PATHS {
        let answer = navigate(&mut browser, path).await;
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("vary", "accept, accept-encoding"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                 img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                 frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let known = [BROWSER, ("if-none-match", answer.header("etag"))];
        let again = browser.ask("GET", path, &known).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
}

#[tokio::test]
async fn nothing_is_written_into_the_page_and_all_it_names_is_kept_for_ever() {
    if !is_built() {
        return;
    }
    let mut browser = Browser::new().await;
    let html = navigate(&mut browser, "/").await.text();
    let scripts = html.matches("<script").count();
    assert!(scripts >= 2, "{html}");
    assert_eq!(html.matches("src=\"./assets/").count(), scripts, "{html}");
    assert!(
        !html.contains("<style") && !html.contains(" style="),
        "{html}"
    );
    let named = browser.named_by("/").await;
    assert!(named.len() >= 4, "{named:?}");
    for name in named {
        let path = name.strip_prefix('.').unwrap();
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{name}");
        let kept = "public, max-age=31536000, immutable";
        assert_eq!(answer.header("cache-control"), kept, "{name}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{name}");
    }
}
