//! Puts a key file that has one key a line in the place of one that has not, so that nothing is ever lost: not when the
//! disk is full, not when the program is killed, and not when somebody writes to the file meanwhile.
//!
//! The new file is written beside the old one, brought to the disk, and exchanged with it in one step. What comes out of
//! the exchange is compared with what was read: where somebody was faster, it is exchanged back. The old file stays
//! hidden for a while, because a program may still have it open; if it is written to, it is exchanged back too.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::content;
use super::listing::{OWN, Stamp};
use crate::key_text::tidied;

/// The ending of what is being written: half of it, perhaps.
pub(super) const DRAFT: &str = ".new";
/// The ending of a file that is whole: the one that goes in, and then the one that came out.
pub(super) const WHOLE: &str = ".swap";

/// A file that was put in the place of another.
#[derive(Debug)]
pub(super) struct Tidied {
    /// Its content.
    pub(super) bytes: Vec<u8>,
    pub(super) stamp: Stamp,
    /// The old file; none where the file system can only replace it.
    pub(super) old: Option<Old>,
}

/// A file that has been replaced, and lies beside its place.
#[derive(Debug)]
pub(super) struct Old {
    hidden: PathBuf,
    was: Stamp,
    path: PathBuf,
    is_now: Stamp,
}

/// Brings a file that was read with this stamp into one key a line. None: it is not what it was then.
pub(super) fn tidy(path: &Path, expected: &Stamp) -> io::Result<Option<Tidied>> {
    let read = content::read(path)?;
    let Some(bytes) = tidied(&read.bytes).filter(|_| read.stamp == *expected) else {
        return Ok(None);
    };
    let names = Names::beside(path);
    let written = write_draft(&names, &bytes, &read.file);
    if let Err(error) = written {
        fs::remove_file(&names.draft).ok();
        return Err(error);
    }
    put_in_place(path, expected, &names, bytes)
}

/// What is beside a file on its way there.
struct Names {
    draft: PathBuf,
    whole: PathBuf,
}

impl Names {
    fn beside(path: &Path) -> Self {
        let name = format!("{OWN}{:016x}", fastrand::u64(..));
        Self {
            draft: path.with_file_name(format!("{name}{DRAFT}")),
            whole: path.with_file_name(format!("{name}{WHOLE}")),
        }
    }
}

/// Writes the new file, with owner and permissions of the old one, and brings it to the disk.
fn write_draft(names: &Names, bytes: &[u8], old: &File) -> io::Result<()> {
    let mut draft = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&names.draft)?;
    draft.write_all(bytes)?;
    let metadata = old.metadata()?;
    keep_owner(&draft, metadata.uid(), metadata.gid())?;
    draft.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    draft.sync_all()?;
    fs::rename(&names.draft, &names.whole)
}

/// A file is never taken away from its owner; to root it does not matter whose it is.
fn keep_owner(draft: &File, uid: u32, gid: u32) -> io::Result<()> {
    let own = draft.metadata()?;
    if (own.uid(), own.gid()) == (uid, gid) || fchown(draft, Some(uid), Some(gid)).is_ok() {
        return Ok(());
    }
    if uid == 0 && (own.gid() == gid || fchown(draft, None, Some(gid)).is_ok()) {
        return Ok(());
    }
    let text = format!("it belongs to another user (uid {uid}, gid {gid}), who would lose it");
    Err(io::Error::new(ErrorKind::PermissionDenied, text))
}

fn put_in_place(
    path: &Path,
    expected: &Stamp,
    names: &Names,
    bytes: Vec<u8>,
) -> io::Result<Option<Tidied>> {
    let draft = Stamp::at(&names.whole)?;
    let put = if Stamp::at(path).ok().as_ref() == Some(expected) {
        take_its_place(path, expected, &names.whole, &draft)
    } else {
        Ok(None)
    };
    let (stamp, old) = match put {
        Ok(Some(put)) => put,
        left => {
            // Unless it is what somebody else has written: it is for people to compare then.
            if Stamp::at(&names.whole).is_ok_and(|stamp| stamp.is_same_content(&draft)) {
                fs::remove_file(&names.whole).ok();
            }
            return left.map(|_| None);
        }
    };
    Ok(Some(Tidied { bytes, stamp, old }))
}

/// Gives the stamp of what is in its place now, and the old file; none: somebody was faster.
fn take_its_place(
    path: &Path,
    expected: &Stamp,
    new: &Path,
    draft: &Stamp,
) -> io::Result<Option<(Stamp, Option<Old>)>> {
    let has_exchanged = exchange_or_replace(new, path)?;
    if has_exchanged && !Stamp::at(new)?.is_same_content(expected) {
        exchange(new, path)?;
        return Ok(None);
    }
    sync_folder(path)?;
    let old = has_exchanged.then(|| Old {
        hidden: new.to_owned(),
        was: *expected,
        path: path.to_owned(),
        is_now: *draft,
    });
    Ok(Some((Stamp::at(path)?, old)))
}

/// Says whether the two have changed places: not every file system can do that, and there one replaces the other.
fn exchange_or_replace(new: &Path, old: &Path) -> io::Result<bool> {
    match exchange(new, old) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(new, old).map(|()| false),
        Err(error) => Err(error.into()),
    }
}

fn exchange(one: &Path, other: &Path) -> Result<(), Errno> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

impl Old {
    /// Whether somebody still writes to the old file. It is in its place again then, unless that was changed as well:
    /// in that case it stays where it is, to be compared by people.
    pub(super) fn put_back_if_changed(&self) -> bool {
        let Ok(now) = Stamp::at(&self.hidden) else {
            return false;
        };
        if now.is_same_content(&self.was) {
            return false;
        }
        let is_ours = Stamp::at(&self.path).is_ok_and(|stamp| stamp.is_same_content(&self.is_now));
        if is_ours && exchange(&self.hidden, &self.path).is_ok() {
            fs::remove_file(&self.hidden).ok();
            sync_folder(&self.path).ok();
        }
        true
    }

    /// Deletes it; nobody has touched it.
    pub(super) fn delete(&self) {
        fs::remove_file(&self.hidden).ok();
    }

    /// Where it lies.
    pub(super) fn hidden(&self) -> &Path {
        &self.hidden
    }

    /// The file that took its place.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tempfile::TempDir;

    use super::*;

    const UNTIDY: &str = "AIza-key-1, AIza-key-2 # both\n";
    const TIDY: &str = "AIza-key-1\nAIza-key-2 # both\n";

    fn folder_with(text: &str) -> (TempDir, PathBuf, Stamp) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, text).unwrap();
        let stamp = Stamp::at(&path).unwrap();
        (folder, path, stamp)
    }

    /// Every file, hidden ones too, by what it holds; random names are shortened to their ending.
    fn files(folder: &TempDir) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let named = entries.map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let short = match name
                .strip_prefix(OWN)
                .and_then(|name| name.rsplit_once('.'))
            {
                Some((_, ending)) => format!("own .{ending}"),
                None => name.to_owned(),
            };
            (short, fs::read_to_string(path).unwrap())
        });
        named.collect()
    }

    fn tidied_file(path: &Path, stamp: &Stamp) -> Tidied {
        tidy(path, stamp).unwrap().unwrap()
    }

    fn check(folder: &TempDir, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|&(n, t)| (n.to_owned(), t.to_owned()));
        assert_eq!(files(folder), expected.collect());
    }

    #[test]
    fn the_new_file_takes_the_place_of_the_old_one_with_its_permissions() {
        let (folder, path, _) = folder_with(UNTIDY);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let stamp = Stamp::at(&path).unwrap();
        let done = tidied_file(&path, &stamp);
        check(&folder, &[("a.txt", TIDY), ("own .swap", UNTIDY)]);
        assert_eq!(done.bytes, TIDY.as_bytes());
        assert_eq!(done.stamp, Stamp::at(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);

        let old = done.old.unwrap();
        assert!(!old.put_back_if_changed());
        old.delete();
        check(&folder, &[("a.txt", TIDY)]);
    }

    #[test]
    fn a_file_that_has_changed_since_it_was_read_is_not_replaced() {
        let (folder, path, stamp) = folder_with(UNTIDY);
        fs::write(&path, "AIza-key-1,AIza-key-new\n").unwrap();
        assert!(tidy(&path, &stamp).unwrap().is_none());
        check(&folder, &[("a.txt", "AIza-key-1,AIza-key-new\n")]);
    }

    #[test]
    fn a_file_that_changes_between_reading_and_putting_is_not_replaced() {
        for by_rename in [false, true] {
            let (folder, path, stamp) = folder_with(UNTIDY);
            let names = Names::beside(&path);
            write_draft(&names, TIDY.as_bytes(), &File::open(&path).unwrap()).unwrap();
            if by_rename {
                fs::write(folder.path().join("b"), "AIza-newer\n").unwrap();
                fs::rename(folder.path().join("b"), &path).unwrap();
            } else {
                fs::write(&path, "AIza-newer\n").unwrap();
            }
            let put = put_in_place(&path, &stamp, &names, Vec::new()).unwrap();
            assert!(put.is_none());
            assert_eq!(fs::read_to_string(&path).unwrap(), "AIza-newer\n");
        }
    }

    #[test]
    fn somebody_who_is_faster_by_a_hair_keeps_what_they_wrote() {
        let (folder, path, stamp) = folder_with(UNTIDY);
        let names = Names::beside(&path);
        write_draft(&names, TIDY.as_bytes(), &File::open(&path).unwrap()).unwrap();
        let draft = Stamp::at(&names.whole).unwrap();
        fs::write(&path, "AIza-newer\n").unwrap();
        // After the last look that came too early.
        let put = take_its_place(&path, &stamp, &names.whole, &draft).unwrap();
        assert!(put.is_none());
        check(&folder, &[("a.txt", "AIza-newer\n"), ("own .swap", TIDY)]);
    }

    #[test]
    fn who_still_writes_to_the_old_file_has_it_back_in_its_place() {
        let (folder, path, stamp) = folder_with(UNTIDY);
        let mut writer = OpenOptions::new().append(true).open(&path).unwrap();
        let old = tidied_file(&path, &stamp).old.unwrap();
        writer.write_all(b"AIza-key-3\n").unwrap();
        assert!(old.put_back_if_changed());
        check(&folder, &[("a.txt", &format!("{UNTIDY}AIza-key-3\n"))]);
    }

    #[test]
    fn when_both_files_were_written_to_both_stay() {
        let (folder, path, stamp) = folder_with(UNTIDY);
        let mut writer = OpenOptions::new().append(true).open(&path).unwrap();
        let old = tidied_file(&path, &stamp).old.unwrap();
        writer.write_all(b"AIza-key-3\n").unwrap();
        fs::write(&path, "AIza-key-4\n").unwrap();
        assert!(old.put_back_if_changed());
        let both = format!("{UNTIDY}AIza-key-3\n");
        check(&folder, &[("a.txt", "AIza-key-4\n"), ("own .swap", &both)]);
    }
}
