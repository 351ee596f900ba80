//! When an egress is blamed, for what, and when that is taken back.

use std::time::Duration;

use domain::{Class, Key, KeyId, Scope, UnixMs, Verdict};
use keypool::{Blame, EgressId, Failure, Finding, ProjectTag, Track};
use proptest::prelude::*;

const NOON: UnixMs = UnixMs(1_795_204_800_000);
const THROTTLED: Class = Class::RateLimited;

fn later(millis: u64) -> UnixMs {
    NOON + Duration::from_millis(millis)
}

fn tag(number: i64) -> ProjectTag {
    ProjectTag::of(&Key::plain(KeyId(number), "google", "AIza", NOON))
}

/// An engine, its egresses 0 (direct) to 4, and a number for each failure.
struct Bench {
    blame: Blame<usize>,
    tracks: Vec<Track>,
    failures: usize,
    now: UnixMs,
}

impl Bench {
    fn new() -> Self {
        Self {
            blame: Blame::default(),
            tracks: (0..5).map(|id| Track::new(EgressId(id))).collect(),
            failures: 0,
            now: NOON,
        }
    }

    fn at(&mut self, millis: u64) -> &mut Self {
        self.now = later(millis);
        self
    }

    fn answer(&mut self, egress: usize) -> &mut Self {
        self.blame.answered(&self.tracks[egress], self.now);
        self
    }

    fn fail_as(&mut self, egress: usize, project: i64, class: Class) -> Finding<usize> {
        self.fail_of(egress, project, class, true)
    }

    fn fail_of(
        &mut self,
        egress: usize,
        project: i64,
        class: Class,
        has_other_ways: bool,
    ) -> Finding<usize> {
        let failure = Failure {
            project: tag(project),
            class,
            receipt: self.failures,
            has_other_ways,
        };
        self.failures += 1;
        self.blame.failed(&self.tracks[egress], failure, self.now)
    }

    fn fail(&mut self, egress: usize, project: i64) -> Finding<usize> {
        self.fail_as(egress, project, THROTTLED)
    }

    /// The first of these projects whose failure brings the blame, counted from 1.
    fn blamed_after(&mut self, egress: usize, projects: &[i64]) -> Option<usize> {
        let found = projects
            .iter()
            .position(|project| self.fail(egress, *project).is_blamed);
        found.map(|index| index + 1)
    }
}

#[test]
fn three_projects_are_enough_while_another_egress_works() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(0).blamed_after(1, &[1, 2, 3, 4]), Some(3));
    let mut bench = Bench::new();
    assert_eq!(bench.answer(2).blamed_after(1, &[1, 2, 3, 4]), Some(3));
}

#[test]
fn five_are_needed_where_there_is_nothing_to_compare_with() {
    let projects = [1, 2, 3, 4, 5, 6];
    assert_eq!(Bench::new().blamed_after(1, &projects), Some(5));
    let mut bench = Bench::new();
    bench.answer(2).at(10_001);
    assert_eq!(bench.blamed_after(1, &projects), Some(5));
}

#[test]
fn nobody_is_blamed_when_all_egresses_fail_alike() {
    let mut bench = Bench::new();
    bench.fail(2, 90);
    assert_eq!(bench.blamed_after(1, &[1, 2, 3, 4, 5, 6, 7]), None);
    assert_eq!(bench.blamed_after(2, &[11, 12, 13, 14, 15, 16]), None);
}

#[test]
fn one_project_however_often_is_no_evidence() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(0).blamed_after(1, &[1; 50]), None);
    assert_eq!(bench.blamed_after(1, &[2, 1, 2, 1]), None);
}

#[test]
fn failures_must_be_alike_and_within_ten_seconds() {
    let mut bench = Bench::new();
    bench.answer(0);
    bench.fail_as(1, 1, Class::Region);
    bench.fail_as(1, 2, Class::KeyRestricted);
    assert!(!bench.fail(1, 3).is_blamed);
    bench.at(5_000).fail(1, 4);
    assert!(!bench.at(10_001).answer(0).fail(1, 5).is_blamed);
    assert!(bench.at(15_000).fail(1, 6).is_blamed);
}

#[test]
fn an_egress_that_answers_between_is_not_blamed() {
    let mut bench = Bench::new();
    bench.answer(0).fail(1, 1);
    bench.fail(1, 2);
    bench.at(1).answer(1).at(2);
    assert_eq!(bench.blamed_after(1, &[3, 4]), None);
    assert!(bench.fail(1, 5).is_blamed);
}

#[test]
fn direct_is_never_blamed() {
    let projects: Vec<i64> = (1..100).collect();
    let mut bench = Bench::new();
    assert_eq!(bench.answer(1).blamed_after(0, &projects), None);
}

#[test]
fn a_project_that_fails_by_several_egresses_says_nothing_of_them() {
    let mut bench = Bench::new();
    bench.answer(0);
    for project in 1..20 {
        assert!(!bench.fail(1, project).is_blamed);
        assert!(!bench.fail(2, project).is_blamed);
    }
    assert_eq!(bench.blamed_after(2, &[31, 32, 33]), Some(3));
}

#[test]
fn all_that_the_suspects_suffered_is_undone() {
    let mut bench = Bench::new();
    bench.answer(0);
    for project in [1, 1, 2, 1] {
        bench.fail(1, project);
    }
    // A failure of another kind is its key's own.
    bench.fail_as(1, 1, Class::KeyInvalid);
    let mut finding = bench.fail(1, 3);
    finding.forgiven.sort_unstable();
    assert!(finding.is_blamed);
    assert_eq!(finding.forgiven, [0, 1, 2, 3, 5]);
}

#[test]
fn late_failures_by_a_blamed_egress_are_undone_at_once_until_it_answers() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(0).blamed_after(1, &[1, 2, 3]), Some(3));
    let late = bench.at(30_000).fail(1, 4);
    assert_eq!((late.is_blamed, late.forgiven), (false, vec![3]));
    bench.answer(1);
    assert!(bench.at(30_001).fail(1, 5).forgiven.is_empty());
}

#[test]
fn a_verdict_does_not_stand_for_ever() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(0).blamed_after(1, &[1, 2, 3]), Some(3));
    assert!(bench.at(60_001).fail(1, 4).forgiven.is_empty());
}

#[test]
fn the_only_way_of_a_key_is_compared_with_others_and_never_blamed() {
    let mut bench = Bench::new();
    bench.answer(0);
    for project in 1..20 {
        let finding = bench.fail_of(1, project, THROTTLED, false);
        assert!(!finding.is_blamed && finding.forgiven.is_empty());
    }
    bench.at(10_001);
    bench.fail_of(1, 1, THROTTLED, false);
    assert_eq!(bench.blamed_after(2, &[21, 22, 23, 24, 25, 26]), None);
}

#[test]
fn an_egress_is_acquitted_when_its_accusers_fail_alike_by_others() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(0).blamed_after(1, &[1, 2, 3, 4]), Some(3));
    bench.fail(1, 4);
    let first = bench.at(20_000).fail(0, 1);
    assert_eq!((first.acquitted, first.forgiven), (vec![], vec![]));
    assert_eq!(bench.fail(2, 2).acquitted, [EgressId(1)]);
    assert_eq!(bench.fail(2, 3).acquitted, []);
}

#[test]
fn what_is_no_refusal_is_not_watched() {
    let whoever_asks = [Class::KeyRestricted, Class::RateLimited, Class::QuotaDaily];
    let once_it_has_worked = [Class::KeyInvalid, Class::AcctSuspended, Class::Billing];
    for class in Class::ALL {
        let verdict = Verdict::new(class, "any");
        let [new, proven] = [false, true].map(|worked| Blame::<()>::watches(&verdict, worked));
        let is_always = whoever_asks.contains(&class);
        assert_eq!(new, is_always, "{class:?}");
        let is_at_times = once_it_has_worked.contains(&class);
        assert_eq!(proven, is_always || is_at_times, "{class:?}");
    }
    let forbidden = Verdict::new(Class::ModelUnavailable, "permission_denied");
    assert!(Blame::<()>::watches(&forbidden, false));
    let of_one_endpoint = Verdict::new(Class::KeyRestricted, "any").reaching(Scope::Nobody);
    assert!(!Blame::<()>::watches(&of_one_endpoint, true));
}

#[test]
fn keys_of_one_project_have_one_tag() {
    let of = |id, project: Option<&str>| {
        ProjectTag::of(&Key {
            project: project.map(Into::into),
            ..Key::plain(KeyId(id), "google", "AIza", NOON)
        })
    };
    assert_eq!(of(1, Some("team")), of(2, Some("team")));
    assert_ne!(of(1, Some("team")), of(1, Some("other")));
    assert_ne!(of(1, None), of(2, None));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Pause(u64),
    Answer(usize),
    Fail(usize, i64, Class),
}

fn any_event() -> impl Strategy<Value = Event> {
    let class = prop::sample::select(vec![Class::RateLimited, Class::Region]);
    prop_oneof![
        3 => (0u64..6_000).prop_map(Event::Pause),
        1 => Just(Event::Pause(70_000)),
        4 => (0usize..4).prop_map(Event::Answer),
        24 => (0usize..4, 0i64..9, class).prop_map(|(egress, project, class)| {
            Event::Fail(egress, project, class)
        }),
    ]
}

/// The rule as it reads, looking back over all that ever happened.
#[derive(Default)]
struct Naive {
    answers: Vec<(UnixMs, usize)>,
    failures: Vec<Past>,
    verdicts: Vec<Judged>,
}

#[derive(Clone, Copy)]
struct Past {
    at: UnixMs,
    egress: usize,
    project: i64,
    class: Class,
    is_spent: bool,
}

struct Judged {
    at: UnixMs,
    egress: usize,
    class: Class,
    witnesses: Vec<i64>,
}

/// What the naive rule says: the blame, what at least and at most is forgiven, who is acquitted.
struct Said {
    is_blamed: bool,
    at_least: Vec<usize>,
    at_most: Vec<usize>,
    acquitted: Vec<EgressId>,
}

fn apart(one: UnixMs, other: UnixMs) -> u64 {
    one.0.abs_diff(other.0)
}

impl Naive {
    fn answered_at(&self, egress: usize) -> UnixMs {
        let of = self.answers.iter().filter(|(_, by)| *by == egress);
        of.map(|(at, _)| *at).max().unwrap_or(UnixMs(0))
    }

    fn is_tainted(&self, failure: &Past) -> bool {
        self.failures.iter().any(|other| {
            (other.project, other.class) == (failure.project, failure.class)
                && other.egress != failure.egress
                && apart(other.at, failure.at) <= 10_000
        })
    }

    fn fail(&mut self, at: UnixMs, egress: usize, project: i64, class: Class) -> Said {
        let index = self.failures.len();
        let failure = Past {
            at,
            egress,
            project,
            class,
            is_spent: false,
        };
        self.failures.push(failure);
        let mut said = Said {
            is_blamed: false,
            at_least: vec![],
            at_most: vec![],
            acquitted: vec![],
        };
        self.verdicts.retain_mut(|verdict| {
            let is_over = apart(verdict.at, at) > 60_000;
            if is_over || verdict.egress == egress || verdict.class != class {
                return !is_over;
            }
            let before = verdict.witnesses.len();
            verdict.witnesses.retain(|witness| *witness != project);
            let falls = verdict.witnesses.len() < before && verdict.witnesses.len() < 3;
            if falls {
                said.acquitted.push(EgressId(verdict.egress as u64));
            }
            !falls
        });
        if egress == 0 || self.is_tainted(&failure) {
            return said;
        }
        let answered_at = self.answered_at(egress);
        let standing = self.verdicts.iter_mut().find(|verdict| {
            (verdict.egress, verdict.class) == (egress, class) && answered_at < verdict.at
        });
        if let Some(verdict) = standing {
            if !verdict.witnesses.contains(&project) {
                verdict.witnesses.push(project);
            }
            self.failures[index].is_spent = true;
            said.at_least.push(index);
            said.at_most.push(index);
            return said;
        }
        let mut others = self.answers.iter();
        let others_work = others.any(|(when, by)| *by != egress && apart(*when, at) <= 10_000);
        let others_fail = self.failures.iter().any(|other| {
            other.egress != egress && other.class == class && apart(other.at, at) <= 10_000
        });
        let needed = match (others_work, others_fail) {
            (true, _) => 3,
            (false, true) => usize::MAX,
            (false, false) => 5,
        };
        let against = |index: &usize| {
            let past = &self.failures[*index];
            (past.egress, past.class) == (egress, class)
                && !past.is_spent
                && past.at > answered_at
                && !self.is_tainted(past)
        };
        let evidence: Vec<usize> = (0..=index).filter(against).collect();
        let recent = evidence.iter().copied();
        let recent: Vec<usize> = recent
            .filter(|index| apart(self.failures[*index].at, at) <= 10_000)
            .collect();
        let mut projects: Vec<i64> = recent
            .iter()
            .map(|index| self.failures[*index].project)
            .collect();
        projects.sort_unstable();
        projects.dedup();
        if projects.len() >= needed {
            // Of each project the last eight are kept.
            let of = |project: &i64| {
                let its = recent.iter().copied();
                let its: Vec<usize> = its
                    .filter(|index| self.failures[*index].project == *project)
                    .collect();
                its[its.len().saturating_sub(8)..].to_vec()
            };
            said.is_blamed = true;
            said.at_least = projects.iter().flat_map(of).collect();
            said.at_most = evidence;
            for past in &mut self.failures {
                past.is_spent |= (past.egress, past.class) == (egress, class);
            }
            self.verdicts
                .retain(|old| (old.egress, old.class) != (egress, class));
            self.verdicts.push(Judged {
                at,
                egress,
                class,
                witnesses: projects,
            });
        }
        said
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_schedule_is_judged_as_the_rule_reads(
        events in prop::collection::vec(any_event(), 1..150),
    ) {
        let mut bench = Bench::new();
        let mut naive = Naive::default();
        for event in events {
            match event {
                Event::Pause(millis) => bench.now = bench.now + Duration::from_millis(millis),
                Event::Answer(egress) => {
                    bench.answer(egress);
                    naive.answers.push((bench.now, egress));
                }
                Event::Fail(egress, project, class) => {
                    let finding = bench.fail_as(egress, project, class);
                    let said = naive.fail(bench.now, egress, project, class);
                    prop_assert_eq!(finding.is_blamed, said.is_blamed);
                    prop_assert_eq!(finding.acquitted, said.acquitted);
                    prop_assert!(said.at_least.iter().all(|index| finding.forgiven.contains(index)));
                    prop_assert!(finding.forgiven.iter().all(|index| said.at_most.contains(index)));
                }
            }
        }
    }
}

#[test]
fn random_schedules_do_blame_and_acquit() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut blamed, mut acquitted) = (0, 0);
    for _ in 0..40 {
        let events = prop::collection::vec(any_event(), 150).new_tree(&mut runner);
        let mut bench = Bench::new();
        for event in events.expect("a schedule").current() {
            match event {
                Event::Pause(millis) => bench.now = bench.now + Duration::from_millis(millis),
                Event::Answer(egress) => {
                    bench.answer(egress);
                }
                Event::Fail(egress, project, class) => {
                    let finding = bench.fail_as(egress, project, class);
                    blamed += usize::from(finding.is_blamed);
                    acquitted += finding.acquitted.len();
                }
            }
        }
    }
    assert!(blamed > 10 && acquitted > 0, "{blamed} {acquitted}");
}
