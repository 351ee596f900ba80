//! A folder with a `keymux.yaml`, perhaps a `.env`, and an environment that is a list.

use std::collections::BTreeMap;
use std::fs;

use config::{Config, ConfigErrors, Env, LoadOptions, load};
use serde_json::Value as Json;
use tempfile::TempDir;

pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(self, name: &str, content: &str) -> Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn load(&self, variables: Variables<'_>) -> Result<Config, ConfigErrors> {
        let options = LoadOptions {
            file: None,
            dir: self.0.path().to_owned(),
        };
        load(&options, &variables.iter().copied().collect())
    }
}

/// What comes of a file and an environment.
pub(crate) fn loaded(yaml: &str, variables: Variables<'_>) -> Result<Config, ConfigErrors> {
    Folder::new().with("keymux.yaml", yaml).load(variables)
}

/// A configuration that must be right.
pub(crate) fn config(yaml: &str, variables: Variables<'_>) -> Config {
    loaded(yaml, variables).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"))
}

/// Stored settings, written as JSON.
pub(crate) fn values(json: Json) -> BTreeMap<String, Json> {
    serde_json::from_value(json).unwrap()
}

/// The environment of no variables.
pub(crate) const NONE: Variables<'static> = &[];

/// The options for a file that was asked for.
pub(crate) fn asking_for(file: &str, folder: &Folder) -> LoadOptions {
    LoadOptions {
        file: Some(file.into()),
        dir: folder.path("").into(),
    }
}

pub(crate) fn no_env() -> Env {
    Env::default()
}
