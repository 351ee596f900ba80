//! Ids of tool calls, which GigaChat has none of. Clients return them as they are, so that they can carry the
//! `functions_state_id` that GigaChat wants back with the message of the call.
//!
//! `call_g` and the 32 hex digits of a UUID, `call_x` and the hex digits of any other state; without a state `call_`
//! and the answer's id. A second call of one answer has `_1` behind it. The usual id has 38 characters: some clients
//! take no more than 40.

use std::fmt::Write as _;

const UUID: &str = "call_g";
const OTHER: &str = "call_x";
/// A state longer than this is not carried, in bytes.
const LONGEST_STATE: usize = 96;
/// Where a UUID has its hyphens, counted in hex digits.
const HYPHENS: [usize; 4] = [8, 12, 16, 20];

/// The id of the call of number `ordinal` in the answer `answer_id`.
pub(super) fn write(state: Option<&str>, answer_id: &str, ordinal: u32) -> String {
    let mut id = state.and_then(carry).unwrap_or_else(|| {
        let own = answer_id.strip_prefix("chatcmpl-").unwrap_or(answer_id);
        format!("call_{own}")
    });
    if ordinal > 0 {
        let _ = write!(id, "_{ordinal}");
    }
    id
}

/// The state that an id carries; none for an id that was not made here.
pub(super) fn state(id: &str) -> Option<String> {
    let bare = |digits: &str| digits.split('_').next().unwrap_or_default().to_owned();
    if let Some(digits) = id.strip_prefix(UUID).map(bare) {
        return is_hex(&digits, 32).then(|| hyphenated(&digits));
    }
    let digits = id.strip_prefix(OTHER).map(bare)?;
    if digits.is_empty() || !is_hex(&digits, digits.len()) {
        return None;
    }
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

fn carry(state: &str) -> Option<String> {
    let digits: String = state.chars().filter(|&c| c != '-').collect();
    if is_hex(&digits, 32) && hyphenated(&digits) == state {
        return Some(format!("{UUID}{digits}"));
    }
    if state.is_empty() || state.len() > LONGEST_STATE {
        return None;
    }
    let mut id = OTHER.to_owned();
    for byte in state.bytes() {
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

fn is_hex(digits: &str, length: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == length && length.is_multiple_of(2) && digits.bytes().all(is_digit)
}

fn hyphenated(digits: &str) -> String {
    let mut uuid = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if HYPHENS.contains(&at) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state_id: &str, ordinal: u32, id: &str) {
        assert_eq!(write(Some(state_id), "chatcmpl-7", ordinal), id);
        assert_eq!(state(id).as_deref(), Some(state_id), "{id}");
    }

    #[test]
    fn a_state_survives_the_round_trip() {
        let uuid = "019a0c11-0000-7000-8000-0000000000a1";
        check(uuid, 0, "call_g019a0c110000700080000000000000a1");
        check(uuid, 2, "call_g019a0c110000700080000000000000a1_2");
        check("019A", 0, "call_x30313941");
        check("é", 1, "call_xc3a9_1");
    }

    #[test]
    fn without_a_state_the_id_is_that_of_the_answer() {
        for state in [None, Some(""), Some(&*"x".repeat(97))] {
            assert_eq!(write(state, "chatcmpl-7", 0), "call_7");
        }
        assert_eq!(write(None, "7", 1), "call_7_1");
    }

    #[test]
    fn ids_of_others_carry_nothing() {
        for id in [
            "",
            "call_",
            "call_x",
            "call_x1",
            "call_xff",
            "call_xyz",
            "call_g019a",
            "call_019a0c110000700080000000000000a1",
            "call_G019a0c110000700080000000000000a1",
            "toolu_g019a0c110000700080000000000000a1",
        ] {
            assert_eq!(state(id), None, "{id}");
        }
    }
}
