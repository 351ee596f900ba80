//! Settings that are stored in the database: a layer below the file and the environment, and above the defaults.
//! Each value is checked by itself, whether it is hidden by a stronger source or not, and then all of them together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::findings::Findings;
use crate::reader::Reader;
use crate::shown::safe_path;
use crate::tree::{Entry, Node, Style};
use crate::{Config, ConfigErrors, Env, Origin, Problem, masked, table};

/// Values of run-time settings by name. Some are secrets, and are here in full.
#[derive(Clone, Default)]
pub(crate) struct Stored(Arc<BTreeMap<String, Json>>);

impl Stored {
    pub(crate) fn nodes(&self) -> BTreeMap<String, Node> {
        let values = self.0.iter();
        values
            .map(|(name, value)| (name.clone(), node(value)))
            .collect()
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} settings)", self.0.len())
    }
}

impl Config {
    /// The same sources with these settings stored, by name, instead of those that were; null stands for none.
    ///
    /// A masked secret stands for what [`Config::stored`] has in its place; [`Config::stored`] of the result has it in full.
    pub fn with_stored(&self, values: &BTreeMap<String, Json>) -> Result<Self, ConfigErrors> {
        let mut findings = Findings::default();
        let mut kept = BTreeMap::new();
        for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            let value = masked::restored(name, value, self.stored.0.get(name));
            if let Err(problems) = listed(name, &value) {
                findings.problems.extend(problems);
            }
            kept.insert(name.clone(), value);
        }
        if !findings.problems.is_empty() {
            return Err(ConfigErrors::from_problems(findings.problems));
        }
        let (sources, files) = (self.sources.clone(), self.files.clone());
        Self::lay(sources, files, Stored(Arc::new(kept)), findings)
    }

    /// The same, but what does not fit is left out, and why is said: for the start, and after the file has changed.
    pub fn with_stored_leniently(&self, values: &BTreeMap<String, Json>) -> (Self, Vec<Problem>) {
        let mut values = values.clone();
        let mut left_out = Vec::new();
        loop {
            let problems = match self.with_stored(&values) {
                Ok(config) => return (config, left_out),
                Err(errors) => errors.problems,
            };
            let before = values.len();
            values.retain(|name, _| !problems.iter().any(|problem| is_about(problem, name)));
            left_out.extend(problems);
            if before == 0 {
                return (self.clone(), left_out);
            }
            if values.len() == before {
                values.clear();
            }
        }
    }

    /// The stored settings that it was made with, by name; those too that a stronger source hides.
    ///
    /// This is what is kept in the database. Secrets are in it in full.
    pub fn stored(&self) -> &BTreeMap<String, Json> {
        &self.stored.0
    }
}

/// A value of a setting as it is listed, or what is wrong with it.
pub(crate) fn listed(name: &str, value: &Json) -> Result<Json, Vec<Problem>> {
    let Some(row) = table::setting(name) else {
        return Err(vec![Problem {
            origin: Origin::Stored,
            path: safe_path(name),
            text: table::no_setting(name),
        }]);
    };
    let env = Env::default();
    let mut reader = Reader::new(&env);
    match reader.alone(name, &node(value), row.field) {
        Some(listed) if reader.findings.problems.is_empty() => Ok(listed),
        _ => Err(reader.findings.problems),
    }
}

fn is_about(problem: &Problem, name: &str) -> bool {
    let rest = problem.path.strip_prefix(&safe_path(name));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The value as it would be in a file, but that nothing in it is a reference.
fn node(value: &Json) -> Node {
    let scalar = |text: String| Node::scalar(Origin::Stored, text, Style::Verbatim);
    match value {
        Json::Null => Node::scalar(Origin::Stored, "", Style::Plain),
        Json::Bool(value) => scalar(value.to_string()),
        Json::Number(value) => scalar(value.to_string()),
        Json::String(value) => scalar(value.clone()),
        Json::Array(items) => Node::list(Origin::Stored, items.iter().map(node).collect()),
        Json::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| Entry {
                key: key.clone(),
                key_origin: Origin::Stored,
                node: node(value),
            });
            Node::map(Origin::Stored, entries.collect())
        }
    }
}
