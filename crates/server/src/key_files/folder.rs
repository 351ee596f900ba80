//! One folder of key files as it is known: which files it has, and what is said of them. What becomes of each is in
//! `key_file.rs`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::UnixMs;

use super::key_file::{Becomes, KeyFile, Place};
use super::listing::{Entry, Found, Name, is_notable, list};
use super::report::FileReport;

/// How hard to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// What has changed and settled.
    Settled,
    /// The same, and what could not be read or rewritten is tried again.
    Again,
    /// Everything as it is at this moment: at the start, and when somebody asks for it.
    Now,
}

/// How it was looked, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(super) look: Look,
    pub(super) instant: Instant,
    pub(super) time: UnixMs,
}

/// A folder of a provider.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) provider: Arc<str>,
    pub(super) path: PathBuf,
    /// Why it cannot be read.
    pub(super) problem: Option<String>,
    /// It was read at least once.
    pub(super) is_known: bool,
    pub(super) files: BTreeMap<Name, KeyFile>,
    pub(super) left_out: Vec<(Name, &'static str)>,
    /// keymux's own files in it.
    pub(super) own: Vec<PathBuf>,
    /// Those of them that nobody but people can judge.
    pub(super) leftovers: Vec<FileReport>,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// What the folder states may be different.
    pub(super) has_changed: bool,
    /// What is to be said of it is, whatever it states.
    pub(super) says_else: bool,
    /// When to look again.
    pub(super) again: Option<Duration>,
}

impl Looked {
    pub(super) fn look_again_in(&mut self, wait: Duration) {
        self.again = Some(self.again.map_or(wait, |other| other.min(wait)));
    }

    pub(super) fn add(&mut self, other: Self) {
        self.has_changed |= other.has_changed;
        self.says_else |= other.says_else;
        if let Some(wait) = other.again {
            self.look_again_in(wait);
        }
    }
}

impl Moment {
    pub(crate) fn now(look: Look, time: UnixMs) -> Self {
        Self {
            look,
            instant: Instant::now(),
            time,
        }
    }
}

impl Folder {
    pub(super) fn new(provider: &str, path: &Path) -> Self {
        Self {
            provider: provider.into(),
            path: path.to_owned(),
            problem: None,
            is_known: false,
            files: BTreeMap::new(),
            left_out: Vec::new(),
            own: Vec::new(),
            leftovers: Vec::new(),
        }
    }

    /// Looks what has become of it.
    pub(super) fn look(&mut self, moment: Moment) -> Looked {
        match list(&self.path) {
            Ok((entries, own)) => {
                self.own = own;
                self.take_listing(entries, moment)
            }
            Err(error) => self.cannot_be_read(&error),
        }
    }

    fn cannot_be_read(&mut self, error: &io::Error) -> Looked {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => {
                "there is no such folder; it is read as soon as it is there".to_owned()
            }
            _ => error.to_string(),
        };
        let has_changed = self.problem.as_deref() != Some(&*problem);
        if has_changed {
            let (provider, folder) = (&*self.provider, self.path.display());
            tracing::warn!(provider, %folder, "keys_dir cannot be read: {problem}; its keys stay as they are");
        }
        self.problem = Some(problem);
        Looked {
            has_changed,
            ..Looked::default()
        }
    }

    fn take_listing(&mut self, entries: Vec<Entry>, moment: Moment) -> Looked {
        let mut looked = Looked {
            has_changed: !self.is_known || self.problem.is_some(),
            ..Looked::default()
        };
        if self.problem.take().is_some() {
            let (provider, folder) = (&*self.provider, self.path.display());
            tracing::info!(provider, %folder, "keys_dir can be read again");
        }
        self.is_known = true;
        let mut left_out = Vec::new();
        let mut there = BTreeMap::new();
        for Entry { name, found } in entries {
            match found {
                Found::LeftOut(reason) => left_out.push((name, reason)),
                found => drop(there.insert(name, found)),
            }
        }
        looked.says_else = self.left_out != left_out;
        self.say_what_is_left_out(&left_out);
        self.left_out = left_out;
        for name in there.keys() {
            let unknown = || KeyFile::new(moment);
            self.files.entry(name.clone()).or_insert_with(unknown);
        }
        let (provider, folder) = (&*self.provider, &*self.path);
        self.files.retain(|name, file| {
            let place = Place {
                provider,
                path: &folder.join(&name.raw),
            };
            let (becomes, own) = file.follow(there.get(name), &place, moment);
            looked.add(own);
            becomes == Becomes::Kept
        });
        looked
    }

    fn say_what_is_left_out(&self, left_out: &[(Name, &'static str)]) {
        let is_new = |entry: &&(Name, &'static str)| !self.left_out.contains(entry);
        for (name, reason) in left_out.iter().filter(is_new) {
            if is_notable(reason) {
                let (provider, path) = (&*self.provider, self.path.join(&name.raw));
                tracing::info!(provider, file = %path.display(), "left out of the key files: it is {reason}");
            }
        }
    }

    /// What is to be said of its files.
    pub(super) fn report(&self) -> Vec<FileReport> {
        let folder = FileReport::of_folder(&self.provider, &self.path);
        let problem = self.problem.as_ref().map(|problem| FileReport {
            problem: Some(problem.clone()),
            ..folder.clone()
        });
        let files = self.files.iter().map(|(name, file)| FileReport {
            file: Some(name.shown.clone()),
            ..file.report(&folder)
        });
        let left_out = self.left_out.iter().map(|(name, reason)| FileReport {
            file: Some(name.shown.clone()),
            left_out: Some((*reason).to_owned()),
            ..folder.clone()
        });
        let all = problem.into_iter().chain(files).chain(left_out);
        let mut all: Vec<FileReport> = all.chain(self.leftovers.iter().cloned()).collect();
        all.sort_by(|one, other| one.file.cmp(&other.file));
        all
    }
}

#[cfg(test)]
mod tests;
