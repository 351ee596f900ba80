//! Who is in the pool: slots, their tickets by priority, and the projects that share quotas.
//! A key of weight w holds w tickets of its tier, so that drawing a ticket draws by weight.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::{Certainty, Key, KeyHealth, KeyId, KeyState, MAX_WEIGHT, UnixMs, Verdict};

use crate::KeyCell;
use crate::scores::Scores;

/// A key's place.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) cell: Arc<KeyCell>,
    pub(crate) state: KeyState,
    /// When the state last turned against the key: an answer that began before does not clear it.
    pub(crate) failed_at: UnixMs,
    /// One request is trying the key out; nobody else should before then.
    pub(crate) probing_until: UnixMs,
    pub(crate) tier: usize,
    pub(crate) tickets: Range<usize>,
    pub(crate) project: u32,
    pub(crate) removed: bool,
    pub(crate) unsaved: bool,
    /// The number of its state's last change.
    pub(crate) change: u64,
}

impl Slot {
    /// Whether an operator lets the key be used at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.removed && self.cell.key.enabled
    }

    /// When it can be used again, its pairs aside; none: not without an operator.
    pub(crate) fn returns_at(&self) -> Option<UnixMs> {
        match self.state.health {
            _ if !self.may_return() => None,
            KeyHealth::Cooling(cooling) => Some(cooling.until),
            KeyHealth::Active | KeyHealth::Retired { .. } => Some(UnixMs(0)),
        }
    }

    /// An attempt that began then was under way when the key failed: what it says confirms nothing, and counts once.
    pub(crate) fn has_heard_of(&self, verdict: &Verdict, began: UnixMs) -> bool {
        began < self.failed_at
            && match verdict.certainty {
                Certainty::Decisive => false,
                Certainty::Suspected => self.state.health != KeyHealth::Active,
                Certainty::Counted => true,
            }
    }

    /// Whether it can come back without an operator.
    pub(crate) fn may_return(&self) -> bool {
        self.is_on() && !matches!(self.state.health, KeyHealth::Retired { .. })
    }
}

/// Keys of one priority.
#[derive(Debug)]
pub(crate) struct Tier {
    priority: i16,
    /// The slot of each ticket.
    pub(crate) tickets: Vec<u32>,
    /// The largest virtual load at which a key was taken.
    pub(crate) clock: AtomicU64,
}

/// A provider-side account.
#[derive(Debug)]
pub(crate) struct Project {
    name: ProjectName,
    pub(crate) slots: Vec<u32>,
}

/// Most keys are projects of their own; their names are made when they are asked for.
#[derive(Debug)]
enum ProjectName {
    Given(Box<str>),
    OwnOf(KeyId),
}

impl Project {
    /// Its name across restarts; for a key with no project, `key:` and its id.
    pub(crate) fn name(&self) -> String {
        match &self.name {
            ProjectName::Given(name) => name.to_string(),
            ProjectName::OwnOf(id) => Key::own_project_name(*id),
        }
    }
}

/// Every key of the provider.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    pub(crate) slots: Vec<Slot>,
    pub(crate) tiers: Vec<Tier>,
    /// Indices of `tiers`, lowest priority value first.
    pub(crate) order: Vec<usize>,
    pub(crate) projects: Vec<Project>,
    pub(crate) scores: Scores,
    by_id: HashMap<KeyId, u32>,
    by_project: HashMap<Box<str>, u32>,
}

impl Roster {
    /// The slot of a key.
    pub(crate) fn slot_of(&self, id: KeyId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The key is in, and as it is here.
    pub(crate) fn has_unchanged(&self, key: &Key) -> bool {
        self.slot_of(key.id)
            .is_some_and(|slot| self.slots[slot as usize].cell.key == *key)
    }

    /// The project of that name.
    pub(crate) fn project_of(&self, name: &str) -> Option<u32> {
        self.by_project
            .get(name)
            .copied()
            .or_else(|| self.own_project(Key::of_own_project(name)?))
    }

    /// Whose keys reach what belongs to the project of that name. A key that has joined others takes along what was its
    /// own.
    pub(crate) fn heir_of(&self, name: &str) -> Option<u32> {
        self.project_of(name).or_else(|| {
            let slot = self.slot_of(Key::of_own_project(name)?)?;
            Some(self.slots[slot as usize].project)
        })
    }

    /// The project that consists of this key.
    fn own_project(&self, id: KeyId) -> Option<u32> {
        let project = self.slots[self.slot_of(id)? as usize].project;
        let name = &self.projects[project as usize].name;
        matches!(name, ProjectName::OwnOf(own) if *own == id).then_some(project)
    }

    /// Adds a key, or takes over what has changed about it. Gives the slot.
    pub(crate) fn upsert(&mut self, key: Key, state: KeyState) -> u32 {
        let project = self.project(&key);
        let tier = self.tier(key.priority);
        let Some(index) = self.slot_of(key.id) else {
            return self.add(key, state, tier, project);
        };
        let weight = usize::from(weight(&key));
        let slot = &self.slots[index as usize];
        let tickets = if slot.tier == tier && slot.tickets.len() == weight {
            slot.tickets.clone()
        } else {
            self.issue_tickets(tier, weight, index)
        };
        self.move_to_project(index, project);
        let cell = Arc::new(KeyCell::new(key, index, self.scores.handle(index)));
        let slot = &mut self.slots[index as usize];
        slot.cell = cell;
        (slot.tier, slot.tickets, slot.removed) = (tier, tickets, false);
        index
    }

    /// Takes a key out for good. Its slot stays, so that indices do not move.
    pub(crate) fn remove(&mut self, id: KeyId) -> Option<u32> {
        let index = self.by_id.remove(&id)?;
        self.slots[index as usize].removed = true;
        self.leave_project(index);
        Some(index)
    }

    fn add(&mut self, key: Key, state: KeyState, tier: usize, project: u32) -> u32 {
        let index = self.slots.len() as u32;
        let tickets = self.issue_tickets(tier, usize::from(weight(&key)), index);
        self.by_id.insert(key.id, index);
        let cell = Arc::new(KeyCell::new(key, index, self.scores.handle(index)));
        self.projects[project as usize].slots.push(index);
        self.slots.push(Slot {
            cell,
            state,
            failed_at: UnixMs(0),
            probing_until: UnixMs(0),
            tier,
            tickets,
            project,
            removed: false,
            unsaved: false,
            change: 0,
        });
        index
    }

    fn issue_tickets(&mut self, tier: usize, weight: usize, slot: u32) -> Range<usize> {
        let tickets = &mut self.tiers[tier].tickets;
        let first = tickets.len();
        tickets.resize(first + weight, slot);
        first..first + weight
    }

    fn tier(&mut self, priority: i16) -> usize {
        if let Some(tier) = self.tiers.iter().position(|tier| tier.priority == priority) {
            return tier;
        }
        self.tiers.push(Tier {
            priority,
            tickets: Vec::new(),
            clock: AtomicU64::new(0),
        });
        self.order = (0..self.tiers.len()).collect();
        self.order.sort_by_key(|&tier| self.tiers[tier].priority);
        self.tiers.len() - 1
    }

    fn project(&mut self, key: &Key) -> u32 {
        let known = match &key.project {
            Some(name) => self.by_project.get(name.as_str()).copied(),
            None => self.own_project(key.id),
        };
        if let Some(project) = known {
            return project;
        }
        let project = self.projects.len() as u32;
        let name = match &key.project {
            Some(name) => {
                self.by_project.insert(name.as_str().into(), project);
                ProjectName::Given(name.as_str().into())
            }
            None => ProjectName::OwnOf(key.id),
        };
        let slots = Vec::new();
        self.projects.push(Project { name, slots });
        project
    }

    fn move_to_project(&mut self, index: u32, project: u32) {
        if self.slots[index as usize].project != project {
            self.leave_project(index);
            self.slots[index as usize].project = project;
            self.projects[project as usize].slots.push(index);
        }
    }

    fn leave_project(&mut self, index: u32) {
        let project = self.slots[index as usize].project;
        self.projects[project as usize]
            .slots
            .retain(|&slot| slot != index);
    }
}

fn weight(key: &Key) -> u16 {
    key.weight.clamp(1, MAX_WEIGHT)
}
