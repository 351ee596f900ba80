//! A path in the one form that it is read in: slashes single, colons plain, nothing encoded that need not be. Paths that climb
//! out of themselves have none.

use http::Uri;
use http::uri::PathAndQuery;

/// The path with single slashes and nothing encoded that may stand plain, the query untouched; none where a segment is `.`
/// or `..`, or may be taken for one.
///
/// SDKs join base URLs and paths so that slashes double, and some clients encode the colon before a method. Letters that
/// are encoded name the same path to the provider (RFC 3986, 6.2.2.2), so they must not hide from limits what is called.
pub(super) fn tidy(uri: &Uri) -> Option<PathAndQuery> {
    normal(uri).filter(|target| !hides_a_climb(target.path()))
}

fn normal(uri: &Uri) -> Option<PathAndQuery> {
    let path = uri.path();
    let is_plain = !path.contains("//") && !path.contains('%');
    if is_plain {
        let climbs = path.contains('.') && path.split('/').any(is_dots);
        return (!climbs).then(|| uri.path_and_query().cloned())?;
    }
    let mut tidy = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = without_needless_encoding(segment);
        if is_dots(&segment) {
            return None;
        }
        tidy.push('/');
        tidy.push_str(&segment);
    }
    if let Some(query) = uri.query() {
        tidy.push('?');
        tidy.push_str(query);
    }
    PathAndQuery::try_from(tidy).ok()
}

/// Some servers take an encoded slash for one that stands plain.
fn hides_a_climb(path: &str) -> bool {
    path.contains('%') && {
        let path = path.to_ascii_lowercase();
        let plain = path.replace("%2f", "/").replace("%5c", "/");
        plain.split('/').any(is_dots)
    }
}

fn is_dots(segment: &str) -> bool {
    segment == "." || segment == ".."
}

fn without_needless_encoding(segment: &str) -> String {
    let mut pieces = segment.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.get(..2);
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(c) = byte.map(char::from).filter(|c| is_unreserved(*c)) {
            plain.push(c);
            plain.push_str(&piece[2..]);
        } else {
            plain.push('%');
            plain.push_str(piece);
        }
    }
    plain
}

/// Characters that mean the same encoded and plain (RFC 3986, 2.3), and the colon, as Google reads it.
fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&str>) {
        let tidied = tidy(&path.parse().unwrap());
        let tidied = tidied.as_ref().map(PathAndQuery::as_str);
        assert_eq!(tidied, expected, "{path}");
    }

    #[test]
    fn slashes_and_colons_are_tidied_and_the_query_is_not() {
        check(
            "//v1beta///models/x%3AgenerateContent?q=a%3Ab//c",
            Some("/v1beta/models/x:generateContent?q=a%3Ab//c"),
        );
    }

    #[test]
    fn nothing_is_encoded_that_may_stand_plain() {
        for (path, expected) in [
            (
                "/v1beta/%6Dodels/x%2D1:generate%43ontent",
                "/v1beta/models/x-1:generateContent",
            ),
            ("/v1beta/models%2Fx%20%zz%", "/v1beta/models%2Fx%20%zz%"),
            ("/v1beta/models/x%253Ay", "/v1beta/models/x%253Ay"),
            ("/v1beta/models/%+41x%c3%A9", "/v1beta/models/%+41x%c3%A9"),
            ("/%761beta/models", "/v1beta/models"),
        ] {
            check(path, Some(expected));
        }
    }

    #[test]
    fn paths_that_climb_are_refused() {
        for path in [
            "/v1beta/../admin",
            "/v1beta/%2e%2E/x",
            "/v1beta/.%2e/x",
            "/p/xai/models%2F..%2fchat%2Fcompletions",
            "/p/xai/models%5C%2e%2E",
            "/v1/./models",
            "/p/xai/..%2Fmodels",
            "/p/xai/a%2F%2e%2E%5cmodels",
        ] {
            check(path, None);
        }
        check(
            "/v1beta/models/gemini-2.5-pro",
            Some("/v1beta/models/gemini-2.5-pro"),
        );
    }
}
