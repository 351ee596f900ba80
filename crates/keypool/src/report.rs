//! How a report changes the ledger: an answer clears, a failure hurts whom its class says.

use std::time::Duration;

use domain::{Certainty, Class, Harm, KeyHealth, KeyState, Scope, UnixMs, Verdict};

use crate::forgive::{Mark, Receipt};
use crate::health::{self, HealthRules};
use crate::lane::Pair;
use crate::ledger::{Ledger, pair_due};
use crate::quota::{self, Moment};
use crate::{Lease, PacificDay};

/// How long a pair is avoided after a failure that is nobody's fault; doubles up to the second figure.
const AVOID: Duration = Duration::from_secs(1);
const LONGEST_AVOID: Duration = Duration::from_secs(10);

impl Ledger {
    /// The pair of a lease, where an answer changes nothing but its day's count.
    pub(crate) fn plain_pair(
        &self,
        lease: &Lease,
        model: &str,
        today: PacificDay,
    ) -> Option<&Pair> {
        let slot = &self.roster.slots[lease.cell().slot as usize];
        let proven = KeyState {
            health: KeyHealth::Active,
            failures: 0,
            has_worked: true,
        };
        if slot.state != proven {
            return None;
        }
        let lane = self.lane_of(model);
        let pair = lane.pairs.get(&slot.project)?;
        (pair.is_plain(today.number) && lane.breaker.is_quiet()).then_some(pair)
    }

    /// An answer clears what spoke against the key and the pair when the attempt began.
    pub(crate) fn answered(&mut self, lease: &Lease, model: &str, at: &Moment) {
        let index = lease.cell().slot;
        let slot = &self.roster.slots[index as usize];
        let project = slot.project;
        if slot.failed_at <= lease.began && slot.state != health::answered() {
            let change = self.next_change();
            self.roster.slots[index as usize].change = change;
            self.set_key(index, health::answered());
            self.refresh_slot(index, at.now);
        }
        let Some(lane) = self.own_lane(model, at.today.number, at.now) else {
            return;
        };
        let change = self.next_change();
        let lane_view = &mut self.lanes[lane];
        lane_view.breaker.answered();
        lane_view.breaker_change = change;
        let pair = lane_view.pairs.entry(project).or_default();
        let (failed_at, before) = (pair.failed_at, pair.counted());
        let mut state = quota::answered(&before, at.today);
        if failed_at > lease.began {
            (state.cooling, state.day_suspected) = (before.cooling, before.day_suspected);
        } else {
            (pair.avoid_streak, pair.avoid_until) = (0, UnixMs(0));
            pair.change = change;
        }
        lane_view.set_pair(project, state);
        lane_view.refresh_project(project, &self.roster, at.now);
        self.note_unsaved_pair(lane, project);
    }

    /// A failure hurts whom its class says.
    pub(crate) fn failed(
        &mut self,
        lease: &Lease,
        model: &str,
        verdict: &Verdict,
        at: &Moment,
    ) -> Receipt {
        let mut receipt = Receipt::default();
        let marks = &mut receipt.marks;
        let index = lease.cell().slot;
        let project = self.roster.slots[index as usize].project;
        let harm = verdict.harm();
        if harm == Harm::Key || verdict.certainty == Certainty::Counted {
            marks.extend(self.key_failed(index, verdict, lease.began, at.now));
        }
        match harm {
            // Which model is not there, such a call does not tell: all others that name none would be held up.
            Harm::Pair if model.is_empty() && verdict.class == Class::ModelUnavailable => {}
            Harm::Pair => {
                let alias_of = verdict
                    .quota
                    .model
                    .as_deref()
                    .filter(|&named| named != model);
                for model in [Some(model), alias_of].into_iter().flatten() {
                    marks.extend(self.pair_refused(model, project, verdict, lease.began, at));
                }
            }
            Harm::Briefly => {
                marks.extend(self.avoid(model, project, verdict.class, lease.began, at));
            }
            Harm::Key | Harm::Nobody => {}
        }
        receipt
    }

    pub(crate) fn key_failed(
        &mut self,
        index: u32,
        verdict: &Verdict,
        began: UnixMs,
        now: UnixMs,
    ) -> Vec<Mark> {
        let rules = HealthRules {
            max_failures: self.rules.max_failures,
            recheck_interval: self.rules.recheck_interval,
        };
        let project = self.roster.slots[index as usize].project as usize;
        let reached = match verdict.scope {
            Scope::Key | Scope::Pair | Scope::Nobody => vec![index],
            Scope::Project => self.roster.projects[project].slots.clone(),
        };
        let mut marks = Vec::with_capacity(reached.len());
        for index in reached {
            marks.push(self.mark_key(index));
            let slot = &mut self.roster.slots[index as usize];
            if slot.has_heard_of(verdict, began) {
                continue;
            }
            let state = health::failed(&slot.state, verdict, rules, now);
            (slot.failed_at, slot.probing_until) = (now, UnixMs(0));
            self.set_key(index, state);
            self.refresh_slot(index, now);
        }
        marks
    }

    pub(crate) fn pair_refused(
        &mut self,
        model: &str,
        project: u32,
        verdict: &Verdict,
        began: UnixMs,
        at: &Moment,
    ) -> Option<Mark> {
        let lane = self.own_lane(model, at.today.number, at.now)?;
        let mark = self.mark_pair(lane, project);
        let known = self.lanes[lane].pairs.get(&project);
        let is_stale =
            known.is_some_and(|pair| pair.state.cooling.is_some() && began < pair.failed_at);
        if is_stale {
            // It was under way when the pair was refused: a second refusal it is not.
            return Some(mark);
        }
        let before = known.map(Pair::counted).unwrap_or_default();
        let state = quota::refused(&before, verdict, at);
        if let Some(cooling) = state.cooling {
            self.timers.add(cooling.probe_at, pair_due(lane, project));
        }
        let pair = self.lanes[lane].set_pair(project, state);
        (pair.failed_at, pair.probing_until) = (at.now, UnixMs(0));
        self.note_unsaved_pair(lane, project);
        self.lanes[lane].refresh_project(project, &self.roster, at.now);
        Some(mark)
    }

    /// Others are preferred for some seconds. It is not saved: it is over before a restart would be.
    fn avoid(
        &mut self,
        model: &str,
        project: u32,
        class: Class,
        began: UnixMs,
        at: &Moment,
    ) -> Vec<Mark> {
        let now = at.now;
        let Some(lane) = self.own_lane(model, at.today.number, now) else {
            return Vec::new();
        };
        let mut marks = vec![self.mark_pair(lane, project)];
        if class == Class::Overloaded {
            marks.push(self.mark_breaker(lane));
            self.lanes[lane].breaker.overloaded(now);
        }
        let pair = self.lanes[lane].pairs.entry(project).or_default();
        if began < pair.failed_at {
            return marks;
        }
        let span = LONGEST_AVOID.min(AVOID * 2u32.pow(u32::from(pair.avoid_streak.min(4))));
        pair.avoid_streak = pair.avoid_streak.saturating_add(1);
        pair.avoid_until = now + span;
        pair.failed_at = now;
        self.timers.add(pair.avoid_until, pair_due(lane, project));
        self.lanes[lane].refresh_project(project, &self.roster, now);
        marks
    }
}
