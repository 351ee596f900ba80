//! Multipart bodies that are in memory already: `multipart/related` (RFC 2387) of Google's uploads and
//! `multipart/form-data` (RFC 7578) of everybody else's. The closing delimiter is not insisted on.

use bytes::Bytes;

/// One part.
#[derive(Debug)]
pub(crate) struct Part {
    head: String,
    pub(crate) content: Bytes,
}

impl Part {
    /// What the part says it is.
    pub(crate) fn content_type(&self) -> &str {
        self.header("content-type")
            .unwrap_or("application/octet-stream")
    }

    /// A parameter of `content-disposition`, for example `name` or `filename`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let disposition = self.header("content-disposition")?;
        let parameters = disposition.split(';').map(str::trim);
        parameters
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.trim_matches('"'))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers
            .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// The parts of a body; `None` when the content type names no boundary.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut starts = positions(body, delimiter.as_bytes());
    starts.push(body.len());
    let whole =
        |pair: &[usize]| body.slice(pair[0] + delimiter.len().min(pair[1] - pair[0])..pair[1]);
    Some(
        starts
            .windows(2)
            .map(whole)
            .filter_map(|slice| part(&slice))
            .collect(),
    )
}

fn part(slice: &Bytes) -> Option<Part> {
    let head_end = positions(slice, b"\r\n\r\n").first().copied()?;
    let head = String::from_utf8_lossy(&slice[..head_end]).into_owned();
    let content = slice.slice(head_end + 4..);
    let content = content
        .strip_suffix(b"\r\n")
        .map_or(content.clone(), |cut| content.slice_ref(cut));
    Some(Part { head, content })
}

fn positions(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = haystack[from..]
        .windows(needle.len())
        .position(|w| w == needle)
    {
        found.push(from + at);
        from += at + needle.len();
    }
    found
}
