//! What GigaChat's refusals and its token endpoint's answers mean, where the manifest does not have them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use domain::{Certainty, Class, UnixMs, Verdict};
use http::{HeaderMap, HeaderValue};
use providers::gigachat::oauth::{NoToken, judge_refusal, read_token, token_request};
use providers::gigachat::{TOKEN_EXPIRED, judge_error};
use providers::{ErrorAnswer, Place};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

fn fixture(file: &str) -> Vec<u8> {
    fs::read(Path::new(FIXTURES).join(file)).unwrap()
}

fn judge(status: u16, body: &[u8], place: Place) -> Verdict {
    judge_error(&ErrorAnswer {
        status,
        headers: &HeaderMap::new(),
        body,
        place,
    })
}

fn check(status: u16, body: &str, place: Place, class: Class, reason: &str) {
    let verdict = judge(status, body.as_bytes(), place);
    assert_eq!(
        (verdict.class, verdict.reason),
        (class, reason),
        "{status} {body}"
    );
}

#[test]
fn refusals_that_the_manifest_does_not_have_are_understood() {
    let html = "\n<html><body>502 Bad Gateway</body></html>";
    let no_model = r#"{"status":404,"message":"No such Model"}"#;
    let no_file = r#"{"status":404,"message":"No such file"}"#;
    for (status, body, place, class, reason) in [
        (302, "", Place::Model, Class::GatewayBug, "redirect"),
        (400, "{", Place::Model, Class::BadRequest, "bad_request"),
        (400, html, Place::Model, Class::ServerError, "html"),
        (401, html, Place::Model, Class::ServerError, "html"),
        (401, "", Place::Model, Class::KeyInvalid, TOKEN_EXPIRED),
        (403, html, Place::Model, Class::ServerError, "html"),
        (
            404,
            no_model,
            Place::Resource,
            Class::ModelUnavailable,
            "no_such_model",
        ),
        (
            404,
            no_file,
            Place::Resource,
            Class::AffinityMiss,
            "resource_not_found",
        ),
        (404, no_file, Place::Model, Class::BadRequest, "not_found"),
        (404, html, Place::Model, Class::ServerError, "html"),
        (408, "", Place::Model, Class::Timeout, "timeout"),
        (
            413,
            html,
            Place::Model,
            Class::BadRequest,
            "context_length_exceeded",
        ),
        (
            429,
            html,
            Place::Model,
            Class::RateLimited,
            "streams_at_a_time",
        ),
        (502, html, Place::Model, Class::ServerError, "server_error"),
        (503, "", Place::Model, Class::ServerError, "server_error"),
        (
            504,
            "\u{0}",
            Place::Model,
            Class::ServerError,
            "server_error",
        ),
    ] {
        check(status, body, place, class, reason);
    }
}

#[test]
fn a_delay_that_is_given_is_taken() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    let answer = ErrorAnswer {
        status: 429,
        headers: &headers,
        body: b"",
        place: Place::Model,
    };
    assert_eq!(judge_error(&answer).delay, Some(Duration::from_secs(7)));
}

#[test]
fn refusals_of_the_token_endpoint_are_understood() {
    for (status, body, class, reason) in [
        (302, "", Class::GatewayBug, "token_redirect"),
        (
            400,
            r#"{"code":4,"message":"Can't decode 'Authorization' header"}"#,
            Class::KeyInvalid,
            "authorization_key_malformed",
        ),
        (
            400,
            r#"{"code":2,"message":"RqUID is empty"}"#,
            Class::GatewayBug,
            "token_request_refused",
        ),
        (400, "no json", Class::GatewayBug, "token_request_refused"),
        (401, "", Class::KeyInvalid, "authorization_key_unknown"),
        (401, "<html>", Class::ServerError, "token_html"),
        (403, "{}", Class::KeyRestricted, "token_forbidden"),
        (429, "<html>", Class::RateLimited, "token_requests_too_many"),
        (
            500,
            r#"{"code":7}"#,
            Class::ServerError,
            "token_server_error",
        ),
        (504, "", Class::Timeout, "token_timeout"),
    ] {
        let verdict = judge_refusal(status, body.as_bytes());
        assert_eq!(
            (verdict.class, verdict.reason),
            (class, reason),
            "{status} {body}"
        );
    }
}

#[test]
fn a_scope_that_does_not_fit_is_decisive_and_named() {
    for (code, reason) in [
        (1, "token_scope_malformed"),
        (5, "token_scope_empty"),
        (7, "token_scope_of_another_kind_of_key"),
    ] {
        let body = fixture(&format!("gigachat/errors/oauth_400_code{code}.json"));
        let verdict = judge_refusal(400, &body);
        let seen = (verdict.certainty, verdict.reason);
        assert_eq!(seen, (Certainty::Decisive, reason));
    }
}

#[test]
fn tokens_are_read_in_all_their_forms() {
    let end = Some(UnixMs(1_763_632_200_000));
    for (file, token, expires_at) in [
        (
            "token_ok.json",
            "eyJjdHkiOiJqd3QiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0.EXAMPLE",
            end,
        ),
        ("token_ok_seconds.json", "eyJ.EXAMPLE", end),
        ("token_ok_alt.json", "eyJ.EXAMPLE", end),
    ] {
        let read = read_token(&fixture(&format!("gigachat/{file}"))).unwrap();
        assert_eq!(
            (read.secret.expose(), read.expires_at),
            (token, expires_at),
            "{file}"
        );
    }
    for (end, expected) in [
        ("null", None),
        ("0", None),
        ("-5", None),
        ("[]", None),
        ("\"1763632200\"", Some(1_763_632_200_000)),
        ("1763632200.5", Some(1_763_632_200_000)),
        ("99999999999", Some(99_999_999_999_000)),
        ("100000000000", Some(100_000_000_000)),
        ("1e300", Some(i64::MAX)),
    ] {
        let body = format!(r#"{{"access_token":"t","expires_at":{end}}}"#);
        let read = read_token(body.as_bytes()).unwrap();
        assert_eq!(read.expires_at, expected.map(UnixMs), "{end}");
    }
}

#[test]
fn what_is_no_token_is_told_without_what_it_was() {
    let long = format!(r#"{{"tok":"{}"}}"#, "x".repeat(16 * 1024 + 1));
    for (body, expected) in [
        ("", NoToken::NotAnObject),
        ("<html>", NoToken::NotAnObject),
        ("{}", NoToken::Missing),
        (r#"{"access_token":7}"#, NoToken::Missing),
        (r#"{"access_token":""}"#, NoToken::Unfit),
        (r#"{"access_token":"a b"}"#, NoToken::Unfit),
        (r#"{"access_token":"a\r\nx: y"}"#, NoToken::Unfit),
        (&long, NoToken::Unfit),
    ] {
        assert_eq!(
            read_token(body.as_bytes()).unwrap_err(),
            expected,
            "{body:.40}"
        );
    }
}

#[test]
fn a_scope_cannot_add_to_the_form() {
    assert_eq!(
        token_request("GIGACHAT_API_PERS"),
        b"scope=GIGACHAT_API_PERS"
    );
    assert_eq!(token_request("a&b=c d"), b"scope=a%26b%3Dc%20d");
}
