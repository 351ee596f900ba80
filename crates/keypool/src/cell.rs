//! One key as requests share it: its secret, and the counters that choosing reads without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use domain::{Key, UnixMs};

use crate::Chosen;
use crate::scores::Score;

/// The cost of one request with a key of weight 1, in units of virtual load.
pub(crate) const UNIT: u64 = 1 << 16;
/// How far behind its peers a key may be counted when it comes back: no more than this many requests.
pub(crate) const CATCH_UP: u64 = 4;

/// A key in the pool.
#[derive(Debug)]
pub struct KeyCell {
    /// The key.
    pub key: Key,
    /// Its place in the roster.
    pub(crate) slot: u32,
    in_flight: AtomicU32,
    /// Virtual load and what it is busy with, beside those of the other keys.
    score: Score,
    latency_us: AtomicU32,
}

impl KeyCell {
    pub(crate) fn new(key: Key, slot: u32, score: Score) -> Self {
        Self {
            key,
            slot,
            in_flight: AtomicU32::new(0),
            score,
            latency_us: AtomicU32::new(0),
        }
    }

    /// Attempts that use the key now.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The moving average of its time to a first useful byte; zero before the first answer.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(u64::from(self.latency_us.load(Ordering::Relaxed)))
    }

    /// Takes the key for one attempt. `clock` is the tier's largest load at which a key was taken: a key that was away
    /// is counted nearly up to it, or it would be given everything until it caught up.
    pub(crate) fn take(&self, clock: &AtomicU64, usual_latency_us: u32) {
        let already = u64::from(self.in_flight.fetch_add(1, Ordering::Relaxed));
        let load = self.score.get().saturating_sub(already * self.busy());
        let latest = clock.fetch_max(load, Ordering::Relaxed);
        let behind = latest.saturating_sub(CATCH_UP * UNIT);
        let caught_up = behind.saturating_sub(load);
        self.score
            .add(caught_up + self.cost(usual_latency_us) + self.busy());
    }

    /// The attempt is over.
    fn give_back(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.score.subtract(self.busy());
    }

    /// What one request under way weighs.
    fn busy(&self) -> u64 {
        UNIT / self.weight()
    }

    /// A slow key's requests cost more, so that it gets fewer; bounded, so that it is never starved.
    fn cost(&self, usual_latency_us: u32) -> u64 {
        let own = u64::from(self.latency_us.load(Ordering::Relaxed));
        let usual = u64::from(usual_latency_us);
        let unit = if own == 0 || usual == 0 {
            UNIT
        } else {
            (UNIT * own / usual).clamp(UNIT * 4 / 5, UNIT * 5 / 4)
        };
        unit / self.weight()
    }

    pub(crate) fn observe_latency(&self, latency: Duration) {
        let sample = u32::try_from(latency.as_micros())
            .unwrap_or(u32::MAX)
            .max(1);
        let old = self.latency_us.load(Ordering::Relaxed);
        self.latency_us
            .store(moving_average(old, sample), Ordering::Relaxed);
    }

    fn weight(&self) -> u64 {
        u64::from(self.key.weight.max(1))
    }
}

/// One eighth of the new sample; the first sample counts whole.
pub(crate) fn moving_average(old: u32, sample: u32) -> u32 {
    if old == 0 {
        return sample;
    }
    (u64::from(old) * 7 / 8 + u64::from(sample) / 8).max(1) as u32
}

/// The use of a key for one attempt. Dropping it gives the key back.
#[derive(Debug)]
pub struct Lease {
    cell: Arc<KeyCell>,
    /// When it was taken: an answer clears only what was known by then.
    pub(crate) began: UnixMs,
    /// Why this key.
    pub chosen: Chosen,
}

impl Lease {
    pub(crate) fn new(cell: Arc<KeyCell>, began: UnixMs, chosen: Chosen) -> Self {
        Self {
            cell,
            began,
            chosen,
        }
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.cell.key
    }

    pub(crate) fn cell(&self) -> &KeyCell {
        &self.cell
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.cell.give_back();
    }
}
