//! The file `master.key`: one master key a line, the newest first; mode 0600; never half written.
//! More than one line means that a rotation is not finished. What the keys are for is in `key_ring.rs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::OsRng;
use chacha20poly1305::aead::rand_core::RngCore as _;
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeyError};

/// Whether the file of master keys was made just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was: the key is new.
    Yes,
    /// The file was there.
    No,
}

/// The path of a file of master keys.
#[derive(Debug)]
pub(crate) struct KeyFile(pub(crate) PathBuf);

impl KeyFile {
    /// Reads the keys, or makes the file with a new one if there is none.
    ///
    /// Two processes that start at once end with the same key: the file appears whole, and only once.
    pub(crate) fn load_or_create(&self) -> Result<(Vec<MasterKey>, Created), MasterKeyError> {
        if let Some(keys) = self.load_if_there()? {
            return Ok((keys, Created::No));
        }
        let key = MasterKey::generate();
        match self
            .create(&key)
            .map_err(|error| self.no("created", error))?
        {
            Created::Yes => Ok((vec![key], Created::Yes)),
            Created::No => Ok((self.load()?, Created::No)),
        }
    }

    /// Reads the keys, of which there is at least one.
    pub(crate) fn load(&self) -> Result<Vec<MasterKey>, MasterKeyError> {
        let gone = || self.no("read", ErrorKind::NotFound.into());
        self.load_if_there()?.ok_or_else(gone)
    }

    /// Puts these keys in the place of those that are there. A crash leaves the old file or the new one.
    ///
    /// The caller sees to it that nobody else replaces the file meanwhile.
    pub(crate) fn replace(&self, keys: &[MasterKey]) -> Result<(), MasterKeyError> {
        let replaced = || {
            // Where the file is a link, what it leads to is replaced.
            let path = fs::canonicalize(&self.0)?;
            // One name, so that what a crash leaves behind is gone after the next attempt.
            let draft = path.with_extension("key.new");
            let written = remove_if_there(&draft)
                .and_then(|()| write_private(&draft, keys, Some(&fs::metadata(&path)?)))
                .and_then(|()| fs::rename(&draft, &path));
            if written.is_err() {
                fs::remove_file(&draft).ok();
            }
            written.and_then(|()| sync_folder(&path))
        };
        replaced().map_err(|error| self.no("replaced", error))
    }

    fn load_if_there(&self) -> Result<Option<Vec<MasterKey>>, MasterKeyError> {
        let read = || -> io::Result<(u32, Zeroizing<String>)> {
            let file = File::open(&self.0)?;
            let mode = file.metadata()?.mode() & 0o7777;
            Ok((mode, Zeroizing::new(io::read_to_string(file)?)))
        };
        let (mode, text) = match read() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.no("read", error)),
        };
        let path = self.0.clone();
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Exposed { path, mode });
        }
        match keys_of(&text) {
            Some(keys) => Ok(Some(keys)),
            None => Err(MasterKeyError::MalformedFile { path }),
        }
    }

    /// Writes the key beside its place and links it there: a link, unlike a rename, never replaces a file.
    fn create(&self, key: &MasterKey) -> io::Result<Created> {
        let path = &self.0;
        fs::create_dir_all(folder_of(path))?;
        let draft = path.with_extension(format!("{:016x}.tmp", OsRng.next_u64()));
        let written = write_private(&draft, std::slice::from_ref(key), None);
        let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
            Ok(()) => Ok(Created::Yes),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::No),
            Err(error) => Err(error),
        });
        // The draft is ours alone; one that stays behind is as private as the key itself.
        fs::remove_file(&draft).ok();
        let created = linked?;
        sync_folder(path)?;
        Ok(created)
    }

    fn no(&self, verb: &'static str, source: io::Error) -> MasterKeyError {
        let path = self.0.clone();
        MasterKeyError::File { path, verb, source }
    }
}

/// The keys of a file's text; none when a line is no key, or there is no key.
fn keys_of(text: &str) -> Option<Vec<MasterKey>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let keys: Vec<_> = lines
        .map(|line| MasterKey::from_text(line).ok())
        .collect::<Option<_>>()?;
    let differ = |(at, key): (usize, &MasterKey)| keys[..at].iter().all(|k| k.id() != key.id());
    (!keys.is_empty() && keys.iter().enumerate().all(differ)).then_some(keys)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a new file that only its owner may read: the user of this process, or the owner of another file.
fn write_private(
    path: &Path,
    keys: &[MasterKey],
    owner_of: Option<&fs::Metadata>,
) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    if let Some(other) = owner_of {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
            // Root rotates for the user that keymux runs as, who must be able to read the file afterwards.
            fchown(&file, Some(other.uid()), Some(other.gid()))?;
        }
    }
    for key in keys {
        let mut line = key.to_text();
        line.push('\n');
        file.write_all(line.as_bytes())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        file: KeyFile,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile(folder.path().join("new/master.key"));
        Place { folder, file }
    }

    fn ids(keys: &[MasterKey]) -> Vec<[u8; 4]> {
        keys.iter().map(MasterKey::id).collect()
    }

    fn mode(file: &KeyFile) -> u32 {
        file.0.metadata().unwrap().mode() & 0o7777
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn file_is_made_once_and_private() {
        let Place { folder, file } = place();
        let (first, created) = file.load_or_create().unwrap();
        assert_eq!(created, Created::Yes);
        assert_eq!(mode(&file), 0o600);
        let (second, created) = file.load_or_create().unwrap();
        assert_eq!(created, Created::No);
        assert_eq!(ids(&first), ids(&second));
        assert_eq!(names(&folder.path().join("new")), 1);
    }

    #[test]
    fn processes_that_start_at_once_get_one_key() {
        let Place {
            folder: _kept,
            file,
        } = place();
        let keys = std::thread::scope(|scope| {
            let make = || file.load_or_create().unwrap().0;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            let keys = threads.into_iter().map(|thread| thread.join().unwrap());
            keys.map(|keys| ids(&keys)).collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn keys_are_replaced_in_order_and_stay_private() {
        let Place { folder, file } = place();
        file.load_or_create().unwrap();
        fs::write(file.0.with_extension("key.new"), "half of a").unwrap();
        let keys = [MasterKey::generate(), MasterKey::generate()];
        file.replace(&keys).unwrap();
        assert_eq!(ids(&file.load().unwrap()), ids(&keys));
        assert_eq!(mode(&file), 0o600);
        assert_eq!(names(&folder.path().join("new")), 1);
    }

    #[test]
    fn link_stays_a_link() {
        let Place { folder, file } = place();
        file.load_or_create().unwrap();
        let link = KeyFile(folder.path().join("link.key"));
        std::os::unix::fs::symlink(&file.0, &link.0).unwrap();
        let keys = [MasterKey::generate()];
        link.replace(&keys).unwrap();
        assert_eq!(ids(&file.load().unwrap()), ids(&keys));
        assert!(link.0.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn file_that_others_may_read_is_refused() {
        let Place {
            folder: _kept,
            file,
        } = place();
        file.load_or_create().unwrap();
        fs::set_permissions(&file.0, fs::Permissions::from_mode(0o640)).unwrap();
        let error = file.load_or_create().unwrap_err().to_string();
        assert!(error.contains("mode 0640"), "{error}");
    }

    #[test]
    fn damaged_file_is_named_but_not_shown() {
        let Place {
            folder: _kept,
            file,
        } = place();
        let key = "ab".repeat(32);
        file.load_or_create().unwrap();
        for text in [
            "",
            "half-a-key",
            &*format!("{key}\nhalf-a-key\n"),
            &*format!("{key}\n{key}\n"),
        ] {
            fs::write(&file.0, text).unwrap();
            let error = file.load_or_create().unwrap_err().to_string();
            assert!(error.contains("new/master.key must hold"), "{error}");
            assert!(
                !error.contains("half-a-key") && !error.contains(&key),
                "{error}"
            );
        }
    }
}
