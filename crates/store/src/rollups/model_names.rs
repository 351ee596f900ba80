//! Which models are counted by name. Callers write model names as they like, and each new one would be a row per
//! minute, hour and day, for years: so a name is counted once it has proved to be one, and not without end.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::{Class, RequestRecord};

/// More than all models of all providers that one installation uses.
const MOST_NAMES: usize = 1_000;
const LONGEST_NAME: usize = 200;

/// The names that are counted, by provider. The lock is held for one batch; there is one writer of batches.
#[derive(Debug, Default)]
pub(crate) struct ModelNames(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    count: usize,
    by_provider: HashMap<String, HashSet<String>>,
}

impl ModelNames {
    /// For each record, whether its model is counted by name. Names that a success, or a failure that is not the
    /// request's own fault, shows to be real are learnt.
    pub(super) fn learn(&self, records: &[RequestRecord]) -> Vec<Naming> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let naming = |record: &RequestRecord| match names(record) {
            Some((provider, model)) if !known.has(provider, model) => {
                if known.count < MOST_NAMES && is_real(record, model) {
                    known.add(provider, model);
                    Naming::ByName
                } else {
                    Naming::AsOther
                }
            }
            _ => Naming::ByName,
        };
        records.iter().map(naming).collect()
    }
}

/// How a record's model is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    ByName,
    AsOther,
}

/// Provider and model; none: no model was asked for.
pub(super) fn names(record: &RequestRecord) -> Option<(&str, &str)> {
    let model = record.model.as_deref()?;
    Some((record.provider.as_deref().unwrap_or_default(), model))
}

/// PostgreSQL takes no NUL in texts.
fn is_real(record: &RequestRecord, model: &str) -> bool {
    let is_own_fault = matches!(
        record.error,
        Some(Class::BadRequest | Class::ModelUnavailable | Class::Refused)
    );
    !is_own_fault && model.len() <= LONGEST_NAME && !model.contains('\0')
}

impl Known {
    fn has(&self, provider: &str, model: &str) -> bool {
        let models = self.by_provider.get(provider);
        models.is_some_and(|models| models.contains(model))
    }

    fn add(&mut self, provider: &str, model: &str) {
        let models = self.by_provider.entry(provider.to_owned()).or_default();
        models.insert(model.to_owned());
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use domain::{Dialect, RequestId};

    use super::*;

    fn record(model: &str, error: Option<Class>) -> RequestRecord {
        RequestRecord {
            provider: Some("google".into()),
            model: Some(model.into()),
            error,
            ..RequestRecord::plain(RequestId(1), Dialect::Gemini, "generateContent", 200)
        }
    }

    fn check(names: &ModelNames, model: &str, error: Option<Class>, expected: Naming) {
        let found = names.learn(&[record(model, error)]);
        assert_eq!(found, [expected], "{model:?} {error:?}");
    }

    #[test]
    fn name_is_counted_once_it_has_proved_to_be_one() {
        let names = ModelNames::default();
        for fault in [Class::BadRequest, Class::ModelUnavailable, Class::Refused] {
            check(&names, "gemini", Some(fault), Naming::AsOther);
        }
        check(&names, "gemini", None, Naming::ByName);
        check(&names, "gemini", Some(Class::BadRequest), Naming::ByName);
        check(&names, "slow", Some(Class::Timeout), Naming::ByName);
    }

    #[test]
    fn names_that_no_column_takes_are_not_counted() {
        let names = ModelNames::default();
        check(&names, &"m".repeat(201), None, Naming::AsOther);
        check(&names, "a\0b", None, Naming::AsOther);
    }

    #[test]
    fn there_is_an_end_to_names() {
        let names = ModelNames::default();
        for number in 0..MOST_NAMES {
            check(&names, &format!("model-{number}"), None, Naming::ByName);
        }
        check(&names, "one-more", None, Naming::AsOther);
        check(&names, "model-7", None, Naming::ByName);
    }
}
