//! `logs`: logs and request records.

use std::path::PathBuf;
use std::time::Duration;

use crate::Bytes;
use crate::section::{choice, section};

section! {
    /// Logs and request records.
    pub struct Logs {
        /// The least important events that are logged.
        level: LogLevel = "info"; live,
        /// How they are written.
        format: LogFormat = "pretty"; live,
        /// How long request records are kept.
        retention: Duration = "30d" in "1m" ..= "3650d"; live,
        /// How much room request records may take.
        max_size: Bytes = "2GiB" in "1MiB" ..= "1024TiB"; live,
        /// How often old records are deleted.
        prune_interval: Duration = "1m" in "1s" ..= "1d"; live,
        /// Which bodies are kept with the records.
        bodies: Bodies = "none"; live,
        /// A file to which a report about the models is appended; at 1 MiB it becomes `….1`, and that `….2`.
        status_file: Option<PathBuf> = "null",
        /// How often a report is appended to it.
        status_interval: Duration = "30m" in "1s" ..= "365d"; live,
    }
}

choice! {
    /// The least important events that are logged.
    pub enum LogLevel {
        /// What failed.
        Error = "error",
        /// And what may fail.
        Warn = "warn",
        /// And what is done.
        Info = "info",
        /// And how.
        Debug = "debug",
        /// And every step.
        Trace = "trace",
    }
}

choice! {
    /// How events are written.
    pub enum LogFormat {
        /// Lines for people.
        Pretty = "pretty",
        /// A JSON object a line.
        Json = "json",
    }
}

choice! {
    /// Which bodies are kept with request records.
    pub enum Bodies {
        /// None.
        None = "none",
        /// Those of requests that failed.
        Errors = "errors",
        /// All.
        All = "all",
    }
}
