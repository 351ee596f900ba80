//! Key files: folders of which every file holds keys (`providers.*.keys_dir`). Here is what the program knows of them, and
//! how that is stated to the store. What is in a folder is in `folder.rs` and `key_file.rs`, what is read and what is left out in
//! `listing.rs`, how files are brought into one key a line in `tidying.rs` and `replace.rs`. When to look is decided in
//! `jobs/key_files.rs`.

mod content;
mod folder;
mod key_file;
mod listing;
mod place;
mod replace;
mod report;
mod tidying;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::Config;
use domain::{Action, Event, KeyId, UnixMs};
use store::{Change, FileKey, FileKeys, Store};
use tokio::sync::{Mutex, Notify};

pub(crate) use self::folder::{Look, Moment};
pub(crate) use self::place::{Beats, Place};
pub(crate) use self::report::FileReport;

use self::folder::{Folder, Looked};
use self::tidying::Kept;
use self::watch::Watch;
use crate::activity::KEYMUX;

/// What the program knows of its key files.
#[derive(Debug)]
pub(crate) struct KeyFiles {
    place: Place,
    /// An async mutex: it is held while files are read and while the store is told, so that an older look never goes
    /// over a newer one. Requests do not look here.
    folders: Arc<Mutex<Folders>>,
    reports: ArcSwap<Vec<FileReport>>,
    again: Notify,
    /// Something has happened in a folder.
    something: Arc<Notify>,
}

/// A statement that changes keys. It is to be published, and acknowledged by [`KeyFiles::stated`].
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) change: Change,
    pub(crate) touched: Vec<KeyId>,
    pub(crate) version: Version,
}

/// Which of the things that the folders have stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(u64);

#[derive(Debug, Default)]
struct Folders {
    folders: BTreeMap<String, Folder>,
    kept: Kept,
    watch: Option<Watch>,
    found: Version,
    stated: Version,
}

impl KeyFiles {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            folders: Arc::new(Mutex::new(Folders {
                // What was in the folders of the last run may be there no more, even where there is no folder now.
                found: Version(1),
                ..Folders::default()
            })),
            reports: ArcSwap::default(),
            again: Notify::new(),
            something: Arc::default(),
        }
    }

    /// The name of this instance; none: it is the only one.
    pub(crate) fn place(&self) -> Option<&str> {
        self.place.name()
    }

    /// What is to be said of every file.
    pub(crate) fn reports(&self) -> Arc<Vec<FileReport>> {
        self.reports.load_full()
    }

    /// Has the job look again soon.
    pub(crate) fn look_again(&self) {
        self.again.notify_one();
    }

    /// Ends when somebody wants another look.
    pub(crate) async fn asked(&self) {
        self.again.notified().await;
    }

    /// Notices from now on when something happens in a folder.
    pub(crate) async fn begin_watching(&self) {
        self.folders.lock().await.watch = Some(Watch::new(self.something.clone()));
    }

    /// Ends when something has happened in a folder.
    pub(crate) async fn something(&self) {
        self.something.notified().await;
    }

    /// Follows the folders of this configuration from now on, and looks what is in them at this moment.
    pub(crate) async fn follow(&self, config: &Config, now: UnixMs) -> anyhow::Result<()> {
        let wanted = folders_of(config);
        let moment = Moment::now(Look::Now, now);
        let look = move |folders: &mut Folders| {
            let mut looked = Looked {
                has_changed: folders.follow(&wanted),
                ..Looked::default()
            };
            looked.add(folders.look(moment));
            looked
        };
        self.with_folders(look).await.map(drop)
    }

    /// Looks, and brings files into one key a line. Says when to do so again, where it cannot wait.
    pub(crate) async fn look(&self, moment: Moment) -> anyhow::Result<Option<Duration>> {
        let look = move |folders: &mut Folders| {
            let mut looked = folders.look(moment);
            looked.add(folders.tidy(moment));
            looked
        };
        Ok(self.with_folders(look).await?.again)
    }

    /// Files are slow, and may be on a network.
    async fn with_folders(
        &self,
        work: impl FnOnce(&mut Folders) -> Looked + Send + 'static,
    ) -> anyhow::Result<Looked> {
        let mut folders = self.folders.clone().lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let looked = work(&mut folders);
            if looked.has_changed {
                folders.found.0 += 1;
            }
            (looked, folders)
        });
        let (looked, folders) = done.await?;
        if looked.has_changed || looked.says_else {
            self.reports.store(Arc::new(folders.report()));
        }
        Ok(looked)
    }

    /// Whether there is a folder to look at.
    pub(crate) async fn has_folders(&self) -> bool {
        !self.folders.lock().await.folders.is_empty()
    }

    /// States to the store what was found, unless it knows that already.
    pub(crate) async fn state(
        &self,
        store: &Store,
        now: UnixMs,
    ) -> anyhow::Result<Option<Statement>> {
        let mut folders = self.folders.lock().await;
        let version = folders.found;
        if folders.stated == version {
            return Ok(None);
        }
        let files = folders.keys(self.place());
        if let Some(place) = self.place().filter(|_| !files.read.is_empty()) {
            store.beat_place(place).await?;
        }
        if !store.differs_from_files(&files).await? {
            folders.stated = version;
            return Ok(None);
        }
        let change = store.change().await?;
        let done = change.state_file_keys(&files, now).await?;
        let summary = report::summary(&done.counts);
        tracing::info!("{summary}");
        let event = Event::new(KEYMUX, Action::Update, "keys").details(summary);
        change.log(&event, now).await?;
        Ok(Some(Statement {
            change,
            touched: done.touched,
            version,
        }))
    }

    /// That is in force now.
    pub(crate) async fn stated(&self, version: Version) {
        self.folders.lock().await.stated = version;
    }

    /// Tidies up at the end of the program.
    pub(crate) async fn finish(&self) {
        self.folders.lock().await.kept.finish();
    }
}

/// Reads the folders of a configuration once, and says what is to be said of them.
pub(crate) fn inspect(config: &Config, now: UnixMs) -> Vec<FileReport> {
    let mut folders = Folders::default();
    let _ = folders.follow(&folders_of(config));
    folders.look(Moment::now(Look::Now, now));
    folders.report()
}

/// The folders of a configuration, by provider.
fn folders_of(config: &Config) -> BTreeMap<String, PathBuf> {
    let all = config.providers.iter();
    all.filter_map(|(name, provider)| Some((name.clone(), provider.keys_dir.clone()?)))
        .collect()
}

impl Folders {
    /// Has these folders and no others. Says whether that is new.
    fn follow(&mut self, wanted: &BTreeMap<String, PathBuf>) -> bool {
        let before = self.folders.len();
        let is_wanted = |name: &String, path: &Path| wanted.get(name).is_some_and(|at| at == path);
        self.folders
            .retain(|name, folder| is_wanted(name, &folder.path));
        let mut has_changed = self.folders.len() != before;
        for (name, path) in wanted {
            if !self.folders.contains_key(name) {
                self.folders.insert(name.clone(), Folder::new(name, path));
                has_changed = true;
            }
        }
        has_changed
    }

    fn look(&mut self, moment: Moment) -> Looked {
        let mut looked = Looked {
            // What is in the store may have changed as well.
            has_changed: moment.look != Look::Settled,
            ..Looked::default()
        };
        if let Some(watch) = &mut self.watch {
            // Before it is looked: what happens in between is seen either way.
            let folders = self.folders.values().map(|folder| folder.path.clone());
            watch.follow(&folders.collect::<Vec<_>>());
        }
        for folder in self.folders.values_mut() {
            looked.add(folder.look(moment));
        }
        looked
    }

    fn tidy(&mut self, moment: Moment) -> Looked {
        let mut looked = self.kept.look(self.folders.values_mut(), moment);
        for folder in self.folders.values_mut() {
            looked.add(self.kept.tidy(folder, moment));
            if moment.look == Look::Again {
                self.kept.clear_up(folder, moment.time);
            }
        }
        looked
    }

    fn report(&self) -> Vec<FileReport> {
        self.folders.values().flat_map(Folder::report).collect()
    }

    /// What the files state.
    fn keys(&self, place: Option<&str>) -> FileKeys {
        let mut stated = FileKeys {
            place: place.map(str::to_owned),
            ..FileKeys::default()
        };
        for folder in self.folders.values() {
            let provider = &folder.provider;
            if folder.is_known {
                stated.read.insert(provider.clone());
            } else {
                stated.unreadable.insert(provider.clone());
            }
            for (name, file) in &folder.files {
                let Some(content) = &file.content else {
                    let file = (provider.clone(), name.shown.clone());
                    stated.unreadable_files.insert(file);
                    continue;
                };
                let key = |secret: &domain::Secret| FileKey {
                    provider: provider.clone(),
                    file: name.shown.clone(),
                    secret: secret.clone(),
                };
                stated.keys.extend(content.keys.iter().map(key));
            }
        }
        stated
    }
}
