//! Download links inside answers (a finished video, a batch's results): they name Google's address, where the caller has
//! no key. They are turned round to the address that the caller used. A file's `uri` is a name and stays.

use bytes::Bytes;
use memchr::memmem;

/// What a download link ends with.
const DOWNLOAD: &[u8] = b":download";

/// `body` with each `{there}/…:download…` turned into `{here}/…:download…`; unchanged, and not copied, where there is
/// none.
pub(crate) fn turn_round(body: Bytes, there: &str, here: &str) -> Bytes {
    let links: Vec<usize> = memmem::find_iter(&body, there)
        .filter(|&at| is_download(&body[at..]))
        .collect();
    if links.is_empty() {
        return body;
    }
    let mut turned = Vec::with_capacity(body.len() + links.len() * here.len());
    let mut from = 0;
    for at in links {
        turned.extend_from_slice(&body[from..at]);
        turned.extend_from_slice(here.as_bytes());
        from = at + there.len();
    }
    turned.extend_from_slice(&body[from..]);
    turned.into()
}

/// Whether the JSON string that begins here is a download link.
fn is_download(text: &[u8]) -> bool {
    let end = memchr::memchr2(b'"', b'?', text).unwrap_or(text.len());
    text[..end].ends_with(DOWNLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &'static str, expected: &str) {
        let turned = turn_round(
            Bytes::from_static(body.as_bytes()),
            "https://google",
            "http://here:8000",
        );
        assert_eq!(String::from_utf8_lossy(&turned), expected);
    }

    #[test]
    fn download_links_lead_here_and_names_stay() {
        check(
            r#"{"uri":"https://google/v1beta/files/x:download?alt=media","n":1}"#,
            r#"{"uri":"http://here:8000/v1beta/files/x:download?alt=media","n":1}"#,
        );
        check(
            r#"{"uri":"https://google/v1beta/files/x","more":"https://else/x:download"}"#,
            r#"{"uri":"https://google/v1beta/files/x","more":"https://else/x:download"}"#,
        );
        check(
            r#"["https://google/a:download","https://google/b","https://google/c:download"]"#,
            r#"["http://here:8000/a:download","https://google/b","http://here:8000/c:download"]"#,
        );
    }

    #[test]
    fn a_body_without_links_is_not_copied() {
        let body = Bytes::from_static(b"{\"uri\":\"https://google/v1beta/files/x\"}");
        assert_eq!(
            turn_round(body.clone(), "https://google", "h").as_ptr(),
            body.as_ptr()
        );
    }
}
