//! The scanner against every cut of small documents, and against garbage.

use super::*;

/// Writes down what it is told; enters everything but what is named `skip` or `keep`.
#[derive(Default)]
struct Trace {
    lines: Vec<String>,
    name: Vec<u8>,
}

impl Visitor for Trace {
    fn name(&mut self, name: &[u8]) {
        self.name = name.to_vec();
    }

    fn begin(&mut self, kind: Kind) -> Want {
        let name = String::from_utf8_lossy(&self.name).into_owned();
        self.lines.push(format!("{kind:?} {name}"));
        let scalar = matches!(kind, Kind::String | Kind::Word);
        match name.as_str() {
            "skip" => Want::Skip,
            "keep" => Want::Keep(12),
            _ if scalar => Want::Keep(12),
            _ => Want::Enter,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        let text = String::from_utf8_lossy(text);
        let more = if whole { "" } else { "…" };
        self.lines.push(format!("= {text}{more}"));
    }

    fn leave(&mut self, _end: usize) {
        self.lines.push("leave".to_owned());
    }
}

fn check(json: &str, expected: &[&str]) {
    for cut in 0..=json.len() {
        let mut scanner = Scanner::default();
        let mut trace = Trace::default();
        scanner.push(&json.as_bytes()[..cut], &mut trace);
        scanner.push(&json.as_bytes()[cut..], &mut trace);
        assert_eq!(trace.lines, expected, "{json} cut at {cut}");
        assert!(scanner.is_done(), "{json} cut at {cut}");
    }
}

#[test]
fn tells_the_same_wherever_the_document_is_cut() {
    check(r"{}", &["Object ", "leave"]);
    check(
        r#" {"a":[1,true,"x\"y\\"],"b":{}} "#,
        &[
            "Object ",
            "Array a",
            "Word a",
            "= 1",
            "Word a",
            "= true",
            "String a",
            r#"= x\"y\\"#,
            "leave",
            "Object b",
            "leave",
            "leave",
        ],
    );
}

#[test]
fn skipped_and_kept_containers_end_where_they_end() {
    check(
        r#"{"skip":{"]}":[{}],"k":"\\\"}"},"keep":[[2],"]"],"z":null}"#,
        &[
            "Object ",
            "Object skip",
            "Array keep",
            "= [[2],\"]\"]",
            "Word z",
            "= null",
            "leave",
        ],
    );
}

#[test]
fn a_value_longer_than_wanted_is_told_cut() {
    check(
        r#"{"a":"0123456789abcdef"}"#,
        &["Object ", "String a", "= 0123456789ab…", "leave"],
    );
}

#[test]
fn garbage_is_malformed() {
    for text in [
        "<html>",
        "{]",
        "[}",
        "{\"a\" 1}",
        "{,}",
        "{\"a\":1,}",
        "{} x",
        "}",
        "{1:2}",
    ] {
        let mut scanner = Scanner::default();
        scanner.push(text.as_bytes(), &mut Trace::default());
        assert!(scanner.is_malformed(), "{text}");
    }
}

#[test]
fn nesting_without_end_is_malformed_rather_than_memory() {
    let mut scanner = Scanner::default();
    for _ in 0..100_000 {
        scanner.push(b"[", &mut Trace::default());
    }
    assert!(scanner.is_malformed());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(chunks: Vec<Vec<u8>>) {
        let mut scanner = Scanner::default();
        for chunk in chunks {
            scanner.push(&chunk, &mut Trace::default());
        }
    }
}
