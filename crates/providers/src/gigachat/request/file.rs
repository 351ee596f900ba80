//! Files within a request: GigaChat takes them as attachments that were uploaded before.
//! Which it takes, and how large, is checked here; the upload itself is the server's.

use std::fmt::{self, Debug, Formatter};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

const MIB: usize = 1024 * 1024;

/// Media types that GigaChat takes, the ending of a file of each, and the largest in MiB.
const ACCEPTED: &[(&str, &str, usize)] = &[
    ("image/jpeg", "jpg", 15),
    ("image/png", "png", 15),
    ("image/tiff", "tiff", 15),
    ("image/bmp", "bmp", 15),
    ("audio/wav", "wav", 35),
    ("audio/mpeg", "mp3", 35),
    ("audio/ogg", "ogg", 35),
    ("audio/mp4", "m4a", 35),
    ("application/pdf", "pdf", 40),
    ("text/plain", "txt", 40),
];

/// Other names of accepted types.
const ALIASES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/tif", "image/tiff"),
    ("image/x-ms-bmp", "image/bmp"),
    ("image/x-bmp", "image/bmp"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/m4a", "audio/mp4"),
];

/// Padding may be there or not; which of the two alphabets it is written in is settled before.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file that has to be uploaded before a chat can be sent: a picture in most cases, or sound, or a document.
#[derive(Clone, PartialEq, Eq)]
pub enum File {
    /// It came with the request.
    Inline {
        /// One of the media types that GigaChat takes.
        mime: String,
        /// Its bytes.
        data: Bytes,
    },
    /// A picture to be fetched from this `http` or `https` address, and then to be checked by [`File::inline`].
    Url(String),
}

impl File {
    /// A file that GigaChat takes: jpeg, png, tiff and bmp up to 15 MiB, sound up to 35, PDF and text up to 40.
    ///
    /// What it does not take is told in words for the caller, to be put behind the name of the file.
    pub fn inline(mime: &str, data: impl Into<Bytes>) -> Result<Self, String> {
        let (mime, _, largest) = accepted(mime)?;
        let data = data.into();
        if data.is_empty() {
            return Err("is empty".to_owned());
        }
        check_size(data.len(), *largest)?;
        Ok(Self::Inline {
            mime: (*mime).to_owned(),
            data,
        })
    }

    /// The name to upload it by. GigaChat goes by the ending, which an address does not tell before it is fetched.
    pub fn file_name(&self) -> String {
        let mime = match self {
            Self::Inline { mime, .. } => mime,
            Self::Url(_) => "image/jpeg",
        };
        let ending = accepted(mime).map_or("bin", |(_, ending, _)| ending);
        format!("file.{ending}")
    }

    /// A picture's `data:` URI or its address.
    pub(super) fn of_address(address: &str) -> Result<Self, String> {
        let address = address.trim();
        if let Some(scheme) = address.get(..5)
            && scheme.eq_ignore_ascii_case("data:")
        {
            return Self::of_data_uri(&address[5..]);
        }
        let is_web = |scheme: &str| {
            let start = address.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if is_web("http://") || is_web("https://") {
            return Ok(Self::Url(address.to_owned()));
        }
        Err("is neither a data: URI nor an http(s) address".to_owned())
    }

    /// What stands behind `data:`.
    pub(super) fn of_data_uri(uri: &str) -> Result<Self, String> {
        let (head, data) = uri.split_once(',').ok_or("is a data: URI without data")?;
        let mut parameters = head.split(';');
        let mime = parameters.next().unwrap_or_default();
        if !parameters.any(|word| word.trim().eq_ignore_ascii_case("base64")) {
            return Err("is a data: URI without base64".to_owned());
        }
        Self::of_base64(mime, data)
    }

    /// Base64 of either alphabet, with or without padding and white space. The size is checked before it is decoded.
    pub(super) fn of_base64(mime: &str, text: &str) -> Result<Self, String> {
        let (_, _, largest) = accepted(mime)?;
        let standard = |byte: u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        };
        let text: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(standard)
            .collect();
        check_size(text.len() / 4 * 3, *largest)?;
        let data = LENIENT
            .decode(text)
            .map_err(|error| format!("is not base64: {error}"))?;
        Self::inline(mime, data)
    }

    pub(super) fn is_picture(&self) -> bool {
        match self {
            Self::Inline { mime, .. } => mime.starts_with("image/"),
            Self::Url(_) => true,
        }
    }
}

/// The media type that a file's name speaks of.
pub(super) fn mime_of_name(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let ending = match &*ending {
        "jpeg" => "jpg",
        "tif" => "tiff",
        "text" | "md" => "txt",
        ending => ending,
    };
    let row = ACCEPTED.iter().find(|(_, known, _)| *known == ending)?;
    Some(row.0)
}

fn accepted(mime: &str) -> Result<&'static (&'static str, &'static str, usize), String> {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let mime = mime.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == mime);
    let wanted = alias.map_or(&*mime, |(_, wanted)| wanted);
    ACCEPTED
        .iter()
        .find(|(known, _, _)| *known == wanted)
        .ok_or_else(|| {
            let short: String = mime.chars().take(60).collect();
            format!(
                "is of type {short:?}; GigaChat takes jpeg, png, tiff and bmp pictures, wav, mp3, ogg and m4a sound, pdf and plain text"
            )
        })
}

fn check_size(bytes: usize, largest: usize) -> Result<(), String> {
    if bytes > largest * MIB {
        return Err(format!("is larger than {largest} MiB"));
    }
    Ok(())
}

impl Debug for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline { mime, data } => write!(f, "Inline({mime}, {} bytes)", data.len()),
            Self::Url(address) => write!(f, "Url({address:?})"),
        }
    }
}
