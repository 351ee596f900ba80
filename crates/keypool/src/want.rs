//! What a request wants of a pool, which of its keys it gets, and what it is told when there is none.
//! `choose.rs` has the strategies, `account.rs` the choice among the keys of one project.

use domain::{Class, KeyId, UnixMs};

use crate::Chosen;
use crate::bit_tree::BitTree;
use crate::cell::{CATCH_UP, UNIT};
use crate::choose::{Chooser, Eligible};
use crate::ledger::Ledger;

/// How far a warm project may be ahead of the key that would be taken otherwise. It keeps shares even: whoever is left
/// further behind is not counted as far back as it is.
const MOST_AHEAD: u64 = CATCH_UP / 2 * UNIT;

/// What a request needs of a key.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The model; empty: a call that names none.
    pub model: &'a str,
    /// Keys that this request has tried.
    pub tried: &'a [KeyId],
    /// A tried key may be taken again when there is no other.
    pub again: bool,
    /// Whose keys it is for.
    pub place: Place<'a>,
}

/// Where a request is to go. Projects are named as in [`domain::Key::project_name`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place<'a> {
    /// Anywhere.
    #[default]
    Anywhere,
    /// To this project rather than to others, as long as nothing speaks against it.
    Rather(&'a str),
    /// To this project, while it is no busier than the others: it remembers what the request begins with.
    Warm(&'a str),
    /// To this project alone: what the request names belongs to it.
    Within(&'a str),
}

/// No key can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The provider has no key that is switched on.
    NoKeys,
    /// Every key is retired.
    AllRetired,
    /// Every key is cooling; the first is free again at `until`.
    Cooling {
        /// When.
        until: UnixMs,
        /// The class of the verdict that cools it.
        class: Class,
    },
    /// Keys are usable, but this request has tried them all.
    AllTried,
}

impl Ledger {
    /// The key for a request, and why it.
    pub(crate) fn choose(
        &self,
        chooser: &Chooser,
        want: &Want<'_>,
        now: UnixMs,
    ) -> Result<(u32, Chosen), Exhausted> {
        if let Place::Within(name) = want.place {
            let project = self.roster.heir_of(name).ok_or(Exhausted::NoKeys)?;
            return self.choose_within(project, want, now);
        }
        let Some((slot, chosen)) = self.choose_anywhere(chooser, want) else {
            return Err(self.why_exhausted(want.model, now));
        };
        let (name, most_ahead) = match want.place {
            Place::Rather(name) => (name, u64::MAX),
            Place::Warm(name) => (name, MOST_AHEAD),
            Place::Anywhere | Place::Within(_) => return Ok((slot, chosen)),
        };
        if chosen.why != Eligible::Ready {
            return Ok((slot, chosen));
        }
        let project = self.roster.heir_of(name);
        let preferred = project.and_then(|it| self.choose_preferred(it, slot, most_ahead, want));
        Ok(preferred.unwrap_or((slot, chosen)))
    }

    fn choose_anywhere(&self, chooser: &Chooser, want: &Want<'_>) -> Option<(u32, Chosen)> {
        let lane = self.lane_of(want.model);
        let pick = |sets: &[BitTree], tried: &[KeyId], why: Eligible| {
            self.roster.order.iter().find_map(|&tier| {
                let set = sets.get(tier).filter(|set| set.len() > 0)?;
                let (strategy, roster) = (self.rules.strategy, &self.roster);
                let slot = chooser.pick(strategy, set, &roster.tiers[tier], roster, tried)?;
                let among = set.len() as u32;
                let chosen = Chosen {
                    strategy,
                    among,
                    why,
                };
                Some((slot, chosen))
            })
        };
        let again = || {
            pick(&lane.ready, &[], Eligible::Again)
                .or_else(|| pick(&lane.fallback, &[], Eligible::Again))
        };
        pick(&lane.ready, want.tried, Eligible::Ready)
            .or_else(|| pick(&lane.fallback, want.tried, Eligible::LastResort))
            .or_else(|| want.again.then(again).flatten())
    }
}
