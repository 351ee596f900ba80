//! Notices at once when something happens in a folder. Where that is impossible (there is no such folder yet, the system
//! has no watches left, a network drive) folders are looked at every few seconds anyway: see `jobs/key_files.rs`.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// The folders that are watched.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: HashMap<PathBuf, Identity>,
    has_complained: bool,
}

/// A folder whatever it is called: another one may take its place.
type Identity = (u64, u64, Option<SystemTime>);

impl Watch {
    /// Tells `something` when something has happened in one of the folders.
    pub(super) fn new(something: Arc<Notify>) -> Self {
        let mut watch = Self {
            watcher: None,
            watched: HashMap::new(),
            has_complained: false,
        };
        match notify::recommended_watcher(move |event| {
            if is_of_interest(&event) {
                something.notify_one();
            }
        }) {
            Ok(watcher) => watch.watcher = Some(watcher),
            Err(error) => watch.complain(&error),
        }
        watch
    }

    /// Watches these folders and no others, as far as they are there.
    pub(super) fn follow(&mut self, folders: &[PathBuf]) {
        let gone: Vec<PathBuf> = self
            .watched
            .iter()
            .filter(|(path, known)| {
                !folders.contains(path) || identity(path).as_ref() != Some(known)
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.watched.remove(&path);
            if let Some(watcher) = &mut self.watcher {
                // It may be gone with its folder.
                watcher.unwatch(&path).ok();
            }
        }
        for path in folders {
            if !self.watched.contains_key(path) {
                self.begin(path);
            }
        }
    }

    fn begin(&mut self, path: &Path) {
        let (Some(watcher), Some(identity)) = (&mut self.watcher, identity(path)) else {
            return;
        };
        match watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.watched.insert(path.to_owned(), identity)),
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&mut self, error: &notify::Error) {
        if !std::mem::replace(&mut self.has_complained, true) {
            tracing::warn!(
                "folders of key files cannot be watched: {error}; changes take some seconds more"
            );
        }
    }
}

/// That a file was read, for example by keymux, is none.
fn is_of_interest(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) => match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            EventKind::Access(_) => false,
            _ => true,
        },
        // Events may have been missed.
        Err(_) => true,
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let metadata: Metadata = std::fs::metadata(path).ok()?;
    metadata
        .is_dir()
        .then_some((metadata.dev(), metadata.ino(), metadata.created().ok()))
}
