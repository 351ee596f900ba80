//! When no key is left: one answer that says when to come back, or waiting for it.

use domain::Class;
use fake_upstream::{FakeKey, KeyFault, Rule, Script, gemini};
use futures_util::future::join_all;

use super::keys;
use crate::support::{Answer, TestGateway, eventually};

/// Two keys, limited for 26 and for 52 seconds.
async fn limited_keys(status: &str) -> TestGateway {
    let limited = |key: &str, fixture: &str| {
        Rule::new()
            .key(key)
            .fixture(&format!("gemini/errors/{fixture}"))
    };
    let script = gemini()
        .rule(limited("AIza-key-1", "429_tokens_per_minute.json"))
        .rule(limited("AIza-key-2", "429_per_minute_requests.json"));
    TestGateway::new()
        .upstream(script)
        .keys(keys(2))
        .setting("pool.exhausted_status", status)
        .start()
        .await
}

fn check_comes_back_in(answer: &Answer, seconds: std::ops::RangeInclusive<u64>) {
    let after: u64 = answer.header("retry-after").parse().unwrap();
    assert!(seconds.contains(&after), "{after}");
    let error = answer.error();
    let details = error["details"].as_array().unwrap();
    let info = details
        .iter()
        .find(|detail| detail["@type"] == "type.googleapis.com/google.rpc.RetryInfo");
    let delay = info.unwrap()["retryDelay"]
        .as_str()
        .unwrap()
        .strip_suffix('s')
        .unwrap();
    let delay: f64 = delay.parse().unwrap();
    assert!(
        delay <= after as f64 && delay + 1.0 >= after as f64,
        "{delay} and {after}"
    );
}

#[tokio::test]
async fn the_last_attempt_that_finds_every_key_limited_says_so_too() {
    let limited = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(limited))
        .keys(keys(2))
        .setting("retry.max_attempts", "2")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(gateway.upstream.count(), 2);
}

#[tokio::test]
async fn the_answer_says_when_the_first_key_is_free() {
    for (setting, status, name) in [
        ("503", 503, "UNAVAILABLE"),
        ("429", 429, "RESOURCE_EXHAUSTED"),
    ] {
        let gateway = limited_keys(setting).await;
        let mut attempts = Vec::new();
        for _ in 0..2 {
            let answer = gateway.generate().await;
            assert_eq!(answer.status, status);
            let error = answer.error();
            assert_eq!(
                (&error["code"], &error["status"]),
                (&status.into(), &name.into())
            );
            // 26 seconds and at most a tenth of jitter.
            check_comes_back_in(&answer, 24..=29);
            let record = gateway.record_of(&answer).await;
            assert_eq!(
                (record.status, record.error),
                (status, Some(Class::RateLimited))
            );
            attempts.push(record.attempts.len());
        }
        assert_eq!(attempts, [2, 0], "cooling keys are not asked again");
    }
}

#[tokio::test]
async fn streams_are_told_in_their_shape() {
    let gateway = limited_keys("503").await;
    let answer = gateway.stream().await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (503, &503.into())
    );
    let path = format!(
        "/v1beta/models/{}:streamGenerateContent",
        crate::support::MODEL
    );
    let answer = gateway.post(&path, crate::support::prompt("hi")).await;
    assert_eq!(
        (answer.status, &answer.json()[0]["error"]["code"]),
        (503, &503.into())
    );
    check_comes_back_in(&answer, 24..=29);
}

#[tokio::test]
async fn a_key_that_is_out_for_longer_does_not_come_back_with_its_model() {
    let once = |fixture: &str| {
        Rule::new()
            .key("AIza-key-1")
            .fixture(&format!("gemini/errors/{fixture}"))
            .times(1)
    };
    let script = gemini()
        .rule(once("429_per_minute_requests.json"))
        .rule(once("402_prepay_depleted.json"))
        .rule(
            Rule::new()
                .key("AIza-key-2")
                .fixture("gemini/errors/429_tokens_per_minute.json"),
        );
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(keys(2))
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    let other = "/v1beta/models/gemini-2.5-pro:generateContent";
    gateway.post(other, crate::support::prompt("hi")).await;
    assert_eq!(gateway.health(0), "cooling 3600s");
    // The second key's 52 seconds, not the first one's 26.
    check_comes_back_in(&gateway.generate().await, 50..=58);
}

#[tokio::test]
async fn what_is_wrong_with_the_keys_is_nobodys_business() {
    let faults = [
        KeyFault::InvalidDebugInfo,
        KeyFault::Suspended,
        KeyFault::PrepayLegacy,
        KeyFault::AccessTokenType,
        KeyFault::ServiceDisabled,
    ];
    join_all(
        faults.map(|fault| check_private(gemini().key(FakeKey::new("AIza-key-1").fault(fault)))),
    )
    .await;
}

#[tokio::test]
async fn a_model_that_no_key_may_use_is_a_404_of_ours() {
    let key = FakeKey::new("AIza-key-1").fault(KeyFault::NoPermission);
    let gateway = TestGateway::new().upstream(gemini().key(key)).start().await;
    for _ in 0..2 {
        let answer = gateway.generate().await;
        assert_eq!(
            (answer.status, answer.error()["status"].as_str()),
            (404, Some("NOT_FOUND"))
        );
        assert!(!answer.text().contains("permission"), "{}", answer.text());
    }
}

async fn check_private(script: Script) {
    let gateway = TestGateway::new().upstream(script).start().await;
    for _ in 0..2 {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.error()["status"], "UNAVAILABLE");
        let message = answer.error()["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains("no usable key") || message.contains("is cooling"),
            "{message}"
        );
        let text = answer.text().to_lowercase();
        for word in [
            "aiza",
            "api key",
            "api_key",
            "billing",
            "credit",
            "suspend",
            "permission",
            "projects/",
            "consumer",
        ] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

fn limited_for_a_second() -> Rule {
    let body = r#"{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 1s."}}"#;
    Rule::new().respond(429, body).times(1)
}

#[tokio::test]
async fn a_request_waits_for_a_key_that_another_one_has_used_up() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(limited_for_a_second()))
        .setting("retry.wait_for_key", "10s")
        .start()
        .await;
    let cooling = async {
        eventually("the key is cooling", async || {
            (gateway.pair_cooling(0) > 0).then_some(())
        })
        .await;
        gateway.generate().await
    };
    let (_, answer) = tokio::join!(gateway.generate(), cooling);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_request_waits_for_the_key_that_it_has_used_up_itself() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(limited_for_a_second()))
        .setting("retry.wait_for_key", "10s")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(
        (answer.status, answer.header("x-keymux-attempts")),
        (200, "2")
    );
}

#[tokio::test]
async fn nobody_waits_for_longer_than_allowed() {
    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .setting("retry.wait_for_key", "5s")
        .start()
        .await;
    for _ in 0..2 {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 503);
        check_comes_back_in(&answer, 24..=29);
    }
}
