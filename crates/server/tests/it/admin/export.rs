//! Keys as a file: in each form, filtered, and as something that can be added elsewhere.

use serde_json::{Value, json};

use crate::support::{Operator, TestGateway};

async fn with_keys() -> (TestGateway, Operator) {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin.make_member("mei").await;
    let odd = json!({"provider": "google", "key": "AIza-with,comma\"quote", "label": "a, \"b\"",
        "project": "=1+1", "weight": 3, "priority": 4});
    admin.post("/api/keys", odd).await.expect(201);
    let own = json!({"provider": "google", "key": "AIza-of-mei-0001", "owner": "mei"});
    admin.post("/api/keys", own).await.expect(201);
    (gateway, admin)
}

#[tokio::test]
async fn each_form_holds_every_key() {
    let (_gateway, admin) = with_keys().await;
    for (query, kind, name) in [
        ("", "text/plain; charset=utf-8", "keymux-keys.txt"),
        (
            "?format=text",
            "text/plain; charset=utf-8",
            "keymux-keys.txt",
        ),
        ("?format=csv", "text/csv; charset=utf-8", "keymux-keys.csv"),
        ("?format=jsonl", "application/x-ndjson", "keymux-keys.jsonl"),
    ] {
        let answer = admin
            .get(&format!("/api/keys/export{query}"))
            .await
            .expect(200);
        assert_eq!(answer.header("content-type"), kind, "{query}");
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(answer.header("content-disposition"), disposition);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.text().contains("AIza-of-mei-0001"), "{query}");
    }
    let text = admin.get("/api/keys/export").await.text();
    assert_eq!(
        text,
        "AIza-key-1\nAIza-with,comma\"quote\nAIza-of-mei-0001\n"
    );
    let jsonl = admin.get("/api/keys/export?format=jsonl").await.text();
    let rows: Vec<Value> = jsonl
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[1],
        json!({"provider": "google", "key": "AIza-with,comma\"quote", "label": "a, \"b\"", "project": "=1+1",
            "weight": 3, "priority": 4, "enabled": true, "owner": null, "egress": null})
    );
    assert_eq!(rows[2]["owner"], "mei");
    let csv = admin.get("/api/keys/export?format=csv").await.text();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "provider,key,label,project,weight,priority,enabled,owner,egress"
    );
    assert!(
        lines[2].starts_with("google,\"AIza-with,comma\"\"quote\",\"a, \"\"b\"\"\","),
        "{csv}"
    );
    let told = admin.rows("/api/activity_logs?action=EXPORT").await;
    assert_eq!(told.len(), 7);
    assert_eq!(told[0]["details"], "3 keys");
}

#[tokio::test]
async fn an_export_is_filtered_as_the_list_is() {
    let (_gateway, admin) = with_keys().await;
    let text = admin
        .get("/api/keys/export?owner=mei&format=text")
        .await
        .text();
    assert_eq!(text, "AIza-of-mei-0001\n");
    let none = admin
        .get("/api/keys/export?status=invalid&format=csv")
        .await
        .expect(200);
    assert_eq!(
        none.text(),
        "provider,key,label,project,weight,priority,enabled,owner,egress\n"
    );
    for (query, field) in [
        ("format=xml", "format"),
        ("lable=x", "lable"),
        ("limit=1", "limit"),
        ("status=dead", "status"),
    ] {
        let answer = admin.get(&format!("/api/keys/export?{query}")).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_export_is_taken_in_elsewhere() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for n in 0..20 {
        admin.add_key(&format!("AIza-moving-{n:04}")).await;
    }
    let text = admin.get("/api/keys/export").await.text();
    let elsewhere = TestGateway::new().keys(["AIza-elsewhere-1"]).start().await;
    let other = Operator::admin(&elsewhere).await;
    let body = json!({"provider": "google", "text": text});
    let done = other
        .post("/api/keys/bulk_add", body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(done["added"], 21);
    let again = other
        .post("/api/keys/bulk_add", body)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&again["added"], &again["duplicates"]),
        (&json!(0), &json!(21))
    );
}
