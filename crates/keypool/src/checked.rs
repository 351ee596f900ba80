//! What a check changes. It is a call that costs no quota, so it proves less than an answer to a caller: that the key is
//! taken, never that there is quota or money. So it brings a key back, and leaves its pairs as they are.

use domain::{Certainty, Class, Cooling, Harm, KeyHealth, KeyState, UnixMs, Verdict};

use crate::Receipt;
use crate::ledger::Ledger;
use crate::quota::Moment;

/// What a check has found.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The model that it was about; none: the key alone.
    pub model: Option<&'a str>,
    /// What the provider's answer means.
    pub verdict: &'a Verdict,
    /// The provider has taken the key, whatever it said of the model.
    pub key_works: bool,
    /// Others can use the model: that this key cannot is then its own affair.
    pub model_exists: bool,
    /// When the check began.
    pub began: UnixMs,
}

impl Checked<'_> {
    /// What the key is after it has been taken; none: as before.
    pub(crate) fn proved(&self, state: &KeyState, failed_at: UnixMs) -> Option<KeyState> {
        let is_about_money = matches!(
            state.health,
            KeyHealth::Cooling(Cooling {
                class: Class::Billing,
                ..
            })
        );
        let is_stale = failed_at > self.began;
        let next = match state.health {
            _ if is_stale || is_about_money => return None,
            // Failures that are counted were of calls that prove more.
            KeyHealth::Active => KeyState {
                has_worked: true,
                ..state.clone()
            },
            KeyHealth::Cooling(_) | KeyHealth::Retired { .. } => KeyState {
                health: KeyHealth::Active,
                failures: 0,
                has_worked: true,
            },
        };
        (next != *state).then_some(next)
    }

    fn hurts_key(&self) -> bool {
        let verdict = self.verdict;
        verdict.harm() == Harm::Key || verdict.certainty == Certainty::Counted
    }

    /// A rate limit of the check's own call says nothing of generation's, and neither does its overload.
    fn hurts_pair(&self) -> bool {
        let is_of_pair = matches!(self.verdict.class, Class::ModelUnavailable | Class::Billing);
        self.verdict.harm() == Harm::Pair && is_of_pair && self.model_exists
    }
}

impl Ledger {
    /// Whether a check that found this would change anything.
    pub(crate) fn is_news(&self, slot: u32, checked: &Checked<'_>) -> bool {
        let slot = &self.roster.slots[slot as usize];
        let is_proof = checked.key_works && checked.proved(&slot.state, slot.failed_at).is_some();
        is_proof || checked.hurts_key() || checked.hurts_pair()
    }

    /// Takes over what a check has found. Gives what can be undone of it.
    pub(crate) fn checked(&mut self, index: u32, checked: &Checked<'_>, at: &Moment) -> Receipt {
        let mut receipt = Receipt::default();
        if checked.key_works {
            self.prove(index, checked, at.now);
        } else if checked.hurts_key() {
            let marks = self.key_failed(index, checked.verdict, checked.began, at.now);
            receipt.marks.extend(marks);
        }
        if let Some(model) = checked.model.filter(|_| checked.hurts_pair()) {
            let project = self.roster.slots[index as usize].project;
            let mark = self.pair_refused(model, project, checked.verdict, checked.began, at);
            receipt.marks.extend(mark);
        }
        receipt
    }

    /// The key was taken. What failed before is not undone over that.
    fn prove(&mut self, index: u32, checked: &Checked<'_>, now: UnixMs) {
        let slot = &self.roster.slots[index as usize];
        if let Some(state) = checked.proved(&slot.state, slot.failed_at) {
            let change = self.next_change();
            let slot = &mut self.roster.slots[index as usize];
            (slot.change, slot.probing_until) = (change, UnixMs(0));
            self.set_key(index, state);
            self.refresh_slot(index, now);
        }
    }
}
