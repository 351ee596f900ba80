//! What loading found out besides the values: problems, warnings, and where each field was set.
//! Nothing here may carry a secret: see `shown.rs`. Problems end in [`ConfigErrors`].

use std::collections::BTreeMap;
use std::fmt;

use crate::Origin;
use crate::override_name::variable_of;

/// Something wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is.
    pub origin: Origin,
    /// The field, for example `pool.max_failures`; empty where no field is concerned.
    pub path: String,
    /// The bad value and what was expected.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.path.is_empty() && !self.is_named_by_its_variable() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.text)
    }
}

impl Problem {
    fn is_named_by_its_variable(&self) -> bool {
        matches!(&self.origin, Origin::Env { name } if **name == *variable_of(&self.path))
    }
}

/// Everything that is wrong with the configuration, one line each when shown.
#[derive(Debug, thiserror::Error)]
pub struct ConfigErrors {
    /// At least one, those of a file in the order of its lines.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    pub(crate) fn from_problems(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self { problems }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Something that works, but perhaps not as its author thinks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where it is.
    pub origin: Origin,
    /// What it is, beginning with the field.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}

/// How a field was set.
#[derive(Clone, Debug)]
pub(crate) struct SetField {
    pub(crate) origin: Origin,
    /// It differs from the default.
    pub(crate) changed: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// By field path; a field that was not set is not in it, and what is inside a list is not either.
    pub(crate) set_fields: BTreeMap<String, SetField>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

impl Findings {
    pub(crate) fn problem(&mut self, origin: &Origin, path: &str, text: impl Into<String>) {
        self.problems.push(Problem {
            origin: origin.clone(),
            path: path.to_owned(),
            text: text.into(),
        });
    }

    pub(crate) fn warn(&mut self, origin: &Origin, text: impl Into<String>) {
        self.warnings.push(Warning {
            origin: origin.clone(),
            text: text.into(),
        });
    }

    /// Where the field was set.
    pub(crate) fn origin(&self, path: &str) -> Origin {
        let field = self.set_fields.get(path);
        field.map_or(Origin::Default, |field| field.origin.clone())
    }

    /// Nothing is wrong with the field so far.
    pub(crate) fn is_sound(&self, path: &str) -> bool {
        self.problems.iter().all(|problem| problem.path != path)
    }
}
