//! Files that a configuration is made of, within bounds. What was read for `file:/…` is kept, so that a changed setting is
//! checked against the same configuration, whatever has become of the file since.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Error, Read, Result};
use std::path::Path;

/// The largest file that `file:/…` may name, in bytes.
const MAX_SECRET_FILE: u64 = 1 << 20;

/// The contents of files by their paths.
#[derive(Clone, Default)]
pub(crate) struct Files(BTreeMap<String, String>);

impl Files {
    /// The content without white space around it; read at the first time only.
    pub(crate) fn content(&mut self, path: &str) -> Result<String> {
        if let Some(content) = self.0.get(path) {
            return Ok(content.clone());
        }
        let content = read(Path::new(path), MAX_SECRET_FILE)?.trim().to_owned();
        self.0.insert(path.to_owned(), content.clone());
        Ok(content)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({} files)", self.0.len())
    }
}

/// The text of a file that is not larger than that many bytes.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(max_bytes + 1)
        .read_to_string(&mut text)?;
    if length as u64 > max_bytes {
        return Err(Error::other(format!("larger than {max_bytes} bytes")));
    }
    Ok(text)
}
