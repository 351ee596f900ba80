//! Sizes in bytes: `100MiB`, `2GiB`, `64KB`, `512`.

use serde_json::Value as Json;

use crate::Shape;
use crate::value::{Leaf, is_between};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Leaf for Bytes {
    fn shape() -> Shape {
        Shape::Size
    }

    fn parse(text: &str) -> Result<Self, String> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
        let size = number.parse::<u64>().ok().zip(unit);
        size.and_then(|(number, (_, unit))| number.checked_mul(*unit))
            .map(Self)
            .ok_or_else(|| "is not a size such as 512, 64KB, 100MiB or 2GiB".to_owned())
    }

    fn listed(&self) -> Json {
        written(*self).into()
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_between(self, low, high)
    }
}

/// The text with the unit that makes the number smallest without cutting it, for example `100MiB`.
fn written(Bytes(size): Bytes) -> String {
    let whole = UNITS
        .iter()
        .filter(|(_, bytes)| size > 0 && size % bytes == 0);
    let (unit, bytes) = whole.max_by_key(|(_, bytes)| *bytes).unwrap_or(&UNITS[0]);
    let unit = if *bytes == 1 { "" } else { unit };
    format!("{}{unit}", size / bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(Bytes::parse(text).ok(), expected.map(Bytes), "{text}");
    }

    #[test]
    fn units_are_decimal_or_binary() {
        check("512", Some(512));
        check("64KB", Some(64_000));
        check("64 kib", Some(65_536));
        check("100MiB", Some(104_857_600));
        check("2GiB", Some(2_147_483_648));
    }

    #[test]
    fn a_size_is_written_with_its_largest_whole_unit() {
        for text in ["0", "512", "64KB", "100MiB", "2GiB", "3GB", "1024TiB"] {
            assert_eq!(Bytes::parse(text).map(written).as_deref(), Ok(text));
        }
        assert_eq!(written(Bytes(104_857_601)), "104857601");
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in ["", "MiB", "-1", "1.5GiB", "10 parsecs", "99999999TiB"] {
            check(text, None);
        }
    }
}
