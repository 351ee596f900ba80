//! Lists: page by page to the end, in each order, with each filter, whatever is asked wrongly.

use fake_upstream::{FakeKey, KeyFault, gemini};
use serde_json::{Value, json};

use crate::support::{Operator, TestGateway};

const MANY: usize = 240;

async fn with_many_keys() -> (TestGateway, Operator) {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let keys: Vec<String> = (1..MANY).map(|n| format!("AIza-many-{n:05}")).collect();
    let added = admin.post(
        "/api/keys/bulk_add",
        json!({"provider": "google", "keys": keys}),
    );
    assert_eq!(added.await.expect(200).json()["added"], MANY - 1);
    for id in 2..30 {
        let patch = json!({"weight": id % 5 + 1, "priority": id % 3, "label": format!("label {}", id % 7),
            "project": format!("p{}", id % 4), "enabled": id % 6 != 0});
        admin
            .patch(&format!("/api/keys/{id}"), patch)
            .await
            .expect(200);
    }
    (gateway, admin)
}

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Pages of any size give the same rows in the same order, each once, and the other way round with a dash.
async fn check_order(admin: &Operator, path: &str, field: &str, count: usize) {
    let sign = if path.contains('?') { '&' } else { '?' };
    let sorted = format!("{path}{sign}sort={field}");
    let whole = ids(&admin.rows(&format!("{sorted}&limit=500")).await);
    assert_eq!(whole.len(), count, "{sorted}");
    for limit in [7, 100, 240] {
        let paged = ids(&admin.rows(&format!("{sorted}&limit={limit}")).await);
        assert_eq!(paged, whole, "{sorted} by {limit}");
    }
    let mut reversed = ids(&admin.rows(&format!("{path}{sign}sort=-{field}")).await);
    reversed.reverse();
    assert_eq!(reversed, whole, "{sorted}");
}

#[tokio::test]
async fn keys_come_in_each_order_and_in_pages_of_any_size() {
    let (_gateway, admin) = with_many_keys().await;
    for field in [
        "id",
        "created_at",
        "label",
        "project",
        "provider",
        "status",
        "weight",
        "priority",
        "latency_ms",
        "in_flight",
    ] {
        check_order(&admin, "/api/keys", field, MANY).await;
    }
    let value = |row: &Value, field: &str| row[field].as_i64().unwrap();
    for field in ["weight", "priority", "id"] {
        let rows = admin.rows(&format!("/api/keys?sort={field}")).await;
        assert!(rows.is_sorted_by_key(|row| value(row, field)), "{field}");
    }
    for field in ["label", "project"] {
        let rows = admin.rows(&format!("/api/keys?sort={field}")).await;
        assert!(
            rows.is_sorted_by_key(|row| row[field].as_str().map(str::to_owned)),
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_though_rows_go() {
    let (_gateway, admin) = with_many_keys().await;
    let mut seen = Vec::new();
    let mut path = "/api/keys?limit=50&sort=-id".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200).json();
        let rows = ids(page["items"].as_array().unwrap());
        let last = *rows.last().unwrap();
        seen.extend(rows);
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/keys?limit=50&sort=-id&cursor={cursor}");
        // The row that the cursor names is deleted before the next page is asked for.
        admin.delete(&format!("/api/keys/{last}")).await.expect(204);
        assert!(seen.len() <= MANY, "rows come again");
    }
    let expected: Vec<i64> = (1..=MANY as i64).rev().collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn client_keys_and_activity_are_paged_to_the_end() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for n in 0..120 {
        let name = format!("App {:03}", (n * 37) % 120);
        admin
            .post("/api/allowed_keys", json!({"name": name}))
            .await
            .expect(201);
    }
    for field in ["id", "created_at", "name"] {
        check_order(&admin, "/api/allowed_keys", field, 121).await;
    }
    let rows = admin
        .rows("/api/allowed_keys?sort=name&q=app&limit=9")
        .await;
    assert_eq!(rows.len(), 120);
    assert!(rows.is_sorted_by_key(|row| row["name"].as_str().unwrap().to_owned()));
    let whole = ids(&admin.rows("/api/activity_logs?limit=500").await);
    assert!(
        whole.len() >= 121 && whole.is_sorted_by_key(|id| -id),
        "{whole:?}"
    );
    assert_eq!(ids(&admin.rows("/api/activity_logs?limit=11").await), whole);
    let page = admin.get("/api/keys").await.json();
    assert_eq!(
        (&page["total"], &page["next_cursor"]),
        (&json!(1), &Value::Null)
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_name() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for list in ["keys", "allowed_keys", "activity_logs"] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("sort=key", "sort"),
            ("sort=--id", "sort"),
            ("cursor=nonsense!", "cursor"),
            ("cursor=bnVsbA", "cursor"),
            ("cursor=WyJ4Il0", "cursor"),
            ("nonsense=1", "nonsense"),
        ] {
            let answer = admin.get(&format!("/api/{list}?{query}")).await;
            assert_eq!(answer.refused(422, "invalid"), field, "{list} {query}");
        }
        for query in ["limit=-1", "limit=many", "limit=1&limit=2", "q=a&q=b"] {
            let answer = admin.get(&format!("/api/{list}?{query}")).await;
            assert_eq!(answer.status, 422, "{list} {query}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn each_filter_gives_what_it_says() {
    let (leaked, busy) = ("AIza-leaked-0001", "AIza-busy-00000002");
    let upstream = gemini()
        .key(FakeKey::new(leaked).fault(KeyFault::Leaked))
        .key(FakeKey::new(busy));
    let gateway = TestGateway::new()
        .upstream(upstream)
        .keys([leaked, busy])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    admin.make_member("mei").await;
    let add = |key: &str, more: Value| {
        let mut body = json!({"provider": "google", "key": key});
        let fields = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let admin = &admin;
        async move { admin.post("/api/keys", body).await.expect(201) }
    };
    add(
        "AIza-labelled-0003",
        json!({"label": "Billing 100%", "project": "team_a"}),
    )
    .await;
    add("AIza-of-mei-000004", json!({"owner": "mei"})).await;
    admin
        .patch("/api/keys/3", json!({"enabled": false}))
        .await
        .expect(200);
    admin
        .send("POST", "/api/keys/1/test", None)
        .await
        .expect(200);
    for (filter, expected) in [
        ("", vec![1, 2, 3, 4]),
        ("provider=google", vec![1, 2, 3, 4]),
        ("provider=xai", vec![]),
        ("status=active", vec![2, 4]),
        ("status=invalid", vec![1]),
        ("status=disabled", vec![3]),
        ("status=cooling", vec![]),
        ("reason=invalid", vec![1]),
        ("reason=leaked", vec![]),
        ("project=team_a", vec![3]),
        ("project=teamXa", vec![]),
        ("project=", vec![1, 2, 4]),
        ("label=Billing%20100%25", vec![3]),
        ("label=", vec![1, 2, 4]),
        ("owner=mei", vec![4]),
        ("owner=none", vec![1, 2, 3]),
        ("source=config", vec![1, 2]),
        ("source=admin", vec![3, 4]),
        ("source=file", vec![]),
        ("q=billing", vec![3]),
        ("q=TEAM_A", vec![3]),
        ("q=%25", vec![3]),
        ("q=AIza-busy-00000002", vec![2]),
        ("q=0002", vec![2]),
        ("q=4", vec![3, 4]),
        ("q=nothing", vec![]),
        ("status=active&owner=mei", vec![4]),
    ] {
        let rows = admin.rows(&format!("/api/keys?{filter}")).await;
        if filter == "q=4" {
            assert!(ids(&rows).contains(&4), "{rows:?}");
            continue;
        }
        assert_eq!(ids(&rows), expected, "{filter}");
    }
    for (filter, field) in [
        ("provider=nobody", "provider"),
        ("status=dead", "status"),
        ("owner=nobody", "owner"),
        ("source=heaven", "source"),
    ] {
        let answer = admin.get(&format!("/api/keys?{filter}")).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_activity_log_is_filtered_by_each_field() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let id = mei.add_key("AIza-of-mei-0001").await;
    admin
        .post(
            "/api/bans",
            json!({"ip": "203.0.113.9", "reason": "Scraping 100%"}),
        )
        .await
        .expect(201);
    let lines = admin.rows("/api/activity_logs").await;
    let middle = lines[1]["at"].as_str().unwrap().to_owned();
    for (filter, expected) in [
        ("actor=mei".to_owned(), 2),
        ("actor=mei&action=ADD".to_owned(), 1),
        ("action=ban".to_owned(), 1),
        ("action=REVEAL".to_owned(), 0),
        ("resource=users&action=ADD".to_owned(), 1),
        (format!("resource=keys&resource_id={id}"), 1),
        ("provider=google".to_owned(), 1),
        ("provider=xai".to_owned(), 0),
        ("q=SCRAPING".to_owned(), 1),
        ("q=100%25".to_owned(), 1),
        ("q=1__%25".to_owned(), 0),
        ("to=2001-01-01T00:00:00Z".to_owned(), 0),
        ("from=2001-01-01T00:00:00Z".to_owned(), lines.len()),
        (format!("to={middle}&from={middle}"), 0),
    ] {
        let rows = admin.rows(&format!("/api/activity_logs?{filter}")).await;
        assert_eq!(rows.len(), expected, "{filter}: {rows:?}");
    }
    for filter in ["action=STEAL", "from=yesterday", "to=1", "sort=at"] {
        let answer = admin.get(&format!("/api/activity_logs?{filter}")).await;
        assert_eq!(answer.status, 422, "{filter}: {}", answer.text());
    }
}

#[tokio::test]
async fn members_read_the_lines_about_their_own_things() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let bo = admin.make_member("bo").await;
    let id = mei.add_key("AIza-of-mei-0001").await;
    admin.get(&format!("/api/keys/{id}")).await.expect(200);
    admin.add_key("AIza-of-the-pool").await;
    let told = |rows: Vec<Value>| -> Vec<String> {
        let line = |row: &Value| format!("{} {} {}", row["actor"], row["action"], row["resource"]);
        rows.iter().map(|row| line(row).replace('"', "")).collect()
    };
    assert_eq!(
        told(mei.rows("/api/activity_logs").await),
        [
            "admin REVEAL keys",
            "mei ADD keys",
            "mei LOGIN users",
            "admin ADD users"
        ]
    );
    assert_eq!(
        told(bo.rows("/api/activity_logs").await),
        ["bo LOGIN users", "admin ADD users"]
    );
    assert_eq!(mei.rows("/api/activity_logs?actor=bo").await.len(), 0);
}
