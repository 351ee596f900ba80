//! Which instance this is, where several share a database and have folders of key files of their own. What an instance
//! finds in its folders it alone can say to be gone, as long as it runs; see `store`'s `key_places.rs`.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use config::Config;
use store::{Store, StoreError};

/// Where an instance keeps its name, so that it has the same one after a restart.
const FILE: &str = "instance.id";
/// After so many beats without one of its own an instance is gone: some two minutes.
const SILENT: u32 = 8;

/// The instance.
#[derive(Debug)]
pub(crate) struct Place {
    /// None: it is the only one.
    name: Option<String>,
    /// Its name is locked while it runs: another instance on the same `data_dir` has one of its own.
    _lock: Option<File>,
}

impl Place {
    /// That of an instance with this configuration. With SQLite it is the only one.
    pub(crate) fn of(config: &Config) -> Self {
        if config.database.url.expose().starts_with("sqlite:") {
            return Self {
                name: None,
                _lock: None,
            };
        }
        match kept_name(&config.server.data_dir.join(FILE)) {
            Ok((name, lock)) => Self {
                name: Some(name),
                _lock: Some(lock),
            },
            Err(error) => {
                tracing::debug!(%error, "{FILE} cannot be used: this instance has another name after a restart");
                Self {
                    name: Some(new_name()),
                    _lock: None,
                }
            }
        }
    }

    /// Its name; none: it is the only one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

fn kept_name(path: &Path) -> std::io::Result<(String, File)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    file.try_lock()?;
    let mut name = String::new();
    file.read_to_string(&mut name)?;
    if name.trim().is_empty() {
        name = new_name();
        writeln!(file, "{name}")?;
    }
    Ok((name.trim().to_owned(), file))
}

fn new_name() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Which other instances are heard of.
#[derive(Debug, Default)]
pub(crate) struct Beats(HashMap<String, (i64, u32)>);

impl Beats {
    /// Gives a sign of life, and listens for those of others. Says whether that changes what becomes of keys: one that
    /// was silent for long is gone, or this one was taken for gone.
    pub(crate) async fn round(&mut self, store: &Store, own: &str) -> Result<bool, StoreError> {
        let all = store.beat_place(own).await?;
        let mut is_any_new = all.iter().any(|(name, beat)| name == own && *beat == 1);
        self.0
            .retain(|name, _| all.iter().any(|(known, _)| known == name));
        for (name, beat) in all.into_iter().filter(|(name, _)| name != own) {
            let (last, silent) = self.0.entry(name.clone()).or_insert((0, 0));
            *silent = if *last == beat { *silent + 1 } else { 0 };
            *last = beat;
            if *silent >= SILENT {
                store.forget_place(&name, beat).await?;
                tracing::info!(
                    "another instance is gone; keys that only its key files had are disabled"
                );
                is_any_new = true;
            }
        }
        Ok(is_any_new)
    }
}

#[cfg(test)]
mod tests {
    use store::MasterKey;

    use super::*;

    #[test]
    fn an_instance_keeps_its_name_and_two_never_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join(FILE);
        let (name, lock) = kept_name(&path).unwrap();
        assert!(kept_name(&path).is_err());
        drop(lock);
        assert_eq!(kept_name(&path).unwrap().0, name);
    }

    #[tokio::test]
    async fn an_instance_is_gone_when_it_was_silent_for_long_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keymux.db").display());
        let store = Store::open(&url, MasterKey::generate()).await.unwrap();
        let (mut one, mut other) = (Beats::default(), Beats::default());
        assert!(one.round(&store, "one").await.unwrap());
        assert!(other.round(&store, "other").await.unwrap());
        for _ in 0..2 * SILENT {
            assert!(!one.round(&store, "one").await.unwrap());
            assert!(!other.round(&store, "other").await.unwrap());
        }
        for _ in 0..SILENT {
            assert!(!one.round(&store, "one").await.unwrap());
        }
        assert!(one.round(&store, "one").await.unwrap());
        assert!(!one.round(&store, "one").await.unwrap());
        // It was only asleep, and has to say again what it finds.
        assert!(other.round(&store, "other").await.unwrap());
    }
}
