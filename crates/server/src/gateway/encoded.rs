//! Bodies that come compressed although keymux asks for none: errors are decoded, so that nothing secret hides in them; an
//! answer passes as it is, unread, or not at all where it has to be translated.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// Whether a body is compressed.
pub(crate) fn is(headers: &HeaderMap) -> bool {
    coding(headers).is_some()
}

/// An error's body as it was before, at most `most` bytes of it; nothing where it cannot be read. The head says no more
/// that it is compressed.
pub(crate) fn decode(headers: &mut HeaderMap, body: Bytes, most: usize) -> Bytes {
    let Some(coding) = coding(headers) else {
        return body;
    };
    let decoded = match coding {
        b"gzip" | b"x-gzip" => read(GzDecoder::new(&*body), most),
        b"deflate" => read(ZlibDecoder::new(&*body), most),
        _ => Bytes::new(),
    };
    headers.remove(CONTENT_ENCODING);
    decoded
}

fn coding(headers: &HeaderMap) -> Option<&[u8]> {
    let coding = headers.get(CONTENT_ENCODING)?.as_bytes().trim_ascii();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")).then_some(coding)
}

/// What can be read, though the end may be missing.
fn read(decoder: impl Read, most: usize) -> Bytes {
    let mut whole = Vec::new();
    let _ = decoder.take(most as u64).read_to_end(&mut whole);
    whole.into()
}
