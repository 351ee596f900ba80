//! One key with one model in sixteen bytes: there may be a million of them. Instants are whole seconds.

use std::time::Duration;

use domain::{CheckResult, Class, UnixMs};

use super::plan::{Planned, Span};

/// What is kept of a key with a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// When it is due.
    pub(super) next: u32,
    /// When it was checked; 0: never.
    pub(super) last: u32,
    /// Capped: checks are given up long before.
    latency_ms: u16,
    /// 0: no answer.
    status: u16,
    class: Class,
    pub(super) span: Span,
    /// Its place among [`Reasons`].
    reason: u8,
    flags: u8,
}

/// Being checked.
pub(super) const RUNNING: u8 = 1;
/// In a queue of those that are due.
pub(super) const QUEUED: u8 = 2;
/// Goes before others that are due.
pub(super) const URGENT: u8 = 4;
/// Not handed out to be saved.
pub(super) const UNSAVED: u8 = 8;

impl Entry {
    /// One that was never checked.
    pub(super) fn new(next: u32) -> Self {
        Self {
            next,
            last: 0,
            latency_ms: 0,
            status: 0,
            class: Class::Ok,
            span: Span::Fixed,
            reason: 0,
            flags: 0,
        }
    }

    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn set(&mut self, flag: u8, on: bool) {
        if on {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
    }

    pub(super) fn was_checked(&self) -> bool {
        self.last != 0
    }

    pub(super) fn works(&self) -> bool {
        self.was_checked() && self.class == Class::Ok
    }

    pub(super) fn plan(&mut self, planned: Planned) {
        self.next = at_or_after(planned.at);
        self.span = planned.span;
        self.set(URGENT, planned.is_urgent);
    }

    pub(super) fn note(&mut self, result: &CheckResult, reasons: &mut Reasons, at: UnixMs) {
        self.last = at_or_before(at).max(1);
        self.latency_ms = u16::try_from(result.latency_ms).unwrap_or(u16::MAX);
        self.status = result.status.unwrap_or_default();
        self.class = result.class;
        self.reason = reasons.place(result.reason);
    }

    pub(super) fn result(&self, reasons: &Reasons) -> CheckResult {
        CheckResult {
            status: (self.status != 0).then_some(self.status),
            class: self.class,
            reason: reasons.at(self.reason),
            latency_ms: u32::from(self.latency_ms),
        }
    }
}

/// The reasons that were ever given. Providers have some dozens; the last place stands for all beyond it.
#[derive(Debug, Default)]
pub(super) struct Reasons(Vec<&'static str>);

impl Reasons {
    fn place(&mut self, reason: &'static str) -> u8 {
        let known = self.0.iter().position(|known| *known == reason);
        let place = known.unwrap_or_else(|| {
            if self.0.len() < usize::from(u8::MAX) {
                self.0.push(reason);
            }
            self.0.len() - 1
        });
        place as u8
    }

    fn at(&self, place: u8) -> &'static str {
        self.0.get(usize::from(place)).copied().unwrap_or_default()
    }
}

/// The second that has begun by then.
pub(super) fn at_or_before(time: UnixMs) -> u32 {
    u32::try_from(time.0.div_euclid(1000).max(0)).unwrap_or(u32::MAX)
}

/// The first second that is not before it.
pub(super) fn at_or_after(time: UnixMs) -> u32 {
    at_or_before(time + Duration::from_millis(999))
}

pub(super) fn instant(seconds: u32) -> UnixMs {
    UnixMs(i64::from(seconds) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_sixteen_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[test]
    fn results_are_read_as_they_were_noted() {
        let (mut entry, mut reasons) = (Entry::new(5), Reasons::default());
        for (status, class, reason) in [
            (Some(200), Class::Ok, "ok"),
            (None, Class::Network, "refused"),
            (Some(403), Class::KeyRestricted, "service_disabled"),
        ] {
            let result = CheckResult {
                status,
                class,
                reason,
                latency_ms: 84,
            };
            entry.note(&result, &mut reasons, UnixMs(7_999));
            assert_eq!((entry.result(&reasons), entry.last), (result, 7));
        }
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        assert_eq!(
            (at_or_after(UnixMs(1_001)), at_or_after(UnixMs(2_000))),
            (2, 2)
        );
        assert_eq!(at_or_before(UnixMs(-5)), 0);
        assert_eq!(at_or_after(UnixMs::NEVER), u32::MAX);
    }

    #[test]
    fn reasons_beyond_the_last_place_share_it() {
        let mut reasons = Reasons::default();
        for number in 0..300 {
            let name: &'static str = String::leak(format!("reason_{number}"));
            let place = reasons.place(name);
            assert_eq!(usize::from(place), number.min(254));
        }
    }
}
