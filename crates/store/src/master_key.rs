//! The key that secrets are encrypted under: read from text or a file, or made once.
//! Not the encryption itself, which is in `seal.rs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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

/// The master key: 32 random bytes, wiped from memory on drop, never shown.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Whether [`MasterKey::load_or_create`] made the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It did: the key is new.
    Yes,
    /// The file was there.
    No,
}

/// A master key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is something else.
    #[error("master key must be 32 bytes as 64 hex digits or as base64")]
    Malformed,
    /// The file's text is something else.
    #[error("master key file {path} must hold 32 bytes as 64 hex digits or as base64")]
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
    /// The file could not be read or made.
    #[error("master key file {path} cannot be {verb}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `created`.
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

    /// Reads the file, or makes it with a new key and mode 0600 if there is none.
    ///
    /// Two processes that start at once end with the same key: the file appears whole, and only once.
    pub fn load_or_create(path: &Path) -> Result<(Self, Created), MasterKeyError> {
        if let Some(key) = load(path)? {
            return Ok((key, Created::No));
        }
        let key = Self::generate();
        let made = create(path, &key).map_err(|source| file_error(path, "created", source))?;
        if made == Created::Yes {
            return Ok((key, Created::Yes));
        }
        match load(path)? {
            Some(key) => Ok((key, Created::No)),
            None => Err(file_error(path, "read", ErrorKind::NotFound.into())),
        }
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

fn file_error(path: &Path, verb: &'static str, source: io::Error) -> MasterKeyError {
    let path = path.to_owned();
    MasterKeyError::File { path, verb, source }
}

fn load(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
    let read = || -> io::Result<(u32, Zeroizing<String>)> {
        let file = File::open(path)?;
        let mode = file.metadata()?.mode() & 0o7777;
        Ok((mode, Zeroizing::new(io::read_to_string(file)?)))
    };
    let (mode, text) = match read() {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(file_error(path, "read", source)),
    };
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(MasterKeyError::Exposed { path, mode });
    }
    let malformed = |_| MasterKeyError::MalformedFile {
        path: path.to_owned(),
    };
    MasterKey::from_text(&text).map(Some).map_err(malformed)
}

/// Writes the key beside its place and links it there: a link, unlike a rename, never replaces a file.
fn create(path: &Path, key: &MasterKey) -> io::Result<Created> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("{:016x}.tmp", OsRng.next_u64()));
    let written = write_private(&draft, key);
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => Ok(Created::Yes),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::No),
        Err(error) => Err(error),
    });
    // The draft is ours alone; one that stays behind is as private as the key itself.
    fs::remove_file(&draft).ok();
    let created = linked?;
    File::open(folder)?.sync_all()?;
    Ok(created)
}

fn write_private(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut text = Zeroizing::new(STANDARD.encode(key.bytes()));
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
    fn file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/master.key");
        let (first, created) = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(created, Created::Yes);
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        let (second, created) = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(created, Created::No);
        assert_eq!(first.bytes(), second.bytes());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn processes_that_start_at_once_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let keys = std::thread::scope(|scope| {
            let make = || MasterKey::load_or_create(&path).unwrap().0;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads
                .into_iter()
                .map(|t| *t.join().unwrap().bytes())
                .collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = MasterKey::load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("mode 0640"), "{error}");
    }

    #[test]
    fn damaged_file_is_named_but_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::load_or_create(&path).unwrap();
        fs::write(&path, "half-a-key").unwrap();
        let error = MasterKey::load_or_create(&path).unwrap_err().to_string();
        assert!(
            error.contains("master.key") && !error.contains("half-a-key"),
            "{error}"
        );
    }
}
