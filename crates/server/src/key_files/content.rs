//! What is in one key file: its bytes, read without waiting for anybody, and what they mean.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use domain::{Fingerprint, Secret};
use rustix::fs::OFlags;

use super::listing::Stamp;
use crate::key_text::{self, Malformed, tidied};

/// The largest file that is read: hundreds of thousands of keys.
pub(super) const LARGEST: u64 = 32 << 20;

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) keys: Vec<Secret>,
    pub(super) malformed: Vec<Malformed>,
    /// It has one key a line.
    pub(super) is_tidy: bool,
}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Bytes {
    pub(super) bytes: Vec<u8>,
    /// Of the file that was read, after it was.
    pub(super) stamp: Stamp,
    pub(super) file: File,
}

/// Reads a file that is none too large. A pipe that has taken its place in between is not waited for.
pub(super) fn read(path: &Path) -> io::Result<Bytes> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file any more"));
    }
    if metadata.len() > LARGEST {
        let (mib, most) = (metadata.len() >> 20, LARGEST >> 20);
        let text =
            format!("it has {mib} MiB; expected at most {most} MiB, in several files if need be");
        return Err(io::Error::other(text));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    (&file).take(LARGEST + 1).read_to_end(&mut bytes)?;
    let is_link = std::fs::symlink_metadata(path)?.is_symlink();
    let stamp = Stamp::of(&file.metadata()?, is_link);
    Ok(Bytes { bytes, stamp, file })
}

impl Content {
    /// What the bytes of a file mean; or why they cannot be a list of keys, so that nothing in it is touched.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        if let Some(problem) = problem_with(bytes) {
            return Err(problem);
        }
        let text = key_text::read(bytes);
        Ok(Self {
            keys: text.keys.into_iter().map(|key| key.secret).collect(),
            malformed: text.malformed,
            is_tidy: tidied(bytes).is_none(),
        })
    }

    /// Adds the keys of an older content that are not in this one.
    pub(super) fn add_keys_of(&mut self, older: Option<Self>) {
        let known: HashSet<Fingerprint> = self.keys.iter().map(Secret::fingerprint).collect();
        let older = older.map(|older| older.keys).unwrap_or_default();
        let is_new = |key: &Secret| !known.contains(&key.fingerprint());
        self.keys.extend(older.into_iter().filter(is_new));
    }
}

/// What was put into the folder by mistake, and would be read as keys word by word.
fn problem_with(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("it is in UTF-16; save it as UTF-8");
    }
    if bytes.contains(&0) {
        return Some("it has zero bytes, so it is no text");
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match bytes.trim_ascii_start() {
        [b'{' | b'[', ..] => {
            Some("it looks like JSON; expected keys separated by lines, spaces or commas")
        }
        [b'<', ..] => {
            Some("it looks like XML or HTML; expected keys separated by lines, spaces or commas")
        }
        start if start.starts_with(b"-----BEGIN") => Some(
            "it looks like a certificate or private key; expected keys separated by lines, spaces or commas",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_keys_is_refused_as_a_whole() {
        for (bytes, expected) in [
            (&b"\xff\xfeA\0I\0z\0a\0"[..], "UTF-16"),
            (b"AIza-key-1\0\0", "zero bytes"),
            (b" {\"type\": \"service_account\"}", "JSON"),
            (b"\xef\xbb\xbf[\"AIza-key-1\"]", "JSON"),
            (b"<!doctype html>", "HTML"),
            (b"-----BEGIN PRIVATE KEY-----\nMIIE", "private key"),
        ] {
            let problem = Content::of(bytes).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_a_large_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(
            read(&pipe).unwrap_err().to_string(),
            "it is no file any more"
        );

        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        let error = read(&large).unwrap_err().to_string();
        assert!(
            error.starts_with("it has 32 MiB; expected at most 32 MiB"),
            "{error}"
        );
    }
}
