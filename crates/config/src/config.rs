//! [`load`]: files and variables in, a [`Config`] or all that is wrong with them out; and the same again, with settings that
//! are stored in the database (`stored.rs`), or from files that have changed.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use domain::Secret;

use crate::files::Files;
use crate::findings::{Findings, SetField};
use crate::reader::Reader;
use crate::section::Change;
use crate::sections::Sections;
use crate::sources::Sources;
use crate::stored::Stored;
use crate::value::{Leaf, Value};
use crate::{ConfigErrors, Env, LoadOptions, Origin, Problem, Warning, check, not_yet, table};

const MASTER_KEY: &str = "KEYMUX_MASTER_KEY";
const OLDER_MASTER_KEYS: &str = "KEYMUX_MASTER_KEY_PREVIOUS";

/// The whole configuration: the sections, which are its fields through [`Deref`], and how it came to be.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) sections: Sections,
    /// The master key of `KEYMUX_MASTER_KEY`.
    pub master_key: Option<Secret>,
    /// Those of `KEYMUX_MASTER_KEY_PREVIOUS`, under which secrets may still be sealed.
    pub older_master_keys: Vec<Secret>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What works, but perhaps not as its author thinks.
    pub warnings: Vec<Warning>,
    set_fields: BTreeMap<String, SetField>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) files: Files,
    pub(crate) stored: Stored,
}

impl Config {
    /// Where the field at a path such as `pool.max_failures` was set; a field in a list has no path.
    pub fn origin(&self, path: &str) -> Origin {
        let field = self.set_fields.get(path);
        field.map_or(Origin::Default, |field| field.origin.clone())
    }

    /// Reads the file and `.env` again, and lays the settings that were stored over them.
    ///
    /// Stored settings that do not fit what is in the file now are left out, with a warning. A file that was there and is
    /// gone is an error: it says less than an empty one.
    pub fn reload(&self) -> Result<Self, ConfigErrors> {
        let options = self.sources.to_read_again();
        let fresh = load(&options, &self.sources.process_env)?;
        let (mut config, left_out) = fresh.with_stored_leniently(self.stored());
        config
            .warnings
            .extend(left_out.into_iter().map(left_out_warning));
        Ok(config)
    }

    /// The fields that are different in `new`, and that only a restart takes over.
    pub fn restart_needed(&self, new: &Self) -> Vec<&'static str> {
        let rows = table::rows(Change::Restart);
        let changed = rows.filter(|row| !self.sections.is_same(&new.sections, &row.segments()));
        let mut names: Vec<&str> = changed.map(|row| row.path.as_str()).collect();
        if self.master_key != new.master_key {
            names.push(MASTER_KEY);
        }
        if self.older_master_keys != new.older_master_keys {
            names.push(OLDER_MASTER_KEYS);
        }
        names
    }

    /// Lays stored settings over the sources. `findings` is what is known of the sources themselves.
    pub(crate) fn lay(
        sources: Arc<Sources>,
        files: Files,
        stored: Stored,
        findings: Findings,
    ) -> Result<Self, ConfigErrors> {
        let nodes = stored.nodes();
        let mut reader = Reader::new(&sources.env).with_stored(&nodes);
        reader.findings = findings;
        reader.files = files;
        let sections = Sections::read(&sources.tree, &mut reader);
        let (mut findings, files) = (reader.findings, reader.files);
        let master_key = master_key(&sources.env, &mut findings);
        let older_master_keys = older_master_keys(&sources.env, &mut findings);
        let sections = sections.map(|mut sections| {
            // Before duplicates are dropped, so that indexes are those of the file.
            not_yet::check(&mut findings);
            check::all(&mut sections, sources.file.as_deref(), &mut findings);
            sections
        });
        let Some(sections) = sections.filter(|_| findings.problems.is_empty()) else {
            return Err(ConfigErrors::from_problems(findings.problems));
        };
        findings.warnings.sort();
        Ok(Self {
            sections,
            master_key,
            older_master_keys,
            file: sources.file.clone(),
            warnings: findings.warnings,
            set_fields: findings.set_fields,
            sources,
            files,
            stored,
        })
    }
}

impl Deref for Config {
    type Target = Sections;

    fn deref(&self) -> &Sections {
        &self.sections
    }
}

/// Reads the file, `.env` and the variables of `env`, in which the real ones stand before those of `.env`.
pub fn load(options: &LoadOptions, env: &Env) -> Result<Config, ConfigErrors> {
    let mut findings = Findings::default();
    let sources = Sources::read(options, env, &mut findings);
    let (files, stored) = (Files::default(), Stored::default());
    Config::lay(Arc::new(sources), files, stored, findings)
}

fn left_out_warning(problem: Problem) -> Warning {
    Warning {
        text: format!("{}: {}; left out", problem.path, problem.text),
        origin: problem.origin,
    }
}

fn master_key(env: &Env, findings: &mut Findings) -> Option<Secret> {
    let parsed = Secret::parse(env.get_filled(MASTER_KEY)?);
    let wrong = |reason: &String| findings.problem(&Origin::env(MASTER_KEY), "", reason.clone());
    parsed.inspect_err(wrong).ok()
}

fn older_master_keys(env: &Env, findings: &mut Findings) -> Vec<Secret> {
    let origin = Origin::env(OLDER_MASTER_KEYS);
    let Some(text) = env.get_filled(OLDER_MASTER_KEYS) else {
        return Vec::new();
    };
    if env.get_filled(MASTER_KEY).is_none() {
        let text = format!("means something only together with {MASTER_KEY}, which is not set");
        findings.problem(&origin, "", text);
    }
    let items = text.split(',').map(str::trim);
    let parsed: Result<Vec<Secret>, String> = items
        .filter(|item| !item.is_empty())
        .map(Secret::parse)
        .collect();
    let wrong = |reason: &String| findings.problem(&origin, "", reason.clone());
    parsed.inspect_err(wrong).unwrap_or_default()
}
