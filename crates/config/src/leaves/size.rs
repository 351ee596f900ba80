//! Sizes in bytes: `100MiB`, `2GiB`, `64KB`, `512`.

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
    fn kind() -> String {
        "size".to_owned()
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

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_between(self, low, high)
    }
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
    fn other_texts_are_no_sizes() {
        for text in ["", "MiB", "-1", "1.5GiB", "10 parsecs", "99999999TiB"] {
            check(text, None);
        }
    }
}
