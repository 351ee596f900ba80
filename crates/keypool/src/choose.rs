//! Which of the keys that are ready a request gets.
//! Every strategy draws tickets by rank from a [`BitTree`], so none of them looks at the whole pool.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::KeyId;

use crate::bit_tree::BitTree;
use crate::roster::{Roster, Tier};

/// How a key is chosen among those that are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The better of two drawn by weight: fewer requests in flight, less given so far, faster.
    #[default]
    LeastLoaded,
    /// One after the other, by weight.
    RoundRobin,
    /// Drawn by weight.
    Random,
    /// Always the first, in order of creation, until it is out.
    FillFirst,
    /// The key that its owner selected; within the shared pool the least loaded.
    SelectedFirst,
}

impl Strategy {
    /// Its name in the configuration, for example `least_loaded`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeastLoaded => "least_loaded",
            Self::RoundRobin => "round_robin",
            Self::Random => "random",
            Self::FillFirst => "fill_first",
            Self::SelectedFirst => "selected_first",
        }
    }
}

/// Why this key: kept with the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The strategy that chose.
    pub strategy: Strategy,
    /// Out of how many tickets.
    pub among: u32,
    /// How it came to be eligible.
    pub why: Eligible,
}

/// How a key came to be eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligible {
    /// It was ready.
    Ready,
    /// It was ready, and this request finds out whether it works again.
    Probe,
    /// Nothing was ready; it failed a moment ago.
    LastResort,
    /// Every key was tried; this one again.
    Again,
    /// Only this key can go on with what it began.
    Begun,
    /// What the request names belongs to the key's project.
    Bound,
    /// What the request needs was made, or is remembered, in the key's project.
    Preferred,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Eligible::Begun => f.write_str("began this upload"),
            Eligible::Bound => f.write_str("what is named belongs to its project"),
            Eligible::Preferred => f.write_str("its project was used for this before"),
            why => write!(f, "{} of {}{why}", self.strategy.name(), self.among),
        }
    }
}

impl fmt::Display for Eligible {
    /// What is added to the reason for a key; nothing where it simply was ready.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready | Self::Begun | Self::Bound | Self::Preferred => "",
            Self::Probe => ", probe after cooling",
            Self::LastResort => ", last resort",
            Self::Again => ", again: no other key",
        })
    }
}

/// Draws of a [`Strategy::LeastLoaded`] or random choice before it walks on from the last draw.
const DRAWS: usize = 4;

/// Randomness and the round-robin position: atomics, because all requests share them.
#[derive(Debug)]
pub(crate) struct Chooser {
    dice: AtomicU64,
    turn: AtomicU64,
}

impl Chooser {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: AtomicU64::new(seed),
            turn: AtomicU64::new(0),
        }
    }

    /// A slot of `set` that is not among `tried`.
    pub(crate) fn pick(
        &self,
        strategy: Strategy,
        set: &BitTree,
        tier: &Tier,
        roster: &Roster,
        tried: &[KeyId],
    ) -> Option<u32> {
        let draw = Draw {
            set,
            tier,
            roster,
            tried,
        };
        match strategy {
            Strategy::LeastLoaded | Strategy::SelectedFirst => {
                let one = self.draw_untried(&draw)?;
                let other = self.draw_untried(&draw)?;
                let other = if other == one { draw.after(one) } else { other };
                let score = |slot: u32| roster.scores.of(slot);
                Some(if score(other) < score(one) {
                    other
                } else {
                    one
                })
            }
            Strategy::Random => self.draw_untried(&draw),
            Strategy::RoundRobin => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) as usize;
                draw.from(set.select(turn % set.len().max(1))?)
            }
            Strategy::FillFirst => draw.from(0),
        }
    }

    /// A number in 0..1, for jitter.
    pub(crate) fn fraction(&self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn draw_untried(&self, draw: &Draw<'_>) -> Option<u32> {
        let mut ticket = 0;
        for _ in 0..DRAWS {
            let rank = self.roll() % (draw.set.len() as u64).max(1);
            ticket = draw.set.select(rank as usize)?;
            let slot = draw.tier.tickets[ticket];
            if !draw.is_tried(slot) {
                return Some(slot);
            }
        }
        draw.from(ticket)
    }

    /// `SplitMix64`: a counter and a mixing function, so that threads need no generator of their own.
    fn roll(&self) -> u64 {
        let mut z = self
            .dice
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

struct Draw<'a> {
    set: &'a BitTree,
    tier: &'a Tier,
    roster: &'a Roster,
    tried: &'a [KeyId],
}

impl Draw<'_> {
    /// The first untried slot from `ticket` on. It passes only tickets of tried keys, so the walk is short.
    fn from(&self, ticket: usize) -> Option<u32> {
        let mut at = ticket;
        for _ in 0..self.set.len() {
            at = self.set.next_cyclic(at)?;
            let slot = self.tier.tickets[at];
            if !self.is_tried(slot) {
                return Some(slot);
            }
            at += 1;
        }
        None
    }

    /// The next untried slot behind another one; that one itself when it is alone.
    fn after(&self, slot: u32) -> u32 {
        let tickets = &self.roster.slots[slot as usize].tickets;
        self.from(tickets.end).unwrap_or(slot)
    }

    fn is_tried(&self, slot: u32) -> bool {
        // Most requests have tried nothing, and then no key has to be looked at.
        !self.tried.is_empty()
            && self
                .tried
                .contains(&self.roster.slots[slot as usize].cell.key.id)
    }
}
