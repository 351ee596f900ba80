//! Where a value was set: what the dashboard shows as fixed, and what an error message points at.

use std::fmt;
use std::sync::Arc;

/// Where a value was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere: it is built in, and may be changed while running.
    #[default]
    Default,
    /// In the database: by the admin API, while running.
    Stored,
    /// In the configuration file, or in `.env` for what is wrong with that file itself.
    File {
        /// The file as it was named.
        file: Arc<str>,
        /// Counted from 1; 0 stands for the file as a whole.
        line: usize,
    },
    /// In a variable of the environment or of `.env`.
    Env {
        /// The variable.
        name: Arc<str>,
    },
}

impl Origin {
    /// The kind of place, in the admin API: `default`, `stored`, `file` or `environment`. `Display` names the place itself.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Stored => "stored",
            Self::File { .. } => "file",
            Self::Env { .. } => "environment",
        }
    }

    /// What is set there is changed there only, not while running.
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Env { .. })
    }

    pub(crate) fn file(file: &Arc<str>, line: usize) -> Self {
        let file = Arc::clone(file);
        Self::File { file, line }
    }

    pub(crate) fn env(name: &str) -> Self {
        Self::Env { name: name.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("built-in default"),
            Self::Stored => f.write_str("stored setting"),
            Self::File { file, line: 0 } => f.write_str(file),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Env { name } => write!(f, "environment {name}"),
        }
    }
}
