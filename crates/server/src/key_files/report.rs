//! What is said of key files: to the admin API, to the command line, and in the log. Never a key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::UnixMs;

use super::content::Content;
use crate::key_text::Malformed;

/// Lines of the log about one file.
const MOST_LINES: usize = 10;

/// What is said of one entry of a folder, or of the folder.
#[derive(Clone, Debug)]
pub(crate) struct FileReport {
    pub(crate) provider: Arc<str>,
    pub(crate) folder: PathBuf,
    /// None: it is about the folder itself.
    pub(crate) file: Option<Arc<str>>,
    pub(crate) keys: usize,
    pub(crate) malformed: Vec<Malformed>,
    /// Why it cannot be read.
    pub(crate) problem: Option<String>,
    /// Why it is not read.
    pub(crate) left_out: Option<String>,
    pub(crate) read_at: Option<UnixMs>,
    /// It has one key a line.
    pub(crate) is_tidy: bool,
    /// When keymux brought it into one key a line.
    pub(crate) tidied_at: Option<UnixMs>,
    /// Why keymux does not.
    pub(crate) not_tidied: Option<String>,
}

impl FileReport {
    /// What is common to all of a folder.
    pub(super) fn of_folder(provider: &Arc<str>, folder: &Path) -> Self {
        Self {
            provider: provider.clone(),
            folder: folder.to_owned(),
            file: None,
            keys: 0,
            malformed: Vec::new(),
            problem: None,
            left_out: None,
            read_at: None,
            is_tidy: false,
            tidied_at: None,
            not_tidied: None,
        }
    }

    /// The file, or the folder.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.file {
            Some(file) => self.folder.join(&**file),
            None => self.folder.clone(),
        }
    }

    /// The name of the file; empty where it is about the folder.
    pub(crate) fn name(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }

    /// Why it is not read, in a sentence; none: it is.
    pub(crate) fn why_left_out(&self) -> Option<String> {
        let reason = self.left_out.as_ref()?;
        Some(format!(
            "{}: left out: it is {reason}",
            self.path().display()
        ))
    }

    /// What an operator ought to look at, a sentence each, with file and line.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let path = self.path().display().to_string();
        let mut all = Vec::new();
        if let Some(problem) = &self.problem {
            all.push(format!("{path}: {problem}; not read"));
        }
        for entry in &self.malformed {
            all.push(format!("{path}:{}: {}; left out", entry.line, entry.reason));
        }
        all
    }
}

impl Content {
    /// Tells the log of its malformed entries, some by line and the rest by number.
    pub(super) fn log(&self, provider: &str, path: &Path) {
        let path = path.display();
        for Malformed { line, reason } in self.malformed.iter().take(MOST_LINES) {
            tracing::warn!(provider, file = %path, line, "malformed entry in a key file: {reason}; it stays there and is not used");
        }
        let more = self.malformed.len().saturating_sub(MOST_LINES);
        if more > 0 {
            tracing::warn!(provider, file = %path, "{more} more malformed entries; GET /api/key_files has them all");
        }
        tracing::debug!(provider, file = %path, keys = self.keys.len(), "key file read");
    }
}

/// How many keys came and went, in a sentence.
pub(super) fn summary(counts: &store::Synced) -> String {
    let mut text = "key files:".to_owned();
    for (count, what) in [
        (counts.added, "new"),
        (counts.updated, "changed"),
        (counts.disabled, "disabled"),
    ] {
        if count > 0 {
            let _ = write!(text, " {count} {what},");
        }
    }
    text.trim_end_matches([',', ':']).to_owned()
}
