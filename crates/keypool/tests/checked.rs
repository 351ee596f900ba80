//! What checks change in the pool: they prove the key, and never that there is quota.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

use std::time::Duration;

use domain::{Certainty, Class, Key, KeyHealth, KeyId, KeyState, UnixMs, Verdict};
use keypool::{Checked, Place, Pool, PoolRules, Strategy, Want};

/// 2026-11-20T20:00:00Z, noon in Los Angeles.
const NOON: UnixMs = UnixMs(1_795_204_800_000);
const MODEL: &str = "gemini-flash";
const KEY: KeyId = KeyId(1);

fn pool() -> Pool {
    let rules = PoolRules {
        strategy: Strategy::LeastLoaded,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    };
    let key = Key::plain(KEY, "google", "AIza-1", NOON);
    let pool = Pool::new("google", rules, 7);
    pool.upsert([(key, KeyState::default())], NOON);
    pool
}

fn later(seconds: u64) -> UnixMs {
    NOON + Duration::from_secs(seconds)
}

fn check(pool: &Pool, verdict: &Verdict, now: UnixMs) -> KeyHealth {
    let checked = Checked {
        model: Some(MODEL),
        verdict,
        key_works: verdict.class == Class::Ok,
        model_exists: true,
        began: now,
    };
    pool.checked(KEY, &checked, now).unwrap().0
}

/// A caller's request that ends so.
fn attempt(pool: &Pool, verdict: &Verdict, now: UnixMs) {
    let want = Want {
        model: MODEL,
        tried: &[],
        again: false,
        place: Place::Anywhere,
    };
    let lease = pool.lease(&want, now).unwrap();
    pool.report(&lease, MODEL, verdict, Duration::from_millis(5), now);
}

fn invalid() -> Verdict {
    Verdict::new(Class::KeyInvalid, "api_key_invalid")
}

#[test]
fn a_success_brings_a_key_back_that_was_retired_or_failed_too_often() {
    let counted = Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted);
    for failures in [vec![invalid()], vec![counted; 3]] {
        let pool = pool();
        for verdict in &failures {
            attempt(&pool, verdict, NOON);
        }
        assert_eq!(pool.usable(MODEL, NOON), 0, "{failures:?}");
        assert_eq!(check(&pool, &Verdict::ok(), later(1)), KeyHealth::Active);
        assert_eq!(pool.usable(MODEL, NOON), 1);
        let state = pool.status(KEY).unwrap().state;
        assert_eq!((state.failures, state.has_worked), (0, true));
    }
}

#[test]
fn a_success_proves_neither_quota_nor_money() {
    let throttled =
        Verdict::new(Class::RateLimited, "per_minute").delay(Some(Duration::from_secs(50)));
    let unpaid = Verdict::new(Class::Billing, "prepay_depleted");
    for verdict in [throttled, unpaid] {
        let pool = pool();
        attempt(&pool, &verdict, NOON);
        assert_eq!(pool.usable(MODEL, NOON), 0);
        check(&pool, &Verdict::ok(), later(1));
        assert_eq!(pool.usable(MODEL, NOON), 0, "{verdict:?}");
    }
}

#[test]
fn a_success_leaves_failures_that_are_being_counted() {
    let pool = pool();
    let counted = Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted);
    for _ in 0..3 {
        check(&pool, &Verdict::ok(), NOON);
        attempt(&pool, &counted, NOON);
    }
    assert_eq!(pool.usable(MODEL, NOON), 0);
}

#[test]
fn a_limit_of_the_check_itself_hurts_nobody() {
    for class in [
        Class::RateLimited,
        Class::QuotaDaily,
        Class::Overloaded,
        Class::ServerError,
        Class::Network,
        Class::Timeout,
        Class::BadRequest,
    ] {
        let pool = pool();
        let health = check(&pool, &Verdict::new(class, "any"), NOON);
        assert_eq!(
            (health, pool.usable(MODEL, NOON)),
            (KeyHealth::Active, 1),
            "{class:?}"
        );
    }
}

#[test]
fn not_valid_is_confirmed_by_the_second_check_of_a_key_that_has_worked() {
    let pool = pool();
    check(&pool, &Verdict::ok(), NOON);
    assert!(matches!(
        check(&pool, &invalid(), later(1)),
        KeyHealth::Cooling(_)
    ));
    assert!(matches!(
        check(&pool, &invalid(), later(62)),
        KeyHealth::Retired { .. }
    ));
    assert!(matches!(
        check(&pool, &invalid(), later(99)),
        KeyHealth::Retired { .. }
    ));
}

#[test]
fn a_check_that_began_before_the_failure_clears_and_confirms_nothing() {
    let pool = pool();
    attempt(&pool, &Verdict::ok(), NOON);
    attempt(&pool, &invalid(), later(10));
    for verdict in [Verdict::ok(), invalid()] {
        let checked = Checked {
            model: Some(MODEL),
            verdict: &verdict,
            key_works: verdict.class == Class::Ok,
            model_exists: true,
            began: later(9),
        };
        let (health, _) = pool.checked(KEY, &checked, later(11)).unwrap();
        assert!(matches!(health, KeyHealth::Cooling(_)), "{verdict:?}");
    }
}

#[test]
fn a_missing_model_takes_the_pair_out_only_where_others_have_it() {
    let missing = Verdict::new(Class::ModelUnavailable, "model_not_found");
    for (model_exists, usable) in [(false, 1), (true, 0)] {
        let pool = pool();
        attempt(&pool, &invalid(), NOON);
        let checked = Checked {
            model: Some(MODEL),
            verdict: &missing,
            key_works: true,
            model_exists,
            began: later(1),
        };
        let (health, _) = pool.checked(KEY, &checked, later(1)).unwrap();
        assert_eq!(health, KeyHealth::Active);
        assert_eq!(
            (pool.usable(MODEL, NOON), pool.usable("other", NOON)),
            (usable, 1)
        );
    }
}

#[test]
fn keys_that_are_not_there_are_told() {
    let ok = Verdict::ok();
    let checked = Checked {
        model: None,
        verdict: &ok,
        key_works: true,
        model_exists: true,
        began: NOON,
    };
    assert!(pool().checked(KeyId(404), &checked, NOON).is_none());
}

#[test]
fn editions_tell_of_keys_that_come_go_or_are_edited() {
    let pool = pool();
    let before = pool.edition();
    check(&pool, &invalid(), NOON);
    let key = pool.status(KEY).unwrap().cell.key.clone();
    pool.upsert([(key.clone(), KeyState::default())], NOON);
    assert_eq!(pool.edition(), before, "nothing of that is an edit");
    let off = Key {
        enabled: false,
        ..key
    };
    pool.upsert([(off, KeyState::default())], NOON);
    let members = pool.members();
    assert_eq!((members.len(), members[0].enabled), (1, false));
    pool.remove([KEY], NOON);
    assert_eq!((pool.members().len(), pool.edition()), (0, before + 2));
}
