//! Requests that must, or had better, go to one project.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

use std::time::Duration;

use domain::{Class, Key, KeyId, KeyState, UnixMs, Verdict};
use keypool::{Eligible, Exhausted, Lease, Place, Pool, PoolRules, Strategy, Want};

const NOW: UnixMs = UnixMs(1_790_000_000_000);
const MODEL: &str = "gemini-2.5-flash";

fn key(id: i64, project: Option<&str>) -> Key {
    Key {
        project: project.map(str::to_owned),
        ..Key::plain(KeyId(id), "google", &format!("AIza-{id}"), NOW)
    }
}

/// Twenty keys: 1 and 2 share a project, the others are their own.
fn pool() -> Pool {
    let rules = PoolRules {
        strategy: Strategy::LeastLoaded,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    };
    let pool = Pool::new("google", rules, 7);
    let keys = (1..=20).map(|id| key(id, (id <= 2).then_some("team")));
    pool.upsert(keys.map(|key| (key, KeyState::default())), NOW);
    pool
}

fn lease(pool: &Pool, place: Place<'_>, tried: &[KeyId]) -> Result<Lease, Exhausted> {
    let want = Want {
        model: MODEL,
        tried,
        again: false,
        place,
    };
    pool.lease(&want, NOW)
}

fn throttle(pool: &Pool, place: Place<'_>) {
    let lease = lease(pool, place, &[]).unwrap();
    let verdict = Verdict::new(Class::RateLimited, "rate_limit");
    pool.report(&lease, MODEL, &verdict, Duration::from_millis(5), NOW);
}

#[test]
fn what_belongs_to_a_project_is_asked_of_its_keys_alone() {
    let pool = pool();
    let team = Place::Within("team");
    for _ in 0..40 {
        let lease = lease(&pool, team, &[]).unwrap();
        assert!(lease.key().id.0 <= 2);
        assert_eq!(lease.chosen.why, Eligible::Bound);
    }
    let both = [KeyId(1), KeyId(2)];
    assert_eq!(lease(&pool, team, &both[..1]).unwrap().key().id, both[1]);
    assert_eq!(lease(&pool, team, &both).unwrap_err(), Exhausted::AllTried);
    let own = lease(&pool, Place::Within("key:7"), &[]).unwrap();
    assert_eq!(own.key().id, KeyId(7));
    for unknown in ["key:1", "key:99", "other"] {
        let found = lease(&pool, Place::Within(unknown), &[]).map(|lease| lease.key().id);
        // A key that has joined others is still reached by what was its own.
        let expected = if unknown == "key:1" {
            Ok(())
        } else {
            Err(Exhausted::NoKeys)
        };
        assert_eq!(found.map(drop), expected, "{unknown}");
    }
}

#[test]
fn a_project_that_cools_is_waited_for_and_never_left() {
    let pool = pool();
    throttle(&pool, Place::Within("team"));
    let exhausted = lease(&pool, Place::Within("team"), &[]).unwrap_err();
    let Exhausted::Cooling { until, class } = exhausted else {
        panic!("{exhausted:?}");
    };
    assert!(until > NOW);
    assert_eq!(class, Class::RateLimited);
    assert!(lease(&pool, Place::Anywhere, &[]).is_ok());
}

#[test]
fn a_project_is_preferred_while_it_is_free() {
    let pool = pool();
    let rather = Place::Rather("key:9");
    for _ in 0..50 {
        let lease = lease(&pool, rather, &[]).unwrap();
        assert_eq!(
            (lease.key().id, lease.chosen.why),
            (KeyId(9), Eligible::Preferred)
        );
    }
    assert_ne!(
        lease(&pool, rather, &[KeyId(9)]).unwrap().key().id,
        KeyId(9)
    );
    throttle(&pool, rather);
    assert_ne!(lease(&pool, rather, &[]).unwrap().key().id, KeyId(9));
    assert!(lease(&pool, Place::Rather("nobody"), &[]).is_ok());
}

#[test]
fn a_warm_project_is_gone_back_to_until_it_has_had_its_share() {
    let pool = pool();
    let warm = Place::Warm("key:9");
    let (mut warm_ones, mut others) = (0, 0);
    for _ in 0..2_000 {
        let lease = lease(&pool, warm, &[]).unwrap();
        if lease.key().id == KeyId(9) {
            warm_ones += 1;
        } else {
            others += 1;
        }
    }
    // An even share is a twentieth.
    assert!(
        (100..=200).contains(&warm_ones),
        "{warm_ones} beside {others}"
    );
}

#[test]
fn conversations_over_all_projects_keep_to_theirs() {
    let pool = pool();
    let mut homes: Vec<String> = Vec::new();
    for _ in 0..200 {
        homes.push(
            lease(&pool, Place::Anywhere, &[])
                .unwrap()
                .key()
                .project_name(),
        );
    }
    let mut kept = 0;
    for turn in 0..4_000 {
        let home = homes[turn * 7 % homes.len()].clone();
        let lease = lease(&pool, Place::Warm(&home), &[]).unwrap();
        kept += usize::from(lease.key().project_name() == home);
    }
    assert!(kept > 3_600, "{kept} of 4000");
}
