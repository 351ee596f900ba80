//! Whose fault it is when a provider refuses: the key's, or the egress' by which it was asked.
//!
//! An egress is blamed when three projects fail alike by it within ten seconds, with no answer between, while another
//! egress works; when no other is in use it takes five, and when the others fail alike it is nobody's fault. A project
//! that fails alike by two egresses is itself to blame: that says nothing of either. An egress in whose place there is no
//! other is never blamed. What is undone then is `forgive.rs`; what becomes of the egress is decided by whoever asks.
//!
//! There is one [`Blame`] for each provider and kind of call. Answers are noted without a lock.

mod last_two;
mod recent;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Class, Harm, Key, UnixMs, Verdict};

use last_two::LastTwo;
use recent::Recent;

/// Within this time failures are compared.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// How long failures by a blamed egress are its fault at once, and how long it can still be acquitted.
const STANDS: Duration = Duration::from_secs(60);
/// Projects that must fail alike while another egress works.
const PROJECTS: usize = 3;
/// Projects that must fail alike where there is no other egress to compare with.
const PROJECTS_ALONE: usize = 5;

/// What is remembered at most: lists of suspects, projects that failed, standing sentences.
const MOST_LISTS: usize = 1_024;
const MOST_PROJECTS: usize = 8_192;
const MOST_SENTENCES: usize = 512;
/// Projects in a list, and receipts of each.
const MOST_SUSPECTS: usize = 16;
const MOST_RECEIPTS: usize = 8;

/// What an egress is known by. Proxies have numbers from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EgressId(pub u64);

impl EgressId {
    /// By itself, without a proxy. It is compared with others and never blamed.
    pub const DIRECT: Self = Self(0);
}

/// What a project is known by, in all pools of a provider: by its name, or by the key that is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProjectTag(u64);

impl ProjectTag {
    /// The project of a key.
    pub fn of(key: &Key) -> Self {
        let mut hasher = DefaultHasher::new();
        match &key.project {
            Some(name) => name.hash(&mut hasher),
            None => key.id.hash(&mut hasher),
        }
        Self(hasher.finish())
    }
}

/// When an egress last worked. One for each egress and provider, kept by whoever keeps its connections.
#[derive(Debug)]
pub struct Track {
    egress: EgressId,
    answered_at: AtomicI64,
}

impl Track {
    /// Nothing is known of it yet.
    pub fn new(egress: EgressId) -> Self {
        Self {
            egress,
            answered_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Whose it is.
    pub fn egress(&self) -> EgressId {
        self.egress
    }

    fn answered_at(&self) -> UnixMs {
        UnixMs(self.answered_at.load(Ordering::Relaxed))
    }
}

/// A failure of a class that [`Blame::watches`].
#[derive(Debug)]
pub struct Failure<R> {
    /// Whose key was refused.
    pub project: ProjectTag,
    /// How.
    pub class: Class,
    /// What undoes it.
    pub receipt: R,
    /// The key could leave by another egress. If not, it is only compared with the others.
    pub has_other_ways: bool,
}

/// Whose fault failures turn out to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding<R> {
    /// The egress of the failure is blamed for it now.
    pub is_blamed: bool,
    /// What is to be undone, as the egress was to blame; after `is_blamed` a late failure may come with this alone.
    pub forgiven: Vec<R>,
    /// Egresses that were blamed wrongly: the keys fail alike by others.
    pub acquitted: Vec<EgressId>,
}

/// What is known of a provider's egresses. `R` undoes what a failure did, usually a pool and a
/// [`Receipt`](crate::Receipt).
#[derive(Debug)]
pub struct Blame<R> {
    answered: LastTwo,
    /// A mutex for failures alone: each takes it once, for a few look-ups.
    notes: Mutex<Notes<R>>,
}

#[derive(Debug)]
struct Notes<R> {
    /// By egress and class.
    suspects: Recent<(EgressId, Class), Vec<Suspect<R>>>,
    /// By which egresses a project failed last.
    failed_by: Recent<(ProjectTag, Class), Vec<(EgressId, UnixMs)>>,
    /// By which egresses anybody failed last.
    alike: HashMap<Class, LastTwo>,
    /// Oldest first.
    sentences: Vec<Sentence>,
}

#[derive(Debug)]
struct Suspect<R> {
    project: ProjectTag,
    /// Oldest first, never empty.
    receipts: Vec<(UnixMs, R)>,
}

#[derive(Debug)]
struct Sentence {
    egress: EgressId,
    class: Class,
    at: UnixMs,
    /// Those who have not failed alike elsewhere since.
    witnesses: Vec<ProjectTag>,
}

impl<R> Default for Blame<R> {
    fn default() -> Self {
        Self {
            answered: LastTwo::default(),
            notes: Mutex::new(Notes {
                suspects: Recent::new(MOST_LISTS),
                failed_by: Recent::new(MOST_PROJECTS),
                alike: HashMap::new(),
                sentences: Vec::new(),
            }),
        }
    }
}

impl<R> Blame<R> {
    /// Whether a failure can be an egress' fault: the provider refused whoever asked. That a key which has never worked
    /// is no key, or is not paid for, is its own fault; a model that is not there is nobody's, unless it is only forbidden.
    pub fn watches(verdict: &Verdict, has_worked: bool) -> bool {
        let is_refusal = match verdict.class {
            Class::KeyInvalid | Class::AcctSuspended | Class::Billing => has_worked,
            Class::ModelUnavailable => verdict.reason == "permission_denied",
            class => matches!(
                class,
                Class::KeyRestricted | Class::RateLimited | Class::QuotaDaily
            ),
        };
        is_refusal && verdict.harm() != Harm::Nobody
    }

    /// The provider has answered by this egress.
    pub fn answered(&self, track: &Track, now: UnixMs) {
        track.answered_at.store(now.0, Ordering::Relaxed);
        self.answered.note(track.egress, now);
    }

    /// Whether the provider has answered by another egress within the last ten seconds: if this one does not reach it,
    /// that is its own fault.
    pub fn works_elsewhere(&self, egress: EgressId, now: UnixMs) -> bool {
        self.answered.has_other(egress, now)
    }

    /// The provider has refused a key that came by this egress. Whose fault that is may show at once, later or never.
    pub fn failed(&self, track: &Track, failure: Failure<R>, now: UnixMs) -> Finding<R> {
        let Failure {
            project,
            class,
            receipt,
            has_other_ways,
        } = failure;
        let egress = track.egress;
        let mut finding = Finding {
            is_blamed: false,
            forgiven: Vec::new(),
            acquitted: Vec::new(),
        };
        let mut notes = self.lock();
        finding.acquitted = notes.acquit(egress, project, class, now);
        notes.alike.entry(class).or_default().note(egress, now);
        let fails_everywhere = notes.fails_by_others(egress, project, class, now);
        if egress == EgressId::DIRECT || !has_other_ways || fails_everywhere {
            return finding;
        }
        if let Some(sentence) = notes.standing(track, class, now) {
            if !sentence.witnesses.contains(&project) && sentence.witnesses.len() < MOST_SUSPECTS {
                sentence.witnesses.push(project);
            }
            finding.forgiven.push(receipt);
            return finding;
        }
        let needed = self.needed(&notes, egress, class, now);
        let since = track.answered_at();
        let suspects = notes.suspects.entry((egress, class), now);
        suspect(suspects, project, receipt, since, now);
        if needed.is_some_and(|needed| suspects.len() >= needed) {
            let suspects = std::mem::take(suspects);
            let witnesses = suspects.iter().map(|suspect| suspect.project).collect();
            notes.condemn(Sentence {
                egress,
                class,
                at: now,
                witnesses,
            });
            finding.is_blamed = true;
            let receipts = suspects.into_iter().flat_map(|suspect| suspect.receipts);
            finding.forgiven = receipts.map(|(_, receipt)| receipt).collect();
        }
        finding
    }

    /// How many projects must fail alike; none: the others fail alike too.
    fn needed(
        &self,
        notes: &Notes<R>,
        egress: EgressId,
        class: Class,
        now: UnixMs,
    ) -> Option<usize> {
        let fail = notes.alike.get(&class);
        if self.works_elsewhere(egress, now) {
            Some(PROJECTS)
        } else if fail.is_some_and(|fail| fail.has_other(egress, now)) {
            None
        } else {
            Some(PROJECTS_ALONE)
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes<R>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Notes<R> {
    /// Whether the project has failed alike by another egress; if so, neither is suspected because of it.
    fn fails_by_others(
        &mut self,
        egress: EgressId,
        project: ProjectTag,
        class: Class,
        now: UnixMs,
    ) -> bool {
        let failed_by = self.failed_by.entry((project, class), now);
        // The last two are enough: a project that fails by many is in no list of suspects any more.
        failed_by.retain(|(by, at)| *by != egress && *at + WINDOW >= now);
        let others = failed_by.clone();
        failed_by.push((egress, now));
        if failed_by.len() > 2 {
            failed_by.remove(0);
        }
        for (other, _) in &others {
            if let Some(suspects) = self.suspects.get_mut(&(*other, class)) {
                suspects.retain(|suspect| suspect.project != project);
            }
        }
        !others.is_empty()
    }

    /// Takes a project that fails alike elsewhere out of the sentences that rest on it, and gives the egresses whose
    /// sentence rests on too few then.
    fn acquit(
        &mut self,
        egress: EgressId,
        project: ProjectTag,
        class: Class,
        now: UnixMs,
    ) -> Vec<EgressId> {
        let mut acquitted = Vec::new();
        self.sentences.retain_mut(|sentence| {
            if sentence.at + STANDS < now {
                return false;
            }
            if sentence.egress == egress || sentence.class != class {
                return true;
            }
            let before = sentence.witnesses.len();
            sentence.witnesses.retain(|witness| *witness != project);
            let is_left =
                sentence.witnesses.len() == before || sentence.witnesses.len() >= PROJECTS;
            if !is_left {
                acquitted.push(sentence.egress);
            }
            is_left
        });
        acquitted
    }

    /// The sentence on an egress that has not answered since.
    fn standing(&mut self, track: &Track, class: Class, now: UnixMs) -> Option<&mut Sentence> {
        let since = track.answered_at();
        self.sentences.iter_mut().find(|sentence| {
            let is_about = sentence.egress == track.egress && sentence.class == class;
            is_about && sentence.at + STANDS >= now && since < sentence.at
        })
    }

    fn condemn(&mut self, sentence: Sentence) {
        self.sentences
            .retain(|old| (old.egress, old.class) != (sentence.egress, sentence.class));
        if self.sentences.len() == MOST_SENTENCES {
            self.sentences.remove(0);
        }
        self.sentences.push(sentence);
    }
}

/// Puts a project into a list of suspects, and takes out whoever is no longer one.
fn suspect<R>(
    suspects: &mut Vec<Suspect<R>>,
    project: ProjectTag,
    receipt: R,
    answered_at: UnixMs,
    now: UnixMs,
) {
    suspects.retain_mut(|suspect| {
        suspect.receipts.retain(|(at, _)| *at > answered_at);
        let last = suspect.receipts.last();
        last.is_some_and(|(at, _)| *at + WINDOW >= now)
    });
    if now <= answered_at {
        return;
    }
    let known = suspects
        .iter()
        .position(|suspect| suspect.project == project);
    let mut known = match known {
        // Those who failed last are last.
        Some(index) => suspects.remove(index),
        None => Suspect {
            project,
            receipts: Vec::new(),
        },
    };
    if known.receipts.len() == MOST_RECEIPTS {
        known.receipts.remove(0);
    }
    known.receipts.push((now, receipt));
    if suspects.len() == MOST_SUSPECTS {
        suspects.remove(0);
    }
    suspects.push(known);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_has_an_end_whatever_comes() {
        let blame = Blame::default();
        for number in 0..40_000u64 {
            let track = Track::new(EgressId(1 + number % 10_000));
            let failure = Failure {
                project: ProjectTag(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                class: Class::RateLimited,
                receipt: number,
                has_other_ways: true,
            };
            // Time that runs backwards expires nothing.
            blame.failed(&track, failure, UnixMs(1_000_000_000 - number as i64));
        }
        let notes = blame.lock();
        assert!(notes.suspects.len() <= MOST_LISTS);
        assert!(notes.failed_by.len() <= MOST_PROJECTS);
        assert!(notes.sentences.len() <= MOST_SENTENCES);
    }
}
