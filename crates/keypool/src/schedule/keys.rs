//! The keys of a schedule, in order of their ids, and how often their projects were checked in a day.

use std::collections::HashMap;

use domain::KeyId;

use crate::Member;

/// A key's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: KeyId,
    project: u32,
    pub(super) enabled: bool,
    /// It is cooling or retired, as far as was heard.
    pub(super) is_out: bool,
}

/// All keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) rows: Vec<Row>,
    /// Checks in `day`, by project.
    counts: Vec<u16>,
    named: HashMap<Box<str>, u32>,
    /// Days since 1970-01-01, in UTC.
    day: u32,
}

impl Keys {
    pub(super) fn slot_of(&self, id: KeyId) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// Those that can say whether a model exists: switched on, and in use.
    pub(super) fn witnesses(&self) -> usize {
        let able = self.rows.iter().filter(|row| row.enabled && !row.is_out);
        able.count()
    }

    /// These keys, with the counts of those that were here before.
    pub(super) fn of(members: Vec<Member>, before: &Self) -> Self {
        let mut keys = Self {
            rows: Vec::with_capacity(members.len()),
            day: before.day,
            ..Self::default()
        };
        for member in members {
            let project = keys.project(&member, before);
            keys.rows.push(Row {
                id: member.id,
                project,
                enabled: member.enabled,
                is_out: member.is_out,
            });
        }
        keys
    }

    /// The member's project, with what was counted of it.
    fn project(&mut self, member: &Member, before: &Self) -> u32 {
        let count = |known: Option<u32>| known.map_or(0, |known| before.counts[known as usize]);
        let Some(name) = &member.project else {
            let slot = before.slot_of(member.id);
            return self.add_project(count(slot.map(|slot| before.rows[slot].project)));
        };
        if let Some(&project) = self.named.get(name) {
            return project;
        }
        let project = self.add_project(count(before.named.get(name).copied()));
        self.named.insert(name.clone(), project);
        project
    }

    fn add_project(&mut self, count: u16) -> u32 {
        self.counts.push(count);
        (self.counts.len() - 1) as u32
    }

    /// Counts one check of the key's project, unless it has had `most` on that day.
    pub(super) fn count(&mut self, slot: usize, most: u32, day: u32) -> bool {
        if day != self.day {
            self.counts.fill(0);
            self.day = day;
        }
        let count = &mut self.counts[self.rows[slot].project as usize];
        if u32::from(*count) >= most {
            return false;
        }
        *count = count.saturating_add(1);
        true
    }
}
