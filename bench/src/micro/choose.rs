//! One lease and its report in pools of different sizes.

use std::time::Duration;

use anyhow::Context;
use domain::{Certainty, Class, Key, KeyId, KeyState, UnixMs, Verdict};
use keypool::{Exhausted, Place, Pool, PoolRules, Strategy, Want};

use super::nanoseconds;
use crate::run::figures::{
    CHOOSE_LARGE, CHOOSE_MIDDLE, CHOOSE_SMALL, FILL_LARGE, Figure, PAST_DEAD, RANDOM_LARGE,
    ROBIN_LARGE,
};
use crate::run::gateways::Gateway;
use crate::run::results::Results;

/// 2026-11-20T20:00:00Z.
pub(crate) const NOW: UnixMs = UnixMs(1_795_204_800_000);
const MODEL: &str = "gemini-flash-latest";
const LATENCY: Duration = Duration::from_millis(5);
const MANY: i64 = 100_000;

static CASES: [(&Figure, Strategy, i64); 6] = [
    (&CHOOSE_SMALL, Strategy::LeastLoaded, 10),
    (&CHOOSE_MIDDLE, Strategy::LeastLoaded, 1_000),
    (&CHOOSE_LARGE, Strategy::LeastLoaded, MANY),
    (&ROBIN_LARGE, Strategy::RoundRobin, MANY),
    (&RANDOM_LARGE, Strategy::Random, MANY),
    (&FILL_LARGE, Strategy::FillFirst, MANY),
];

pub(super) fn run(results: &mut Results) -> anyhow::Result<()> {
    for (figure, strategy, keys) in CASES {
        let pool = pool_of(strategy, keys);
        results.add(figure, Gateway::Keymux, time(&pool)?);
    }
    let pool = pool_of(Strategy::LeastLoaded, MANY);
    kill_all_but(&pool, MANY as usize / 100)?;
    results.add(&PAST_DEAD, Gateway::Keymux, time(&pool)?);
    Ok(())
}

/// A pool of so many keys, each a project of its own.
pub(crate) fn pool_of(strategy: Strategy, keys: i64) -> Pool {
    let rules = PoolRules {
        strategy,
        max_failures: 3,
        recheck_interval: Duration::from_secs(3600),
    };
    let pool = Pool::new("google", rules, 7);
    pool.upsert((1..=keys).map(|id| (key(id), KeyState::default())), NOW);
    pool
}

fn key(id: i64) -> Key {
    Key::plain(KeyId(id), "google", &format!("AIza-{id}"), NOW)
}

fn time(pool: &Pool) -> anyhow::Result<f64> {
    use_once(pool, &Verdict::ok())
        .ok()
        .context("the pool has no key")?;
    Ok(nanoseconds(|| use_once(pool, &Verdict::ok())))
}

fn use_once(pool: &Pool, verdict: &Verdict) -> Result<KeyId, Exhausted> {
    let want = Want {
        model: MODEL,
        tried: &[],
        again: false,
        place: Place::Anywhere,
    };
    let lease = pool.lease(&want, NOW)?;
    pool.report(&lease, MODEL, verdict, LATENCY, NOW);
    Ok(lease.key().id)
}

fn kill_all_but(pool: &Pool, left: usize) -> anyhow::Result<()> {
    let dead = Verdict::new(Class::KeyInvalid, "leaked").certainty(Certainty::Decisive);
    while pool.usable(MODEL, NOW) > left {
        use_once(pool, &dead)
            .ok()
            .context("the pool has no key left")?;
    }
    Ok(())
}
