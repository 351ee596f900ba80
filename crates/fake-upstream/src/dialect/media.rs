//! Media in the parts of a message: data URIs are decoded for real, so that a gateway which spoils
//! one is found out, and each medium is mentioned in the answer with its type and size.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Flavour;
use super::wrong::Wrong;

/// A sentence on an `image_url` part.
pub(crate) fn image(part: &Value, at: &str, flavour: Flavour) -> Result<String, Wrong> {
    let at = format!("{at}.image_url");
    let image = &part["image_url"];
    let Some(url) = image["url"].as_str() else {
        return Err(Wrong::kind(&at, "an object with a url", image));
    };
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(format!("The image is at {url}."));
    }
    let (mime, bytes) = data_uri(url).ok_or_else(|| bad_image(&at))?;
    if !allowed(flavour).contains(&mime) {
        let message = format!(
            "You uploaded an unsupported image ({mime}). Please make sure your image is one of: {}.",
            allowed(flavour).join(", ")
        );
        return Err(Wrong::value(&at, "invalid_image_format", message));
    }
    Ok(format!("The image is {mime} of {} bytes.", bytes.len()))
}

/// A sentence on an `input_audio` part.
pub(crate) fn audio(part: &Value, at: &str) -> Result<String, Wrong> {
    let at = format!("{at}.input_audio");
    let audio = &part["input_audio"];
    let format = audio["format"].as_str().unwrap_or_default();
    if !["wav", "mp3"].contains(&format) {
        let message = format!("Invalid value: '{format}'. Supported values are: 'wav' and 'mp3'.");
        return Err(Wrong::value(&at, "invalid_value", message));
    }
    let data = audio["data"].as_str().unwrap_or_default();
    let bytes = decoded(data)
        .ok_or_else(|| Wrong::value(&at, "invalid_value", "Invalid base64 audio data."))?;
    Ok(format!("The audio is {format} of {} bytes.", bytes.len()))
}

/// A sentence on a `file` part.
pub(crate) fn file(part: &Value, at: &str) -> Result<String, Wrong> {
    let at = format!("{at}.file");
    let file = &part["file"];
    if let Some(id) = file["file_id"].as_str() {
        return Ok(format!("The file is {id}."));
    }
    let data = file["file_data"].as_str();
    let data = data.ok_or_else(|| Wrong::missing(&format!("{at}.file_data")))?;
    let bad = || Wrong::value(&at, "invalid_value", "Invalid base64 file data.");
    let (mime, bytes) = data_uri(data)
        .or_else(|| decoded(data).map(|bytes| ("application/pdf", bytes)))
        .ok_or_else(bad)?;
    let name = file["filename"].as_str().unwrap_or("without a name");
    Ok(format!(
        "The file {name} is {mime} of {} bytes.",
        bytes.len()
    ))
}

/// The media type and the bytes of `data:<type>;base64,<data>`.
pub(crate) fn data_uri(uri: &str) -> Option<(&str, Vec<u8>)> {
    let (mime, data) = uri.strip_prefix("data:")?.split_once(";base64,")?;
    Some((mime, decoded(data)?)).filter(|_| mime.contains('/'))
}

fn decoded(data: &str) -> Option<Vec<u8>> {
    STANDARD.decode(data).ok().filter(|bytes| !bytes.is_empty())
}

fn allowed(flavour: Flavour) -> &'static [&'static str] {
    match flavour {
        Flavour::Xai => &["image/jpeg", "image/png"],
        Flavour::OpenAi => &["image/jpeg", "image/png", "image/webp", "image/gif"],
        Flavour::Google => &[
            "image/jpeg",
            "image/png",
            "image/webp",
            "image/heic",
            "image/heif",
        ],
    }
}

fn bad_image(at: &str) -> Wrong {
    let message = "Invalid base64 image_url.";
    Wrong::value(at, "invalid_base64", message)
}
