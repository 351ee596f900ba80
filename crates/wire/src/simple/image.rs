//! `/api/v1/vision/extract-text`: which files are images that a model reads, and the answer with their text.
//! A file must be said to be an image and begin like one: models are sent what it is, not what it is called.

use std::fmt::{self, Display, Formatter};

use serde_json::json;

/// A kind of image that models read. Source: Gemini API, "Image understanding", supported image formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// HEIC: HEIF with pictures coded in HEVC.
    Heic,
    /// HEIF.
    Heif,
}

/// The file is none of the images that models read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnImage;

impl Display for NotAnImage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the file is no image that is read here; send image/png, image/jpeg, image/webp, image/heic or image/heif",
        )
    }
}

impl std::error::Error for NotAnImage {}

impl Image {
    /// The kind of a file, by what it is said to be and by how it begins.
    pub fn of(content_type: Option<&str>, file: &[u8]) -> Result<Self, NotAnImage> {
        match content_type {
            Some(said) if !may_be_image(said) => Err(NotAnImage),
            _ => Self::beginning(file).ok_or(NotAnImage),
        }
    }

    /// Its media type.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Heif => "image/heif",
        }
    }

    fn beginning(file: &[u8]) -> Option<Self> {
        if file.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if file.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        match (file.get(..4)?, file.get(4..8)?, file.get(8..12)?) {
            (b"RIFF", _, b"WEBP") => Some(Self::Webp),
            (_, b"ftyp", brand) => Self::of_brand(brand),
            _ => None,
        }
    }

    /// The major brand of an ISO base media file (ISO/IEC 23008-12, annex B).
    fn of_brand(brand: &[u8]) -> Option<Self> {
        match brand {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(Self::Heic),
            b"mif1" | b"msf1" => Some(Self::Heif),
            _ => None,
        }
    }
}

/// Whoever does not know what a file is says that it is bytes.
fn may_be_image(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is_image = kind
        .get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("image/"));
    is_image || kind.is_empty() || kind.eq_ignore_ascii_case("application/octet-stream")
}

/// `{"filename","content_type","extracted_text","model_used"}`
pub fn image_answer(file_name: Option<&str>, image: Image, text: &str, model: &str) -> Vec<u8> {
    json!({
        "filename": file_name,
        "content_type": image.mime(),
        "extracted_text": text,
        "model_used": model,
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn check(content_type: Option<&str>, file: &[u8], expected: Option<&str>) {
        let found = Image::of(content_type, file).map(Image::mime);
        assert_eq!(found.ok(), expected, "{content_type:?} {file:?}");
    }

    #[test]
    fn images_are_known_by_their_beginning() {
        for (file, mime) in [
            (PNG, Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Some("image/heic")),
            (b"\0\0\0\x18ftypmif1\0\0\0\0", Some("image/heif")),
            (b"\0\0\0\x1cftypavif\0\0\0\0", None),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", None),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"GIF89a\x01\0\x01\0\0\0", None),
            (b"BM\x3a\0\0\0\0\0\0\0\0\0", None),
            (b"%PDF-1.7\n%\xe2\xe3\xcf", None),
            (b"<svg xmlns=''></svg>", None),
            (b"\x89PN", None),
            (b"", None),
        ] {
            check(Some("image/png"), file, mime);
        }
    }

    #[test]
    fn a_file_must_not_be_said_to_be_something_else() {
        let png = Some("image/png");
        for content_type in [
            None,
            Some(""),
            Some("image/png"),
            Some("IMAGE/PNG"),
            Some("image/jpeg; q=1"),
            Some("image/*"),
            Some("application/octet-stream"),
        ] {
            check(content_type, PNG, png);
        }
        for content_type in [
            "text/plain",
            "application/pdf",
            "video/mp4",
            "images/png",
            "é",
        ] {
            check(Some(content_type), PNG, None);
        }
    }

    #[test]
    fn an_answer_has_its_four_fields() {
        let body = image_answer(Some("a.png"), Image::Png, "text", "m-1");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"filename":"a.png","content_type":"image/png","extracted_text":"text","model_used":"m-1"}"#
        );
    }
}
