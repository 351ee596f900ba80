//! The words that enums of `domain` are stored as, and read back from.
//! Stored words never change: rows outlive programs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use domain::{Dialect, KeySource, RetiredReason};

use crate::StoreError;

/// An enum that is stored as a word.
pub(crate) trait Word: Copy + Sized + 'static {
    /// What it is, for errors.
    const WHAT: &'static str;
    /// Every value.
    const ALL: &'static [Self];

    /// The word.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn from_word(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().find(|value| value.word() == word);
        found
            .copied()
            .ok_or_else(|| StoreError::corrupt(format!("{} `{word}`", Self::WHAT)))
    }
}

impl Word for KeySource {
    const WHAT: &'static str = "source";
    const ALL: &'static [Self] = &[Self::Config, Self::Env, Self::File, Self::Admin];

    fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Env => "env",
            Self::File => "file",
            Self::Admin => "admin",
        }
    }
}

impl Word for RetiredReason {
    const WHAT: &'static str = "reason";
    const ALL: &'static [Self] = &[
        Self::Invalid,
        Self::Restricted,
        Self::Suspended,
        Self::Failures,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
            Self::Failures => "failures",
        }
    }
}

impl Word for Dialect {
    const WHAT: &'static str = "dialect";
    const ALL: &'static [Self] = &[Self::Gemini, Self::OpenAi, Self::Anthropic, Self::Simple];

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for domain::Class {
    const WHAT: &'static str = "class";
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

/// Who switched a key or a client off; stored as null where nobody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisabledBy {
    /// An operator: only an operator switches it on again.
    Operator,
    /// The source that named it names it no more; it comes back when a source names it again.
    Source,
}

impl Word for DisabledBy {
    const WHAT: &'static str = "disabled_by";
    const ALL: &'static [Self] = &[Self::Operator, Self::Source];

    fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Source => "source",
        }
    }
}

/// How many different names of endpoints and resources are ever read back; there are some dozens.
const MOST_NAMES: usize = 1_024;

/// The name of an endpoint or a resource as a text that lives as long as the program, which is what `domain` wants.
/// Each name is kept once; past [`MOST_NAMES`], which only a damaged table reaches, all are `other`.
pub(crate) fn static_name(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() == MOST_NAMES {
        return "other";
    }
    let name: &'static str = String::leak(name.to_owned());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Word + PartialEq + std::fmt::Debug>() {
        for value in T::ALL {
            assert_eq!(T::from_word(value.word()).unwrap(), *value);
        }
        let error = T::from_word("nonsense").unwrap_err().to_string();
        assert!(
            error.contains(T::WHAT) && error.contains("nonsense"),
            "{error}"
        );
    }

    #[test]
    fn words_are_read_back() {
        check::<KeySource>();
        check::<RetiredReason>();
        check::<Dialect>();
        check::<domain::Class>();
        check::<DisabledBy>();
    }

    #[test]
    fn name_is_kept_once() {
        let first = static_name("generateContent");
        assert_eq!(first, "generateContent");
        assert!(std::ptr::eq(first, static_name("generateContent")));
    }
}
