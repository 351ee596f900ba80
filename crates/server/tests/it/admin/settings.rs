//! Settings: what is changed holds for the next request, all of a call or none of it, and after a restart too.

use std::time::Duration;

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Machine, Operator, PASSWORD, TestGateway, eventually, generate, log_in,
};

const FIRST: &str = "AIza-key-1";
const SECOND: &str = "AIza-key-2";

async fn setting(admin: &Operator, name: &str) -> Value {
    let all = admin.get("/api/settings").await.expect(200).json();
    let items = all["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("no setting {name}")).clone()
}

async fn set(admin: &Operator, values: Value) {
    admin.put("/api/settings", values).await.expect(200);
}

#[tokio::test]
async fn attempts_are_as_many_as_the_setting_says_now() {
    let upstream = gemini()
        .key(FakeKey::new(FIRST).fault(KeyFault::Internal))
        .key(FakeKey::new(SECOND));
    let gateway = TestGateway::new()
        .upstream(upstream)
        .keys([FIRST, SECOND])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    set(
        &admin,
        json!({"pool.strategy": "fill_first", "retry.max_attempts": 1}),
    )
    .await;
    assert_ne!(gateway.generate().await.status, 200);
    assert_eq!(gateway.upstream.count_for_key(SECOND), 0);
    admin
        .send("POST", "/api/keys/1/reset", None)
        .await
        .expect(200);
    set(&admin, json!({"retry.max_attempts": null})).await;
    let answer = gateway.generate().await.expect(200);
    assert_eq!(gateway.record_of(&answer).await.attempts.len(), 2);
}

#[tokio::test]
async fn the_strategy_is_another_from_the_next_request_on() {
    let gateway = TestGateway::new().keys([FIRST, SECOND]).start().await;
    let admin = Operator::admin(&gateway).await;
    let uses = || [FIRST, SECOND].map(|key| gateway.upstream.count_for_key(key));
    set(&admin, json!({"pool.strategy": "round_robin"})).await;
    for _ in 0..6 {
        gateway.generate().await.expect(200);
    }
    assert_eq!(uses(), [3, 3]);
    set(&admin, json!({"pool.strategy": "fill_first"})).await;
    for _ in 0..6 {
        gateway.generate().await.expect(200);
    }
    assert!(uses() == [9, 3] || uses() == [3, 9], "{:?}", uses());
}

#[tokio::test]
async fn a_request_under_way_keeps_the_settings_that_it_began_with() {
    let slow = Rule::new()
        .method("generateContent")
        .delay_head(Duration::from_millis(1_500));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let before = gateway.send(generate());
    let after = async {
        eventually("the request is under way", async || {
            (gateway.upstream.count() > 0).then_some(())
        })
        .await;
        let hasty = json!({"pool.request_timeout": "1s", "retry.max_attempts": 1});
        set(&admin, hasty).await;
        gateway.send(generate()).await
    };
    let (before, after) = tokio::join!(before, after);
    assert_eq!(before.status, 200, "{}", before.text());
    assert_eq!(after.status, 504, "{}", after.text());
}

#[tokio::test]
async fn each_setting_says_what_it_takes_and_who_has_set_it() {
    let gateway = TestGateway::new()
        .setting("retry.delay", "10ms")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let usual = setting(&admin, "retry.max_attempts").await;
    for (field, value) in [
        ("section", json!("retry")),
        ("type", json!("integer")),
        ("default", json!(5)),
        ("value", json!(5)),
        ("minimum", json!(1)),
        ("maximum", json!(100)),
        ("set_by", json!("default")),
        ("editable", json!(true)),
        ("has_effect", json!(true)),
    ] {
        assert_eq!(usual[field], value, "{field}");
    }
    let choice = setting(&admin, "pool.strategy").await;
    assert_eq!(choice["choices"].as_array().unwrap().len(), 5);
    let fixed = setting(&admin, "retry.delay").await;
    assert_eq!(
        (&fixed["set_by"], &fixed["editable"]),
        (&json!("file"), &json!(false))
    );
    assert!(
        fixed["set_at"].as_str().unwrap().contains("keymux.yaml:"),
        "{fixed}"
    );
    set(&admin, json!({"retry.max_attempts": 7})).await;
    let stored = setting(&admin, "retry.max_attempts").await;
    assert_eq!(
        (&stored["set_by"], &stored["value"]),
        (&json!("stored"), &json!(7))
    );
    set(&admin, json!({"retry.max_attempts": null})).await;
    assert_eq!(setting(&admin, "retry.max_attempts").await, usual);
    let all = admin.get("/api/settings").await.text();
    for never in ["admin.password", "server.auth", "master_key", PASSWORD] {
        assert!(!all.contains(never), "{never}");
    }
}

#[tokio::test]
async fn what_a_file_or_a_variable_fixes_is_refused() {
    let machine = Machine::new()
        .env("KEYMUX__SERVER__LISTEN", "127.0.0.1:0")
        .env("KEYMUX__ADMIN__PASSWORD", PASSWORD)
        .env("KEYMUX__RETRY__DEADLINE", "7s")
        .file("keymux.yaml", "retry: { delay: 10ms }\n");
    let program = machine.serve().await;
    let admin = Operator::log_in(program.address, ADMIN, PASSWORD).await;
    for (name, set_by) in [("retry.deadline", "environment"), ("retry.delay", "file")] {
        let shown = setting(&admin, name).await;
        assert_eq!(
            (&shown["set_by"], &shown["editable"]),
            (&json!(set_by), &json!(false))
        );
        for value in [json!("1s"), Value::Null] {
            let body = json!({name: value, "retry.max_attempts": 2});
            let answer = admin.put("/api/settings", body).await;
            assert_eq!(answer.refused(409, "fixed"), name);
        }
    }
    assert_eq!(setting(&admin, "retry.max_attempts").await["value"], 5);
}

#[tokio::test]
async fn one_wrong_value_refuses_them_all() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (name, value) in [
        ("retry.max_attempts", json!(0)),
        ("retry.max_attempts", json!(101)),
        ("retry.max_attempts", json!("many")),
        ("retry.max_attempts", json!([1])),
        ("retry.max_attempts", json!({"value": 1})),
        ("retry.max_attempts", json!(true)),
        ("retry.max_attempts", json!(1.5)),
        ("retry.deadline", json!("0s")),
        ("retry.deadline", json!("soon")),
        ("retry.deadline", json!("-1s")),
        ("retry.empty_response", json!("maybe")),
        ("pool.strategy", json!("best")),
        ("pool.strategy", json!("${HOME}")),
        ("logs.max_size", json!("1KiB")),
        ("logs.level", json!("loud")),
        ("server.trusted_proxies", json!(["10.0.0.0/99"])),
        ("retry.max_attemts", json!(3)),
        ("server.auth", json!("open")),
        ("server.listen", json!("0.0.0.0:1")),
        ("admin.password", json!("a-new-password")),
        ("database.url", json!("sqlite:/tmp/x.db")),
        ("providers.google.base_url", json!("http://203.0.113.1")),
        ("shedding.low", json!(51)),
        ("egress.min_healthy", json!(100_001)),
        ("", json!(1)),
        ("nul\0", json!(1)),
    ] {
        let mut body = json!({"pool.max_failures": 9, "retry.delay": "1s"});
        body[name] = value.clone();
        let answer = admin.put("/api/settings", body).await;
        let field = answer.refused(422, "invalid");
        assert!(
            name == "nul\0" || field.starts_with(name),
            "{name} {value}: {}",
            answer.text()
        );
    }
    for body in [json!([]), json!("x"), json!(null)] {
        admin
            .put("/api/settings", body)
            .await
            .refused(422, "invalid");
    }
    for (name, value) in [
        ("pool.max_failures", json!(3)),
        ("retry.delay", json!("0s")),
    ] {
        assert_eq!(setting(&admin, name).await["value"], value, "{name}");
    }
    assert_eq!(
        admin
            .rows("/api/activity_logs?resource=settings")
            .await
            .len(),
        0
    );
    set(&admin, json!({})).await;
}

#[tokio::test]
async fn settings_survive_a_restart_and_give_way_to_the_file() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    set(
        &admin,
        json!({"retry.max_attempts": 7, "retry.delay": "5ms"}),
    )
    .await;
    let mut stopped = gateway.crash().await.stop().await;
    let before = stopped.yaml.clone();
    stopped.yaml.push_str("retry: { max_attempts: 2 }\n");
    let gateway = stopped.start().await.unwrap();
    let admin = Operator::admin(&gateway).await;
    let fixed = setting(&admin, "retry.max_attempts").await;
    assert_eq!(
        (&fixed["value"], &fixed["set_by"]),
        (&json!(2), &json!("file"))
    );
    assert_eq!(setting(&admin, "retry.delay").await["value"], "5ms");
    let mut stopped = gateway.stop().await;
    stopped.yaml = before;
    let gateway = stopped.start().await.unwrap();
    let admin = Operator::admin(&gateway).await;
    assert_eq!(setting(&admin, "retry.max_attempts").await["value"], 7);
}

#[tokio::test]
async fn the_log_is_as_loud_and_as_the_settings_say_now() {
    let machine = Machine::new()
        .env("KEYMUX__SERVER__LISTEN", "127.0.0.1:0")
        .env("KEYMUX__ADMIN__PASSWORD", PASSWORD);
    let program = machine.serve().await;
    let admin = Operator::log_in(program.address, ADMIN, PASSWORD).await;
    // The fifth failure of a name is a warning.
    let warn_about = async |name: &str| {
        for _ in 0..5 {
            let answer = log_in(program.address, name, "a-wrong-guess", &[]).await;
            answer.refused(401, "wrong_credentials");
        }
    };
    set(&admin, json!({"logs.level": "error"})).await;
    warn_about("quiet").await;
    set(&admin, json!({"logs.level": "warn"})).await;
    warn_about("loud").await;
    let log = program.stderr();
    assert!(log.contains("loud") && !log.contains("quiet"), "{log}");
    let is_json = |name: &str| {
        let log = program.stderr();
        let line = log.lines().find(|line| line.contains(name)).unwrap();
        serde_json::from_str::<Value>(line).is_ok()
    };
    set(&admin, json!({"logs.format": "json"})).await;
    warn_about("formal").await;
    set(&admin, json!({"logs.format": "pretty"})).await;
    warn_about("friendly").await;
    let formats = ["loud", "formal", "friendly"].map(is_json);
    assert_eq!(formats, [false, true, false], "{}", program.stderr());
}
