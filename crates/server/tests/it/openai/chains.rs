//! A chain of models: the next one answers when the one before has nothing to answer with, and only then.

use domain::Class;
use fake_upstream::{EmptyKind, FakeKey, KeyFault, Rule, Script, gemini, xai};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{GROK, ask, both, chat, data, events, place, refusal, said, steps, streamed};
use crate::support::{Answer, Builder, MODEL, Operator, TestGateway, eventually};

fn builder(google: Script) -> Builder {
    both(google, xai().says("from grok")).setting("retry.max_attempts", "2")
}

/// Asks the chain, for a document and for a stream, and gets xAI's answer after `step` of Google's.
async fn check_goes_on(builder: impl Fn() -> Builder, step: &str) {
    for body in [chat("smart"), streamed("smart")] {
        let gateway = builder().start().await;
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(answer.status, 200, "{step}: {}", answer.text());
        assert_eq!(said(&answer), "from grok", "{step}: {body}");
        assert_eq!(answer.header("x-keymux-provider"), "xai", "{step}");
        let record = gateway.record_of(&answer).await;
        assert_eq!(place(&record), format!("xai/{GROK}"), "{step}");
        assert_eq!((record.status, record.error), (200, None), "{step}");
        let steps = steps(&record);
        let (last, before) = steps.split_last().unwrap();
        assert_eq!(*last, format!("xai/{GROK} ok"), "{steps:?}");
        let all = before
            .iter()
            .all(|told| *told == format!("google/{MODEL} {step}"));
        assert!(all && !before.is_empty(), "{step}: {steps:?}");
        assert_eq!(gateway.provider("xai").count(), 1, "{step}");
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_passed_over() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let unreachable = || builder(gemini()).base_url(format!("http://{address}"));
    check_goes_on(unreachable, "network").await;
}

#[tokio::test]
async fn a_provider_without_a_living_key_is_passed_over() {
    let dead = || builder(gemini().key(FakeKey::new("AIza-key-1").fault(KeyFault::Leaked)));
    check_goes_on(dead, "key_invalid").await;
    let unpaid = FakeKey::new("AIza-key-1").fault(KeyFault::PrepayDepleted);
    check_goes_on(|| builder(gemini().key(unpaid.clone())), "billing").await;
}

#[tokio::test]
async fn a_provider_that_is_overloaded_is_passed_over() {
    let rule = Rule::new().fixture("gemini/errors/503_overloaded.json");
    check_goes_on(|| builder(gemini().rule(rule.clone())), "overloaded").await;
}

#[tokio::test]
async fn a_provider_that_limits_every_key_is_passed_over() {
    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let limited = || builder(gemini().rule(rule.clone())).keys(["AIza-key-1", "AIza-key-2"]);
    check_goes_on(limited, "rate_limited").await;
}

#[tokio::test]
async fn a_provider_with_errors_of_its_own_is_passed_over() {
    for rule in [
        Rule::new().fixture("gemini/errors/500_internal.json"),
        Rule::new().fixture("gemini/errors/502_html.html"),
        Rule::new().reset(),
        Rule::new().close(),
    ] {
        for body in [chat("smart"), streamed("smart")] {
            let gateway = builder(gemini().rule(rule.clone())).start().await;
            let answer = gateway.send(ask(&body)).await;
            assert_eq!(said(&answer), "from grok", "{rule:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_passed_over() {
    for kind in [
        EmptyKind::NoCandidates,
        EmptyKind::StopNoParts,
        EmptyKind::EmptyText,
    ] {
        let rule = Rule::new().empty(kind);
        check_goes_on(|| builder(gemini().rule(rule.clone())), "empty_answer").await;
    }
}

#[tokio::test]
async fn a_provider_that_stalls_is_passed_over_when_its_share_of_the_time_is_over() {
    for rule in [
        Rule::new().stall_before_head(),
        Rule::new().stall_after_head(),
    ] {
        let stalling = || builder(gemini().rule(rule.clone())).setting("retry.deadline", "2s");
        check_goes_on(stalling, "timeout").await;
    }
}

#[tokio::test]
async fn a_provider_that_stalls_with_many_keys_leaves_the_next_its_share() {
    let keys = (0..20).map(|n| format!("AIza-key-{n}"));
    let gateway = both(gemini().rule(Rule::new().stall_before_head()), xai())
        .keys(keys)
        .setting("retry.deadline", "2s")
        .start()
        .await;
    gateway
        .provider("xai")
        .add_rule(Rule::new().stall_before_head());
    let answer = gateway.send(ask(&chat("smart"))).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    let spent = |provider: &str| -> u64 {
        let told = steps(&record);
        let attempts = record.attempts.iter().zip(&told);
        let of = attempts.filter(|(_, step)| step.starts_with(provider));
        of.map(|(attempt, _)| attempt.latency_us).sum()
    };
    let (first, second) = (spent("google"), spent("xai"));
    assert!(first <= 1_200_000, "{first} of google's, {second} of xai's");
    assert!(second >= 700_000, "{first} of google's, {second} of xai's");
}

#[tokio::test]
async fn an_error_before_the_first_word_of_a_stream_is_passed_over() {
    let rule = Rule::new().error_after_chunks(0, "gemini/errors/503_overloaded.json");
    let gateway = builder(gemini().rule(rule)).start().await;
    let answer = gateway.send(ask(&streamed("smart"))).await;
    assert_eq!(said(&answer), "from grok", "{}", answer.text());
    assert!(!answer.text().contains("error"), "{}", answer.text());
}

#[tokio::test]
async fn a_model_that_is_not_there_any_more_is_passed_over() {
    let gateway = builder(gemini().models(&["gemini-2.5-pro"])).start().await;
    let answer = gateway.send(ask(&chat("smart"))).await;
    assert_eq!(said(&answer), "from grok", "{}", answer.text());
}

/// The first provider's word is the last: xAI is not asked.
async fn check_stays(rule: Rule, body: &Value, expected: impl Fn(&Answer)) {
    let gateway = builder(gemini().rule(rule)).start().await;
    let answer = gateway.send(ask(body)).await;
    expected(&answer);
    let xai = gateway.provider("xai").count();
    assert_eq!((gateway.upstream.count(), xai), (1, 0), "{}", answer.text());
    assert_eq!(gateway.health(0), "active");
}

#[tokio::test]
async fn a_callers_mistake_is_not_taken_elsewhere() {
    for body in [chat("smart"), streamed("smart")] {
        let mistake = Rule::new().fixture("gemini/errors/400_invalid_argument.json");
        check_stays(mistake, &body, |answer| {
            assert_eq!(refusal(answer), "400 invalid_request_error - -");
        })
        .await;
    }
}

#[tokio::test]
async fn a_block_is_not_taken_elsewhere() {
    for mut body in [chat("smart"), streamed("smart")] {
        body["messages"][0]["content"] = json!("UNSAFE");
        check_stays(Rule::new(), &body, |answer| {
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(
                answer.text().contains("content_filter"),
                "{}",
                answer.text()
            );
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_is_said_twice_once_something_has_been_said() {
    for rule in [
        Rule::new().cut_after_chunks(1),
        Rule::new().reset_after_chunks(1),
        Rule::new().error_after_chunks(1, "gemini/errors/503_overloaded.json"),
    ] {
        let gateway = builder(gemini().says("abcdef").rule(rule.clone()))
            .start()
            .await;
        let answer = gateway.send(ask(&streamed("smart"))).await;
        assert_eq!(said(&answer), "ab", "{rule:?}: {}", answer.text());
        assert!(events(&answer).pop().unwrap()["error"].is_object());
        assert!(!data(&answer).contains(&"[DONE]".to_owned()));
        assert_eq!(gateway.provider("xai").count(), 0);
    }
}

#[tokio::test]
async fn when_all_of_a_chain_is_out_the_last_says_so() {
    let rule = Rule::new().fixture("gemini/errors/500_internal.json");
    let gateway = builder(gemini().rule(rule)).start().await;
    let dead = FakeKey::new("xai-key-0001").fault(KeyFault::PrepayDepleted);
    gateway.provider("xai").set_key(dead);
    for body in [chat("smart"), streamed("smart")] {
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(refusal(&answer), "503 server_error - -");
        assert!(!answer.text().contains("credits"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_exhausted_chain_says_when_the_first_of_it_is_free_again() {
    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = builder(gemini().rule(rule)).start().await;
    let dead = FakeKey::new("xai-key-0001").fault(KeyFault::PrepayDepleted);
    gateway.provider("xai").set_key(dead);
    gateway.send(ask(&chat("smart"))).await;
    let answer = gateway.send(ask(&chat("smart"))).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let cooling = gateway.pair_cooling(0);
    let told: u64 = answer.header("retry-after").parse().unwrap();
    assert!(told.abs_diff(cooling) <= 1, "{told} of {cooling}");
}

#[tokio::test]
async fn a_chain_that_is_exhausted_says_so_though_its_last_provider_lacks_the_model() {
    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = builder(gemini().rule(rule)).start().await;
    let missing = Rule::new().fixture("xai/errors/404_model.json");
    gateway.provider("xai").add_rule(missing);
    gateway.send(ask(&chat("smart"))).await;
    let answer = gateway.send(ask(&chat("smart"))).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").parse::<u64>().is_ok());
}

#[tokio::test]
async fn the_log_tells_where_each_attempt_went_and_why() {
    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = builder(gemini().rule(rule)).start().await;
    let answer = gateway.send(ask(&chat("smart"))).await;
    let record = gateway.record_of(&answer).await;
    let admin = Operator::admin(&gateway).await;
    let detail = eventually("the request is shown", async || {
        let path = format!("/api/request_logs/{}", record.id);
        let answer = admin.get(&path).await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    assert_eq!(detail["provider"], "xai");
    assert_eq!(detail["model"], GROK);
    assert_eq!(detail["dialect"], "openai");
    assert_eq!(detail["endpoint"], "chat.completions");
    let attempts = detail["attempt_list"].as_array().unwrap().iter();
    let told: Vec<Value> = attempts
        .map(|attempt| {
            json!([
                attempt["provider"],
                attempt["model"],
                attempt["class"],
                attempt["why_again"]
            ])
        })
        .collect();
    let again = detail["attempt_list"][0]["reason"].as_str().unwrap();
    let again = format!("attempt 1 was rate_limited ({again})");
    assert_eq!(
        told,
        [
            json!(["google", MODEL, "rate_limited", null]),
            json!(["xai", GROK, "ok", again]),
        ]
    );
}

#[tokio::test]
async fn each_attempt_of_a_request_to_one_provider_names_it_too() {
    let gateway = TestGateway::new().start().await;
    let answer = gateway.send(ask(&chat(MODEL))).await;
    let record = gateway.record_of(&answer).await;
    assert!(record.attempts[0].elsewhere.is_none());
    let admin = Operator::admin(&gateway).await;
    let detail = admin
        .read(&format!("/api/request_logs/{}", record.id))
        .await;
    let attempt = &detail["attempt_list"][0];
    assert_eq!(attempt["provider"], "google");
    assert_eq!(attempt["model"], MODEL);
}

#[tokio::test]
async fn a_caller_that_leaves_lets_go_of_the_provider_that_is_asked_then() {
    let gateway = builder(gemini().rule(Rule::new().reset())).start().await;
    gateway
        .provider("xai")
        .add_rule(Rule::new().stall_before_head());
    let mut caller = crate::support::Connection::open(gateway.address).await;
    let asked = eventually("xai is asked", async || {
        (gateway.provider("xai").count() == 1).then_some(())
    });
    tokio::select! {
        _ = caller.begin(ask(&streamed("smart"))) => panic!("an answer came"),
        () = asked => {}
    }
    drop(caller);
    eventually("xai is let go", async || {
        gateway.provider("xai").seen()[0].disconnected.then_some(())
    })
    .await;
    let record = gateway.only_record().await;
    assert_eq!(
        (record.status, record.error),
        (499, Some(Class::ClientGone))
    );
}
