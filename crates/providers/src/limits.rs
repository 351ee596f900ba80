//! How long a refusal of OpenAI's dialect asks to wait, by its headers and its words.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use wire::duration;

/// In milliseconds; some send it beside the coarser `Retry-After`.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// One header for each limit: `x-ratelimit-reset-requests: 6.8s`.
const RESET: &str = "x-ratelimit-reset-";
const REMAINING: &str = "x-ratelimit-remaining-";

/// A larger bare number of seconds is a date.
const LONGEST_RESET: Duration = Duration::from_secs(24 * 3600);

/// The time to wait: `retry-after-ms`, else `retry-after`, else the resets of limits that are used up, else the words of
/// the message, which is in lower case.
pub(crate) fn wait(headers: Option<&HeaderMap>, text: &str) -> Option<Duration> {
    headers
        .and_then(|headers| {
            text_of(headers, RETRY_AFTER_MS)
                .and_then(milliseconds)
                .or_else(|| duration::retry_after(text_of(headers, RETRY_AFTER.as_str())?))
                .or_else(|| reset(headers))
        })
        .or_else(|| duration::in_text(text))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn milliseconds(text: &str) -> Option<Duration> {
    let seconds = duration::retry_after(text)?;
    Some(seconds / 1000)
}

/// The longest reset among limits of which nothing is known to remain.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let resets = headers.iter().filter_map(|(name, value)| {
        let limit = name.as_str().strip_prefix(RESET)?;
        let remaining = text_of(headers, &format!("{REMAINING}{limit}"));
        let is_used_up = remaining.is_none_or(|remaining| remaining.trim() == "0");
        is_used_up.then_some(())?;
        read_reset(value.to_str().ok()?)
    });
    resets.max()
}

/// A duration (`6m0s`), or seconds; a date is none, since that takes a clock.
fn read_reset(text: &str) -> Option<Duration> {
    duration::read(text)
        .or_else(|| duration::retry_after(text).filter(|seconds| *seconds <= LONGEST_RESET))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], text: &str, millis: Option<u64>) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect();
        let expected = millis.map(Duration::from_millis);
        assert_eq!(wait(Some(&headers), text), expected, "{headers:?} {text}");
    }

    #[test]
    fn the_surest_word_on_the_wait_is_believed() {
        let text = "please try again in 20s.";
        let all = [
            ("retry-after-ms", "1500"),
            ("retry-after", "7"),
            ("x-ratelimit-reset-requests", "6.8s"),
        ];
        check(&all, text, Some(1500));
        check(&all[1..], text, Some(7000));
        check(&all[2..], text, Some(6800));
        check(&[], text, Some(20_000));
        check(&[], "later", None);
        assert_eq!(wait(None, text), Some(Duration::from_secs(20)));
    }

    #[test]
    fn only_limits_that_are_used_up_are_waited_for() {
        let requests = ("x-ratelimit-reset-requests", "1s");
        let tokens = ("x-ratelimit-reset-tokens", "6m0s");
        check(&[requests, tokens], "", Some(360_000));
        let left = ("x-ratelimit-remaining-tokens", "5");
        check(&[requests, tokens, left], "", Some(1000));
        check(&[tokens, left], "try again in 2s", Some(2000));
    }

    #[test]
    fn resets_of_other_spellings_are_read() {
        let with = |value| [("x-ratelimit-reset-requests", value)];
        check(&with("12"), "", Some(12_000));
        check(&with("1763630400"), "", None);
        check(&with("2026-11-20T00:00:00Z"), "", None);
        check(
            &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")],
            "",
            None,
        );
    }
}
