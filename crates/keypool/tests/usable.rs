//! How many keys are usable for a model: as many as a request could be given, one after the other, whatever happened.

use std::time::Duration;

use domain::{Certainty, Class, Key, KeyId, KeyState, UnixMs, Verdict};
use keypool::{Out, Place, Pool, PoolRules, Strategy, Want};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

const NOON: UnixMs = UnixMs(1_795_204_800_000);
const MODEL: &str = "gemini-flash";
const OTHER: &str = "gemini-pro";

fn key(id: i64, weight: u16, priority: i16, project: Option<&str>, enabled: bool) -> Key {
    Key {
        project: project.map(str::to_owned),
        weight,
        priority,
        enabled,
        ..Key::plain(KeyId(id), "google", &format!("AIza-{id}"), NOON)
    }
}

fn pool() -> Pool {
    let rules = PoolRules {
        strategy: Strategy::LeastLoaded,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    };
    Pool::new("google", rules, 7)
}

fn put(pool: &Pool, key: Key, now: UnixMs) {
    pool.upsert([(key, KeyState::default())], now);
}

/// Keys that one request is given until there is no other.
fn leased(pool: &Pool, model: &str, now: UnixMs) -> usize {
    let mut tried = Vec::new();
    loop {
        let want = Want {
            model,
            tried: &tried,
            again: false,
            place: Place::Anywhere,
        };
        match pool.lease(&want, now) {
            Ok(lease) => tried.push(lease.key().id),
            Err(_) => return tried.len(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(Key),
    Remove(i64),
    Reset(i64),
    Fail { model: &'static str, class: Class },
    Clock { by_ms: u64 },
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let id = || 1i64..6;
    let projects = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    let keys = (id(), 1u16..4, 0i16..2, projects, any::<bool>())
        .prop_map(|(id, weight, priority, project, on)| key(id, weight, priority, project, on));
    let models = prop_oneof![Just(MODEL), Just(OTHER), Just("")];
    let classes = prop_oneof![
        Just(Class::RateLimited),
        Just(Class::KeyInvalid),
        Just(Class::Overloaded),
        Just(Class::KeyRestricted),
        Just(Class::Ok),
    ];
    let step = prop_oneof![
        5 => keys.prop_map(Step::Put),
        1 => id().prop_map(Step::Remove),
        1 => id().prop_map(Step::Reset),
        5 => (models, classes).prop_map(|(model, class)| Step::Fail { model, class }),
        3 => (0u64..200_000).prop_map(|by_ms| Step::Clock { by_ms }),
    ];
    prop::collection::vec(step, 1..60)
}

fn attempt(pool: &Pool, model: &str, class: Class, now: UnixMs) {
    let want = Want {
        model,
        tried: &[],
        again: false,
        place: Place::Anywhere,
    };
    if let Ok(lease) = pool.lease(&want, now) {
        let verdict = Verdict::new(class, "test").certainty(Certainty::Decisive);
        pool.report(&lease, model, &verdict, Duration::from_millis(5), now);
    }
}

proptest! {
    #[test]
    fn as_many_keys_are_usable_as_can_be_leased(steps in steps()) {
        let pool = pool();
        let mut now = NOON;
        for step in steps {
            match step {
                Step::Put(key) => put(&pool, key, now),
                Step::Remove(id) => pool.remove([KeyId(id)], now),
                Step::Reset(id) => pool.reset(KeyId(id), now),
                Step::Fail { model, class } => attempt(&pool, model, class, now),
                Step::Clock { by_ms } => now = now + Duration::from_millis(by_ms),
            }
            for model in [MODEL, OTHER, "", "never-seen"] {
                let usable = pool.usable(model, now);
                let outlook = pool.outlook(model, now);
                prop_assert_eq!(outlook.usable, usable);
                let out: usize = outlook.out.values().map(|out| out.keys).sum();
                prop_assert_eq!(usable + out, pool.census(now).total);
                prop_assert_eq!(leased(&pool, model, now), usable, "{}", model);
            }
        }
    }
}

#[test]
fn a_key_of_much_weight_is_one_key() {
    let pool = pool();
    put(&pool, key(1, 50, 0, None, true), NOON);
    put(&pool, key(2, 1, 0, None, true), NOON);
    assert_eq!(pool.usable(MODEL, NOON), 2);
    put(&pool, key(1, 7, 3, None, true), NOON);
    assert_eq!(pool.usable(MODEL, NOON), 2);
}

#[test]
fn a_key_whose_time_has_come_is_usable_though_nobody_asks() {
    let pool = pool();
    put(&pool, key(1, 1, 0, None, true), NOON);
    attempt(&pool, MODEL, Class::RateLimited, NOON);
    assert_eq!(pool.usable(MODEL, NOON), 0);
    assert_eq!(pool.usable(OTHER, NOON), 1);
    assert_eq!(pool.usable(MODEL, NOON + Duration::from_secs(3600)), 1);
}

#[test]
fn what_is_out_is_told_by_its_reason_and_when_the_first_comes_back() {
    let pool = pool();
    for id in 1..=3 {
        put(&pool, key(id, 2, 0, Some("team"), true), NOON);
    }
    put(&pool, key(4, 1, 0, None, false), NOON);
    put(&pool, key(5, 1, 9, None, true), NOON);
    attempt(&pool, MODEL, Class::RateLimited, NOON);
    let outlook = pool.outlook(MODEL, NOON);
    assert_eq!(outlook.usable, 1);
    let cooling = outlook.out["rate_limited"];
    assert_eq!(cooling.keys, 3);
    assert!(cooling.first_back.is_some_and(|back| back > NOON));
    let disabled = Out {
        keys: 1,
        first_back: None,
    };
    assert_eq!(outlook.out["disabled"], disabled);
    attempt(&pool, MODEL, Class::KeyInvalid, NOON);
    assert_eq!(pool.outlook(MODEL, NOON).out["invalid"].keys, 1);
    assert_eq!(pool.outlook(OTHER, NOON).usable, 3);
}
