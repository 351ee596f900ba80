//! Checks as conversations: what is asked, what is answered, and what that comes to.

use super::*;

const LIST: &[u8] = br#"{"object":"list","data":[{"id":"a/b","object":"model"}]}"#;

/// Calls and answers in turn, and the end in words.
fn check(api: Api, model: Option<&str>, answers: &[Result<&[u8], Verdict>], expected: &[&str]) {
    let (mut check, mut call) = Check::begin(api, model);
    let mut seen = Vec::new();
    for answer in answers {
        seen.push(format!("{} {}", call.method, call.path));
        match check.heard(answer.clone()) {
            Step::Ask(next) => call = next,
            Step::Over(Finding { verdict, key_works }) => {
                let key = if key_works {
                    "key works"
                } else {
                    "key unproved"
                };
                seen.push(format!("{}, {key}", verdict.reason));
            }
        }
    }
    assert_eq!(seen, expected, "{api:?} {model:?}");
}

fn refused(class: Class, reason: &'static str) -> Result<&'static [u8], Verdict> {
    Err(Verdict::new(class, reason))
}

fn missing() -> Result<&'static [u8], Verdict> {
    refused(Class::ModelUnavailable, "model_not_found")
}

#[test]
fn google_counts_a_few_tokens() {
    let path = "POST /v1beta/models/gemini-flash-latest:countTokens";
    let model = Some("gemini-flash-latest");
    check(
        Api::Google,
        model,
        &[Ok(br#"{"totalTokens":1}"#)],
        &[path, "ok, key works"],
    );
    let invalid = refused(Class::KeyInvalid, "api_key_invalid");
    check(
        Api::Google,
        model,
        &[invalid],
        &[path, "api_key_invalid, key unproved"],
    );
    check(
        Api::Google,
        model,
        &[Ok(b"<html>")],
        &[path, "not_json, key unproved"],
    );
}

#[test]
fn a_model_that_cannot_count_may_exist_all_the_same() {
    let asked = [
        "POST /v1beta/models/veo-3:countTokens",
        "GET /v1beta/models/veo-3",
    ];
    let expected = [asked[0], asked[1], "ok, key works"];
    check(
        Api::Google,
        Some("veo-3"),
        &[missing(), Ok(b"{}")],
        &expected,
    );
}

#[test]
fn a_missing_model_says_nothing_against_the_key() {
    let answers = [missing(), missing(), Ok(br#"{"models":[]}"# as &[u8])];
    let expected = [
        "POST /v1beta/models/gone:countTokens",
        "GET /v1beta/models/gone",
        "GET /v1beta/models?pageSize=1",
        "model_not_found, key works",
    ];
    check(Api::Google, Some("gone"), &answers, &expected);
    let entity = refused(Class::AffinityMiss, "resource_not_found");
    let answers = [entity, Ok(br#"{"models":[]}"# as &[u8])];
    check(
        Api::Google,
        Some("gone"),
        &answers,
        &[expected[0], expected[2], expected[3]],
    );
    let answers = [
        missing(),
        missing(),
        refused(Class::KeyInvalid, "api_key_invalid"),
    ];
    let expected = [&expected[..3], &["api_key_invalid, key unproved"]].concat();
    check(Api::Google, Some("gone"), &answers, &expected);
}

#[test]
fn a_forbidden_model_counts_against_the_key() {
    let forbidden = Verdict::new(Class::ModelUnavailable, "permission_denied");
    let forbidden = forbidden.certainty(Certainty::Counted);
    let expected = [
        "POST /v1beta/models/m:countTokens",
        "permission_denied, key unproved",
    ];
    check(Api::Google, Some("m"), &[Err(forbidden)], &expected);
}

#[test]
fn xai_is_asked_about_the_key_and_then_the_model() {
    let good: &[u8] = br#"{"team_blocked":false}"#;
    let asked = ["GET /api-key", "GET /models/grok-4"];
    let model = Some("grok-4");
    check(
        Api::Xai,
        model,
        &[Ok(good), Ok(b"{}")],
        &[asked[0], asked[1], "ok, key works"],
    );
    let expected = [asked[0], asked[1], "model_not_found, key works"];
    check(Api::Xai, model, &[Ok(good), missing()], &expected);
    for (info, reason) in [
        (
            r#"{"team_blocked":true,"api_key_disabled":true}"#,
            "team_blocked",
        ),
        (r#"{"api_key_blocked":true}"#, "api_key_blocked"),
        (r#"{"api_key_disabled":true}"#, "api_key_disabled"),
        ("<html>", "not_json"),
    ] {
        let expected = [asked[0], &format!("{reason}, key unproved")];
        check(Api::Xai, model, &[Ok(info.as_bytes())], &expected);
    }
    check(Api::Xai, None, &[Ok(good)], &[asked[0], "ok, key works"]);
}

#[test]
fn servers_with_nothing_below_their_list_are_asked_for_the_list() {
    let no_path = refused(Class::BadRequest, "refused");
    let expected = ["GET /models/a/b", "GET /models", "ok, key works"];
    check(
        Api::OpenAi,
        Some("a/b"),
        &[no_path.clone(), Ok(LIST)],
        &expected,
    );
    let expected = [
        "GET /models/x%3A8b",
        "GET /models",
        "model_not_listed, key works",
    ];
    check(Api::OpenAi, Some("x:8b"), &[no_path, Ok(LIST)], &expected);
}

#[test]
fn perplexity_has_a_list_alone() {
    let list: &[u8] = br#"{"data":[{"id":"perplexity/sonar"}]}"#;
    let ask = "GET /v1/models";
    check(
        Api::Perplexity,
        Some("sonar-pro"),
        &[Ok(list)],
        &[ask, "ok, key works"],
    );
    check(
        Api::Perplexity,
        Some("none"),
        &[Ok(list)],
        &[ask, "model_not_listed, key works"],
    );
    check(Api::Perplexity, None, &[Ok(list)], &[ask, "ok, key works"]);
    check(
        Api::Perplexity,
        Some("sonar"),
        &[Ok(b"[]")],
        &[ask, "not_a_list, key unproved"],
    );
}

#[test]
fn a_key_that_may_not_list_models_is_not_hurt() {
    let forbidden = Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted);
    for api in [Api::OpenAi, Api::Perplexity] {
        let (mut check, _) = Check::begin(api, Some("m"));
        let Step::Over(finding) = check.heard(Err(forbidden.clone())) else {
            panic!("{api:?} asks on");
        };
        assert_eq!(finding.verdict.harm(), domain::Harm::Nobody, "{api:?}");
        assert_ne!(finding.verdict.certainty, Certainty::Counted, "{api:?}");
    }
    let (mut check, _) = Check::begin(Api::Google, Some("m"));
    let Step::Over(finding) = check.heard(Err(forbidden)) else {
        panic!("Google asks on");
    };
    assert_eq!(finding.verdict.harm(), domain::Harm::Key);
}

#[test]
fn names_lead_nowhere_else() {
    for (api, model, path) in [
        (Api::Google, "models/m", "/v1beta/models/m:countTokens"),
        (
            Api::Google,
            "tunedModels/m",
            "/v1beta/tunedModels/m:countTokens",
        ),
        (
            Api::Google,
            "m:x?y#z",
            "/v1beta/models/m%3Ax%3Fy%23z:countTokens",
        ),
        (Api::GigaChat, "GigaChat 2", "/models/GigaChat%202"),
    ] {
        assert_eq!(Check::begin(api, Some(model)).1.path, path);
    }
}
