//! Counts server-sent events in pieces cut anywhere: a blank line after any other line ends one.

use memchr::memchr_iter;

/// The count of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EventCount {
    pub(crate) events: u64,
    /// The line that an earlier piece began has text.
    line_has_text: bool,
    in_event: bool,
}

impl EventCount {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let has_text = |line: &[u8]| !matches!(line, b"" | b"\r");
        let mut begun = 0;
        for end in memchr_iter(b'\n', piece) {
            if std::mem::take(&mut self.line_has_text) || has_text(&piece[begun..end]) {
                self.in_event = true;
            } else if std::mem::take(&mut self.in_event) {
                self.events += 1;
            }
            begun = end + 1;
        }
        self.line_has_text |= has_text(&piece[begun..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, events: u64) {
        for cut in 0..=stream.len() {
            let mut count = EventCount::default();
            let (head, tail) = stream.as_bytes().split_at(cut);
            count.push(head);
            count.push(tail);
            assert_eq!(count.events, events, "{stream:?} cut at {cut}");
        }
    }

    #[test]
    fn blank_lines_end_events() {
        check("data: 1\r\n\r\ndata: 2\r\n\r\n", 2);
        check("data: 1\n\nx\ndata: 2\n\n\n", 2);
        check("data: 1\n\ndata: 2\n", 1);
        check("", 0);
    }
}
