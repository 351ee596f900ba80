//! Key files: folders whose files are edited, broken, removed and rewritten while keymux runs, and what becomes of the
//! pool.

mod changes;
mod instances;
mod operators;
mod program;
mod rewriting;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{Builder, TestGateway, eventually};

/// A folder of key files.
#[derive(Debug)]
struct Keys(TempDir);

impl Keys {
    /// With these files, by name and text.
    fn new(files: &[(&str, &str)]) -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            keys.write(name, text);
        }
        keys
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// As editors do that keep the old file until the new one is whole.
    fn rename_over(&self, name: &str, text: &str) {
        self.write("4913.tmp", text);
        fs::rename(self.path("4913.tmp"), self.path(name)).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let file = fs::OpenOptions::new().append(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A gateway that follows it.
    fn gateway(&self) -> Builder {
        TestGateway::new().provider("keys_dir", &self.0.path().display().to_string())
    }
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// The keys of files that are in use.
fn in_use(gateway: &TestGateway) -> BTreeSet<String> {
    let keys = gateway.running.keys("google").into_iter();
    let keys = keys.map(|status| status.cell.key.clone());
    keys.filter(|key| key.enabled && key.file.is_some())
        .map(|key| key.secret.expose().to_owned())
        .collect()
}

/// Waits until just these keys of files are in use.
async fn follows(gateway: &TestGateway, keys: &[&str]) {
    let expected = set(keys);
    eventually(&format!("the keys are {keys:?}"), async || {
        (in_use(gateway) == expected).then_some(())
    })
    .await;
}

/// Every key that was ever there.
async fn ever_seen(gateway: &TestGateway) -> BTreeSet<String> {
    let rows = gateway.running.store().load_keys().await.unwrap();
    let keys = rows
        .into_iter()
        .map(|(key, _)| key.secret.expose().to_owned());
    keys.collect()
}
