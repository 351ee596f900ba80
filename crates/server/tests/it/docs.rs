//! `/docs`, `/redoc` and the files that they load: what a browser gets, and that it is sent nowhere else for more.
//! What the pages look like is seen in a browser; without built files (`make web`) there are none to see.

use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::support::{Answer, Connection, TestGateway, request};

const PAGES: [&str; 2] = ["/docs", "/redoc"];

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist")
}

pub(crate) fn is_built() -> bool {
    dist().join("docs.html.br").exists()
}

/// One caller of one gateway.
pub(crate) struct Browser {
    _gateway: TestGateway,
    connection: Connection,
}

impl Browser {
    pub(crate) async fn new() -> Self {
        let gateway = TestGateway::new().start().await;
        let connection = Connection::open(gateway.address).await;
        Self {
            _gateway: gateway,
            connection,
        }
    }

    /// None: nothing is built.
    async fn of_what_is_built() -> Option<Self> {
        if is_built() {
            Some(Self::new().await)
        } else {
            None
        }
    }

    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = request(method, path, headers, "");
        self.connection.send(request).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// What a page names in `href` and `src`.
    pub(crate) async fn named_by(&mut self, page: &str) -> Vec<String> {
        let html = self.get(page).await.text();
        let places = html.split(" href=\"").skip(1);
        let places = places.chain(html.split(" src=\"").skip(1));
        places
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    }

    /// The paths of the files that both pages load.
    async fn assets(&mut self) -> Vec<String> {
        let mut paths = Vec::new();
        for page in PAGES {
            let named = self.named_by(page).await.into_iter();
            let files = named.filter(|name| name.starts_with("assets/"));
            paths.extend(files.map(|name| format!("/{name}")));
        }
        paths
    }

    /// The paths of both pages and of their files.
    async fn everything(&mut self) -> Vec<String> {
        let mut paths = self.assets().await;
        paths.extend(PAGES.map(str::to_owned));
        paths
    }
}

#[tokio::test]
async fn what_was_not_built_is_said_and_what_was_is_served() {
    let mut browser = Browser::new().await;
    for page in PAGES {
        let answer = browser.get(page).await;
        let expected = if is_built() { 200 } else { 503 };
        assert_eq!(answer.status, expected, "{}", answer.text());
        assert_eq!(answer.text().contains("make web"), !is_built());
    }
}

#[tokio::test]
async fn pages_may_load_from_their_own_address_only_and_be_framed_by_nobody() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    let common = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'";
    for (page, own) in [
        (
            "/docs",
            "style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:",
        ),
        (
            "/redoc",
            "style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:",
        ),
    ] {
        let answer = browser.get(page).await;
        let policy = format!("{common}; {own}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", &policy),
        ] {
            assert_eq!(answer.header(name), value, "{page}");
        }
        let html = answer.text();
        let scripts = html.matches("<script").count();
        assert_eq!(html.matches("<script src=\"assets/").count(), scripts);
        assert!(!html.contains("<style") && !html.contains(" style="));
    }
}

#[tokio::test]
async fn whatever_a_page_names_is_beside_it_and_there() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    for page in PAGES {
        let named = browser.named_by(page).await;
        assert!(named.len() >= 5, "{named:?}");
        for name in named.iter().filter(|name| *name != "openapi.json") {
            assert!(!name.starts_with('/') && !name.contains(':'), "{name}");
            assert_eq!(browser.get(&format!("/{name}")).await.status, 200, "{name}");
        }
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_and_have_the_kind_that_they_are() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    for path in browser.assets().await {
        let answer = browser.get(&path).await;
        let kind = match path.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!(answer.header("content-type"), kind, "{path}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
    }
}

#[tokio::test]
async fn no_page_and_no_style_sheet_sends_the_browser_to_another_host() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    let mut paths = browser.assets().await;
    paths.retain(|path| path.rsplit('.').next() == Some("css"));
    assert_eq!(paths.len(), 3, "{paths:?}");
    paths.extend(PAGES.map(str::to_owned));
    for path in paths {
        // Names of XML vocabularies look like addresses, and nothing is fetched from there.
        let text = browser.get(&path).await.text();
        let text = text.replace("http://www.w3.org/", "");
        for word in [
            "http:",
            "https:",
            "src=\"//",
            "href=\"//",
            "url(//",
            "@import",
        ] {
            assert!(!text.contains(word), "{path}: {word}");
        }
    }
}

#[tokio::test]
async fn a_file_comes_in_the_coding_that_the_browser_takes() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    for path in browser.everything().await {
        let plain = browser.get(&path).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(plain.header("vary"), "accept-encoding");

        let takes_gzip = [("accept-encoding", "gzip")];
        let gzip = browser.ask("GET", &path, &takes_gzip).await;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        let mut inflated = Vec::new();
        std::io::copy(&mut GzDecoder::new(&*gzip.body), &mut inflated).unwrap();
        assert!(!inflated.is_empty() && inflated == plain.body, "{path}");

        let takes_all = [("accept-encoding", "gzip, deflate, br, zstd")];
        let brotli = browser.ask("GET", &path, &takes_all).await;
        assert_eq!(brotli.header("content-encoding"), "br");
        let name = path.trim_start_matches('/').replace("docs", "docs.html");
        let name = if path == "/redoc" {
            "redoc.html"
        } else {
            &name
        };
        let built = std::fs::read(dist().join(format!("{name}.br"))).unwrap();
        assert!(built == brotli.body, "{path}: run `make web`, then build");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    for path in browser.everything().await {
        let first = browser.get(&path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.len() > 8, "{tag:?}");
        let strong = tag.trim_start_matches("W/");
        let several = format!("\"other\", {tag}");
        for known in [&*tag, strong, &several, "*"] {
            let again = [("if-none-match", known), ("accept-encoding", "br")];
            let answer = browser.ask("GET", &path, &again).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
            assert_eq!(answer.header("etag"), tag);
            let policy = "content-security-policy";
            assert_eq!(answer.header(policy), first.header(policy));
        }
        let other = [("if-none-match", "\"other\"")];
        assert_eq!(browser.ask("GET", &path, &other).await.status, 200);
    }
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let Some(mut browser) = Browser::of_what_is_built().await else {
        return;
    };
    for path in browser.everything().await {
        for coding in ["br", "gzip", "identity"] {
            let takes = [("accept-encoding", coding)];
            let whole = browser.ask("GET", &path, &takes).await;
            let head = browser.ask("HEAD", &path, &takes).await;
            assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
            let length = whole.body.len().to_string();
            assert_eq!(head.header("content-length"), length, "{path} {coding}");
        }
    }
}

#[tokio::test]
async fn files_that_are_not_there_are_not_found() {
    let mut browser = Browser::new().await;
    for path in [
        "/assets/none.js",
        "/assets/",
        "/assets",
        "/assets/../docs.html",
        "/assets/%2e%2e/docs.html",
        "/docs.html",
        "/docs.html.br",
        "/assets/docs.html",
    ] {
        let answer = browser.get(path).await;
        let is_refused = matches!(answer.status, 400 | 404);
        assert!(is_refused, "{path}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
    let answer = browser.ask("POST", "/docs", &[]).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn a_slash_after_the_page_is_taken_away() {
    let mut browser = Browser::new().await;
    let answer = browser.get("/docs/").await;
    assert_eq!((answer.status, answer.header("location")), (308, "../docs"));
}
