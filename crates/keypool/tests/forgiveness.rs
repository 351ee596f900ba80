//! What an egress was to blame for is undone: exactly, and only where nothing else has spoken since.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

use std::time::Duration;

use domain::{
    Certainty, Class, Key, KeyHealth, KeyId, KeyState, PairId, PairState, Scope, UnixMs, Verdict,
};
use keypool::{Checked, Exhausted, Lease, Place, Pool, PoolRules, Receipt, Strategy, Want};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

/// 2026-11-20T20:00:00Z, noon in Los Angeles.
const NOON: UnixMs = UnixMs(1_795_204_800_000);
const MODELS: [&str; 2] = ["gemini-flash", "gemini-pro"];
const KEYS: i64 = 5;

/// Two of them share a project.
fn pool() -> Pool {
    let rules = PoolRules {
        strategy: Strategy::RoundRobin,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    };
    let pool = Pool::new("google", rules, 7);
    let keys = (1..=KEYS).map(|id| {
        let key = Key {
            project: (id <= 2).then(|| "team".into()),
            ..Key::plain(KeyId(id), "google", &format!("AIza-{id}"), NOON)
        };
        (key, KeyState::default())
    });
    pool.upsert(keys, NOON);
    pool
}

fn later(seconds: u64) -> UnixMs {
    NOON + Duration::from_secs(seconds)
}

fn report(pool: &Pool, lease: &Lease, model: &str, verdict: &Verdict, now: UnixMs) -> Receipt {
    pool.report(lease, model, verdict, Duration::from_millis(5), now)
}

fn fail(pool: &Pool, key: i64, verdict: &Verdict, now: UnixMs) -> Receipt {
    let lease = pool.lease_key(KeyId(key), now).unwrap();
    report(pool, &lease, MODELS[0], verdict, now)
}

fn can_take(pool: &Pool, key: i64, model: &str, now: UnixMs) -> Result<(), Exhausted> {
    let others: Vec<KeyId> = (1..=KEYS).filter(|id| *id != key).map(KeyId).collect();
    let want = Want {
        model,
        tried: &others,
        again: false,
        place: Place::Anywhere,
    };
    pool.lease(&want, now).map(drop)
}

fn health(pool: &Pool, key: i64) -> KeyHealth {
    pool.status(KeyId(key)).unwrap().state.health
}

fn throttled() -> Verdict {
    Verdict::new(Class::RateLimited, "per_minute").delay(Some(Duration::from_secs(60)))
}

fn dead() -> Verdict {
    Verdict::new(Class::KeyInvalid, "api_key_leaked").certainty(Certainty::Decisive)
}

#[test]
fn a_forgiven_pair_is_free_at_once_and_saved_so() {
    let pool = pool();
    let receipt = fail(&pool, 3, &throttled(), NOON);
    assert!(can_take(&pool, 3, MODELS[0], NOON).is_err());
    pool.take_changes();
    pool.forgive([receipt], later(1));
    assert!(can_take(&pool, 3, MODELS[0], later(1)).is_ok());
    let saved = pool.take_changes();
    assert!(saved.pairs[0].1.cooling.is_none() && saved.pairs.len() == 1);
}

#[test]
fn a_forgiven_key_is_no_longer_retired_and_saved_so() {
    let pool = pool();
    let receipt = fail(&pool, 3, &dead(), NOON);
    assert!(matches!(health(&pool, 3), KeyHealth::Retired { .. }));
    pool.take_changes();
    pool.forgive([receipt], later(1));
    assert_eq!(health(&pool, 3), KeyHealth::Active);
    assert!(can_take(&pool, 3, MODELS[0], later(1)).is_ok());
    assert_eq!(pool.take_changes().keys, [(KeyId(3), KeyState::default())]);
}

#[test]
fn every_key_of_a_project_is_forgiven_with_it() {
    let pool = pool();
    let receipt = fail(&pool, 1, &dead().reaching(Scope::Project), NOON);
    assert!(matches!(health(&pool, 2), KeyHealth::Retired { .. }));
    pool.forgive([receipt], later(1));
    assert_eq!(health(&pool, 1), KeyHealth::Active);
    assert_eq!(health(&pool, 2), KeyHealth::Active);
}

#[test]
fn counted_failures_are_taken_off_again() {
    let pool = pool();
    let denied = || dead().certainty(Certainty::Counted);
    fail(&pool, 3, &denied(), NOON);
    let receipts = [1, 2].map(|second| fail(&pool, 3, &denied(), later(second)));
    assert!(matches!(health(&pool, 3), KeyHealth::Cooling(_)));
    pool.forgive(receipts, later(3));
    let state = pool.status(KeyId(3)).unwrap().state;
    assert_eq!((state.health, state.failures), (KeyHealth::Active, 1));
}

#[test]
fn what_was_cooling_before_cools_on_as_long_as_it_would_have() {
    let pool = pool();
    fail(&pool, 3, &throttled(), NOON);
    let longer = throttled().delay(Some(Duration::from_secs(300)));
    let receipt = fail(&pool, 3, &longer, later(1));
    pool.forgive([receipt], later(2));
    assert!(can_take(&pool, 3, MODELS[0], later(59)).is_err());
    // Up to a tenth longer, as every span.
    assert!(can_take(&pool, 3, MODELS[0], later(66)).is_ok());
}

#[test]
fn a_failure_by_another_egress_is_not_undone() {
    let pool = pool();
    let receipt = fail(&pool, 3, &throttled(), NOON);
    fail(&pool, 3, &throttled(), later(1));
    pool.forgive([receipt], later(2));
    assert!(can_take(&pool, 3, MODELS[0], later(2)).is_err());
}

#[test]
fn a_failure_by_another_egress_that_was_under_way_is_not_undone_either() {
    let pool = pool();
    let under_way = pool.lease_key(KeyId(3), NOON).unwrap();
    let receipt = fail(&pool, 3, &throttled(), later(1));
    report(&pool, &under_way, MODELS[0], &throttled(), later(2));
    pool.forgive([receipt], later(3));
    assert!(can_take(&pool, 3, MODELS[0], later(3)).is_err());
}

#[test]
fn failures_that_were_under_way_by_the_same_egress_are_undone_with_it() {
    let pool = pool();
    let under_way = pool.lease_key(KeyId(3), NOON).unwrap();
    let first = fail(&pool, 3, &throttled(), later(1));
    let second = report(&pool, &under_way, MODELS[0], &throttled(), later(2));
    pool.forgive([first, second], later(3));
    assert!(can_take(&pool, 3, MODELS[0], later(3)).is_ok());
}

#[test]
fn a_later_answer_is_not_undone_and_its_count_stays() {
    let pool = pool();
    let receipt = fail(&pool, 3, &throttled(), NOON);
    let lease = pool.lease_key(KeyId(3), later(1)).unwrap();
    report(&pool, &lease, MODELS[0], &Verdict::ok(), later(2));
    pool.forgive([receipt], later(3));
    let state = pool.status(KeyId(3)).unwrap().state;
    assert!(state.has_worked);
    let pair = pool.pairs().remove(0).1;
    assert_eq!((pair.day_requests, pair.cooling), (1, None));
}

#[test]
fn the_days_count_goes_on_while_a_refusal_waits_to_be_forgiven() {
    let pool = pool();
    let under_way = pool.lease_key(KeyId(3), NOON).unwrap();
    let receipt = fail(&pool, 3, &throttled(), later(1));
    report(&pool, &under_way, MODELS[0], &Verdict::ok(), later(2));
    pool.forgive([receipt], later(3));
    assert!(can_take(&pool, 3, MODELS[0], later(3)).is_ok());
    assert_eq!(pool.pairs().remove(0).1.day_requests, 1);
}

fn check(pool: &Pool, key: i64, verdict: &Verdict, now: UnixMs) -> Receipt {
    let checked = Checked {
        model: Some(MODELS[0]),
        verdict,
        key_works: verdict.class == Class::Ok,
        model_exists: true,
        began: now,
    };
    pool.checked(KeyId(key), &checked, now).unwrap().1
}

#[test]
fn what_a_check_has_found_is_undone_too() {
    let pool = pool();
    let unpaid = Verdict::new(Class::Billing, "any").reaching(Scope::Pair);
    let receipts = [dead(), unpaid].map(|verdict| check(&pool, 3, &verdict, NOON));
    assert!(matches!(health(&pool, 3), KeyHealth::Retired { .. }));
    pool.forgive(receipts, later(1));
    assert_eq!(health(&pool, 3), KeyHealth::Active);
    assert!(can_take(&pool, 3, MODELS[0], later(1)).is_ok());
}

#[test]
fn what_a_check_has_proved_is_not_undone() {
    let pool = pool();
    let receipt = fail(&pool, 3, &dead(), NOON);
    assert!(check(&pool, 3, &Verdict::ok(), later(1)).is_empty());
    pool.forgive([receipt], later(2));
    let state = pool.status(KeyId(3)).unwrap().state;
    assert_eq!((state.health, state.has_worked), (KeyHealth::Active, true));
}

#[test]
fn what_an_operator_has_reset_stays_reset() {
    let pool = pool();
    let denied = dead().certainty(Certainty::Counted);
    fail(&pool, 3, &denied, NOON);
    let receipt = fail(&pool, 3, &denied, later(1));
    pool.reset(KeyId(3), later(2));
    pool.forgive([receipt], later(3));
    assert_eq!(pool.status(KeyId(3)).unwrap().state.failures, 0);
}

#[test]
fn answers_and_failures_of_nobody_leave_nothing_to_undo() {
    let pool = pool();
    for class in [Class::Ok, Class::Blocked, Class::Region, Class::Network] {
        let receipt = fail(&pool, 3, &Verdict::new(class, "any"), NOON);
        assert!(receipt.is_empty(), "{class:?}");
    }
    pool.forgive([Receipt::default()], NOON);
}

#[test]
fn a_model_that_was_overloaded_by_the_egress_alone_is_not_overloaded() {
    let pool = pool();
    let overloaded = Verdict::new(Class::Overloaded, "overloaded");
    let receipts: Vec<_> = (0..6)
        .map(|second| fail(&pool, 3, &overloaded, later(second)))
        .collect();
    assert!(pool.is_overloaded(MODELS[0], later(6)));
    pool.forgive(receipts, later(6));
    assert!(!pool.is_overloaded(MODELS[0], later(6)));
}

/// A step of a schedule. Attempts overlap: what begins first need not end first.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        key: i64,
    },
    End {
        which: usize,
        model: usize,
        verdict: Verdict,
    },
    Pause {
        millis: u64,
    },
}

/// Failures that hurt for longer than a schedule lasts.
fn any_failure() -> impl proptest::strategy::Strategy<Value = Verdict> {
    let classes = vec![
        Class::KeyInvalid,
        Class::KeyRestricted,
        Class::AcctSuspended,
        Class::Billing,
        Class::RateLimited,
        Class::QuotaDaily,
        Class::ModelUnavailable,
    ];
    let certainties = vec![
        Certainty::Decisive,
        Certainty::Suspected,
        Certainty::Counted,
    ];
    (
        prop::sample::select(classes),
        prop::sample::select(certainties),
        prop::sample::select(vec![Scope::Key, Scope::Project]),
        60u64..300,
        prop::option::of(prop::sample::select(MODELS.to_vec())),
    )
        .prop_map(|(class, certainty, scope, seconds, alias)| {
            let mut verdict = Verdict::new(class, "any")
                .certainty(certainty)
                .reaching(scope)
                .delay(Some(Duration::from_secs(seconds)));
            verdict.quota.model = alias.map(str::to_owned);
            verdict
        })
}

fn any_brief_failure() -> impl proptest::strategy::Strategy<Value = Verdict> {
    prop::sample::select(vec![Class::Overloaded, Class::ServerError, Class::Timeout])
        .prop_map(|class| Verdict::new(class, "any"))
}

fn any_step(
    verdict: impl proptest::strategy::Strategy<Value = Verdict> + 'static,
) -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=KEYS).prop_map(|key| Step::Begin { key }),
        4 => (any::<usize>(), 0..MODELS.len(), verdict)
            .prop_map(|(which, model, verdict)| Step::End { which, model, verdict }),
        1 => (0u64..500).prop_map(|millis| Step::Pause { millis }),
    ]
}

fn any_report() -> impl proptest::strategy::Strategy<Value = Verdict> {
    prop_oneof![any_failure(), any_brief_failure(), Just(Verdict::ok())]
}

/// What a pool would do and keep.
type Seen = (
    Vec<(KeyId, KeyState)>,
    Vec<(PairId, PairState)>,
    Vec<Result<(), Exhausted>>,
    [bool; 2],
);

fn seen(pool: &Pool, now: UnixMs) -> Seen {
    let keys = pool.statuses().into_iter();
    let mut pairs = pool.pairs();
    // A pair of which nothing is known is as good as none.
    pairs.retain(|(_, state)| *state != PairState::default());
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    let takes = (1..=KEYS).flat_map(|key| MODELS.map(|model| can_take(pool, key, model, now)));
    (
        keys.map(|status| (status.id, status.state)).collect(),
        pairs,
        takes.collect(),
        MODELS.map(|model| pool.is_overloaded(model, now)),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever was before: once everything is forgiven that came after, it is as if it had not come.
    #[test]
    fn forgiving_everything_since_a_moment_gives_the_state_before(
        before in prop::collection::vec(any_step(any_report()), 0..40),
        after in prop::collection::vec(
            any_step(prop_oneof![any_failure(), any_brief_failure()]), 1..40,
        ),
    ) {
        let (pool, twin) = (pool(), pool());
        let mut now = NOON;
        let mut open = Vec::new();
        for step in before {
            match step {
                Step::Pause { millis } => now = now + Duration::from_millis(millis),
                Step::Begin { key } => {
                    let both = [&pool, &twin].map(|pool| pool.lease_key(KeyId(key), now));
                    if let [Ok(one), Ok(other)] = both { open.push((one, other)); }
                }
                Step::End { which, model, verdict } if !open.is_empty() => {
                    let (one, other) = open.remove(which % open.len());
                    report(&pool, &one, MODELS[model], &verdict, now);
                    report(&twin, &other, MODELS[model], &verdict, now);
                }
                Step::End { .. } => {}
            }
        }
        let mut receipts = Vec::new();
        for step in after {
            match step {
                Step::Pause { millis } => now = now + Duration::from_millis(millis),
                Step::Begin { key } => {
                    let both = [&pool, &twin].map(|pool| pool.lease_key(KeyId(key), now));
                    if let [Ok(one), Ok(other)] = both { open.push((one, other)); }
                }
                Step::End { which, model, verdict } if !open.is_empty() => {
                    let (one, _) = open.remove(which % open.len());
                    receipts.push(report(&pool, &one, MODELS[model], &verdict, now));
                }
                Step::End { .. } => {}
            }
        }
        pool.forgive(receipts, now);
        prop_assert_eq!(seen(&pool, now), seen(&twin, now));
        // The saved state is that of the twin, too: both have saved nothing yet.
        let written = |pool: &Pool| {
            let mut changes = pool.take_changes();
            changes.keys.retain(|(_, state)| *state != KeyState::default());
            changes.keys.sort_by_key(|(id, _)| *id);
            changes.pairs.retain(|(_, state)| *state != PairState::default());
            changes.pairs.sort_by(|one, other| one.0.cmp(&other.0));
            changes
        };
        let (written, of_twin) = (written(&pool), written(&twin));
        prop_assert!(of_twin.keys.iter().all(|key| written.keys.contains(key)));
        prop_assert!(of_twin.pairs.iter().all(|pair| written.pairs.contains(pair)));
    }

    /// Reports by two egresses in any order, one of them forgiven at any time: no key can be taken that could not be
    /// if the forgiven ones had never come. Answers are to attempts that begin and end at once: they clear what is
    /// known in either case.
    #[test]
    fn forgiving_never_makes_a_key_more_usable_than_it_was_without_the_failures(
        steps in prop::collection::vec((any_step(any_failure()), 0u8..12), 1..60),
    ) {
        let (pool, without) = (pool(), pool());
        let mut now = NOON;
        let (mut open, mut receipts) = (Vec::new(), Vec::new());
        for (step, dice) in steps {
            match step {
                Step::Pause { millis } => now = now + Duration::from_millis(millis),
                Step::Begin { key } => {
                    let both = [&pool, &without].map(|pool| pool.lease_key(KeyId(key), now));
                    let [Ok(one), Ok(other)] = both else { continue };
                    if dice < 2 {
                        report(&pool, &one, MODELS[0], &Verdict::ok(), now);
                        report(&without, &other, MODELS[0], &Verdict::ok(), now);
                    } else {
                        open.push((one, other));
                    }
                }
                Step::End { which, model, verdict } if !open.is_empty() => {
                    let (one, other) = open.remove(which % open.len());
                    let receipt = report(&pool, &one, MODELS[model], &verdict, now);
                    if dice < 6 {
                        receipts.push(receipt);
                    } else {
                        report(&without, &other, MODELS[model], &verdict, now);
                    }
                }
                Step::End { .. } => {}
            }
            if dice % 6 == 0 {
                pool.forgive(receipts.drain(..), now);
            }
        }
        pool.forgive(receipts, now);
        for key in 1..=KEYS {
            for model in MODELS {
                let (with, without) =
                    (can_take(&pool, key, model, now), can_take(&without, key, model, now));
                prop_assert!(with.is_err() || without.is_ok(), "{} {}: {:?}", key, model, without);
            }
        }
    }
}
