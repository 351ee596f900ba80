//! One key file as it is known: what is in it, and what is said of it. A change counts once it has lasted for a moment:
//! editors empty a file before they write it, and write it in pieces.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::UnixMs;

use super::content::{self, Content};
use super::folder::{Look, Looked, Moment};
use super::listing::{Found, Stamp};
use super::report::FileReport;

/// How long a change must last.
const SETTLED: Duration = Duration::from_millis(500);
/// How long a file must be gone or empty: it may be on its way to its next content.
const SETTLED_GONE: Duration = Duration::from_secs(3);
/// After so much time a file that is written to without end is read nevertheless, as far as its lines are whole.
const IMPATIENT: Duration = Duration::from_secs(10);
/// A file that was changed so short a time ago may change again without another time stamp.
const STAMPS_MAY_BE_SAME: i64 = 2;

/// A file as it is known.
#[derive(Debug)]
pub(super) struct KeyFile {
    /// What was taken over; none: nothing yet, or it may be out of date.
    pub(super) taken: Option<Found>,
    changing: Option<Changing>,
    /// What could be read last.
    pub(super) content: Option<Content>,
    /// Why it cannot be read now.
    pub(super) problem: Option<String>,
    pub(super) read_at: UnixMs,
    pub(super) read_instant: Instant,
    pub(super) tidied_at: Option<UnixMs>,
    pub(super) not_tidied: Option<String>,
    /// It is not brought into one key a line before that.
    pub(super) tidy_from: Instant,
}

/// A change that has not lasted long enough.
#[derive(Debug)]
struct Changing {
    /// None: it is gone.
    to: Option<Found>,
    since: Instant,
    first: Instant,
}

/// Where a file is, for log lines.
pub(super) struct Place<'f> {
    pub(super) provider: &'f str,
    pub(super) path: &'f Path,
}

/// What becomes of a file that was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Becomes {
    Kept,
    Gone,
}

impl KeyFile {
    pub(super) fn new(moment: Moment) -> Self {
        Self {
            taken: None,
            changing: None,
            content: None,
            problem: None,
            read_at: moment.time,
            read_instant: moment.instant,
            tidied_at: None,
            not_tidied: None,
            tidy_from: moment.instant,
        }
    }

    /// Whether there is nothing that would have to be waited for.
    pub(super) fn is_settled(&self) -> bool {
        self.changing.is_none()
    }

    /// What was read, when it is still what was there.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self.taken {
            Some(Found::File(stamp)) => Some(stamp),
            _ => None,
        }
    }

    /// Follows what is there now; none: it is gone.
    pub(super) fn follow(
        &mut self,
        found: Option<&Found>,
        place: &Place<'_>,
        moment: Moment,
    ) -> (Becomes, Looked) {
        let mut looked = Looked::default();
        if self.taken.is_some() && self.taken.as_ref() == found {
            self.changing = None;
            if moment.look == Look::Settled || self.problem.is_none() {
                return (Becomes::Kept, looked);
            }
        } else if let Some(wait) = self.wait_for(found, moment) {
            looked.look_again_in(wait);
            if let (Some(Found::File(_)), true) = (found, self.is_overdue(moment)) {
                self.take_whole_lines(place, moment);
                looked.has_changed = true;
            }
            return (Becomes::Kept, looked);
        }
        let Some(found) = found else {
            looked.has_changed = true;
            return (Becomes::Gone, looked);
        };
        if self.take(found, place, moment) {
            self.changing = None;
            looked.has_changed = true;
        } else {
            self.changing = None;
            self.wait_for(Some(found), moment);
            looked.look_again_in(SETTLED);
        }
        (Becomes::Kept, looked)
    }

    /// How long it is still to be waited until what was found counts; none: it does.
    fn wait_for(&mut self, found: Option<&Found>, moment: Moment) -> Option<Duration> {
        let now = moment.instant;
        let first = self.changing.as_ref().map_or(now, |known| known.first);
        let is_known = |known: &&mut Changing| known.to.as_ref() == found;
        let since = match self.changing.as_mut().filter(is_known) {
            Some(known) => known.since,
            None => now,
        };
        self.changing = Some(Changing {
            to: found.cloned(),
            since,
            first,
        });
        if moment.look == Look::Now {
            return None;
        }
        let has_keys = self
            .content
            .as_ref()
            .is_some_and(|known| !known.keys.is_empty());
        let must_last = match found {
            None => SETTLED_GONE,
            Some(Found::File(stamp)) if stamp.len == 0 && has_keys => SETTLED_GONE,
            Some(_) => SETTLED,
        };
        let left = must_last.saturating_sub(now.duration_since(since));
        (!left.is_zero()).then_some(left)
    }

    fn is_overdue(&mut self, moment: Moment) -> bool {
        let now = moment.instant;
        let changing = self.changing.as_mut();
        let is_late = |known: &&mut Changing| now.duration_since(known.first) >= IMPATIENT;
        // From now on it is waited for as long again.
        changing
            .filter(is_late)
            .map(|known| known.first = now)
            .is_some()
    }

    /// Takes over what is there. Says no when it changed meanwhile.
    fn take(&mut self, found: &Found, place: &Place<'_>, moment: Moment) -> bool {
        let stamp = match found {
            Found::File(stamp) => *stamp,
            Found::Unknown(problem) => {
                self.taken = Some(found.clone());
                self.fails(problem.clone(), place);
                return true;
            }
            Found::LeftOut(_) => return true,
        };
        let read = content::read(place.path);
        if let Ok(read) = &read
            && read.stamp != stamp
            && moment.look != Look::Now
        {
            return false;
        }
        let age = moment.time.0 / 1000 - stamp.modified_s();
        let may_be_old = moment.look == Look::Now && age.abs() < STAMPS_MAY_BE_SAME;
        self.taken = (!may_be_old).then(|| found.clone());
        let content = match read {
            Ok(read) => Content::of(&read.bytes).map_err(str::to_owned),
            Err(error) => Err(error.to_string()),
        };
        match content {
            Ok(content) => {
                let before = self.content.as_ref().map(|known| &*known.malformed);
                if before != Some(&content.malformed) {
                    content.log(place.provider, place.path);
                }
                self.hold(content, moment);
            }
            Err(problem) => self.fails(problem, place),
        }
        true
    }

    /// The file has this content now.
    pub(super) fn hold(&mut self, content: Content, moment: Moment) {
        self.content = Some(content);
        self.problem = None;
        self.not_tidied = None;
        self.read_at = moment.time;
        self.read_instant = moment.instant;
    }

    fn fails(&mut self, problem: String, place: &Place<'_>) {
        if self.problem.as_ref() != Some(&problem) {
            let (provider, path) = (place.provider, place.path.display());
            tracing::warn!(provider, file = %path, "key file cannot be read: {problem}; its keys stay as they are");
        }
        self.problem = Some(problem);
    }

    /// Adds what whole lines say of a file that changes without end. What is missing in it may still come.
    fn take_whole_lines(&mut self, place: &Place<'_>, moment: Moment) {
        let Ok(read) = content::read(place.path) else {
            return;
        };
        let last = read.bytes.iter().rposition(|&byte| byte == b'\n');
        let whole = &read.bytes[..last.map_or(0, |at| at + 1)];
        let Ok(mut content) = Content::of(whole) else {
            return;
        };
        content.add_keys_of(self.content.take());
        self.hold(content, moment);
    }

    /// What is to be said of it, in that folder.
    pub(super) fn report(&self, folder: &FileReport) -> FileReport {
        let content = self.content.as_ref();
        FileReport {
            keys: content.map_or(0, |known| known.keys.len()),
            malformed: content.map_or_else(Vec::new, |known| known.malformed.clone()),
            problem: self.problem.clone(),
            read_at: content.is_some().then_some(self.read_at),
            is_tidy: content.is_some_and(|known| known.is_tidy),
            tidied_at: self.tidied_at,
            not_tidied: self.not_tidied.clone(),
            ..folder.clone()
        }
    }
}
