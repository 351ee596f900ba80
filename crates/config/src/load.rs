//! [`load`]: files and variables in, a [`Config`] or all that is wrong with them out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::Secret;

use crate::findings::{Findings, Setting};
use crate::reader::Reader;
use crate::sections::Sections;
use crate::tree::Node;
use crate::value::{Leaf, Value};
use crate::{ConfigErrors, Env, Origin, Warning, check, dotenv, layers, not_yet, yaml};

const FILE: &str = "keymux.yaml";
const DOTENV: &str = ".env";
const MASTER_KEY: &str = "KEYMUX_MASTER_KEY";
/// The largest configuration file, in bytes: room for 100,000 keys.
const MAX_FILE: u64 = 32 << 20;

/// Where to look.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The file that was asked for, which must exist; none: `keymux.yaml` in `dir` if it exists.
    pub file: Option<PathBuf>,
    /// The working directory, whose `.env` is read too.
    pub dir: PathBuf,
}

/// The whole configuration: the sections, which are its fields through [`Deref`], and how it came to be.
#[derive(Clone, Debug)]
pub struct Config {
    sections: Sections,
    /// The master key of `KEYMUX_MASTER_KEY`.
    pub master_key: Option<Secret>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What works, but perhaps not as its author thinks.
    pub warnings: Vec<Warning>,
    settings: BTreeMap<String, Setting>,
}

impl Config {
    /// Where the field at a path such as `pool.max_failures` was set; a field in a list has no path.
    pub fn origin(&self, path: &str) -> Origin {
        let setting = self.settings.get(path);
        setting.map_or(Origin::Default, |setting| setting.origin.clone())
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
    let mut early = Findings::default();
    let env = with_dotenv(&options.dir, env, &mut early);
    let file = existing_file(options);
    let tree = file
        .as_deref()
        .and_then(|path| read_tree(path, options, &mut early));
    let tree = layers::merged(tree, &env, &mut early);

    let mut reader = Reader::new(&env);
    reader.findings = early;
    let sections = Sections::read(&tree, &mut reader);
    let mut findings = reader.findings;
    let master_key = master_key(&env, &mut findings);
    let sections = sections.map(|mut sections| {
        // Before duplicates are dropped, so that indexes are those of the file.
        not_yet::check(&sections, &mut findings);
        check::all(&mut sections, &mut findings);
        sections
    });
    findings.problems.sort();
    findings.warnings.sort();
    match sections {
        Some(sections) if findings.problems.is_empty() => Ok(Config {
            sections,
            master_key,
            file,
            warnings: findings.warnings,
            settings: findings.settings,
        }),
        _ => Err(ConfigErrors {
            problems: findings.problems,
        }),
    }
}

fn existing_file(options: &LoadOptions) -> Option<PathBuf> {
    let usual = options.dir.join(FILE);
    options
        .file
        .clone()
        .or_else(|| usual.exists().then_some(usual))
}

fn read_tree(path: &Path, options: &LoadOptions, findings: &mut Findings) -> Option<Node> {
    // The file in the working directory is called by its name alone, as its author does.
    let shown = path.strip_prefix(&options.dir).unwrap_or(path);
    let shown: Arc<str> = shown.display().to_string().into();
    let at = |line| Origin::file(&shown, line);
    match content_of(path) {
        Ok(text) => yaml::parse(&text, &at, &mut findings.problems),
        Err(error) => {
            findings.problem(&at(0), "", format!("cannot be read: {error}"));
            None
        }
    }
}

fn with_dotenv(dir: &Path, env: &Env, findings: &mut Findings) -> Env {
    let mut env = env.clone();
    let at = |line| Origin::file(&DOTENV.into(), line);
    match content_of(&dir.join(DOTENV)) {
        Ok(text) => env.add_missing(dotenv::parse(&text, &at, findings)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => findings.problem(&at(0), "", format!("cannot be read: {error}")),
    }
    env
}

fn content_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if length as u64 > MAX_FILE {
        return Err(std::io::Error::other(format!(
            "larger than {MAX_FILE} bytes"
        )));
    }
    Ok(text)
}

fn master_key(env: &Env, findings: &mut Findings) -> Option<Secret> {
    let parsed = Secret::parse(env.get_filled(MASTER_KEY)?);
    let wrong = |reason: &String| findings.problem(&Origin::env(MASTER_KEY), "", reason.clone());
    parsed.inspect_err(wrong).ok()
}
