use domain::ResourceName;
use proptest::prelude::*;

use super::*;

fn google(host: &str) -> bool {
    host == "generativelanguage.googleapis.com"
}

const fn looking(part: Part) -> Looking {
    Looking { part, makes: None }
}

/// What a body names, that which counts only where it is known with a question mark.
fn named_in(part: Part, body: &str) -> Vec<String> {
    shown(in_request(looking(part), [body.as_bytes()], google))
}

fn shown(found: Result<Vec<Mention>, Unreadable>) -> Vec<String> {
    let shown = |Mention { name, how }: Mention| match how {
        How::Surely => name.to_string(),
        How::IfKnown => format!("{name}?"),
        How::Made => format!("{name}!"),
    };
    found.unwrap().into_iter().map(shown).collect()
}

fn named(body: &str) -> Vec<String> {
    named_in(Part::Other, body)
}

fn read(body: &str) -> Result<Vec<Mention>, Unreadable> {
    in_request(looking(Part::Other), [body.as_bytes()], google)
}

#[test]
fn paths_name_what_they_are_about() {
    for (path, expected) in [
        ("/v1beta/files/abc-1", Some("files/abc-1")),
        (
            "/v1beta/files/abc-1:download?alt=media",
            Some("files/abc-1"),
        ),
        ("/download/v1beta/files/abc-1:download", Some("files/abc-1")),
        ("/v1/batches/b1:cancel", Some("batches/b1")),
        (
            "/v1beta/models/veo-3/operations/op1",
            Some("models/veo-3/operations/op1"),
        ),
        (
            "/v1beta/fileSearchStores/s/documents/d",
            Some("fileSearchStores/s"),
        ),
        (
            "/v1beta/fileSearchStores/s/upload/operations/o",
            Some("fileSearchStores/s"),
        ),
        (
            "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore",
            Some("fileSearchStores/s"),
        ),
        (
            "/v1beta/tunedModels/t:generateContent",
            Some("tunedModels/t"),
        ),
        ("/v1beta/interactions/i/cancel", Some("interactions/i")),
        (
            "/v1beta/openai/batches/batch_1",
            Some("openai/batches/batch_1"),
        ),
        ("/v1beta/models/gemini-2.5-flash:generateContent", None),
        ("/v1beta/files", None),
        ("/v1beta/files:register", None),
        ("/upload/v1beta/files", None),
    ] {
        let found = in_path(path);
        assert_eq!(found.as_ref().map(ResourceName::as_str), expected, "{path}");
    }
}

#[test]
fn paths_of_collections_are_told_from_those_of_resources() {
    for (path, expected) in [
        ("/v1beta/files?pageSize=5", Place::Collection("files")),
        ("/v1/batches", Place::Collection("batches")),
        ("/upload/v1beta/files", Place::Collection("files")),
        ("/v1beta/files:register", Place::Collection("files")),
        ("/v1beta/files/x", Place::One),
        ("/v1beta/models/m/operations/o", Place::One),
        ("/v1beta/models", Place::Elsewhere),
        ("/v1beta/models/m:generateContent", Place::Elsewhere),
        ("/v1beta/openai/chat/completions", Place::Elsewhere),
        ("/v1beta/openai/files", Place::Mixed),
        ("/v1beta/openai/batches/b", Place::One),
        ("/v1beta/models/m/operations", Place::Mixed),
    ] {
        assert_eq!(place_of(path), expected, "{path}");
    }
    for (path, expected) in [
        ("/v1beta/files", true),
        ("//upload/v1/files", true),
        ("/ws/google", true),
        ("/batch", false),
        ("/$rpc/google.ai/ListFiles", false),
        ("/", false),
    ] {
        assert_eq!(is_readable(path), expected, "{path}");
    }
}

#[test]
fn requests_name_what_they_use() {
    let uri = "https://generativelanguage.googleapis.com/v1beta/files/abc";
    let body = format!(
        r#"{{"contents":[{{"parts":[{{"text":"see files/no"}},{{"fileData":{{"fileUri":"{uri}"}}}},
           {{"file_data":{{"file_uri":"files/def"}}}},{{"functionResponse":{{"response":{{"uri":"files/no"}},
           "parts":[{{"fileData":{{"fileUri":"{uri}"}}}}]}}}}]}}],"cachedContent":"cachedContents/c",
           "tools":[{{"fileSearch":{{"fileSearchStoreNames":["fileSearchStores/s","fileSearchStores/t"]}}}}],
           "model":"models/gemini-2.5-flash"}}"#
    );
    assert_eq!(
        named(&body),
        [
            "files/abc",
            "files/def",
            "cachedContents/c",
            "fileSearchStores/s",
            "fileSearchStores/t"
        ]
    );
    assert_eq!(
        named(r#"{"previous_interaction_id":"v1_x","input":[{"type":"image","uri":"files/f"}]}"#),
        ["interactions/v1_x", "files/f"]
    );
    assert_eq!(
        named(r#"{"batch":{"inputConfig":{"fileName":"files/in"}}}"#),
        ["files/in"]
    );
}

#[test]
fn interactions_name_what_they_use_by_its_id() {
    for (body, expected) in [
        (r#"{"environment":"env-1"}"#, vec!["environments/env-1?"]),
        (
            r#"{"environment":{"type":"remote","environment_id":"/env-1 ","env":{"K":{"credential":"c-1"},"L":{"value":"files/x"}},
               "network":{"allowlist":[{"domain":"x","credential":"c-2"}]},"sources":[{"target":"files/x"}]}}"#,
            vec![
                "environments/env-1?",
                "credentials/c-1?",
                "credentials/c-2?",
            ],
        ),
        (
            r#"{"from_environment":"environments/e"}"#,
            vec!["environments/e"],
        ),
        (
            r#"{"base_agent":"a","baseEnvironment":"e"}"#,
            vec!["agents/a?", "environments/e?"],
        ),
        (
            r#"{"agent":"deep-research-pro","input":"x","ag\u0065nt":"mine"}"#,
            vec!["agents/deep-research-pro?", "agents/mine?"],
        ),
        (
            r#"{"generation_config":{"speech_config":[{"voice":"voice_1"},{"voice":"Kore"}]}}"#,
            vec!["voices/voice_1?"],
        ),
        (
            r#"{"previous_interaction_id":"v1_x","interaction_id":"/v1_x"}"#,
            vec!["interactions/v1_x"],
        ),
        (
            r#"{"environment":"e","x":"environments/e"}"#,
            vec!["environments/e"],
        ),
        ("", vec![]),
    ] {
        assert_eq!(named_in(Part::Interactions, body), expected, "{body}");
    }
    // Elsewhere these are other things, but for voices.
    for (body, expected) in [
        (
            r#"{"tools":[{"computerUse":{"environment":"env-1"}}],"agent":"a"}"#,
            vec![],
        ),
        (
            r#"{"generationConfig":{"speechConfig":{"voiceConfig":{"voice":"voice_1"}}}}"#,
            vec!["voices/voice_1?"],
        ),
        (
            r#"{"input_file_id":"abc","messages":[{"content":[{"type":"file","file":{"file_id":"files/def"}}]}]}"#,
            vec!["files/abc?", "files/def"],
        ),
    ] {
        assert_eq!(named(body), expected, "{body}");
    }
    let odd = r#"{"previous_interaction_id":"v1_x?y"}"#;
    assert_eq!(
        in_request(looking(Part::Interactions), [odd.as_bytes()], google),
        Err(Unreadable::Reference)
    );
}

#[test]
fn references_are_read_however_they_are_spelt() {
    let google = "generativelanguage.googleapis.com";
    for reference in [
        " files/abc".to_owned(),
        r"\tfiles/abc\n".to_owned(),
        r"\ufefffiles/abc".to_owned(),
        r"\u0000files/abc".to_owned(),
        "./files/abc".to_owned(),
        "Files/abc".to_owned(),
        "files%252Fabc".to_owned(),
        "v1main/files/abc".to_owned(),
        "projects/p/files/abc".to_owned(),
        "file:///files/abc".to_owned(),
        "files/abc?x=1".to_owned(),
        "files/abc#x".to_owned(),
        "files/abc:download".to_owned(),
        r"files/\\abc".to_owned(),
        format!("{google}/v1beta/files/abc"),
        format!("{google}:443/v1beta/files/abc"),
        format!("//{google}/v1beta/files/abc"),
        format!("https:/{google}/v1beta/files/abc"),
        format!(r"https:\\{google}\\v1beta\\files/abc"),
        format!("HTTPS://{}/v1beta/files/abc", google.to_uppercase()),
        format!("https://{google}./v1beta/files/abc"),
        format!("https://{google}.:443/v1beta/files/abc"),
        format!("https://{google}?/v1beta/files/abc"),
        format!("https://{google}#/v1beta/files/abc"),
        format!("https://{google};x/v1beta/files/abc"),
        format!("https://a:b@{google}/v1beta/files/abc"),
        format!("https://{google}/v1beta/./files/abc"),
        "https://generativelanguage.mtls.googleapis.com/v1beta/files/abc".to_owned(),
        "https://eu-generativelanguage.googleapis.com/v1/files/abc".to_owned(),
    ] {
        for member in ["fileUri", "file_uri", "uri", "url"] {
            let body = format!(r#"{{"{member}":"{reference}","x":"files/ y"}}"#);
            assert_eq!(named(&body)[0], "files/abc", "{body}");
        }
    }
    let long = "y".repeat(3_000);
    for reference in [
        "x/../files/abc".to_owned(),
        format!("https://{google}/v1beta/files/a/../abc"),
        format!("https://{google}/v1beta/x"),
        "files/a+b".to_owned(),
        format!("https://{google}/v1beta/files/x?{long}"),
        format!(r"\u0068ttps://{google}/v1beta/files/x?{long}"),
        format!("{}files/x", " ".repeat(3_000)),
        format!("https://{long}.example/files/x"),
    ] {
        let body = format!(r#"{{"fileUri":"{reference}","x":"files/y"}}"#);
        assert_eq!(read(&body), Err(Unreadable::Reference), "{body}");
    }
    for reference in [
        "https://example.com/v1beta/files/abc".to_owned(),
        "gs://bucket/files/abc".to_owned(),
        "data:text/plain,files/abc".to_owned(),
        "https://youtu.be/abc".to_owned(),
        format!("https://storage.example.com/files/abc?signature={long}"),
        format!("data:image/png;base64,files/{long}"),
        format!(r"data:image\/png;base64,{}", r"a\/".repeat(1_000)),
    ] {
        let body = format!(r#"{{"fileUri":"{reference}","x":"agents/y"}}"#);
        assert_eq!(named(&body), ["agents/y"], "{body}");
    }
}

#[test]
fn free_text_names_nothing() {
    for body in [
        r#"{"input":["files/report.pdf",["agents/main.py"]]}"#,
        r#"{"input":[{"type":"function_result","result":"files/a.txt"}]}"#,
        r#"{"input":[{"type":"function_result","result":{"uri":"files/a"}}]}"#,
        r#"{"contents":[{"parts":[{"codeExecutionResult":{"output":"files/a"}},{"executableCode":{"code":"files/a"}}]}]}"#,
        r#"{"batch":{"inputConfig":{"requests":{"requests":[{"metadata":{"key":"files/1"}}]}}}}"#,
        r#"{"response_format":{"json_schema":{"schema":{"enum":["files/a"],"default":"agents/x"}}}}"#,
        r#"{"stop":["files/x"],"user":"files/u","metadata":{"a":"files/x"}}"#,
        r#"{"generationConfig":{"stopSequences":["files/x"]},"generation_config":{"stop_sequences":["files/x"]}}"#,
        r#"{"generation_config":{"response_schema":{"enum":["files/a"]},"response_json_schema":{"enum":["files/a"]}}}"#,
        r#"{"tools":[{"function_declarations":[{"parameters_json_schema":{"enum":["files/a"]},"parameters":{"enum":["files/a"]}}]}]}"#,
        r#"{"content":[{"type":"file","file":{"filename":"files/a.pdf"}}]}"#,
        r#"{"environment":{"sources":[{"target":"files/a","content":"files/b"}],"env":{"K":{"value":"files/c"}}}}"#,
    ] {
        assert_eq!(named(body), Vec::<String>::new(), "{body}");
    }
    for body in [
        r#"{"input":[{"type":"function_result","result":[{"type":"image","uri":"files/a"}]}]}"#,
        r#"{"parameters":{"video":{"uri":"files/a"}}}"#,
        r#"{"input":{"type":"image","uri":"files/a"}}"#,
    ] {
        assert_eq!(named(body), ["files/a"], "{body}");
    }
}

#[test]
fn what_is_to_be_made_is_told_from_what_is_used() {
    let check = |part, made, body: &str, expected: &[&str]| {
        let looking = Looking {
            part,
            makes: Some(made),
        };
        let found = shown(in_request(looking, [body.as_bytes()], google));
        assert_eq!(found, expected, "{made}: {body}");
    };
    let other = Part::Other;
    check(other, "files", r#"{"name":"files/mine"}"#, &["files/mine!"]);
    check(
        other,
        "files",
        r#"{"file":{"name":"files/mine"}}"#,
        &["files/mine!"],
    );
    check(
        other,
        "files",
        r#"{"file":{"x":{"name":"files/a"}}}"#,
        &["files/a"],
    );
    check(other, "corpora", r#"{"name":"files/a"}"#, &["files/a"]);
    check(
        other,
        "files",
        r#"{"name":"files/a","x":"files/a"}"#,
        &["files/a"],
    );
    let family = Part::Interactions;
    check(
        family,
        "agents",
        r#"{"id":"mine","base_agent":"a"}"#,
        &["agents/mine!", "agents/a?"],
    );
    check(family, "interactions", r#"{"id":"mine"}"#, &[]);
}

#[test]
fn queries_name_what_bodies_do() {
    for (query, expected) in [
        ("cachedContent=cachedContents/c", vec!["cachedContents/c"]),
        (
            "alt=sse&cached_content=cachedContents%2Fc",
            vec!["cachedContents/c"],
        ),
        ("batch.inputConfig.fileName=files/a&x", vec!["files/a"]),
        ("%66ileName=%66iles/a", vec!["files/a"]),
        ("previous_interaction_id=v1_x", vec!["interactions/v1_x"]),
        (
            "pageSize=5&pageToken=files/x&alt=sse&updateMask=ttl",
            vec![],
        ),
        ("labels=files/x", vec![]),
        ("", vec![]),
    ] {
        let found = in_query(looking(Part::Other), query, google);
        assert_eq!(shown(found), expected, "{query}");
    }
    let odd = in_query(looking(Part::Other), "fileName=files/a%2520b%253Cc", google);
    assert_eq!(odd, Err(Unreadable::Reference));
    let makes = Looking {
        part: Part::Other,
        makes: Some("files"),
    };
    let made = in_query(makes, "uploadType=media&file.name=files/x", google);
    assert_eq!(shown(made), ["files/x!"]);
}

#[test]
fn public_addresses_and_prompts_name_nothing() {
    for body in [
        r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://example.com/v1beta/files/x"}}]}]}"#,
        r#"{"contents":[{"parts":[{"fileData":{"fileUri":"gs://bucket/files/x"}}]}]}"#,
        r#"{"contents":[{"parts":[{"text":"files/x"}]}],"labels":{"source":"files/x"}}"#,
        r#"{"contents":[{"parts":[{"functionCall":{"args":{"uri":"files/x"}}}]}]}"#,
        r#"{"tools":[{"functionDeclarations":[{"name":"f","parameters":{"uri":"files/x"}}]}]}"#,
        "",
    ] {
        assert_eq!(named(body), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn nothing_hides_a_name() {
    for body in [
        r#"{"cachedContent":"cachedContents\/c"}"#,
        r#"{"cachedContent":"cached\u0043ontents/c"}"#,
        r#"{"cached\u0043ontent":"cachedContents/c"}"#,
        r#"{"cachedContent":"cachedContents\u002fc"}"#,
        r#"{"cachedContent":"x","cachedContent":"cachedContents/c"}"#,
        r#"{"cachedContent":["cachedContents/c"]}"#,
        r#"{"any":{"member":"cachedContents/c"}}"#,
        r#"["cachedContents/c"]"#,
        r#"{"x":"HTTPS://GenerativeLanguage.googleapis.com:443/v1beta/cachedContents/c?x=1"}"#,
        r#"{"x":"https://me@generativelanguage.googleapis.com/v1beta/cached%43ontents/c"}"#,
        r#"{"x":"/v1beta/cachedContents%2Fc"}"#,
        r#"{"x":"c%61chedContents/c"}"#,
        r#"{"x":"cachedContents%252Fc"}"#,
    ] {
        assert_eq!(named(body), ["cachedContents/c"], "{body}");
    }
    let deep = format!("{}{}{}", r#"{"a":"#.repeat(80), 1, "}".repeat(80));
    let body = format!(r#"{{"x":{deep},"cachedContent":"cachedContents/c"}}"#);
    assert_eq!(read(&body), Err(Unreadable::Body));
    let escaped = r"\u0066".repeat(20);
    for body in [
        r#"{"cachedContent":"cachedContents/c""#.to_owned(),
        r#"{"x":"cached\Contents/c"}"#.to_owned(),
        r#"{"x":"cachedContents/\c"}"#.to_owned(),
        r#"{"args":{'a':'"'},"x":"cachedContents/c","args":{'b':'"'}}"#.to_owned(),
        format!(r#"{{"{escaped}":"files/x"}}"#),
        "\u{0}{\u{0}\"".to_owned(),
    ] {
        assert_eq!(read(&body), Err(Unreadable::Body), "{body}");
    }
}

#[test]
fn answers_tell_what_was_made() {
    for (of_id, body, expected) in [
        (
            None,
            r#"{"file":{"name":"files/a","uri":"https://g/v1beta/files/a"}}"#,
            vec!["files/a"],
        ),
        (
            None,
            r#"{"name":"batches/b","metadata":{"output":{"responsesFile":"files/r"}}}"#,
            vec!["batches/b", "files/r"],
        ),
        (
            None,
            r#"{"name":"models/veo/operations/o","done":true,"response":{"generateVideoResponse":{"generatedSamples":
               [{"video":{"uri":"https://g/v1beta/files/v:download?alt=media"}}]}}}"#,
            vec!["models/veo/operations/o", "files/v"],
        ),
        (
            Some("interactions"),
            r#"{"id":"v1_i","steps":[{"id":"other"}]}"#,
            vec!["interactions/v1_i"],
        ),
        (None, r#"{"id":"v1_i","environment_id":"e"}"#, vec![]),
        (
            Some("interactions"),
            r#"{"id":"v1_i","environment_id":"env-1","steps":[{"environment_id":"env-2"}]}"#,
            vec!["interactions/v1_i", "environments/env-1"],
        ),
        (
            Some("openai/batches"),
            r#"{"id":"batch_1","output_file_id":"files/o"}"#,
            vec!["openai/batches/batch_1", "files/o"],
        ),
        (
            None,
            r#"{"name":"batches/b","metadata":{"name":"files/V","labels":{"responsesFile":"files/V"}}}"#,
            vec!["batches/b"],
        ),
        (
            None,
            r#"{"name":"batches/b","response":{"x":[{"text":"files/V","uri":"files/V"}]}}"#,
            vec!["batches/b"],
        ),
        (
            None,
            r#"{"file":{"name":"https://evil/v1beta/files/V"}}"#,
            vec![],
        ),
        (None, r#"{"name":"files/\u0000"}"#, vec![]),
        (
            Some("interactions"),
            r#"{"id":"v1_i","steps":["#,
            vec!["interactions/v1_i"],
        ),
    ] {
        let found = in_answer(of_id, [body.as_bytes()], |host: &str| host == "g");
        let found: Vec<&str> = found.names.iter().map(ResourceName::as_str).collect();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn answers_tell_when_it_expires() {
    let body = r#"{"file":{"name":"files/a","expirationTime":"2026-11-22T10:00:00Z","videoMetadata":{"expireTime":"x"}}}"#;
    let told = in_answer(None, [body.as_bytes()], |_: &str| true);
    assert_eq!(told.expires.as_deref(), Some("2026-11-22T10:00:00Z"));
}

proptest! {
    #[test]
    fn a_body_says_the_same_however_it_is_cut(cuts in prop::collection::vec(1..40usize, 1..20)) {
        let body = r#"{"contents":[{"parts":[{"text":"héllo"},{"fileData":{"fileUri":"files/abc"}}]}],"cachedContent":"cachedContents/c"}"#;
        let mut rest = body.as_bytes();
        let mut chunks = Vec::new();
        for cut in cuts {
            let (chunk, left) = rest.split_at(cut.min(rest.len()));
            chunks.push(chunk);
            rest = left;
        }
        chunks.push(rest);
        let names = in_request(looking(Part::Other), chunks.iter().copied(), google).unwrap();
        let names: Vec<&str> = names.iter().map(|it| it.name.as_str()).collect();
        prop_assert_eq!(names, ["files/abc", "cachedContents/c"]);
    }
}
