//! Keys and quotas: who is let in, and the exact bodies of those who are not.

use fake_upstream::{FakeKey, KeyFault, gemini};
use http::StatusCode;
use serde_json::Value;

use crate::support::{Answer, ask_model, generate, get};

const MODEL: &str = "gemini-3.8-flash";

fn fixture(name: &str) -> Value {
    let root = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/providers/gemini/errors/"
    );
    serde_json::from_str(&std::fs::read_to_string(format!("{root}{name}.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn any_key_is_taken_while_none_is_listed() {
    let upstream = gemini().start().await;
    assert_eq!(
        generate("x").key("whatever").send(&upstream).await.status,
        200
    );
}

#[tokio::test]
async fn a_missing_key_is_an_unregistered_caller() {
    let upstream = gemini().start().await;
    let answer = generate("x").send_bare(&upstream).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json(), fixture("403_unregistered_callers"));
}

#[tokio::test]
async fn unlisted_keys_are_invalid_once_one_is_listed() {
    let upstream = gemini().key(FakeKey::new("good")).start().await;
    assert_eq!(generate("x").key("good").send(&upstream).await.status, 200);
    let answer = generate("x").key("other").send(&upstream).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), fixture("400_api_key_invalid"));
}

#[tokio::test]
async fn an_api_key_as_bearer_is_of_the_wrong_kind() {
    let upstream = gemini().start().await;
    let answer = generate("x")
        .header("authorization", "Bearer AQ.x")
        .send(&upstream)
        .await;
    assert_eq!(answer.json(), fixture("401_access_token_type"));
}

#[tokio::test]
async fn every_fault_has_the_status_google_gives_it() {
    let cases = [
        (KeyFault::Invalid, 400),
        (KeyFault::InvalidDebugInfo, 400),
        (KeyFault::Expired, 400),
        (KeyFault::NotFound, 400),
        (KeyFault::Leaked, 403),
        (KeyFault::Suspended, 403),
        (KeyFault::ProjectDenied, 403),
        (KeyFault::ServiceDisabled, 403),
        (KeyFault::ServiceBlocked, 403),
        (KeyFault::AccessTokenType, 401),
        (KeyFault::PrepayDepleted, 402),
        (KeyFault::PrepayLegacy, 429),
        (KeyFault::SpendCap, 429),
        (KeyFault::NoPermission, 403),
        (KeyFault::Location, 400),
        (KeyFault::ModelNewUsers, 404),
        (KeyFault::BareQuota, 429),
        (KeyFault::Cancelled, 499),
        (KeyFault::Internal, 500),
        (KeyFault::BadGateway, 502),
        (KeyFault::Overloaded, 503),
        (KeyFault::HighDemand, 503),
        (KeyFault::Deadline, 504),
    ];
    let upstream = gemini().start().await;
    for (fault, status) in cases {
        upstream.set_key(FakeKey::new("k").fault(fault));
        let answer = generate("x").send(&upstream).await;
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(!answer.text().contains("no fixture"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_fixed_key_works_again() {
    let upstream = gemini()
        .key(FakeKey::new("k").fault(KeyFault::Expired))
        .start()
        .await;
    assert_eq!(generate("x").send(&upstream).await.status, 400);
    upstream.fix_key("k");
    assert_eq!(generate("x").send(&upstream).await.status, 200);
}

#[tokio::test]
async fn errors_of_array_streams_are_wrapped() {
    let upstream = gemini()
        .key(FakeKey::new("k").fault(KeyFault::BareQuota))
        .start()
        .await;
    let array = ask_model("streamGenerateContent", "x")
        .send(&upstream)
        .await
        .json();
    assert_eq!(array[0]["error"]["code"], 429);
    let sse = ask_model("streamGenerateContent?alt=sse", "x")
        .send(&upstream)
        .await
        .json();
    assert_eq!(sse["error"]["code"], 429);
}

fn violation(answer: &Answer) -> Value {
    let details = answer.json()["error"]["details"].clone();
    details
        .as_array()
        .unwrap()
        .iter()
        .find(|d| !d["violations"].is_null())
        .unwrap()["violations"][0]
        .clone()
}

fn retry_delay(answer: &Answer) -> String {
    let body = answer.json();
    let details = body["error"]["details"].as_array().unwrap();
    details
        .iter()
        .find_map(|d| d["retryDelay"].as_str())
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_project_shares_its_minute_quota_and_another_model_has_its_own() {
    let key = |name: &str| FakeKey::new(name).project("p1").rpm("*", 2);
    let upstream = gemini().key(key("a")).key(key("b")).start().await;
    for (name, status) in [("a", 200), ("b", 200), ("a", 429), ("b", 429)] {
        assert_eq!(
            generate("x").key(name).send(&upstream).await.status,
            status,
            "{name}"
        );
    }
    let other = get("/v1beta/models/gemini-3.5-flash:generateContent").method("POST");
    assert_eq!(
        other.key("a").send(&upstream).await.status,
        400,
        "refused for its body alone"
    );
    upstream.advance_quota_window();
    assert_eq!(generate("x").key("a").send(&upstream).await.status, 200);
}

#[tokio::test]
async fn a_minute_quota_names_its_id_its_value_and_when_to_retry() {
    let upstream = gemini().key(FakeKey::new("k").rpm(MODEL, 1)).start().await;
    generate("x").send(&upstream).await;
    let answer = generate("x").send(&upstream).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let expected = fixture("429_per_minute_requests");
    let mut of_fixture = expected["error"]["details"][1]["violations"][0].clone();
    of_fixture["quotaValue"] = "1".into();
    assert_eq!(violation(&answer), of_fixture);
    let message = answer.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    let start = expected["error"]["message"]
        .as_str()
        .unwrap()
        .split(", limit")
        .next()
        .unwrap();
    assert!(message.starts_with(start), "{message}");
    assert!(
        message.contains(", limit: 1, model: gemini-3.8-flash\nPlease retry in 5"),
        "{message}"
    );
    assert_eq!(retry_delay(&answer), "59s");
}

#[tokio::test]
async fn a_day_quota_lies_about_when_to_retry_and_outlives_minutes() {
    let upstream = gemini().key(FakeKey::new("k").rpd(MODEL, 1)).start().await;
    generate("x").send(&upstream).await;
    upstream.advance_quota_window();
    let answer = generate("x").send(&upstream).await;
    assert_eq!(
        violation(&answer)["quotaId"],
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    );
    assert_eq!(retry_delay(&answer), "38s");
    upstream.reset_day();
    assert_eq!(generate("x").send(&upstream).await.status, 200);
}

#[tokio::test]
async fn input_tokens_are_counted_per_minute() {
    let upstream = gemini()
        .key(FakeKey::new("k").paid().tpm(MODEL, 10))
        .start()
        .await;
    assert_eq!(generate(&"x".repeat(36)).send(&upstream).await.status, 200);
    let answer = generate("12345678").send(&upstream).await;
    assert_eq!(answer.status, 429);
    let id = "GenerateContentPaidTierInputTokensPerModelPerMinute";
    assert_eq!(violation(&answer)["quotaId"], id);
    assert_eq!(
        generate("1").send(&upstream).await.status,
        200,
        "refused tokens are not counted"
    );
}

#[tokio::test]
async fn a_limit_of_zero_says_so_and_has_no_value() {
    let upstream = gemini().key(FakeKey::new("k").rpd(MODEL, 0)).start().await;
    let answer = generate("x").send(&upstream).await;
    assert!(answer.text().contains("limit: 0, model: gemini-3.8-flash"));
    assert!(violation(&answer)["quotaValue"].is_null());
}

#[tokio::test]
async fn several_limits_can_be_broken_at_once() {
    let upstream = gemini()
        .key(FakeKey::new("k").rpm(MODEL, 1).rpd(MODEL, 1))
        .start()
        .await;
    generate("x").send(&upstream).await;
    let body = generate("x").send(&upstream).await.json();
    let failure = body["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| !d["violations"].is_null());
    assert_eq!(failure.unwrap()["violations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn fast_answers_still_refuse_faulty_keys() {
    let script = gemini()
        .key(FakeKey::new("good"))
        .key(FakeKey::new("bad").fault(KeyFault::Leaked));
    let upstream = script.fast().start().await;
    for (key, status) in [("good", 200), ("bad", 403), ("unknown", 400)] {
        assert_eq!(
            generate("x").key(key).send(&upstream).await.status,
            status,
            "{key}"
        );
    }
}
