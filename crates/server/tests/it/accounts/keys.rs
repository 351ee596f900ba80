//! The account API's endpoints for keys: what each takes, answers and writes down.

use http::StatusCode;
use serde_json::{Value, json};

use super::{KEYS, Member, SHARED, assert_detail, shown};
use crate::support::TestGateway;

const KEY: &str = "AIzaSyTESTmei00000000000000000000000001";

#[tokio::test]
async fn a_key_is_added_shown_changed_and_deleted() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let new = json!({"provider_name": "google", "api_key": KEY, "name": " billing "});
    let added = mei.call("POST", KEYS, &new).await;
    assert_eq!(added.status, 201, "{}", added.text());
    assert!(!added.text().contains(KEY));
    assert_eq!(added.header("cache-control"), "no-store");
    let view = added.json();
    let id = view["id"].as_i64().unwrap();
    assert_eq!(
        view,
        json!({
            "id": id, "provider_name": "google", "name": "billing", "masked_key": "AIza…0001",
            "is_selected": true, "enabled": true, "status": "active", "reason": null,
            "cooling_until": null, "created_at": view["created_at"],
        })
    );
    let list = mei.call("GET", KEYS, &Value::Null).await;
    assert!(!list.text().contains(KEY));
    assert_eq!(
        list.json(),
        json!({"items": [view], "next_cursor": null, "total": 1})
    );

    let path = format!("{KEYS}/{id}");
    let detail = mei.get(&path).await;
    assert_eq!(detail["api_key"], KEY);
    assert_eq!(detail["masked_key"], "AIza…0001");

    let change = json!({"name": null, "enabled": false, "is_selected": false});
    let changed = mei.call("PATCH", &path, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let view = changed.json();
    assert_eq!(view["name"], Value::Null);
    assert_eq!(
        (&view["enabled"], &view["status"]),
        (&json!(false), &json!("disabled"))
    );
    assert_eq!(view["is_selected"], false);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SHARED]);

    let deleted = mei.call("DELETE", &path, &Value::Null).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));
    assert_eq!(mei.get(KEYS).await["total"], 0);
    let again = mei.call("DELETE", &path, &Value::Null).await;
    assert_detail(&again, StatusCode::NOT_FOUND, &format!("key {id}"));

    let lines = mei.lines().await;
    let actions: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["action"].as_str())
        .collect();
    assert_eq!(actions, ["DELETE", "UNSELECT", "UPDATE", "REVEAL", "ADD"]);
    for line in &lines {
        assert_eq!(line["actor"], "client:mei-app");
        assert_eq!(line["resource_id"], id.to_string());
        assert!(!line["details"].as_str().unwrap().contains(KEY), "{line}");
    }
}

#[tokio::test]
async fn other_names_of_the_fields_are_taken() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let new = json!({"provider_name": "google", "key": KEY, "label": "billing"});
    let added = mei.call("POST", KEYS, &new).await;
    assert_eq!(
        (added.status, &added.json()["name"]),
        (201, &json!("billing"))
    );
    let path = format!("{KEYS}/{}", added.json()["id"]);
    let renamed = mei.call("PATCH", &path, &json!({"label": "other"})).await;
    assert_eq!(renamed.json()["name"], "other");
}

#[tokio::test]
async fn selecting_writes_both_lines_once() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let ids = [mei.add("AIza-mei-1").await, mei.add("AIza-mei-2").await];
    for _ in 0..2 {
        let selected = mei.select(ids[1]).await;
        assert_eq!(selected.json()["is_selected"], true);
    }
    assert_eq!(mei.selected().await, Some(ids[1]));
    for (action, id) in [("SELECT", ids[1]), ("UNSELECT", ids[0])] {
        let lines = mei.lines_of(action).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["resource_id"], id.to_string());
        assert_eq!(lines[0]["actor"], "client:mei-app");
    }
}

#[tokio::test]
async fn a_key_that_is_known_is_409_whoever_has_it() {
    let gateway = TestGateway::new().start().await;
    let (mei, ana) = (
        Member::new(&gateway, "mei").await,
        Member::new(&gateway, "ana").await,
    );
    mei.add(KEY).await;
    for (member, key) in [(&mei, KEY), (&ana, KEY), (&ana, SHARED)] {
        let new = json!({"provider_name": "google", "api_key": key});
        let refused = member.call("POST", KEYS, &new).await;
        assert_detail(&refused, StatusCode::CONFLICT, "has this key already");
    }
    assert_eq!(ana.get(KEYS).await["total"], 0);
}

/// That a call is 422 with this text, and changes nothing.
async fn check_invalid(calls: &[(&str, &str, Value, &str)]) {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let id = mei.add(KEY).await.to_string();
    for (method, path, body, text) in calls {
        let path = path.replace("{id}", &id);
        let refused = mei.call(method, &path, body).await;
        assert_detail(&refused, StatusCode::UNPROCESSABLE_ENTITY, text);
    }
    assert_eq!(mei.get(KEYS).await["total"], 1);
    assert_eq!(mei.lines().await.len(), 1);
}

#[tokio::test]
async fn wrong_fields_are_422_and_say_which() {
    let new = |key: &str, more: Value| {
        let mut new = json!({"provider_name": "google", "api_key": key});
        let fields = more.as_object().unwrap().clone();
        new.as_object_mut().unwrap().extend(fields);
        new
    };
    let one = "/api/v1/provider-keys/{id}";
    let long = "x".repeat(101);
    check_invalid(&[
        ("POST", KEYS, new("short", json!({})), "api_key: too short"),
        ("POST", KEYS, new("with blanks", json!({})), "api_key: "),
        ("POST", KEYS, json!({"provider_name": "google"}), "api_key"),
        ("POST", KEYS, json!({"api_key": KEY}), "provider_name"),
        ("POST", KEYS, new(KEY, json!({"nmae": "x"})), "nmae"),
        ("POST", KEYS, new(KEY, json!({"name": long})), "name: 101"),
        ("PATCH", one, json!({"name": long}), "name: 101"),
        ("PATCH", one, json!({"is_selected": "yes"}), "is_selected: "),
        ("PATCH", one, json!({"api_key": KEY}), "api_key"),
        ("DELETE", KEYS, Value::Null, "provider_name"),
        (
            "POST",
            "/api/v1/provider-keys/import",
            json!({"provider_name": "google"}),
            "expected either `keys` or `text`",
        ),
    ])
    .await;
    let list = |query: &str| format!("{KEYS}?{query}");
    check_invalid(&[
        ("GET", &list("providr=google"), Value::Null, "providr"),
        ("GET", &list("limit=0"), Value::Null, "limit is 0"),
        ("GET", &list("sort=name"), Value::Null, "sort: "),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_provider_is_422() {
    let of = |name: &str| json!({"provider_name": name, "api_key": KEY, "name": "x"});
    let all = format!("{KEYS}?provider_name=openai");
    let list = format!("{KEYS}?provider=nobody");
    let nobody = "provider_name: \"openai\" is no provider; \
                  expected gigachat or google or perplexity or xai";
    check_invalid(&[
        ("POST", KEYS, of("openai"), nobody),
        (
            "POST",
            "/api/v1/provider-keys/import",
            json!({"provider_name": "openai", "text": KEY}),
            nobody,
        ),
        ("DELETE", &all, Value::Null, nobody),
        (
            "GET",
            &list,
            Value::Null,
            "provider: \"nobody\" is no provider",
        ),
    ])
    .await;
}

#[tokio::test]
async fn keys_are_imported_as_a_list_or_as_a_text() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let path = format!("{KEYS}/import");
    let list =
        json!({"provider_name": "google", "keys": ["AIza-mei-1", "x", "AIza-mei-1", SHARED]});
    let done = mei.call("POST", &path, &list).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let done = done.json();
    assert_eq!(
        (&done["added"], &done["duplicates"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(done["duplicate_lines"], json!([3, 4]));
    assert_eq!(
        done["invalid"],
        json!([{"line": 2, "reason": "too short for a key"}])
    );
    let text = "AIza-mei-2, AIza-mei-1\nAIza-mei-3 # third\n";
    let text = json!({"provider_name": "google", "text": text});
    let done = mei.call("POST", &path, &text).await.json();
    assert_eq!(
        (&done["added"], &done["duplicates"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(mei.get(KEYS).await["total"], 3);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), ["AIza-mei-1"]);
    let lines = mei.lines_of("IMPORT").await;
    assert_eq!(lines.len(), 2);
    let details = lines[1]["details"].as_str().unwrap();
    assert_eq!(details, "1 added, 2 known already, 1 malformed");
}

#[tokio::test]
async fn all_keys_of_a_provider_are_deleted_and_nobody_elses() {
    let gateway = TestGateway::new().start().await;
    let (mei, ana) = (
        Member::new(&gateway, "mei").await,
        Member::new(&gateway, "ana").await,
    );
    for key in ["AIza-mei-1", "AIza-mei-2"] {
        mei.add(key).await;
    }
    ana.add("AIza-ana-1").await;
    let path = format!("{KEYS}?provider_name=google");
    let deleted = mei.call("DELETE", &path, &Value::Null).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(deleted.json(), json!({"deleted": 2, "skipped": 0}));
    let again = mei.call("DELETE", &path, &Value::Null).await;
    assert_eq!(again.json()["deleted"], 0);
    assert_eq!(mei.get(KEYS).await["total"], 0);
    assert_eq!(ana.get(KEYS).await["total"], 1);
    assert_eq!(mei.lines_of("DELETE").await.len(), 1);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SHARED]);
}

#[tokio::test]
async fn the_list_comes_in_order_of_creation_and_in_pages() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let mut ids = Vec::new();
    for key in ["AIza-mei-1", "AIza-mei-2", "AIza-mei-3"] {
        ids.push(mei.add(key).await);
    }
    mei.select(ids[2]).await;
    let ids_of = |page: &Value| -> Vec<i64> {
        let items = page["items"].as_array().unwrap();
        items.iter().filter_map(|key| key["id"].as_i64()).collect()
    };
    let page = mei.get(&format!("{KEYS}?provider=google&limit=2")).await;
    assert_eq!(ids_of(&page), ids[..2]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = mei.get(&format!("{KEYS}?limit=2&cursor={cursor}")).await;
    assert_eq!(ids_of(&rest), ids[2..]);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn the_keys_of_others_are_404() {
    let gateway = TestGateway::new().start().await;
    let (mei, ana) = (
        Member::new(&gateway, "mei").await,
        Member::new(&gateway, "ana").await,
    );
    let own = mei.add(KEY).await;
    let pool = gateway.key(0).id.0;
    ana.add("AIza-ana-1").await;
    for id in [
        own.to_string(),
        pool.to_string(),
        "999".to_owned(),
        "x".to_owned(),
    ] {
        let path = format!("{KEYS}/{id}");
        for (method, body) in [
            ("GET", Value::Null),
            ("PATCH", json!({"is_selected": true, "name": "mine"})),
            ("DELETE", Value::Null),
        ] {
            let refused = ana.call(method, &path, &body).await;
            assert_detail(&refused, StatusCode::NOT_FOUND, "there is no");
        }
    }
    assert_eq!(mei.selected().await, Some(own));
    assert!(!ana.get(KEYS).await.to_string().contains(&KEY[..10]));
    assert!(ana.lines().await.iter().all(|line| line["action"] == "ADD"));
}
