//! No error among the fixtures keeps a key or a project number, and none stops being JSON for it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use bytes::Bytes;
use wire::redact::redact;

const ERRORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/providers/gemini/errors"
);
const KEY: &str = "AIzaSyFAKE00000000000000000000000000000";
const PROJECT: &str = "482913374650";

fn errors() -> Vec<(String, Bytes)> {
    let files = fs::read_dir(ERRORS).unwrap().map(Result::unwrap);
    let read = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        (name, Bytes::from(fs::read(file.path()).unwrap()))
    };
    files.map(read).collect()
}

#[test]
fn no_error_keeps_a_key_or_a_project_number() {
    let mut changed = 0;
    for (name, body) in errors() {
        let seen = redact(body.clone(), &[]);
        let text = String::from_utf8(seen.to_vec()).unwrap();
        assert!(
            !text.contains(KEY) && !text.contains(PROJECT),
            "{name}: {text}"
        );
        let was_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        assert_eq!(was_json, is_json, "{name}");
        changed += usize::from(seen != body);
    }
    // Bad key in debug info, suspended consumer, disabled service, blocked service.
    assert_eq!(changed, 4);
}

#[test]
fn an_unusual_key_goes_when_it_is_named() {
    let body = Bytes::from_static(br#"{"error":{"message":"bad key my.own\/key%2F1"}}"#);
    let seen = redact(body, &["my.own/key/1"]);
    assert_eq!(seen, &br#"{"error":{"message":"bad key [redacted]"}}"#[..]);
}
