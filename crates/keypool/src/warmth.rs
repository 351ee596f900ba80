//! Which project has seen the beginning of a request last: providers cache prefixes by project, so a conversation that goes
//! on there costs less. Requests are compared by their bytes, without being read: a conversation's next turn begins with
//! the turns before.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;

/// Bytes between two marks. What is shorter is too short for a provider to cache (about a thousand tokens).
const STEP: usize = 4 * 1024;
/// Marks of a request: what is longer is told apart by its first 64 KiB.
const MOST_MARKS: usize = 16;
/// Marks that are remembered at once; the least used make room.
const REMEMBERED: usize = 65_536;

/// The beginning of a request, in steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(Vec<u64>);

impl Prefix {
    /// The beginning of a request for a model; none where it is too short to be worth anything.
    pub fn of<'a>(
        provider: &str,
        model: &str,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        (provider, model).hash(&mut hasher);
        let mut marks = Vec::new();
        let mut left = STEP;
        for mut chunk in chunks {
            while chunk.len() >= left {
                let (step, rest) = chunk.split_at(left);
                hasher.write(step);
                marks.push(hasher.finish());
                if marks.len() == MOST_MARKS {
                    return Some(Self(marks));
                }
                chunk = rest;
                left = STEP;
            }
            hasher.write(chunk);
            left -= chunk.len();
        }
        (!marks.is_empty()).then_some(Self(marks))
    }
}

/// What projects have seen.
#[derive(Debug)]
pub struct Warmth(Cache<u64, Arc<str>>);

impl Default for Warmth {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Warmth {
    /// The project that has seen the most of it last.
    pub fn project(&self, prefix: &Prefix) -> Option<Arc<str>> {
        prefix.0.iter().rev().find_map(|mark| self.0.get(mark))
    }

    /// The project has answered it.
    pub fn note(&self, prefix: &Prefix, project: &Arc<str>) {
        for mark in &prefix.0 {
            if self.0.get(mark).as_ref() != Some(project) {
                self.0.insert(*mark, project.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(body: &str) -> Option<Prefix> {
        Prefix::of("google", "gemini-2.5-flash", [body.as_bytes()])
    }

    fn turn(text: &str, times: usize) -> String {
        text.repeat(times)
    }

    #[test]
    fn the_next_turn_goes_where_the_last_one_was() {
        let warmth = Warmth::default();
        let first = turn("hello ", 2_000);
        let other = turn("other ", 2_000);
        warmth.note(&prefix(&first).unwrap(), &"p1".into());
        warmth.note(&prefix(&other).unwrap(), &"p2".into());
        let next = format!("{first}and then?");
        assert_eq!(
            warmth.project(&prefix(&next).unwrap()).as_deref(),
            Some("p1")
        );
        warmth.note(&prefix(&next).unwrap(), &"p3".into());
        assert_eq!(
            warmth.project(&prefix(&first).unwrap()).as_deref(),
            Some("p3")
        );
        assert_eq!(
            warmth.project(&prefix(&other).unwrap()).as_deref(),
            Some("p2")
        );
    }

    #[test]
    fn the_longest_beginning_decides() {
        let warmth = Warmth::default();
        let system = turn("system ", 1_000);
        let one = format!("{system}{}", turn("one ", 2_000));
        let other = format!("{system}{}", turn("other ", 2_000));
        warmth.note(&prefix(&one).unwrap(), &"p1".into());
        warmth.note(&prefix(&other).unwrap(), &"p2".into());
        let next = format!("{one}go on");
        assert_eq!(
            warmth.project(&prefix(&next).unwrap()).as_deref(),
            Some("p1")
        );
    }

    #[test]
    fn short_requests_and_other_models_say_nothing() {
        assert_eq!(prefix("hi"), None);
        let body = turn("hello ", 2_000);
        let other = Prefix::of("google", "gemini-2.5-pro", [body.as_bytes()]);
        assert_ne!(prefix(&body), other);
    }

    #[test]
    fn it_does_not_matter_how_a_body_is_cut() {
        let body = turn("0123456789", 3_000);
        let whole = prefix(&body);
        for size in [1, 7, 4_096, 5_000] {
            let cut = Prefix::of("google", "gemini-2.5-flash", body.as_bytes().chunks(size));
            assert_eq!(cut, whole, "{size}");
        }
    }
}
