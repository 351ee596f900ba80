//! One key that secrets are encrypted under: 32 bytes out of a text, or made at random, and why one cannot be had.
//! Not the encryption itself, which is in `seal.rs`; nor the file, which is in `key_file.rs`.

use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::OsRng;
use chacha20poly1305::aead::rand_core::RngCore as _;
use zeroize::Zeroizing;

/// The length of a master key in bytes.
pub(crate) const KEY_BYTES: usize = 32;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

/// A master key: 32 random bytes, wiped from memory on drop, never shown.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// A master key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is something else.
    #[error("master key must be 32 bytes as 64 hex digits or as base64")]
    Malformed,
    /// Two of several keys are one.
    #[error("the same master key stands twice; the current one and the older ones must differ")]
    Twice,
    /// The file's text is something else.
    #[error(
        "master key file {path} must hold 32 bytes a line, as 64 hex digits or as base64, each key once"
    )]
    MalformedFile {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or change the file.
    #[error("master key file {path} has mode {mode:04o}, which opens it to others; make it 0600")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be read, made or replaced.
    #[error("master key file {path} cannot be {verb} by this user, whose it must be")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `read`, `created` or `replaced`.
        verb: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl MasterKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        OsRng.fill_bytes(&mut *key);
        Self(key)
    }

    /// Reads 64 hex digits, or base64 of either alphabet, padded or not; spaces around it are ignored.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let bytes = Zeroizing::new(
            from_hex(text)
                .or_else(|| STANDARD.decode(text).ok())
                .or_else(|| URL_SAFE.decode(text).ok())
                .ok_or(MasterKeyError::Malformed)?,
        );
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
        key.map(|key| Self(Zeroizing::new(key)))
            .map_err(|_| MasterKeyError::Malformed)
    }

    /// The text that [`MasterKey::from_text`] reads.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, byte: Option<u8>) {
        let read = MasterKey::from_text(text).ok().map(|key| *key.bytes());
        assert_eq!(read, byte.map(|byte| [byte; KEY_BYTES]), "{text}");
    }

    #[test]
    fn hex_and_every_kind_of_base64_are_read() {
        check(&"ab".repeat(32), Some(0xab));
        check(&"AB".repeat(32), Some(0xab));
        check(&format!("  {}\n", "ff".repeat(32)), Some(0xff));
        check("//////////////////////////////////////////8=", Some(0xff));
        check("//////////////////////////////////////////8", Some(0xff));
        check("__________________________________________8", Some(0xff));
    }

    #[test]
    fn other_lengths_and_alphabets_are_refused() {
        for text in [
            "",
            "secret",
            &"ab".repeat(31),
            &"ab".repeat(33),
            &"zz".repeat(32),
            "é",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let key = MasterKey::generate();
        let again = MasterKey::from_text(&key.to_text()).unwrap();
        assert_eq!(again.bytes(), key.bytes());
    }
}
