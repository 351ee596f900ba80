//! The chunked transfer coding, read incrementally (RFC 9112, section 7.1). Extensions and trailers pass unread.
//! `connection.rs` feeds it.

use std::io;

use memchr::memchr;

/// Where in the coding the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the line that holds the size; whether a digit is still expected.
    #[default]
    Size,
    /// In the rest of that line.
    SizeLineEnd,
    /// In data of which so much is left.
    Data,
    /// In the line end behind the data.
    DataEnd,
    /// At the beginning of a trailer line.
    TrailerStart,
    /// Within a trailer line.
    Trailer,
}

/// The reader of one body. It keeps no bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chunked {
    place: Place,
    left: usize,
}

impl Chunked {
    /// Tells the data in `bytes`; returns how many bytes were used, and whether the body is over.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(&[u8]),
    ) -> io::Result<(usize, bool)> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.place {
                Place::Size => {
                    at += 1;
                    self.size_byte(rest[0])?;
                }
                Place::Data => {
                    let piece = &rest[..rest.len().min(self.left)];
                    tell(piece);
                    self.left -= piece.len();
                    at += piece.len();
                    if self.left == 0 {
                        self.place = Place::DataEnd;
                    }
                }
                Place::TrailerStart if rest[0] == b'\n' => return Ok((at + 1, true)),
                Place::TrailerStart => {
                    at += usize::from(rest[0] == b'\r');
                    if rest[0] != b'\r' {
                        self.place = Place::Trailer;
                    }
                }
                Place::SizeLineEnd | Place::DataEnd | Place::Trailer => {
                    let Some(end) = memchr(b'\n', rest) else {
                        return Ok((bytes.len(), false));
                    };
                    at += end + 1;
                    self.line_over();
                }
            }
        }
        Ok((at, false))
    }

    fn size_byte(&mut self, byte: u8) -> io::Result<()> {
        match (byte as char).to_digit(16) {
            Some(digit) if self.left < usize::MAX >> 5 => {
                self.left = self.left << 4 | digit as usize;
            }
            None if byte == b'\n' => self.line_over(),
            None if matches!(byte, b'\r' | b';' | b' ') => self.place = Place::SizeLineEnd,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "chunk size")),
        }
        Ok(())
    }

    fn line_over(&mut self) {
        self.place = match self.place {
            Place::Size | Place::SizeLineEnd if self.left > 0 => Place::Data,
            Place::DataEnd => Place::Size,
            _ => Place::TrailerStart,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, data: &str, used: usize, over: bool) {
        for cut in 0..=body.len() {
            let (head, tail) = body.as_bytes().split_at(cut);
            let mut chunked = Chunked::default();
            let mut seen = Vec::new();
            let mut tell = |piece: &[u8]| seen.extend_from_slice(piece);
            let (mut all, mut ended) = chunked.read(head, &mut tell).unwrap();
            if !ended {
                let (more, end) = chunked.read(tail, &mut tell).unwrap();
                (all, ended) = (all + more, end);
            }
            assert_eq!(
                String::from_utf8_lossy(&seen),
                data,
                "{body:?} cut at {cut}"
            );
            assert_eq!((all, ended), (used, over), "{body:?} cut at {cut}");
        }
    }

    #[test]
    fn data_is_told_without_its_coding() {
        check(
            "3\r\nabc\r\nB\r\n0123456789a\r\n0\r\n\r\n",
            "abc0123456789a",
            29,
            true,
        );
        check("2;x=y\r\nhi\r\n", "hi", 11, false);
    }

    #[test]
    fn trailers_and_what_follows_are_not_data() {
        check("1\r\na\r\n0\r\nx: y\r\n\r\nHTTP/1.1", "a", 17, true);
    }

    #[test]
    fn other_sizes_are_refused() {
        assert!(Chunked::default().read(b"xyz\r\n", &mut |_| ()).is_err());
    }
}
