//! Ids. Keys and clients are numbered by the database; a request id carries its time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnixMs;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// A provider key's row.
    KeyId
}
row_id! {
    /// A client key's row.
    ClientId
}
row_id! {
    /// A user's row.
    UserId
}

/// A request: 41 bits of milliseconds, 10 of the instance, 12 of a sequence, so that ids sort by time.
///
/// Shown as 13 characters of Crockford's base 32, which callers may quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub i64);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 13;
const TIME_BITS: u32 = 41;

impl RequestId {
    /// The id of the `sequence`-th request that `instance` began at `time`; both are cut to their bits.
    pub fn new(time: UnixMs, instance: u16, sequence: u16) -> Self {
        let instance = i64::from(instance & 0x3ff);
        let sequence = i64::from(sequence & 0xfff);
        Self((time.0 << 22) | (instance << 12) | sequence)
    }

    /// When the request began.
    pub fn time(self) -> UnixMs {
        UnixMs(self.0 >> 22)
    }

    /// The smallest id that a request begun at `time` can have: the bound for a query by time. A time that no id holds
    /// is before or after all of them.
    pub fn first_at(time: UnixMs) -> Self {
        const LIMIT: i64 = 1 << TIME_BITS;
        Self::new(UnixMs(time.0.clamp(-LIMIT, LIMIT - 1)), 0, 0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; DIGITS];
        let mut rest = self.0 as u64;
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A text that is no request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARequestId;

impl FromStr for RequestId {
    type Err = NotARequestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != DIGITS {
            return Err(NotARequestId);
        }
        let mut value: u128 = 0;
        for byte in text.bytes() {
            let digit = ALPHABET
                .iter()
                .position(|&a| a == byte.to_ascii_lowercase());
            value = value << 5 | digit.ok_or(NotARequestId)? as u128;
        }
        i64::try_from(value).map(Self).map_err(|_| NotARequestId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_id_reads_back_and_sorts_by_time() {
        let early = RequestId::new(UnixMs(1_763_640_000_000), 7, 4095);
        let late = RequestId::new(UnixMs(1_763_640_000_001), 1, 0);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(early.time(), UnixMs(1_763_640_000_000));
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn times_that_no_id_holds_are_before_or_after_all_ids() {
        let id = RequestId::new(UnixMs(1_763_640_000_000), 7, 4095);
        for late in [UnixMs(1 << 41), UnixMs(253_402_300_799_999), UnixMs::NEVER] {
            assert!(id < RequestId::first_at(late), "{late:?}");
        }
        for early in [UnixMs(0), UnixMs(-1), UnixMs(i64::MIN)] {
            assert!(RequestId::first_at(early) < id, "{early:?}");
        }
    }

    #[test]
    fn other_texts_are_no_request_ids() {
        for text in ["", "short", "zzzzzzzzzzzzz", "0000000000u00"] {
            assert_eq!(text.parse::<RequestId>(), Err(NotARequestId), "{text}");
        }
    }
}
