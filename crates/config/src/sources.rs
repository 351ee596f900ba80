//! What a configuration is laid from: the file, `.env` and the environment, kept so that stored settings can be laid over
//! the same ones again, and so that the same places can be read anew. Next: `config.rs`.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files;
use crate::findings::Findings;
use crate::tree::Node;
use crate::{Env, Origin, dotenv, layers, yaml};

const FILE: &str = "keymux.yaml";
const DOTENV: &str = ".env";
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

/// Everything that was read.
pub(crate) struct Sources {
    pub(crate) options: LoadOptions,
    /// Without what `.env` adds.
    pub(crate) process_env: Env,
    pub(crate) env: Env,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// File and environment, laid over each other.
    pub(crate) tree: Node,
}

impl Sources {
    /// Reads the file, `.env` and the variables of `env`, in which the real ones stand before those of `.env`.
    pub(crate) fn read(options: &LoadOptions, process_env: &Env, findings: &mut Findings) -> Self {
        let env = with_dotenv(&options.dir, process_env, findings);
        let file = existing_file(options);
        let tree = file
            .as_deref()
            .and_then(|path| read_tree(path, options, findings));
        Self {
            options: options.clone(),
            process_env: process_env.clone(),
            tree: layers::merged(tree, &env, findings),
            env,
            file,
        }
    }

    /// Where to look when everything is read again: the file that was read is asked for now.
    pub(crate) fn to_read_again(&self) -> LoadOptions {
        LoadOptions {
            file: self.file.clone(),
            ..self.options.clone()
        }
    }
}

/// The tree holds secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Sources");
        shown.field("options", &self.options);
        shown.finish_non_exhaustive()
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
    match files::read(path, MAX_FILE) {
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
    match files::read(&dir.join(DOTENV), MAX_FILE) {
        Ok(text) => env.add_missing(dotenv::parse(&text, &at, findings)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => findings.problem(&at(0), "", format!("cannot be read: {error}")),
    }
    env
}
