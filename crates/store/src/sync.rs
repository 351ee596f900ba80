//! What a source (a file, the environment, the configuration) changes when it states anew what it holds.
//! Pure: rows and wishes in, a plan out. The same rules hold for keys and for clients.
//!
//! - What a source names no more is disabled, never deleted, and comes back when a source names it again.
//! - What an operator switched off stays off.
//! - What several sources name is one row and belongs to the first of config, env, file, admin; when that one
//!   lets go of it, the next takes it over.

use std::collections::HashMap;
use std::hash::Hash;

use domain::KeySource;

use crate::names::DisabledBy;

/// What a synchronisation did, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Seen for the first time.
    pub added: usize,
    /// As they were, or owned by a source that goes first.
    pub unchanged: usize,
    /// Changed, taken over from another source, or enabled again.
    pub updated: usize,
    /// Named no more.
    pub disabled: usize,
}

/// A row that exists.
pub(crate) struct Known<S> {
    pub(crate) id: i64,
    pub(crate) source: KeySource,
    /// False: another instance states it in the name of the same source, or nobody knows whether this one still does.
    pub(crate) is_ours: bool,
    pub(crate) disabled_by: Option<DisabledBy>,
    pub(crate) settings: S,
}

/// A row that becomes as a wish says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The wish, by its index.
    pub(crate) wish: usize,
    /// The row.
    pub(crate) id: i64,
    /// The column as it must be afterwards.
    pub(crate) disabled_by: Option<DisabledBy>,
}

/// What to do; numbers index the wishes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) insert: Vec<usize>,
    pub(crate) update: Vec<Update>,
    /// Row ids.
    pub(crate) disable: Vec<i64>,
    pub(crate) unchanged: usize,
}

impl Plan {
    /// What source `from` changes, which names exactly `wishes`. Of two wishes for one row the first counts. Rows that
    /// are not named stay in `known`.
    pub(crate) fn new<I: Eq + Hash, S: PartialEq>(
        known: &mut HashMap<I, Known<S>>,
        wishes: &[(I, S)],
        from: KeySource,
    ) -> Self {
        let mut plan = Self::default();
        let mut seen = std::collections::HashSet::with_capacity(wishes.len());
        for (index, (identity, settings)) in wishes.iter().enumerate() {
            if !seen.insert(identity) {
                continue;
            }
            match known.remove(identity) {
                None => plan.insert.push(index),
                Some(row) if row.is_changed_by(from, settings) => {
                    let stays_off = row.disabled_by == Some(DisabledBy::Operator);
                    plan.update.push(Update {
                        wish: index,
                        id: row.id,
                        disabled_by: stays_off.then_some(DisabledBy::Operator),
                    });
                }
                Some(_) => plan.unchanged += 1,
            }
        }
        let gone = |row: &Known<S>| row.source == from && row.is_ours && row.disabled_by.is_none();
        plan.disable = known
            .values()
            .filter(|row| gone(row))
            .map(|row| row.id)
            .collect();
        plan.disable.sort_unstable();
        plan
    }

    pub(crate) fn changes_nothing(&self) -> bool {
        self.insert.is_empty() && self.update.is_empty() && self.disable.is_empty()
    }

    pub(crate) fn counts(&self) -> Synced {
        Synced {
            added: self.insert.len(),
            unchanged: self.unchanged,
            updated: self.update.len(),
            disabled: self.disable.len(),
        }
    }
}

impl<S: PartialEq> Known<S> {
    fn is_changed_by(&self, from: KeySource, settings: &S) -> bool {
        let let_go = self.disabled_by == Some(DisabledBy::Source);
        let may_claim = let_go || rank(from) >= rank(self.source);
        let is_another = self.source != from || self.is_ours && self.settings != *settings;
        may_claim && (let_go || is_another)
    }
}

fn rank(source: KeySource) -> u8 {
    match source {
        KeySource::Admin => 0,
        KeySource::File => 1,
        KeySource::Env => 2,
        KeySource::Config => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATOR: Option<DisabledBy> = Some(DisabledBy::Operator);
    const SOURCE: Option<DisabledBy> = Some(DisabledBy::Source);

    #[derive(Debug, PartialEq)]
    enum Does {
        Nothing,
        Disables,
        Updates(Option<DisabledBy>),
    }

    /// What a sync from a file does to a row, when the file names it with these settings, or not.
    fn check_row(row: Known<&'static str>, named: Option<&'static str>, does: &Does) {
        let case = format!("{:?} {:?} {named:?}", row.source, row.disabled_by);
        let wishes: Vec<_> = named
            .into_iter()
            .map(|settings| ("key", settings))
            .collect();
        let mut known = HashMap::from([("key", row)]);
        let plan = Plan::new(&mut known, &wishes, KeySource::File);
        let done = match (plan.update.as_slice(), plan.disable.as_slice()) {
            ([], []) => Does::Nothing,
            ([], [7]) => Does::Disables,
            ([update], []) if (update.wish, update.id) == (0, 7) => {
                Does::Updates(update.disabled_by)
            }
            _ => panic!("{plan:?}"),
        };
        assert_eq!(done, *does, "{case}");
        assert!(plan.insert.is_empty());
    }

    fn row(source: KeySource, disabled_by: Option<DisabledBy>) -> Known<&'static str> {
        Known {
            id: 7,
            source,
            is_ours: true,
            disabled_by,
            settings: "old",
        }
    }

    fn check(
        source: KeySource,
        disabled_by: Option<DisabledBy>,
        named: Option<&'static str>,
        does: &Does,
    ) {
        check_row(row(source, disabled_by), named, does);
    }

    #[test]
    fn row_of_another_instance_is_left_alone_until_it_is_let_go() {
        let others = |disabled_by| Known {
            is_ours: false,
            ..row(KeySource::File, disabled_by)
        };
        check_row(others(None), None, &Does::Nothing);
        check_row(others(None), Some("new"), &Does::Nothing);
        check_row(others(SOURCE), Some("new"), &Does::Updates(None));
    }

    #[test]
    fn own_rows_follow_their_source() {
        let file = KeySource::File;
        check(file, None, Some("old"), &Does::Nothing);
        check(file, None, Some("new"), &Does::Updates(None));
        check(file, None, None, &Does::Disables);
        check(file, SOURCE, Some("old"), &Does::Updates(None));
        check(file, SOURCE, None, &Does::Nothing);
    }

    #[test]
    fn operator_has_the_last_word_on_off() {
        let file = KeySource::File;
        check(file, OPERATOR, Some("old"), &Does::Nothing);
        check(file, OPERATOR, Some("new"), &Does::Updates(OPERATOR));
        check(file, OPERATOR, None, &Does::Nothing);
    }

    #[test]
    fn row_of_several_sources_belongs_to_the_first_of_them() {
        check(KeySource::Admin, None, Some("old"), &Does::Updates(None));
        check(KeySource::Admin, None, None, &Does::Nothing);
        for first in [KeySource::Config, KeySource::Env] {
            check(first, None, Some("new"), &Does::Nothing);
            check(first, None, None, &Does::Nothing);
            check(first, SOURCE, Some("old"), &Does::Updates(None));
        }
    }

    #[test]
    fn new_wishes_are_inserted_once() {
        let wishes = [("a", 1), ("b", 1), ("a", 2)];
        let plan = Plan::new(&mut HashMap::new(), &wishes, KeySource::Env);
        assert_eq!(plan.insert, [0, 1]);
        assert_eq!(
            plan.counts(),
            Synced {
                added: 2,
                ..Synced::default()
            }
        );
        assert!(!plan.changes_nothing());
    }
}
