//! Models in every spelling of JSON, in every cut, and in bodies that try to show two of them.

use serde_json::Value;

use super::*;

fn read(body: &str) -> Result<Option<String>, ModelError> {
    model([body.as_bytes()])
}

fn check(body: &str, expected: Result<Option<&str>, ModelError>) {
    for cut in 0..=body.len() {
        let (head, tail) = body.as_bytes().split_at(cut);
        let seen = model([head, tail]);
        let seen = seen.as_ref().map(Option::as_deref).map_err(|error| *error);
        assert_eq!(seen, expected, "{body} cut at {cut}");
    }
}

#[test]
fn the_member_model_is_found_wherever_it_stands() {
    for body in [
        r#"{"model":"gemini-x"}"#,
        r#" { "model" : "gemini-x" , "stream" : true } "#,
        r#"{"messages":[{"content":"\"model\":\"y\""}],"model":"gemini-x"}"#,
        r#"{"batch":{"displayName":"b","model":"gemini-x"}}"#,
        r#"{"batch":{"a":{"model":"y"},"model":"gemini-x"},"z":{"model":"y"}}"#,
    ] {
        check(body, Ok(Some("gemini-x")));
    }
}

#[test]
fn a_model_further_inside_is_none() {
    for body in [
        "",
        " ",
        "{}",
        r#"{"contents":[{"model":"x"}]}"#,
        r#"{"request":{"model":"x"}}"#,
        r#"{"batch":[{"model":"x"}]}"#,
        r#"{"batch":{"inputConfig":{"model":"x"}}}"#,
        r#"{"batch":{"requests":[{"model":"x"}]}}"#,
        r#"{"x":{"batch":{"model":"x"}}}"#,
        r#"{"models":"x","mode":"l","model ":"x"}"#,
        r#"{"a":"model","b":["model","x"]}"#,
        r#"{"model":null}"#,
        r#"{"model":""}"#,
    ] {
        check(body, Ok(None));
    }
}

#[test]
fn escapes_are_understood() {
    check(r#"{"mod\u0065l":"x"}"#, Ok(Some("x")));
    check(r#"{"\u006d\u006F\u0064\u0065\u006c":"x"}"#, Ok(Some("x")));
    check(r#"{"b\u0061tch":{"\u006dodel":"x"}}"#, Ok(Some("x")));
    check(
        r#"{"model":"models\/gem\u0069ni"}"#,
        Ok(Some("models/gemini")),
    );
    check(r#"{"model":"\ud83d\ude00"}"#, Ok(Some("😀")));
    check(r#"{"mode\\l":"x"}"#, Ok(None));
}

#[test]
fn two_models_are_an_error_unless_they_agree() {
    for body in [
        r#"{"model":"x","model":"y"}"#,
        r#"{"model":"x","messages":[],"mod\u0065l":"y"}"#,
        r#"{"model":"x","Model":"y"}"#,
        r#"{"model":"x","model":null}"#,
        r#"{"model":null,"model":"x"}"#,
        r#"{"model":"","model":"x"}"#,
        r#"{"model":"x","batch":{"model":"y"}}"#,
        r#"{"batch":{"model":"y"},"batch":{"model":"x"}}"#,
    ] {
        check(body, Err(ModelError::Contradictory));
    }
    check(r#"{"model":"x","mod\u0065l":"\u0078"}"#, Ok(Some("x")));
}

#[test]
fn a_model_that_is_no_text_is_an_error() {
    for body in [
        r#"{"model":5}"#,
        r#"{"model":true}"#,
        r#"{"model":nullable}"#,
        r#"{"model":["x"]}"#,
        r#"{"model":{"name":"x"}}"#,
        r#"{"model":"x\u0000y"}"#,
        r#"{"model":"x\n"}"#,
    ] {
        check(body, Err(ModelError::NotText));
    }
}

#[test]
fn a_name_is_bounded_in_characters() {
    for character in ["m", "\\u006d", "м", "\\ud83d\\ude00"] {
        let longest = character.repeat(LONGEST);
        let body = format!(r#"{{"model":"{longest}"}}"#);
        let length = read(&body).unwrap().map(|model| model.chars().count());
        assert_eq!(length, Some(LONGEST), "{character}");
        let body = format!(r#"{{"model":"{longest}{character}"}}"#);
        assert_eq!(read(&body), Err(ModelError::TooLong), "{character}");
    }
    let body = format!(r#"{{"model":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(read(&body), Err(ModelError::TooLong));
}

/// Forgiving parsers take single quotes, bare names, comments, spare commas and made-up escapes.
#[test]
fn what_only_forgiving_parsers_read_is_an_error() {
    for body in [
        "null",
        r#""model""#,
        r#"["model","x"]"#,
        r#"[{"model":"x"}]"#,
        r#"{"model":"x""#,
        r#"{"model":"x"}{"model":"y"}"#,
        r#"{"model":"x"} //"#,
        r"{'model':'x'}",
        r#"{model:"x"}"#,
        r#"{"model":'x'}"#,
        r#"{"model":"x",}"#,
        r#"{"a":[1,],"model":"x"}"#,
        r#"{"a":['"'],"model":"y","b":['"'],"model":"x"}"#,
        r#"{"a":{"b":['"']},"model":"y","c":['"'],"model":"x"}"#,
        r#"{/*"*/"model":"y",/*"*/"model":"x"}"#,
        r#"{"a":[/*"],"model":"x","b":["*/],"model":"y"}"#,
        r#"{"mode\l":"x"}"#,
        r#"{"mod\x65l":"x"}"#,
        r#"{"mod\u{65}l":"x"}"#,
        r#"{"model":"\x"}"#,
        r#"{"model":"\ud800"}"#,
        "{\"mo\\\ndel\":\"x\"}",
        "\u{feff}{\"model\":\"x\"}",
        "model=x",
    ] {
        check(body, Err(ModelError::NotAnObject));
    }
    let invalid: &[u8] = b"{\"model\":\"\xff\"}";
    assert_eq!(model([invalid]), Err(ModelError::NotAnObject));
    let long = format!(r#"{{"mod\u0065l{}":1}}"#, "x".repeat(100));
    check(&long, Err(ModelError::NotAnObject));
    let deep = format!(
        r#"{{"a":{}{},"model":"x"}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    assert_eq!(read(&deep), Err(ModelError::NotAnObject));
}

#[test]
fn errors_say_what_is_wrong() {
    let text = ModelError::TooLong.to_string();
    assert_eq!(text, r#""model" is longer than 200 characters"#);
}

/// Documents with many members of these names.
fn document() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let name = prop::sample::select(vec!["model", "mod\\u0065l", "batch", "a", "mo\\\\del"]);
    let leaf = prop::sample::select(vec![
        r#""x""#,
        r#""y""#,
        "null",
        "1.5e3",
        "true",
        r#""\"model\":\"z\"""#,
        "{}",
        "[]",
    ])
    .prop_map(str::to_owned);
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..4);
        let object = members.prop_map(|members| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("\"{name}\" : {value}"))
                .collect();
            format!("{{{}}}", members.join(", "))
        });
        let array = prop::collection::vec(inner, 0..4);
        prop_oneof![
            object,
            array.prop_map(|items| format!("[{}]", items.join(",")))
        ]
    });
    value.prop_filter("a document is an object", |text| text.starts_with('{'))
}

proptest::proptest! {
    /// Whoever reads the whole document, the last member winning, sees the same model or none of the two is sent.
    #[test]
    fn a_parser_sees_the_same_model(text in document(), size in 1..9_usize) {
        let seen = model(text.as_bytes().chunks(size));
        proptest::prop_assert_eq!(&seen, &read(&text), "{}", text);
        let parsed: Value = serde_json::from_str(&text).unwrap();
        if let (Ok(seen), Some(theirs)) = (seen, parsed.get("model")) {
            proptest::prop_assert_eq!(seen.as_deref(), theirs.as_str(), "{}", text);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(chunks: Vec<Vec<u8>>) {
        let _ = model(chunks.iter().map(Vec::as_slice));
    }
}
