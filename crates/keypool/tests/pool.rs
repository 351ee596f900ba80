//! The pool as a request sees it: who is chosen, who is spared, who comes back.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use domain::{Certainty, Class, Key, KeyHealth, KeyId, KeyState, PairId, Scope, UnixMs, Verdict};
use keypool::{Eligible, Exhausted, Place, Pool, PoolRules, Strategy, Want};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

/// 2026-11-20T20:00:00Z, noon in Los Angeles.
const NOON: UnixMs = UnixMs(1_795_204_800_000);
const MODEL: &str = "gemini-flash";

fn rules(strategy: Strategy) -> PoolRules {
    PoolRules {
        strategy,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    }
}

fn key(id: i64) -> Key {
    Key::plain(KeyId(id), "google", &format!("AIza-{id}"), NOON)
}

fn pool_of(strategy: Strategy, keys: impl IntoIterator<Item = Key>) -> Pool {
    let pool = Pool::new("google", rules(strategy), 7);
    pool.upsert(keys.into_iter().map(|key| (key, KeyState::default())), NOON);
    pool
}

fn equal_keys(strategy: Strategy, count: i64) -> Pool {
    pool_of(strategy, (1..=count).map(key))
}

fn want(tried: &[KeyId]) -> Want<'_> {
    Want {
        model: MODEL,
        tried,
        again: false,
        place: Place::Anywhere,
    }
}

/// One request of the model that ends with `verdict`; gives the key it was tried with.
fn attempt(pool: &Pool, verdict: &Verdict, now: UnixMs) -> Result<KeyId, Exhausted> {
    let lease = pool.lease(&want(&[]), now)?;
    pool.report(&lease, MODEL, verdict, Duration::from_millis(5), now);
    Ok(lease.key().id)
}

/// The same for a request that names no model.
fn attempt_without_model(pool: &Pool, verdict: &Verdict) -> Result<KeyId, Exhausted> {
    let want = Want {
        model: "",
        ..want(&[])
    };
    let lease = pool.lease(&want, NOON)?;
    pool.report(&lease, "", verdict, Duration::from_millis(5), NOON);
    Ok(lease.key().id)
}

#[test]
fn a_model_that_a_call_does_not_name_holds_up_no_other_call() {
    let pool = equal_keys(Strategy::FillFirst, 1);
    let missing = Verdict::new(Class::ModelUnavailable, "model_not_found");
    for _ in 0..3 {
        assert_eq!(attempt_without_model(&pool, &missing), Ok(KeyId(1)));
    }
    assert_eq!(pool.pairs(), []);
    let limited = Verdict::new(Class::RateLimited, "rate_limit");
    assert_eq!(attempt_without_model(&pool, &limited), Ok(KeyId(1)));
    assert!(attempt_without_model(&pool, &missing).is_err());
}

fn shares(pool: &Pool, requests: usize) -> BTreeMap<i64, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..requests {
        *shares
            .entry(attempt(pool, &Verdict::ok(), NOON).unwrap().0)
            .or_default() += 1;
    }
    shares
}

fn later(seconds: u64) -> UnixMs {
    NOON + Duration::from_secs(seconds)
}

fn throttled(seconds: u64) -> Verdict {
    Verdict::new(Class::RateLimited, "per_minute").delay(Some(Duration::from_secs(seconds)))
}

#[test]
fn round_robin_spreads_exactly() {
    let shares = shares(&equal_keys(Strategy::RoundRobin, 20), 1_000);
    assert!(
        shares.len() == 20 && shares.values().all(|&share| share == 50),
        "{shares:?}"
    );
}

#[test]
fn least_loaded_spreads_equal_keys_within_thirty_percent() {
    let shares = shares(&equal_keys(Strategy::LeastLoaded, 20), 1_000);
    assert!(
        shares.len() == 20 && shares.values().all(|share| (35..=65).contains(share)),
        "{shares:?}"
    );
}

#[test]
fn slow_keys_get_less_but_never_less_than_half() {
    let pool = equal_keys(Strategy::LeastLoaded, 4);
    let mut shares = BTreeMap::<i64, usize>::new();
    for _ in 0..4_000 {
        let lease = pool.lease(&want(&[]), NOON).unwrap();
        let id = lease.key().id.0;
        let latency = Duration::from_millis(if id == 1 { 900 } else { 10 });
        pool.report(&lease, MODEL, &Verdict::ok(), latency, NOON);
        *shares.entry(id).or_default() += 1;
    }
    let (slow, others) = (shares[&1], [shares[&2], shares[&3], shares[&4]]);
    assert!(
        others.iter().all(|&share| slow < share && share < 2 * slow),
        "{shares:?}"
    );
}

#[test]
fn weights_share_out() {
    for strategy in [
        Strategy::LeastLoaded,
        Strategy::RoundRobin,
        Strategy::Random,
    ] {
        let heavy = Key {
            weight: 3,
            ..key(1)
        };
        let shares = shares(&pool_of(strategy, [heavy, key(2)]), 4_000);
        assert!(
            (2_800..=3_200).contains(&shares[&1]),
            "{strategy:?} {shares:?}"
        );
    }
}

#[test]
fn fill_first_stays_with_one_key_until_it_is_out() {
    let pool = equal_keys(Strategy::FillFirst, 3);
    assert_eq!(shares(&pool, 10), BTreeMap::from([(1, 10)]));
    attempt(&pool, &throttled(30), NOON).unwrap();
    assert_eq!(shares(&pool, 10), BTreeMap::from([(2, 10)]));
}

#[test]
fn lower_priority_values_come_first() {
    let reserve = Key {
        priority: 5,
        ..key(1)
    };
    let pool = pool_of(Strategy::LeastLoaded, [reserve, key(2)]);
    assert_eq!(shares(&pool, 10), BTreeMap::from([(2, 10)]));
    attempt(&pool, &throttled(30), NOON).unwrap();
    assert_eq!(shares(&pool, 10), BTreeMap::from([(1, 10)]));
}

#[test]
fn busy_keys_are_passed_over() {
    let pool = equal_keys(Strategy::LeastLoaded, 2);
    let held: Vec<_> = (0..6)
        .map(|_| pool.lease(&want(&[]), NOON).unwrap())
        .collect();
    let on_first = held
        .iter()
        .filter(|lease| lease.key().id == KeyId(1))
        .count();
    assert_eq!(on_first, 3);
}

#[test]
fn a_throttled_model_does_not_stop_other_models() {
    let pool = equal_keys(Strategy::LeastLoaded, 1);
    attempt(&pool, &throttled(30), NOON).unwrap();
    assert!(matches!(
        pool.lease(&want(&[]), NOON).unwrap_err(),
        Exhausted::Cooling {
            class: Class::RateLimited,
            ..
        }
    ));
    let other = Want {
        model: "gemini-pro",
        tried: &[],
        again: false,
        place: Place::Anywhere,
    };
    assert!(pool.lease(&other, NOON).is_ok());
}

#[test]
fn keys_of_one_project_cool_together() {
    let of_team = |id| Key {
        project: Some("team".into()),
        ..key(id)
    };
    let pool = pool_of(Strategy::FillFirst, [of_team(1), of_team(2), key(3)]);
    assert_eq!(attempt(&pool, &throttled(30), NOON), Ok(KeyId(1)));
    assert_eq!(attempt(&pool, &throttled(30), NOON), Ok(KeyId(3)));
    assert!(pool.lease(&want(&[]), NOON).is_err());
}

#[test]
fn the_earliest_reset_is_told_and_then_one_probe_goes_first() {
    let pool = equal_keys(Strategy::FillFirst, 2);
    attempt(&pool, &throttled(60), NOON).unwrap();
    attempt(&pool, &throttled(20), NOON).unwrap();
    let Err(Exhausted::Cooling { until, .. }) = pool.lease(&want(&[]), NOON) else {
        panic!("a key was given")
    };
    assert!((20..=22).contains(&NOON.until(until).as_secs()));
    let probe = pool.lease(&want(&[]), later(23)).unwrap();
    assert_eq!(
        (probe.key().id, probe.chosen.why),
        (KeyId(2), Eligible::Probe)
    );
    let meanwhile = pool.lease(&want(&[]), later(23)).unwrap();
    assert_eq!(meanwhile.chosen.why, Eligible::LastResort);
    pool.report(&probe, MODEL, &Verdict::ok(), Duration::ZERO, later(24));
    assert_eq!(
        pool.lease(&want(&[]), later(24)).unwrap().chosen.why,
        Eligible::Ready
    );
}

#[test]
fn an_answer_that_began_before_the_refusal_does_not_clear_it() {
    let pool = equal_keys(Strategy::FillFirst, 1);
    let slow = pool.lease(&want(&[]), NOON).unwrap();
    attempt(&pool, &throttled(30), later(1)).unwrap();
    pool.report(&slow, MODEL, &Verdict::ok(), Duration::ZERO, later(2));
    assert!(pool.lease(&want(&[]), later(3)).is_err());
}

#[test]
fn refusals_under_way_together_confirm_nothing() {
    let pool = equal_keys(Strategy::FillFirst, 1);
    attempt(&pool, &Verdict::ok(), NOON).unwrap();
    let together: Vec<_> = (0..5)
        .map(|_| pool.lease(&want(&[]), later(1)).unwrap())
        .collect();
    let per_day = Verdict::new(Class::QuotaDaily, "per_day");
    let not_valid = Verdict::new(Class::KeyInvalid, "api_key_invalid");
    for (at, lease) in (2..).zip(&together) {
        pool.report(lease, MODEL, &per_day, Duration::ZERO, later(at));
        pool.report(lease, "other", &not_valid, Duration::ZERO, later(at));
    }
    let pairs = pool.pairs();
    let pair = pairs.iter().find(|(id, _)| id.model == MODEL).unwrap();
    assert!(later(6).until(pair.1.cooling.unwrap().until).as_secs() <= 70);
    assert_eq!(
        pool.census(later(6)).invalid,
        0,
        "one more answer would have to confirm it"
    );
}

/// Asks for models that nobody has.
fn invent_models(pool: &Pool, count: usize) {
    for number in 0..count {
        let model = format!("invented-{number}");
        let want = Want {
            model: &model,
            tried: &[],
            again: false,
            place: Place::Anywhere,
        };
        let lease = pool.lease(&want, NOON).unwrap();
        let unknown = Verdict::new(Class::ModelUnavailable, "not_found");
        pool.report(&lease, &model, &unknown, Duration::ZERO, NOON);
    }
}

#[test]
fn invented_models_make_room_for_real_ones() {
    let pool = equal_keys(Strategy::RoundRobin, 2);
    invent_models(&pool, 2_000);
    for _ in 0..2 {
        attempt(&pool, &throttled(30), NOON).unwrap();
    }
    let refused = pool.lease(&want(&[]), NOON);
    assert!(refused.is_err(), "the refusal was forgotten");
}

#[test]
fn dead_keys_are_tried_once_each() {
    let pool = equal_keys(Strategy::LeastLoaded, 200);
    let mut uses_of_dead = HashSet::new();
    for _ in 0..2_000 {
        let mut tried = Vec::new();
        loop {
            let lease = pool.lease(&want(&tried), NOON).unwrap();
            let id = lease.key().id;
            if id.0 <= 10 {
                pool.report(&lease, MODEL, &Verdict::ok(), Duration::ZERO, NOON);
                break;
            }
            assert!(uses_of_dead.insert(id), "key {id} was tried twice");
            let dead = Verdict::new(Class::KeyInvalid, "api_key_invalid");
            pool.report(&lease, MODEL, &dead, Duration::ZERO, NOON);
            tried.push(id);
        }
    }
    assert_eq!(pool.census(NOON).active, 200 - uses_of_dead.len());
}

#[test]
fn overload_makes_others_preferred_but_refuses_nobody() {
    let pool = equal_keys(Strategy::FillFirst, 2);
    let overloaded = Verdict::new(Class::Overloaded, "overloaded");
    assert_eq!(attempt(&pool, &overloaded, NOON), Ok(KeyId(1)));
    assert_eq!(attempt(&pool, &overloaded, NOON), Ok(KeyId(2)));
    assert_eq!(
        pool.lease(&want(&[]), NOON).unwrap().chosen.why,
        Eligible::LastResort
    );
    assert_eq!(
        pool.lease(&want(&[]), later(2)).unwrap().chosen.why,
        Eligible::Ready
    );
    assert_eq!(pool.census(NOON).active, 2);
    for _ in 0..3 {
        attempt(&pool, &overloaded, NOON).unwrap();
    }
    assert!(pool.is_overloaded(MODEL, NOON) && !pool.is_overloaded("other", NOON));
}

#[test]
fn a_tried_key_is_given_again_only_when_asked_and_nothing_else_is_left() {
    let pool = equal_keys(Strategy::LeastLoaded, 1);
    let tried = [KeyId(1)];
    assert_eq!(
        pool.lease(&want(&tried), NOON).unwrap_err(),
        Exhausted::AllTried
    );
    let again = Want {
        again: true,
        ..want(&tried)
    };
    assert_eq!(
        pool.lease(&again, NOON).unwrap().chosen.why,
        Eligible::Again
    );
}

#[test]
fn empty_disabled_and_dead_pools_say_what_they_are() {
    let pool = equal_keys(Strategy::LeastLoaded, 0);
    assert_eq!(pool.lease(&want(&[]), NOON).unwrap_err(), Exhausted::NoKeys);
    pool.upsert(
        [(
            Key {
                enabled: false,
                ..key(1)
            },
            KeyState::default(),
        )],
        NOON,
    );
    assert_eq!(pool.lease(&want(&[]), NOON).unwrap_err(), Exhausted::NoKeys);
    pool.upsert([(key(1), KeyState::default())], NOON);
    let leaked = Verdict::new(Class::KeyInvalid, "leaked").certainty(Certainty::Decisive);
    attempt(&pool, &leaked, NOON).unwrap();
    assert_eq!(
        pool.lease(&want(&[]), NOON).unwrap_err(),
        Exhausted::AllRetired
    );
    assert_eq!(pool.census(NOON).invalid, 1);
}

#[test]
fn a_suspended_project_takes_all_its_keys_with_it() {
    let of_team = |id| Key {
        project: Some("team".into()),
        ..key(id)
    };
    let pool = pool_of(Strategy::FillFirst, [of_team(1), of_team(2), key(3)]);
    let suspended = Verdict::new(Class::AcctSuspended, "consumer_suspended").project_wide();
    attempt(&pool, &suspended, NOON).unwrap();
    let census = pool.census(NOON);
    assert_eq!((census.invalid, census.active), (2, 1));
}

#[test]
fn reset_brings_a_key_back() {
    let pool = equal_keys(Strategy::LeastLoaded, 1);
    attempt(&pool, &throttled(60), NOON).unwrap();
    pool.reset(KeyId(1), NOON);
    attempt(&pool, &Verdict::new(Class::KeyInvalid, "invalid"), NOON).unwrap();
    pool.reset(KeyId(1), NOON);
    assert!(attempt(&pool, &Verdict::ok(), NOON).is_ok());
}

#[test]
fn a_model_is_reset_for_one_key_or_for_all() {
    let pool = equal_keys(Strategy::FillFirst, 3);
    for _ in 0..3 {
        attempt(&pool, &throttled(60), NOON).unwrap();
    }
    assert_eq!(pool.usable(MODEL, NOON), 0);
    assert_eq!(pool.reset_model("another", None, NOON), 0);
    assert_eq!(pool.reset_model(MODEL, Some(KeyId(2)), NOON), 1);
    assert_eq!(pool.usable(MODEL, NOON), 1);
    assert_eq!(attempt(&pool, &Verdict::ok(), NOON), Ok(KeyId(2)));
    assert_eq!(pool.reset_model(MODEL, None, NOON), 2);
    assert_eq!(pool.usable(MODEL, NOON), 3);
}

#[test]
fn models_are_summed_up_over_keys_and_told_of_one() {
    let pool = equal_keys(Strategy::FillFirst, 3);
    attempt(&pool, &throttled(60), NOON).unwrap();
    attempt(&pool, &throttled(20), NOON).unwrap();
    attempt(&pool, &Verdict::ok(), NOON).unwrap();
    let [summary] = &pool.models(1, NOON)[..] else {
        panic!("one model is known");
    };
    let figures = (summary.usable, summary.cooling, summary.day_requests);
    assert_eq!((summary.model.as_str(), figures), (MODEL, (1, 2, 1)));
    let [first] = &summary.earliest[..] else {
        panic!("one was to be named");
    };
    assert_eq!(first.project, "key:2");
    let [(model, of_key)] = &pool.models_of(KeyId(3), NOON)[..] else {
        panic!("one model is known");
    };
    assert_eq!((model.as_str(), of_key.day_requests), (MODEL, 1));
    // What was answered yesterday is none of today's.
    let tomorrow = later(24 * 3600);
    assert_eq!(pool.models_of(KeyId(3), tomorrow)[0].1.day_requests, 0);
    assert_eq!(pool.models(1, tomorrow)[0].day_requests, 0);
}

#[test]
fn the_day_of_a_model_is_told_of_projects_that_were_asked_and_have_a_key_in_use() {
    let pool = equal_keys(Strategy::FillFirst, 4);
    for verdict in [Verdict::ok(), Verdict::ok(), throttled(60), Verdict::ok()] {
        attempt(&pool, &verdict, NOON).unwrap();
    }
    let days = pool.days(|state| state.cooling.is_some());
    let [day] = &days[..] else {
        panic!("one model was used");
    };
    let mut asked = day.asked.clone();
    asked.sort_unstable();
    assert_eq!((day.model.as_str(), day.projects), (MODEL, 4));
    assert_eq!((asked, day.requests), (vec![(1, false), (2, true)], 3));
    let off = Key {
        enabled: false,
        ..key(2)
    };
    pool.upsert([(off, KeyState::default())], NOON);
    let [day] = &pool.days(|state| state.cooling.is_some())[..] else {
        panic!("one model was used");
    };
    assert_eq!((day.projects, day.requests), (3, 3));
    assert_eq!(day.asked, [(2, true)]);
}

#[test]
fn removed_keys_are_never_given_and_edited_ones_keep_their_state() {
    let pool = equal_keys(Strategy::FillFirst, 2);
    attempt(&pool, &Verdict::new(Class::KeyInvalid, "invalid"), NOON).unwrap();
    pool.upsert(
        [(
            Key {
                weight: 5,
                priority: -1,
                ..key(1)
            },
            KeyState::default(),
        )],
        NOON,
    );
    assert_eq!(attempt(&pool, &Verdict::ok(), NOON), Ok(KeyId(2)));
    pool.remove([KeyId(2)], NOON);
    assert_eq!(
        pool.lease(&want(&[]), NOON).unwrap_err(),
        Exhausted::AllRetired
    );
    assert_eq!(pool.census(NOON).total, 1);
}

#[test]
fn state_survives_a_restart() {
    let before = equal_keys(Strategy::FillFirst, 3);
    attempt(&before, &Verdict::ok(), NOON).unwrap();
    attempt(&before, &throttled(60), NOON).unwrap();
    attempt(&before, &Verdict::new(Class::KeyInvalid, "invalid"), NOON).unwrap();
    let changes = before.take_changes();
    assert!(before.take_changes().is_empty());

    let after = Pool::new("google", rules(Strategy::FillFirst), 7);
    let states: BTreeMap<_, _> = changes.keys.into_iter().collect();
    let keys = (1..=3).map(|id| (key(id), states.get(&KeyId(id)).cloned().unwrap_or_default()));
    after.upsert(keys, later(1));
    for (id, state) in changes.pairs {
        after.restore_pair(&id, state, later(1));
    }
    assert_eq!(attempt(&after, &Verdict::ok(), later(1)), Ok(KeyId(3)));
    assert_eq!(attempt(&after, &throttled(30), later(1)), Ok(KeyId(3)));
    assert!(after.lease(&want(&[]), later(2)).is_err());
    assert_eq!(
        after.lease(&want(&[]), later(67)).unwrap().key().id,
        KeyId(1)
    );
}

#[test]
fn the_day_is_counted_per_project_and_model() {
    let pool = equal_keys(Strategy::FillFirst, 1);
    for _ in 0..7 {
        attempt(&pool, &Verdict::ok(), NOON).unwrap();
    }
    let pairs = pool.take_changes().pairs;
    let id = PairId {
        provider: "google".into(),
        project: "key:1".into(),
        model: MODEL.into(),
    };
    assert_eq!(
        pairs
            .iter()
            .find(|(pair, _)| *pair == id)
            .unwrap()
            .1
            .day_requests,
        7
    );
}

#[test]
fn invented_model_names_do_not_grow_the_pool() {
    let pool = equal_keys(Strategy::RoundRobin, 2);
    invent_models(&pool, 5_000);
    assert!(pool.pairs().len() < 1_100);
    assert!(pool.lease(&want(&[]), NOON).is_ok());
}

fn any_verdict() -> impl proptest::strategy::Strategy<Value = Verdict> {
    (
        prop::sample::select(Class::ALL.to_vec()),
        prop::option::of(0u64..90),
        0u8..3,
    )
        .prop_map(|(class, delay, certainty)| {
            let certainty = match certainty {
                0 => Certainty::Decisive,
                1 => Certainty::Suspected,
                _ => Certainty::Counted,
            };
            Verdict::new(class, "any")
                .delay(delay.map(Duration::from_secs))
                .certainty(certainty)
        })
}

proptest! {
    /// Whatever happens: nobody gets a tried or retired key, in-flight counts return to zero,
    /// and after an answer the key is active.
    #[test]
    fn leases_keep_their_promises(steps in prop::collection::vec((any_verdict(), 0u64..30), 1..120)) {
        let of_team = |id| Key { project: (id % 2 == 0).then(|| "team".into()), ..key(id) };
        let pool = pool_of(Strategy::LeastLoaded, (1..=6).map(of_team));
        let mut now = NOON;
        for (verdict, pause) in steps {
            now = now + Duration::from_secs(pause);
            let tried = [KeyId(1), KeyId(4)];
            let Ok(lease) = pool.lease(&want(&tried), now) else { continue };
            let id = lease.key().id;
            prop_assert!(!tried.contains(&id));
            let status = |id| pool.statuses().into_iter().find(|status| status.id == id).unwrap();
            let retired = matches!(status(id).state.health, KeyHealth::Retired { .. });
            prop_assert!(!retired);
            pool.report(&lease, MODEL, &verdict, Duration::from_millis(3), now);
            if verdict.class == Class::Ok {
                prop_assert_eq!(status(id).state.health, KeyHealth::Active);
            }
        }
        prop_assert!(pool.statuses().iter().all(|status| status.cell.in_flight() == 0));
    }
}

#[test]
fn a_model_that_is_not_paid_for_does_not_stop_other_models() {
    let pool = equal_keys(Strategy::RoundRobin, 1);
    let unpaid = Verdict::new(Class::Billing, "payment_required").reaching(Scope::Pair);
    attempt(&pool, &unpaid, NOON).unwrap();
    assert!(pool.lease(&want(&[]), later(3_599)).is_err());
    let other = Want {
        model: "another",
        ..want(&[])
    };
    assert!(pool.lease(&other, NOON).is_ok());
    assert!(pool.lease(&want(&[]), later(3_600 + 361)).is_ok());
}

#[test]
fn a_refusal_of_one_endpoint_hurts_nobody() {
    let pool = equal_keys(Strategy::RoundRobin, 1);
    let refused = Verdict::new(Class::KeyRestricted, "permission_denied").reaching(Scope::Nobody);
    attempt(&pool, &refused, NOON).unwrap();
    assert!(attempt(&pool, &Verdict::ok(), NOON).is_ok());
}
