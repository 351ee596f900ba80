//! Server-sent events, read incrementally: lines end in CR, LF or CRLF, and may be cut anywhere.
//! Only data is told; event names, ids, retries and comments pass unread. What the data is, is not looked at.
//! `gemini/scan.rs` feeds the data to its JSON scanner.

use memchr::memchr2;

const PREFIX: &[u8] = b"data:";
/// What a stream may begin with, and is no part of its first line.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What is found in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Some of the event's data.
    Data(&'a [u8]),
    /// The event is over.
    End,
}

/// Where in a line the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    /// Within `data:`, after so many bytes of it.
    Prefix(usize),
    /// Behind `data:`, where one space is not data.
    Space,
    Data,
    /// In a line that holds no data.
    Other,
}

/// Whether a line feed that comes next belongs to a carriage return that has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AfterCr {
    #[default]
    No,
    LineEnd,
    EventEnd,
}

/// The reader of one stream. It keeps no bytes.
#[derive(Debug, Default)]
pub struct Reader {
    place: Place,
    after_cr: AfterCr,
    /// So much of a byte order mark has come; all of it, too, once something else has.
    bom: usize,
    has_data: bool,
    /// The event is JSON without `data:`, as some servers send an error; all its lines are data.
    bare: bool,
}

impl Reader {
    /// Reads on, and returns the offset in `chunk` behind the last blank line, 0 when there is none.
    pub fn push<'a>(&mut self, chunk: &'a [u8], mut tell: impl FnMut(Piece<'a>)) -> usize {
        let mut whole = 0;
        while let Some(end) = self.push_event(&chunk[whole..], &mut tell) {
            whole += end;
        }
        whole
    }

    /// Reads on to the next blank line, and returns the offset behind it; none where all was read and there is none.
    ///
    /// A line feed that was cut from its carriage return is told as one more blank line.
    pub fn push_event<'a>(
        &mut self,
        chunk: &'a [u8],
        mut tell: impl FnMut(Piece<'a>),
    ) -> Option<usize> {
        let mut at = self.skip_bom(chunk);
        while at < chunk.len() {
            let after_cr = std::mem::take(&mut self.after_cr);
            if chunk[at] == b'\n' && after_cr != AfterCr::No {
                at += 1;
                if after_cr == AfterCr::EventEnd {
                    return Some(at);
                }
            } else if matches!(chunk[at], b'\r' | b'\n') {
                let blank = self.place == Place::LineStart;
                self.end_line(chunk[at], blank, &mut tell);
                at += 1;
                if blank {
                    return Some(at + self.line_feed(&chunk[at..]));
                }
            } else {
                at = self.line(chunk, at, &mut tell);
            }
        }
        None
    }

    /// The offset behind the byte order mark that a stream may begin with.
    fn skip_bom(&mut self, chunk: &[u8]) -> usize {
        let mut at = 0;
        while self.bom < BOM.len() && at < chunk.len() {
            if chunk[at] == BOM[self.bom] {
                self.bom += 1;
                at += 1;
                continue;
            }
            if self.bom > 0 {
                // It was the beginning of another character, and so of a line without data.
                self.place = Place::Other;
            }
            self.bom = BOM.len();
        }
        at
    }

    /// The length of the line feed that belongs to the carriage return before it.
    fn line_feed(&mut self, rest: &[u8]) -> usize {
        let is_pair = self.after_cr != AfterCr::No && rest.first() == Some(&b'\n');
        if is_pair {
            self.after_cr = AfterCr::No;
        }
        usize::from(is_pair)
    }

    /// Something of an event has come, and its end has not.
    pub fn is_mid_event(&self) -> bool {
        self.has_data || self.place != Place::LineStart
    }

    fn end_line<'a>(&mut self, byte: u8, blank: bool, tell: &mut impl FnMut(Piece<'a>)) {
        if byte == b'\r' {
            self.after_cr = if blank {
                AfterCr::EventEnd
            } else {
                AfterCr::LineEnd
            };
        }
        self.place = Place::LineStart;
        if !blank {
            return;
        }
        self.bare = false;
        if std::mem::take(&mut self.has_data) {
            tell(Piece::End);
        }
    }

    /// Reads some of a line that is not at its end, and returns the offset behind it.
    fn line<'a>(&mut self, chunk: &'a [u8], at: usize, tell: &mut impl FnMut(Piece<'a>)) -> usize {
        match (self.place, chunk[at]) {
            (Place::LineStart, b'{' | b'[') => {
                self.bare = true;
                self.begin_data(Place::Data, tell);
                at
            }
            (Place::LineStart, _) if self.bare => {
                self.begin_data(Place::Data, tell);
                at
            }
            (Place::LineStart, _) => {
                self.place = Place::Prefix(0);
                at
            }
            (Place::Prefix(matched), byte) if PREFIX[matched] == byte => {
                self.place = Place::Prefix(matched + 1);
                if matched + 1 == PREFIX.len() {
                    self.begin_data(Place::Space, tell);
                }
                at + 1
            }
            (Place::Prefix(_), _) => {
                self.place = Place::Other;
                at
            }
            (Place::Space, byte) => {
                self.place = Place::Data;
                at + usize::from(byte == b' ')
            }
            (Place::Data | Place::Other, _) => {
                let rest = &chunk[at..];
                let rest = &rest[..memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())];
                if self.place == Place::Data {
                    tell(Piece::Data(rest));
                }
                at + rest.len()
            }
        }
    }

    fn begin_data<'a>(&mut self, place: Place, tell: &mut impl FnMut(Piece<'a>)) {
        self.place = place;
        if std::mem::replace(&mut self.has_data, true) {
            tell(Piece::Data(b"\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, events: &[&str], whole: usize, mid_event: bool) {
        for cut in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(cut);
            let mut reader = Reader::default();
            let mut seen = vec![Vec::new()];
            let mut tell = |piece: Piece<'_>| match piece {
                Piece::Data(data) => seen.last_mut().unwrap().extend_from_slice(data),
                Piece::End => seen.push(Vec::new()),
            };
            let first = reader.push(head, &mut tell);
            let second = reader.push(tail, &mut tell);
            let end = if second > 0 { cut + second } else { first };
            let seen: Vec<_> = seen.iter().map(|e| String::from_utf8_lossy(e)).collect();
            assert_eq!(seen, events, "{stream:?} cut at {cut}");
            assert_eq!(end, whole, "{stream:?} cut at {cut}");
            assert_eq!(reader.is_mid_event(), mid_event, "{stream:?} cut at {cut}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        check("\u{feff}data: 1\n\ndata: 2\n\n", &["1", "2", ""], 21, false);
        check(
            "\u{feff}\u{feff}data: 1\n\ndata: 2\n\n",
            &["2", ""],
            24,
            false,
        );
        check("\u{fefe}data: 1\n\ndata: 2\n\n", &["2", ""], 21, false);
    }

    #[test]
    fn every_line_end_ends_a_line() {
        check("data: 1\r\n\r\ndata:2\r\n\r\n", &["1", "2", ""], 21, false);
        check("data: 1\n\ndata:  2\n\n", &["1", " 2", ""], 19, false);
        check("data: 1\r\rdata: 2\r\r", &["1", "2", ""], 18, false);
    }

    #[test]
    fn data_lines_of_one_event_are_joined() {
        check("data: a\ndata: b\n\n", &["a\nb", ""], 17, false);
    }

    #[test]
    fn other_lines_are_not_data() {
        check(
            ": hi\n\nevent: x\nid: 3\ndat: no\ndata: y\n\n",
            &["y", ""],
            38,
            false,
        );
    }

    #[test]
    fn json_without_prefix_is_data_over_all_its_lines() {
        check(
            "data: 1\n\n{\"error\": {\n\"code\": 5}}\n",
            &["1", "{\"error\": {\n\"code\": 5}}"],
            9,
            true,
        );
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_whole() {
        check("data: 1\n\ndata: 2\n", &["1", "2"], 9, true);
        check("data: 1\n\nda", &["1", ""], 9, true);
    }
}
