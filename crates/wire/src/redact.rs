//! Takes secrets out of upstream error bodies: the given ones, and whatever looks like a key or names a project.
//! Google quotes keys in `DebugInfo`, in `Consumer 'api_key:…'`, in help links, and project numbers all over.
//! It works on bytes, so that damaged bodies are covered too; a body without findings is returned as it came.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use bytes::Bytes;
use memchr::{memchr3, memmem};

/// What stands in place of a secret: valid inside JSON strings and URLs alike.
const MARK: &[u8] = b"[redacted]";

/// A given secret shorter than this is left alone: it would be found in ordinary text.
const SHORTEST: usize = 6;

/// Digits of the shortest project number; `project 42` may be anybody's words.
const SHORTEST_NUMBER: usize = 6;

/// A text that betrays what follows it.
#[derive(Clone, Copy)]
struct Pattern {
    lead: &'static [u8],
    /// The lead is part of the secret.
    with_lead: bool,
    /// The lead begins a word: `sk-` is no key in `task-`.
    begins_word: bool,
    /// The secret's characters besides letters, digits, `-` and `_`.
    also: &'static [u8],
    /// Fewer characters than this are no secret.
    at_least: usize,
}

/// Keys and tokens of whomever: of this key of the pool or another, of a caller.
const KEYS: &[Pattern] = &[
    key(b"AIza", b"", 20).anywhere(),
    key(b"AQ.", b".", 20).anywhere(),
    key(b"ya29.", b".", 10).anywhere(),
    // Perplexity's models are named alike, and are shorter.
    key(b"pplx-", b"", 20),
    // OpenAI's, most compatible servers', and keymux's own for its callers.
    key(b"sk-", b"", 12),
    key(b"xai-", b"", 20),
    // JSON Web Tokens, as GigaChat's access tokens are.
    key(b"eyJ", b".", 40),
    after(b"Bearer ", b".~+/=", 16),
    after(b"bearer ", b".~+/=", 16),
    // GigaChat's authorization keys.
    after(b"Basic ", b"+/=", 16),
];

/// What names a key or an account in a text that says so.
const NAMES: &[Pattern] = &[
    after(b"api_key:", b".~+/=", 1),
    after(b"key=", b".~+/%", 8),
    after(b"access_token=", b".~+/%", 1),
    // xAI names the team of a key by its UUID.
    after(b"team ", b"", 36),
    after(b"projects/", b"", 1),
    after(b"billingAccounts/", b"", 1),
];

/// A key that begins with `lead`, where a word begins.
const fn key(lead: &'static [u8], also: &'static [u8], at_least: usize) -> Pattern {
    Pattern {
        lead,
        with_lead: true,
        begins_word: true,
        also,
        at_least,
    }
}

/// A secret that stands behind `lead`.
const fn after(lead: &'static [u8], also: &'static [u8], at_least: usize) -> Pattern {
    Pattern {
        with_lead: false,
        begins_word: false,
        ..key(lead, also, at_least)
    }
}

impl Pattern {
    /// The same where no word begins, too: nothing else looks like it.
    const fn anywhere(self) -> Self {
        Self {
            begins_word: false,
            ..self
        }
    }
}

/// What every key begins with, or stands behind. Every header of every answer is looked at, so that is one search.
static LEADS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(KEYS.iter().map(|pattern| pattern.lead)).ok());

/// Whether a text has in it what looks like a key.
pub fn holds_key(text: &[u8]) -> bool {
    let may_hold = LEADS.as_ref().is_none_or(|leads| leads.is_match(text));
    let mut found = Vec::new();
    may_hold
        && KEYS.iter().any(|pattern| {
            find_pattern(text, pattern, &mut found);
            !found.is_empty()
        })
}

/// The body without the given secrets, whether raw, percent-encoded or JSON-escaped, without anything that
/// looks like a key or a token, and without project numbers.
pub fn redact(body: Bytes, secrets: &[&str]) -> Bytes {
    let mut found = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        find_encoded(&body, secret.as_bytes(), &mut found);
    }
    for pattern in KEYS.iter().chain(NAMES) {
        find_pattern(&body, pattern, &mut found);
    }
    find_accounts(&body, &mut found);
    find_projects(&body, &mut found);
    if found.is_empty() {
        return body;
    }
    found.sort_unstable_by_key(|range| (range.start, range.end));
    cut(&body, &found)
}

/// The body with each run of overlapping ranges replaced by the mark.
fn cut(body: &[u8], ranges: &[Range<usize>]) -> Bytes {
    let mut out = Vec::with_capacity(body.len());
    let mut done = 0;
    let mut marked_to = None;
    for range in ranges {
        if marked_to != Some(done) || range.start > done {
            out.extend_from_slice(&body[done..range.start.max(done)]);
            out.extend_from_slice(MARK);
        }
        done = done.max(range.end);
        marked_to = Some(done);
    }
    out.extend_from_slice(&body[done..]);
    out.into()
}

fn find_encoded(body: &[u8], secret: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(offset) = body
        .get(at..)
        .and_then(|rest| memchr3(secret[0], b'%', b'\\', rest))
    {
        at += offset;
        match encoded_length(&body[at..], secret) {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
}

/// How many bytes of `text` spell `secret`, each byte raw or encoded, at most; none if they do not.
///
/// A secret may look like an escape itself, so wherever both ways fit, both are followed.
fn encoded_length(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut ends = vec![0];
    let mut next = Vec::new();
    for &expected in secret {
        for &at in &ends {
            let rest = text.get(at..).unwrap_or_default();
            if rest.first() == Some(&expected) {
                next.push(at + 1);
            }
            if let Some((byte, length)) = decode(rest)
                && byte == expected
            {
                next.push(at + length);
            }
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return None;
        }
        std::mem::swap(&mut ends, &mut next);
        next.clear();
    }
    ends.last().copied()
}

/// The byte that an escape stands for, and the escape's length.
fn decode(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'%', high, low, ..] => Some((hex(*high, *low)?, 3)),
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((hex(*high, *low)?, 6)),
        [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => Some((*byte, 2)),
        _ => None,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

fn find_pattern(body: &[u8], pattern: &Pattern, found: &mut Vec<Range<usize>>) {
    for at in memmem::find_iter(body, pattern.lead) {
        if pattern.begins_word && !begins_word(&body[..at]) {
            continue;
        }
        let start = at + pattern.lead.len();
        let length = run(&body[start..], pattern.also);
        if length >= pattern.at_least {
            let from = if pattern.with_lead { at } else { start };
            found.push(from..start + length);
        }
    }
}

/// Whether a word begins behind this text: after no letter and no digit, or after an escape that ends in one.
fn begins_word(before: &[u8]) -> bool {
    let ends_with_escape = match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'\\', b'u', a, b, c, d] => {
            let digits = [a, b, c, d];
            digits.into_iter().all(u8::is_ascii_hexdigit)
        }
        [.., b'%', high, low] => hex(*high, *low).is_some(),
        _ => false,
    };
    let last = before.last();
    ends_with_escape || last.is_none_or(|last| !is_word(*last, b""))
}

/// Service accounts: `name@project.iam.gserviceaccount.com`.
fn find_accounts(body: &[u8], found: &mut Vec<Range<usize>>) {
    const DOMAIN: &[u8] = b".gserviceaccount.com";
    for at in memmem::find_iter(body, DOMAIN) {
        let name = body[..at]
            .iter()
            .rev()
            .take_while(|&&byte| is_word(byte, b".@"))
            .count();
        found.push(at - name..at + DOMAIN.len());
    }
}

/// Numbers that some text calls a project's, wherever they stand: Google repeats them in other fields.
fn find_projects(body: &[u8], found: &mut Vec<Range<usize>>) {
    let mut numbers: Vec<&[u8]> = Vec::new();
    for lead in [&b"roject"[..], b"containerInfo", b"consumer"] {
        for at in memmem::find_iter(body, lead) {
            let number = number_after(&body[at + lead.len()..]);
            if number.len() >= SHORTEST_NUMBER && !numbers.contains(&number) {
                numbers.push(number);
            }
        }
    }
    for number in numbers {
        found.extend(memmem::find_iter(body, number).map(|at| at..at + number.len()));
    }
}

/// The number in `s/123`, ` number 123`, `_number:123`, `=123`, `": "123"` and the like; empty if there is none.
fn number_after(text: &[u8]) -> &[u8] {
    let mut rest = text.strip_prefix(b"s").unwrap_or(text);
    loop {
        let separators = rest
            .iter()
            .take_while(|byte| b" _/:='\"\\#()".contains(byte))
            .count();
        rest = &rest[separators..];
        let word = [&b"number"[..], b"Number", b"id", b"ID", b"project"]
            .into_iter()
            .find_map(|word| rest.strip_prefix(word));
        match word {
            Some(after) => rest = after,
            None => break,
        }
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    &rest[..digits]
}

fn run(text: &[u8], also: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_word(byte, also)).count()
}

fn is_word(byte: u8, also: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || also.contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AIzaSyFAKE00000000000000000000000000000";

    fn check(body: &str, secrets: &[&str], expected: &str) {
        let seen = redact(Bytes::copy_from_slice(body.as_bytes()), secrets);
        assert_eq!(String::from_utf8_lossy(&seen), expected);
    }

    #[test]
    fn given_secrets_go_however_they_are_written() {
        let secret = "pa/ss\"w%rd";
        check(
            r#"raw pa/ss"w%rd, url pa%2Fss%22w%25rd pa%2fss%22w%25rd, json pa\/ss\"w%rd \u0070a/ss\u0022w%rd"#,
            &[secret],
            "raw [redacted], url [redacted] [redacted], json [redacted] [redacted]",
        );
    }

    #[test]
    fn a_secret_that_looks_like_an_escape_goes_too() {
        check(
            r"%25\\%0 and %25\%0",
            &[r"%25\%0"],
            "[redacted] and [redacted]",
        );
    }

    #[test]
    fn what_looks_like_a_key_goes_unasked() {
        check(
            &format!("Invalid API key: {KEY}."),
            &[],
            "Invalid API key: [redacted].",
        );
        check(
            "token AQ.Ab8RN6LongLongLong_Long-Long.x1 end",
            &[],
            "token [redacted] end",
        );
        check(
            "Consumer 'api_key:zzz' has been suspended",
            &[],
            "Consumer 'api_key:[redacted]' has been suspended",
        );
        check(
            r"https://x/y?alt=sse\u0026key=abcdefgh1\u0026z=1",
            &[],
            r"https://x/y?alt=sse\u0026key=[redacted]\u0026z=1",
        );
    }

    #[test]
    fn keys_of_every_provider_go_unasked() {
        let long = "0123456789abcdefABCDEF0123456789";
        for key in [
            format!("xai-{long}"),
            format!("pplx-{long}"),
            format!("sk-{long}"),
            format!("sk-proj-{long}_a-b"),
            "sk-app-00000001".to_owned(),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{long}"),
        ] {
            check(
                &format!("the key {key} is over, ({key}), \\n{key}\\u0026{key}%20{key}"),
                &[],
                "the key [redacted] is over, ([redacted]), \\n[redacted]\\u0026[redacted]%20[redacted]",
            );
            assert!(holds_key(format!("used {key}.").as_bytes()), "{key}");
        }
        check(
            "authorization: Bearer abcdefghijklmnop.q+r/s=, Basic Z2lnYTpwb29sLTAxMjM0NTY3ODk=",
            &[],
            "authorization: Bearer [redacted], Basic [redacted]",
        );
    }

    #[test]
    fn words_and_models_are_no_keys() {
        for text in [
            "pplx-embed-context-v1-0.6b and pplx-70b-online are models, so is sk-tiny",
            "risk-management-of-the-house, desk-0123456789abcdef",
            "Bearer token, Basic plan, eyJ",
        ] {
            check(text, &[], text);
            assert!(!holds_key(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn projects_go_wherever_their_number_stands() {
        check(
            r#"used in project 482913374650 before; "containerInfo": "482913374650", ?project=482913374650, projects/482913374650"#,
            &[],
            r#"used in project [redacted] before; "containerInfo": "[redacted]", ?project=[redacted], projects/[redacted]"#,
        );
        check(
            "consumer 'project_number:482913374650'; sa@my-app.iam.gserviceaccount.com",
            &[],
            "consumer 'project_number:[redacted]'; [redacted]",
        );
    }

    #[test]
    fn a_team_goes_by_its_uuid_alone() {
        check(
            "Your team 00000000-0000-4000-8000-000000000002 has used all",
            &[],
            "Your team [redacted] has used all",
        );
        check("a team of two, team red", &[], "a team of two, team red");
    }

    #[test]
    fn a_body_without_findings_is_not_copied() {
        for text in [
            "",
            "Your project has been denied access. See https://ai.studio/projects to manage 250000 tokens.",
            "AIza is a prefix; AQ. too; monkey=banana; project 42",
        ] {
            let body = Bytes::copy_from_slice(text.as_bytes());
            let seen = redact(body.clone(), &["secret-that-is-not-there", "short", ""]);
            assert_eq!(seen, body);
            assert_eq!(seen.as_ptr(), body.as_ptr(), "{text}");
        }
    }

    #[test]
    fn overlapping_findings_leave_one_mark() {
        check(&format!("?key={KEY}&a=1"), &[KEY], "?key=[redacted]&a=1");
        check(&format!("{KEY}{KEY}"), &[KEY], "[redacted]");
    }

    proptest::proptest! {
        #[test]
        fn a_given_secret_never_remains(head in "[a-z ]*", secret in "[0-9%\\\\\"/.+=-]{6,40}", tail in "[a-z ]*") {
            let escaped = serde_json::to_string(&secret).unwrap_or_default();
            let body = Bytes::from(format!("{head}{secret}{tail}{escaped}"));
            let seen = redact(body, &[&secret]);
            let expected = format!("{head}[redacted]{tail}\"[redacted]\"");
            proptest::prop_assert_eq!(seen, expected.as_bytes());
        }

        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>, secret: String) {
            let _ = redact(Bytes::from(body), &[&secret]);
        }
    }
}
