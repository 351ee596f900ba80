//! What the tests of reading answers share: the fixtures, the reading itself, and what is seen of it in words.

use std::fmt::Write as _;
use std::fs;

use wire::gemini::{AnswerScan, Content, Framing, Summary};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

/// A fixture with how it is framed and what it holds.
pub(crate) type Answer = (&'static str, Framing, Content);

/// A fixture, by its path below the fixtures.
pub(crate) fn body(file: &str) -> Vec<u8> {
    fs::read(format!("{FIXTURES}/{file}")).unwrap()
}

/// What is seen of a body that comes in these chunks: the summary, the offset of the last whole event's end,
/// and the offset of the chunk's end at which it first proved useful.
pub(crate) fn scan<'a>(
    framing: Framing,
    content: Content,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Summary, usize, Option<usize>) {
    let mut scan = AnswerScan::new(framing, content);
    let (mut read, mut whole, mut useful) = (0, 0, None);
    for chunk in chunks {
        let progress = scan.push(chunk);
        if progress.whole_events_end > 0 {
            whole = read + progress.whole_events_end;
        }
        read += chunk.len();
        if progress.useful {
            useful = useful.or(Some(read));
        }
    }
    scan.finish();
    (scan.summary().clone(), whole, useful)
}

/// What is understood of these answers, read byte by byte: two lines each.
pub(crate) fn describe(answers: &[Answer]) -> String {
    let mut seen = String::new();
    for &(file, framing, content) in answers {
        let bytes = body(file);
        let (summary, whole, useful) = scan(framing, content, bytes.chunks(1));
        let mut facts = Vec::new();
        for (name, holds) in [
            ("content", summary.has_content),
            ("thoughts", summary.has_thoughts),
            ("complete", summary.complete),
            ("malformed", summary.malformed),
            ("mid_event", summary.mid_event),
            ("error", summary.error.is_some()),
        ] {
            if holds {
                facts.push(name);
            }
        }
        writeln!(
            seen,
            "{file}: {} finish={} block={} events={} whole={whole}/{} useful={useful:?}",
            facts.join("+"),
            summary.finish_reason.as_deref().unwrap_or("-"),
            summary.block_reason.as_deref().unwrap_or("-"),
            summary.events,
            bytes.len(),
        )
        .unwrap();
        if let Some(usage) = summary.usage {
            writeln!(seen, "  {usage:?}").unwrap();
        }
    }
    seen
}

/// The body in chunks that end at these offsets.
pub(crate) fn chunks(body: &[u8], mut cuts: Vec<usize>) -> Vec<&[u8]> {
    for cut in &mut cuts {
        *cut %= body.len() + 1;
    }
    cuts.sort_unstable();
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([body.len()]);
    starts
        .zip(ends)
        .map(|(start, end)| &body[start..end])
        .collect()
}
