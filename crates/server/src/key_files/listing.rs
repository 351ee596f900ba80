//! What is in a folder of key files: which entries are read, which are left out and why, and by what a change is noticed.
//! Nothing is opened here; contents are read in `content.rs`.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What keymux's own files beside key files begin with; like all hidden files they hold no keys.
pub(super) const OWN: &str = ".keymux-";

/// What editors and tools leave behind: to read it would keep keys that were removed.
const LEFTOVER: &str = "a backup or a temporary file";
const LEFTOVER_ENDINGS: [&str; 14] = [
    "~", ".bak", ".old", ".orig", ".rej", ".save", ".swo", ".swp", ".swx", ".tmp", ".temp",
    ".part", ".new", ".lock",
];
const NOTES: &str = "notes for people";
const FOLDER: &str = "a folder; only files directly in keys_dir are read";
const LEADS_AWAY: &str = "a symbolic link that leads out of the folder";
const NO_FILE: &str = "a pipe, socket or device";

/// An entry that is not hidden.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) found: Found,
}

/// The name of a file, as it is and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) raw: OsString,
    pub(super) shown: Arc<str>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file to read.
    File(Stamp),
    /// Nobody can tell, for example a link that leads nowhere.
    Unknown(String),
    /// Nothing that is read.
    LeftOut(&'static str),
}

/// By what a change of a file is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    pub(super) len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// It has one name, and that is no link: it may be replaced.
    pub(super) is_plain: bool,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata, is_link: bool) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            is_plain: !is_link && metadata.nlink() == 1,
        }
    }

    /// The stamp of what is at a path, which may be a link.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let is_link = fs::symlink_metadata(path)?.is_symlink();
        Ok(Self::of(&fs::metadata(path)?, is_link))
    }

    /// Whether it is the same file with the same content, which may have got another name.
    pub(super) fn is_same_content(&self, other: &Self) -> bool {
        let what = |stamp: &Self| (stamp.device, stamp.inode, stamp.len, stamp.modified);
        what(self) == what(other)
    }

    /// Seconds since 1970 of the last change of its content.
    pub(super) fn modified_s(&self) -> i64 {
        self.modified.0
    }
}

/// Everything in a folder that is not hidden, in order of name; and keymux's own files.
pub(super) fn list(folder: &Path) -> io::Result<(Vec<Entry>, Vec<PathBuf>)> {
    let real = fs::canonicalize(folder)?;
    let (mut entries, mut own) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let raw = entry.file_name();
        let shown: Arc<str> = raw.to_string_lossy().into();
        if shown.starts_with('.') {
            if shown.starts_with(OWN) {
                own.push(entry.path());
            }
            continue;
        }
        let found = match why_by_name(&shown) {
            Some(reason) => Found::LeftOut(reason),
            None => look_at(&entry.path(), &real),
        };
        let name = Name { raw, shown };
        entries.push(Entry { name, found });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((entries, own))
}

fn why_by_name(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let is_leftover = LEFTOVER_ENDINGS.iter().any(|end| lower.ends_with(end))
        || lower.starts_with('#') && lower.ends_with('#');
    if is_leftover {
        return Some(LEFTOVER);
    }
    let is_notes = lower == "readme" || lower.starts_with("readme.") || lower == "license";
    is_notes.then_some(NOTES)
}

fn look_at(path: &Path, real_folder: &Path) -> Found {
    match try_to_look_at(path, real_folder) {
        Ok(found) => found,
        Err(error) => Found::Unknown(error.to_string()),
    }
}

fn try_to_look_at(path: &Path, real_folder: &Path) -> io::Result<Found> {
    let is_link = fs::symlink_metadata(path)?.is_symlink();
    // Kubernetes mounts each file as a link to a hidden folder beside it.
    if is_link && !fs::canonicalize(path)?.starts_with(real_folder) {
        return Ok(Found::LeftOut(LEADS_AWAY));
    }
    let metadata = fs::metadata(path)?;
    let kind = metadata.file_type();
    Ok(if kind.is_file() {
        Found::File(Stamp::of(&metadata, is_link))
    } else if kind.is_dir() {
        Found::LeftOut(FOLDER)
    } else {
        Found::LeftOut(NO_FILE)
    })
}

/// Whether that is worth a line of the log: what editors leave behind comes and goes.
pub(super) fn is_notable(reason: &str) -> bool {
    reason != LEFTOVER
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_key_file_is_left_out_and_said() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "AIza-outside").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "a.txt",
            "b",
            ".hidden",
            ".a.txt.swp",
            "a.txt~",
            "#a.txt#",
            "a.BAK",
            "a.tmp",
            "README.md",
            ".keymux-1.new",
        ] {
            fs::write(at(name), "AIza-key").unwrap();
        }
        fs::create_dir(at("sub")).unwrap();
        fs::create_dir(at("..data")).unwrap();
        fs::write(at("..data/c"), "AIza-key").unwrap();
        symlink("..data/c", at("c")).unwrap();
        symlink(outside.path().join("secret"), at("away")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();

        let (entries, own) = list(folder.path()).unwrap();
        let seen: Vec<(&str, &str)> = entries
            .iter()
            .map(|entry| {
                let what = match &entry.found {
                    Found::File(stamp) if stamp.is_plain => "file",
                    Found::File(_) => "link",
                    Found::Unknown(_) => "unknown",
                    Found::LeftOut(reason) => reason,
                };
                (&*entry.name.shown, what)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("#a.txt#", LEFTOVER),
                ("README.md", NOTES),
                ("a.BAK", LEFTOVER),
                ("a.tmp", LEFTOVER),
                ("a.txt", "file"),
                ("a.txt~", LEFTOVER),
                ("away", LEADS_AWAY),
                ("b", "file"),
                ("c", "link"),
                ("dangling", "unknown"),
                ("socket", NO_FILE),
                ("sub", FOLDER),
            ]
        );
        assert_eq!(own, [at(".keymux-1.new")]);
    }

    #[test]
    fn a_file_with_two_names_is_not_plain() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "AIza-key").unwrap();
        assert!(Stamp::at(&at("a")).unwrap().is_plain);
        fs::hard_link(at("a"), at("b")).unwrap();
        assert!(!Stamp::at(&at("a")).unwrap().is_plain);
    }
}
