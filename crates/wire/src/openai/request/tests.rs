//! Requests in every cut and spelling, edits held against those of a parser, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn cut(body: &[u8], size: usize) -> Arc<[Bytes]> {
    body.chunks(size).map(Bytes::copy_from_slice).collect()
}

fn read(body: &str) -> Result<Request, RequestError> {
    Request::read(cut(body.as_bytes(), body.len().max(1)))
}

fn check(body: &str, expected: (Option<&str>, bool, bool)) {
    for size in 1..=body.len() {
        let request = Request::read(cut(body.as_bytes(), size)).unwrap();
        let seen = (
            request.model(),
            request.is_stream(),
            request.includes_usage(),
        );
        assert_eq!(seen, expected, "{body} in chunks of {size}");
        assert_eq!(request.whole(), body, "{body} in chunks of {size}");
    }
}

#[test]
fn what_a_request_asks_for_is_found() {
    check("{}", (None, false, false));
    check(
        r#"{"model":"m","messages":[{"model":"x","stream":true}]}"#,
        (Some("m"), false, false),
    );
    check(
        r#" {"stream" : true , "mod\u0065l":"\u006d"} "#,
        (Some("m"), true, false),
    );
    check(
        r#"{"stream_options":{"x":[],"include_usage":true},"stream":true}"#,
        (None, true, true),
    );
    check(
        r#"{"model":null,"stream":null,"stream_options":null}"#,
        (None, false, false),
    );
    check(
        r#"{"model":"","stream_options":{"include_usage":null}}"#,
        (None, false, false),
    );
    check(r#"{"model":"m","model":"m"}"#, (Some("m"), false, false));
}

#[test]
fn small_texts_are_told() {
    let long = "x".repeat(5000);
    let body = json!({"encoding_format": "base64", "input": long, "n": 1});
    let request = read(&body.to_string()).unwrap();
    assert_eq!(request.text("encoding_format").as_deref(), Some("base64"));
    for member in ["input", "n", "user"] {
        assert_eq!(request.text(member), None, "{member}");
    }
    assert!(request.has("n") && !request.has("user"));
}

fn check_refused(body: &str, param: Option<&str>, text: &str) {
    let error = read(body).unwrap_err();
    assert_eq!(error.to_string(), text, "{body}");
    assert_eq!(error.param(), param, "{body}");
}

#[test]
fn what_could_be_read_otherwise_is_refused() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    for body in [
        &*deep,
        "",
        " ",
        "null",
        "[]",
        r#""a""#,
        r#"{"a":1"#,
        r"{'a':1}",
        r#"{"a":1,}"#,
        "{} {}",
        r#"{"mode\l":"x"}"#,
    ] {
        check_refused(
            body,
            None,
            "the body is not a JSON object, or is nested deeper than 64 levels",
        );
    }
    for body in [
        r#"{"model":"a","messages":[],"model":"b"}"#,
        r#"{"model":"a","mod\u0065l":"b"}"#,
        r#"{"model":"a","Model":"b"}"#,
    ] {
        let param = if body.contains("Model") {
            "Model"
        } else {
            "model"
        };
        let text = format!("{param:?} is given twice, with different values");
        check_refused(body, Some(param), &text);
    }
    check_refused(
        r#"{"messages":[1],"messages":[2]}"#,
        Some("messages"),
        r#""messages" is given twice, with different values"#,
    );
    check_refused(
        r#"{"stream_options":{"include_usage":true,"include_usage":false}}"#,
        Some("stream_options"),
        r#""stream_options" is given twice, with different values"#,
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    check_refused(r#"{"model":5}"#, Some("model"), r#""model" is not a text"#);
    check_refused(
        r#"{"stream":"true"}"#,
        Some("stream"),
        r#""stream" is not true or false"#,
    );
    check_refused(
        r#"{"stream_options":{"include_usage":1}}"#,
        Some("include_usage"),
        r#""include_usage" is not true or false"#,
    );
    check_refused(
        r#"{"stream_options":[]}"#,
        Some("stream_options"),
        r#""stream_options" is not an object"#,
    );
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(5000));
    check_refused(&long, Some("model"), r#""model" is too long"#);
    let options = format!(r#"{{"stream_options":{{"a":"{}"}}}}"#, "m".repeat(5000));
    check_refused(
        &options,
        Some("stream_options"),
        r#""stream_options" is too long"#,
    );
}

#[test]
fn members_without_end_are_an_error_rather_than_memory() {
    let members: Vec<_> = (0..300).map(|at| format!("\"{at}\":0")).collect();
    let body = format!("{{{}}}", members.join(","));
    check_refused(&body, None, "the body has too many members");
}

/// What becomes of a member: its new value, or none.
type Change = (&'static str, Option<&'static str>);

fn check_edit(body: &str, changes: &[Change], expected: &str) {
    for size in 1..=body.len() {
        let request = Request::read(cut(body.as_bytes(), size)).unwrap();
        let edit = changes
            .iter()
            .fold(request.edit(), |edit, (member, json)| match json {
                Some(json) => edit.set(member, *json),
                None => edit.remove(member),
            });
        let seen = String::from_utf8(edit.finish().concat()).unwrap();
        assert_eq!(seen, expected, "{body} in chunks of {size}");
    }
}

#[test]
fn a_member_is_set_where_it_stands_or_as_the_last() {
    let set = &[("model", Some(r#""n""#))];
    for (body, expected) in [
        (r#"{"model":"m"}"#, r#"{"model":"n"}"#),
        (
            r#"{ "a" : 1 , "MODEL":"m" }"#,
            r#"{ "a" : 1 , "model":"n" }"#,
        ),
        (r#"{"mod\u0065l":"m","a":1e0}"#, r#"{"model":"n","a":1e0}"#),
        ("{ }", r#"{"model":"n" }"#),
        (r#"{"a":1 }"#, r#"{"a":1,"model":"n" }"#),
        (r#"{"model":"m","model":"m"}"#, r#"{"model":"n"}"#),
    ] {
        check_edit(body, set, expected);
    }
}

#[test]
fn a_member_is_removed_with_its_comma() {
    let remove = &[("user", None)];
    for (body, expected) in [
        (r#"{"user":1}"#, "{}"),
        (r#"{"user":1, "a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1, "user":2 }"#, r#"{"a":1 }"#),
        (r#"{"a":1, "user":2 ,"b":3}"#, r#"{"a":1 ,"b":3}"#),
        (r#"{"user":1,"USER":1,"a":2}"#, r#"{"a":2}"#),
    ] {
        check_edit(body, remove, expected);
    }
}

#[test]
fn of_several_changes_to_a_member_the_last_holds() {
    let changes = &[
        ("user", None),
        ("user", Some("1")),
        ("a", None),
        ("b", Some("2")),
    ];
    check_edit(r#"{"a":0,"user":0}"#, changes, r#"{"user":1,"b":2}"#);
    check_edit(r#"{"a":0}"#, changes, r#"{"user":1,"b":2}"#);
}

#[test]
fn usage_is_asked_for_beside_other_options() {
    let asked = r#"{"stream_options":{"include_usage":true}}"#;
    for (body, expected) in [
        ("{}", asked),
        (asked, asked),
        (r#"{"stream_options":null}"#, asked),
        (
            r#"{"stream_options":{"include_usage":false,"x":[1]}}"#,
            r#"{"stream_options":{"x":[1],"include_usage":true}}"#,
        ),
    ] {
        let request = read(body).unwrap();
        let changed = request.edit().ask_for_usage().finish().concat();
        assert_eq!(String::from_utf8(changed).unwrap(), expected, "{body}");
    }
}

#[test]
fn what_is_not_changed_is_not_copied() {
    let messages = "x".repeat(10_000);
    let body = format!(r#"{{"model":"m","messages":"{messages}","user":"u"}}"#);
    let request = read(&body).unwrap();
    let same = request.edit().remove("seed").finish();
    assert!(Arc::ptr_eq(&same, request.chunks()));
    let changed = request.edit().set("model", "\"n\"").remove("user").finish();
    let original = request.chunks()[0].as_ptr_range();
    let large = changed.iter().find(|piece| piece.len() > 9000).unwrap();
    assert!(original.contains(&large.as_ptr()));
    assert_eq!(changed.len(), 4);
}

const NAMES: [&str; 6] = ["n", "store", "messages", "user", "a\"b", "é"];

fn object() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let leaf = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(1.5),
        json!("x"),
        json!("}{\"]["),
        json!({}),
        json!([]),
        json!({"model": ["stream", {"user": "\\"}]}),
    ]);
    let names = prop::sample::subsequence(NAMES.to_vec(), 0..NAMES.len()).prop_shuffle();
    names.prop_flat_map(move |names| {
        let values = prop::collection::vec(leaf.clone(), names.len());
        values.prop_map(move |values| names.clone().into_iter().zip(values).collect())
    })
}

/// The object with what a parser does not mind: white space, escaped names.
fn written(members: &[(&str, Value)], space: &str, is_escaped: bool) -> String {
    let name = |name: &str| {
        if is_escaped && name.is_ascii() {
            let bytes: Vec<_> = name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            return format!("\"{}\"", bytes.concat());
        }
        Value::from(name).to_string()
    };
    let members: Vec<_> = members
        .iter()
        .map(|(member, value)| format!("{space}{}{space}:{space}{value}{space}", name(member)))
        .collect();
    format!("{space}{{{space}{}}}{space}", members.join(","))
}

proptest! {
    #[test]
    fn edits_are_those_of_a_parser(
        members in object(),
        space in prop::sample::select(vec!["", " ", "\r\n\t"]),
        is_escaped: bool,
        size in 1..40_usize,
        edits in prop::collection::vec((prop::sample::select(NAMES.to_vec()), prop::option::of("[a-z]{0,3}")), 0..5),
    ) {
        let body = written(&members, space, is_escaped);
        let request = Request::read(cut(body.as_bytes(), size)).unwrap();
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        let mut edit = request.edit();
        for (member, text) in edits {
            let members = expected.as_object_mut().unwrap();
            if let Some(text) = text {
                let value = json!({"set": text});
                edit = edit.set(member, value.to_string());
                members.insert(member.to_owned(), value);
            } else {
                edit = edit.remove(member);
                members.remove(member);
            }
        }
        let changed: Value = serde_json::from_slice(&edit.finish().concat()).unwrap();
        prop_assert_eq!(changed, expected, "{}", body);
    }

    #[test]
    fn arbitrary_bytes_never_panic(chunks: Vec<Vec<u8>>) {
        let chunks: Arc<[Bytes]> = chunks.into_iter().map(Bytes::from).collect();
        if let Ok(request) = Request::read(chunks) {
            request.edit().set("a", "1").remove("b").ask_for_usage().finish();
        }
    }
}

#[test]
fn a_member_leaves_all_messages_but_users() {
    let remove = |body: &str| {
        let request = read(body).unwrap();
        let edit = request.edit().remove_outside_users_messages("name");
        String::from_utf8(edit.finish().concat()).unwrap()
    };
    for (body, expected) in [
        (
            r#"{"messages": [{"role":"system","name":"a","content":"1.50"}, {"role": "user",  "name":"b"}],"n":1}"#,
            r#"{"messages":[{"role":"system","content":"1.50"},{"role": "user",  "name":"b"}],"n":1}"#,
        ),
        (
            r#"{"messages": [ {"role":"user","name":"b"} ]}"#,
            r#"{"messages": [ {"role":"user","name":"b"} ]}"#,
        ),
        (
            r#"{"messages": [{"role":"tool","x":{"name":"b"}}, 5]}"#,
            r#"{"messages": [{"role":"tool","x":{"name":"b"}}, 5]}"#,
        ),
        (r#"{"messages": "name"}"#, r#"{"messages": "name"}"#),
        (r#"{"model": "m"}"#, r#"{"model": "m"}"#),
    ] {
        assert_eq!(remove(body), expected);
    }
}
