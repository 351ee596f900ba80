//! One event of a stream, looked at without a parse: where its data is, and what it may be worth looking into for.

use std::ops::Range;

use memchr::memchr2_iter;
use memchr::memmem;

use crate::json::Kind;
use crate::members::Members;

const PREFIX: &[u8] = b"data:";

/// Where the event's data is; none unless it has exactly one line of it.
pub(super) fn data(event: &[u8]) -> Option<Range<usize>> {
    let mut found = None;
    let mut from = 0;
    for end in memchr2_iter(b'\r', b'\n', event).chain([event.len()]) {
        if event[from..end].starts_with(PREFIX) {
            let start = from + PREFIX.len();
            let start = start + usize::from(event.get(start) == Some(&b' '));
            if found.replace(start.min(end)..end).is_some() {
                return None;
            }
        }
        from = end + 1;
        if from > event.len() {
            break;
        }
    }
    found
}

/// The data may have this member, written with its quotes.
pub(super) fn mentions(data: &[u8], quoted: &str) -> bool {
    memmem::find(data, quoted.as_bytes()).is_some()
}

/// The data is an error: `{"error":…}`, also in an array, or `{"type":"error"}`.
pub(super) fn is_error(data: &[u8]) -> bool {
    let inner = data
        .strip_prefix(b"[")
        .and_then(|data| data.strip_suffix(b"]"));
    let data = inner.unwrap_or(data);
    let Ok(members) = Members::read([data]) else {
        return false;
    };
    let has_error = members.named("error").any(|error| {
        error.kind == Kind::Object || (error.kind == Kind::String && error.value.len() > 2)
    });
    let mut types = members.named("type");
    has_error || types.any(|kind| &data[kind.value.clone()] == b"\"error\"")
}

/// How choices end by what a quick look shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// One gives its reason.
    pub(super) told: bool,
    /// One gives an empty reason.
    pub(super) empty: bool,
}

/// Looks for finish reasons that are texts. Within a text the quotes would be escaped, so what is found is one.
pub(super) fn ends(data: &[u8]) -> Ends {
    const NAME: &[u8] = b"\"finish_reason\"";
    let mut ends = Ends::default();
    for at in memmem::find_iter(data, NAME) {
        let rest = data[at + NAME.len()..].trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b":") else {
            continue;
        };
        match rest.trim_ascii_start() {
            [b'"', b'"', ..] => ends.empty = true,
            [b'"', ..] => ends.told = true,
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: &str, expected: Option<&str>) {
        let seen = data(event.as_bytes()).map(|range| &event[range]);
        assert_eq!(seen, expected, "{event:?}");
    }

    #[test]
    fn the_data_of_an_event_is_one_line() {
        check("data: a\n\n", Some("a"));
        check("data:a\r\n\r\n", Some("a"));
        check("data:  a", Some(" a"));
        check("event: x\nid: 1\ndata: a\n\n", Some("a"));
        check("data:\n\n", Some(""));
        check("data", None);
        check(": data: a\n\n", None);
        check("data: a\ndata: b\n\n", None);
        check("", None);
    }

    #[test]
    fn errors_are_known_in_every_wrapper() {
        for data in [
            r#"{"error":{"message":"m"}}"#,
            r#"[{"error":{}}]"#,
            r#"{"code":"c","error":"m"}"#,
            r#"{"type":"error","message":"m"}"#,
        ] {
            assert!(is_error(data.as_bytes()), "{data}");
        }
        for data in [
            r#"{"error":null}"#,
            r#"{"error":""}"#,
            "[DONE]",
            r#"{"a":{"error":{}}}"#,
        ] {
            assert!(!is_error(data.as_bytes()), "{data}");
        }
    }

    #[test]
    fn finish_reasons_are_seen_without_a_parse() {
        let check = |data: &str, told, empty| {
            assert_eq!(ends(data.as_bytes()), Ends { told, empty }, "{data}");
        };
        check(r#"{"finish_reason":null}"#, false, false);
        check(r#"{"finish_reason" : "stop"}"#, true, false);
        check(r#"{"finish_reason": ""}"#, false, true);
        check(
            r#"[{"finish_reason":"stop"},{"finish_reason":""}]"#,
            true,
            true,
        );
        check(r#"{"content":"\"finish_reason\":\"stop\""}"#, false, false);
        check(r#"{"finish_reason"#, false, false);
    }
}
