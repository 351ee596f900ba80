//! The declarations of `sections/` as one flat table: every field by its path, and when it may change.
//! What is inside of lists and of mappings with free names is a part of its field. Next: `settings.rs`.

use std::sync::LazyLock;

use crate::Shape;
use crate::section::{Change, Field, Section};
use crate::sections::Sections;
use crate::shown::nearest;
use crate::value::Value;

/// A field and where it stands.
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) field: &'static Field,
    pub(crate) change: Change,
}

impl Row {
    /// The names that lead to it.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('.').collect()
    }

    /// The section of `keymux.yaml` that it is in, or itself.
    pub(crate) fn section(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }

    fn is_above(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.starts_with('.'))
    }
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = Vec::new();
    if let Some(root) = Sections::section() {
        collect(root, "", Change::Reload, &mut rows);
    }
    rows
});

fn collect(section: &'static Section, above: &str, inherited: Change, rows: &mut Vec<Row>) {
    for field in section.fields {
        let path = if above.is_empty() {
            field.name.to_owned()
        } else {
            format!("{above}.{}", field.name)
        };
        let change = field.change.unwrap_or(inherited);
        match (field.section)() {
            Some(inner) if matches!((field.shape)(), Shape::Fields { .. }) => {
                collect(inner, &path, change, rows);
            }
            _ => rows.push(Row {
                path,
                field,
                change,
            }),
        }
    }
}

/// The fields that change in that way, in the order of the reference.
pub(crate) fn rows(change: Change) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.change == change)
}

/// The run-time setting of that name.
pub(crate) fn setting(name: &str) -> Option<&'static Row> {
    rows(Change::Live).find(|row| row.path == name)
}

/// Whether that path, for example `retry.max_attempts`, is the name of a run-time setting.
pub fn is_setting(path: &str) -> bool {
    setting(path).is_some()
}

/// What is wrong with a name that is no run-time setting.
pub(crate) fn no_setting(name: &str) -> String {
    let known = ROWS
        .iter()
        .find(|row| row.path == name || row.is_above(name));
    let meant = match known {
        Some(row) if row.change == Change::Live => Some(row.path.as_str()),
        Some(_) => {
            return "is no run-time setting; it is set in the file or the environment".to_owned();
        }
        None => nearest(name, rows(Change::Live).map(|row| row.path.as_str())),
    };
    match meant {
        Some(meant) => format!("unknown setting; did you mean \"{meant}\"?"),
        None => "unknown setting".to_owned(),
    }
}
