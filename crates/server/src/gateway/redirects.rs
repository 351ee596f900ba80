//! Where an answer's `Location` leads: a provider's own address becomes the one that the caller used, below `/p/{provider}`
//! where that is what was called. What leads anywhere else stays as it is: nobody is shown a key there.

use http::HeaderValue;

/// An address of the provider's at `base`, turned round to `here`; `base` has no slash at its end. A path alone is the
/// provider's too. None: it is not below `base`.
pub(crate) fn turned(location: &HeaderValue, base: &str, here: &str) -> Option<HeaderValue> {
    let location = location.to_str().ok()?;
    let (host, base_path) = parts(base);
    let is_path = location.starts_with('/') && !location.starts_with("//");
    let turned = if is_path {
        match below(location, base_path) {
            Some(rest) => format!("{here}{rest}"),
            // Only at the provider's own address it leads anywhere.
            None => format!("{host}{location}"),
        }
    } else {
        format!("{here}{}", below(location, base)?)
    };
    HeaderValue::try_from(turned).ok()
}

/// What stands behind `base` in an address below it.
fn below<'a>(address: &'a str, base: &str) -> Option<&'a str> {
    let rest = address.strip_prefix(base)?;
    let is_whole = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    is_whole.then_some(rest)
}

/// Scheme and host, and the path behind them.
fn parts(base: &str) -> (&str, &str) {
    let host = base.find("://").map_or(0, |at| at + "://".len());
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    base.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(location: &str, base: &str, expected: Option<&str>) {
        let location = HeaderValue::from_str(location).unwrap();
        let turned = turned(&location, base, "http://here:8000/p/xai");
        let turned = turned.as_ref().map(|value| value.to_str().unwrap());
        assert_eq!(turned, expected, "{location:?} at {base}");
    }

    #[test]
    fn addresses_below_the_base_lead_here_and_no_others() {
        let base = "https://api.x.ai/v1";
        check(
            "https://api.x.ai/v1/files/1?a=b",
            base,
            Some("http://here:8000/p/xai/files/1?a=b"),
        );
        check("https://api.x.ai/v1", base, Some("http://here:8000/p/xai"));
        check("/v1/files/1", base, Some("http://here:8000/p/xai/files/1"));
        check("/v1?x", base, Some("http://here:8000/p/xai?x"));
        check("/v1beta/files", base, Some("https://api.x.ai/v1beta/files"));
        check("/login", base, Some("https://api.x.ai/login"));
        for elsewhere in [
            "https://api.x.ai/v1beta/files",
            "https://api.x.ai.evil.test/v1/files",
            "https://cdn.x.ai/v1/files",
            "//api.x.ai/v1/files",
            "files/1",
            "../files/1",
        ] {
            check(elsewhere, base, None);
        }
    }

    #[test]
    fn a_base_without_a_path_has_every_path_below_it() {
        let base = "http://127.0.0.1:9000";
        check("/a", base, Some("http://here:8000/p/xai/a"));
        check(
            "http://127.0.0.1:9000/a",
            base,
            Some("http://here:8000/p/xai/a"),
        );
        check("http://127.0.0.1:90001/a", base, None);
    }
}
