//! The file that reports are appended to, and the two older ones that are kept beside it: `status.log`, `status.log.1`,
//! `status.log.2`.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that would grow beyond it becomes an older one.
const LARGEST: u64 = 1 << 20;

/// Appends a report. Folders are not made: a missing one is a mistake in the path.
pub(super) fn append(path: &Path, report: &[u8]) -> io::Result<()> {
    let size = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if size > 0 && size + report.len() as u64 > LARGEST {
        rotate(path)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(report)
}

fn rotate(path: &Path) -> io::Result<()> {
    let (one, two) = (older(path, ".1"), older(path, ".2"));
    match fs::rename(&one, &two) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::rename(path, one)
}

fn older(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_full_becomes_an_older_one_and_two_are_kept() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("status.log");
        let report = |mark: u8| vec![mark; 300 << 10];
        for mark in b'a'..=b'k' {
            append(&path, &report(mark)).unwrap();
        }
        let marks = |path: &Path| {
            let mut text = fs::read(path).unwrap();
            assert!(text.len() as u64 <= LARGEST, "{}", text.len());
            text.dedup();
            String::from_utf8(text).unwrap()
        };
        assert_eq!(marks(&path), "jk");
        assert_eq!(marks(&older(&path, ".1")), "ghi");
        assert_eq!(marks(&older(&path, ".2")), "def");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_report_that_is_too_large_is_written_all_the_same() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("status.log");
        append(&path, &vec![b'x'; 2 << 20]).unwrap();
        append(&path, b"small").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"small");
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let folder = tempfile::TempDir::new().unwrap();
        let error = append(&folder.path().join("missing/status.log"), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
