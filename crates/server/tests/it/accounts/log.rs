//! The activity log as an owner reads it: their own lines, newest first, filtered.

use http::StatusCode;
use serde_json::{Value, json};

use super::{KEYS, LOG, Member, assert_detail};
use crate::support::{MEMBERS_PASSWORD, Operator, TestGateway};

async fn actions(member: &Member<'_>, query: &str) -> Vec<String> {
    let page = member.get(&format!("{LOG}?{query}")).await;
    let items = page["items"].as_array().unwrap().iter();
    let words = items.filter_map(|line| line["action"].as_str());
    words.map(str::to_owned).collect()
}

#[tokio::test]
async fn lines_are_the_owners_own_and_filtered_as_asked() {
    let gateway = TestGateway::new().start().await;
    let (mei, ana) = (
        Member::new(&gateway, "mei").await,
        Member::new(&gateway, "ana").await,
    );
    mei.add("AIza-mei-1").await;
    ana.add("AIza-ana-1").await;
    let second = mei.add("AIza-mei-2").await;
    mei.select(second).await;
    let all = ["SELECT", "UNSELECT", "ADD", "ADD"];
    assert_eq!(actions(&mei, "").await, all);
    assert_eq!(actions(&ana, "").await, ["ADD"]);
    let none: [&str; 0] = [];
    for (query, expected) in [
        ("limit=1", &all[..1]),
        ("action=ADD", &all[2..]),
        ("action=select", &all[..1]),
        ("action=DELETE", &none[..]),
        ("provider=google", &all[..]),
        ("provider=xai", &none[..]),
        ("from_date=2020-01-01", &all[..]),
        ("from_date=2020-01-01&to_date=2020-12-31", &none[..]),
        ("to_date=2999-12-31", &all[..]),
        ("from_date=2999-01-01T00:00:00Z", &none[..]),
        ("to_date=2999-01-01T00:00:00%2B02:00", &all[..]),
    ] {
        assert_eq!(actions(&mei, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn both_ends_of_a_span_are_meant() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    mei.add("AIza-mei-1").await;
    let at = mei.lines().await[0]["at"].as_str().unwrap().to_owned();
    let (day, _) = at.split_once('T').unwrap();
    for span in [
        format!("from_date={at}&to_date={at}"),
        format!("from_date={day}&to_date={day}"),
    ] {
        assert_eq!(actions(&mei, &span).await, ["ADD"], "{span}");
    }
}

#[tokio::test]
async fn pages_follow_one_another() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    for key in ["AIza-mei-1", "AIza-mei-2", "AIza-mei-3"] {
        mei.add(key).await;
    }
    let page = mei.get(&format!("{LOG}?limit=2")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = mei.get(&format!("{LOG}?limit=2&cursor={cursor}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn what_an_administrator_does_with_an_owners_key_is_in_the_owners_log() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = Member::new(&gateway, "mei").await;
    let id = mei.add("AIza-mei-1").await;
    let path = format!("/api/keys/{id}");
    admin.get(&path).await.expect(200);
    let change = json!({"enabled": false});
    admin.patch(&path, change).await.expect(200);
    let lines = mei.lines().await;
    for (line, action) in lines.iter().zip(["UPDATE", "REVEAL"]) {
        assert_eq!(
            (&line["action"], &line["actor"]),
            (&json!(action), &json!("admin"))
        );
    }
    assert_eq!(mei.get(KEYS).await["items"][0]["status"], "disabled");
}

#[tokio::test]
async fn logins_are_not_shown_to_the_holders_of_client_keys() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let login = json!({"username": "mei", "password": MEMBERS_PASSWORD});
    let answer = mei.call("POST", "/api/login", &login).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(mei.lines().await, [json!(null); 0]);
}

#[tokio::test]
async fn wrong_filters_are_422() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    for (query, text) in [
        ("from_date=yesterday", "from_date: \"yesterday\" is no date"),
        ("to_date=2026-13-01", "to_date: "),
        ("action=EXPLODE", "action: \"EXPLODE\" is no action"),
        ("limit=501", "limit is 501"),
        ("cursor=x", "cursor: "),
        ("actor=admin", "actor"),
    ] {
        let refused = mei
            .call("GET", &format!("{LOG}?{query}"), &Value::Null)
            .await;
        assert_detail(&refused, StatusCode::UNPROCESSABLE_ENTITY, text);
    }
}
