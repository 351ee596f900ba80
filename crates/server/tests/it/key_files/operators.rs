//! Operators see key files in the admin API, and what they set on keys of files stays.

use serde_json::{Value, json};

use super::{Keys, follows};
use crate::support::{Operator, eventually};

async fn key(admin: &Operator, secret: &str) -> Value {
    let mut rows = admin.rows(&format!("/api/keys?q={secret}")).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[tokio::test]
async fn files_are_listed_with_their_keys_and_what_is_wrong_with_them() {
    let keys = Keys::new(&[
        (
            "a.txt",
            "AIza-file-a\n# c\nshort\nAIza-file-b\nна-кириллице\n",
        ),
        ("b.txt", "AIza-file-c\n"),
        ("README", "how we name these files"),
    ]);
    std::fs::create_dir(keys.path("sub")).unwrap();
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    let rows = admin.rows("/api/key_files").await;
    let seen: Vec<(&str, &str, i64)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("file"), text("state"), row["keys"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("README", "left_out", 0),
            ("a.txt", "read", 2),
            ("b.txt", "read", 1),
            ("sub", "left_out", 0),
        ]
    );
    let a = &rows[1];
    assert_eq!(a["provider"], "google");
    assert_eq!(a["folder"], keys.0.path().display().to_string());
    assert_eq!(a["malformed_total"], 2);
    assert_eq!(
        a["malformed"],
        json!([
            {"line": 3, "reason": "too short for a key"},
            {"line": 5, "reason": "has characters that no key has"},
        ])
    );
    assert_eq!(a["one_key_per_line"], true);
    assert!(a["last_read_at"].is_string());
    assert_eq!(
        admin.rows("/api/key_files?state=read&q=B.TX").await.len(),
        1
    );
    assert_eq!(admin.rows("/api/key_files?provider=xai").await.len(), 0);
    assert_eq!(
        admin.rows("/api/key_files?limit=1&sort=-name").await.len(),
        4
    );
    let mei = admin.make_member("mei").await;
    mei.get("/api/key_files").await.refused(403, "forbidden");

    keys.write("a.txt", "AIza-file-a\n");
    eventually("the file is right again", async || {
        let rows = admin.rows("/api/key_files?q=a.txt").await;
        (rows[0]["malformed_total"] == 0).then_some(())
    })
    .await;
    keys.write("a.txt~", "AIza-file-a\n");
    eventually("what is left out is said at once too", async || {
        let rows = admin.rows("/api/key_files?q=a.txt~&state=left_out").await;
        (rows.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn keys_of_files_say_so_and_what_operators_set_on_them_stays() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-b\n")]);
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(
        admin.rows("/api/keys?source=file&file=a.txt").await.len(),
        2
    );
    let a = key(&admin, "AIza-file-a").await;
    assert_eq!(
        (&a["source"], &a["file"]),
        (&json!("file"), &json!("a.txt"))
    );
    let path = format!("/api/keys/{}", a["id"]);
    let set = json!({"label": "billing", "project": "team-a", "weight": 3, "enabled": false});
    admin.patch(&path, set).await.expect(200);
    let refused = admin.delete(&path).await;
    refused.refused(409, "fixed");
    assert!(
        refused.text().contains("the key file a.txt"),
        "{}",
        refused.text()
    );

    keys.append("a.txt", "AIza-file-c\n");
    follows(&gateway, &["AIza-file-b", "AIza-file-c"]).await;
    keys.rename_over("b.txt", "AIza-file-a\n");
    eventually("the key is in both files", async || {
        let rows = admin.rows("/api/key_files?q=b.txt&state=read").await;
        (!rows.is_empty()).then_some(())
    })
    .await;
    keys.remove("a.txt");
    follows(&gateway, &[]).await;
    let a = key(&admin, "AIza-file-a").await;
    let fields = ["label", "project", "weight", "enabled", "file"].map(|name| a[name].clone());
    assert_eq!(
        fields,
        [
            json!("billing"),
            json!("team-a"),
            json!(3),
            json!(false),
            json!("b.txt")
        ]
    );
    admin
        .patch(&path, json!({"enabled": true}))
        .await
        .expect(200);
    follows(&gateway, &["AIza-file-a"]).await;
}

#[tokio::test]
async fn what_no_file_states_any_more_can_be_deleted_or_kept_by_operators() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-b\nAIza-file-c\n")]);
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    keys.write("a.txt", "AIza-file-c\n");
    follows(&gateway, &["AIza-file-c"]).await;
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("AIza-file-{name}"));
    let a = key(&admin, &a).await;
    assert_eq!(
        (&a["status"], &a["file"]),
        (&json!("disabled"), &Value::Null)
    );
    let filter = json!({"filter": {"source": "file"}});
    let done = admin.post(
        "/api/keys/bulk_delete",
        json!({"ids": [a["id"], key(&admin, &c).await["id"]]}),
    );
    assert_eq!(done.await.expect(200).json()["skipped"], 1);

    let path = format!("/api/keys/{}", key(&admin, &b).await["id"]);
    let kept = admin
        .patch(&path, json!({"enabled": true}))
        .await
        .expect(200);
    assert_eq!(
        (&kept.json()["source"], &kept.json()["status"]),
        (&json!("admin"), &json!("active"))
    );
    keys.append("a.txt", "AIza-file-d\n");
    follows(&gateway, &["AIza-file-c", "AIza-file-d"]).await;
    assert_eq!(key(&admin, &b).await["enabled"], true);
    admin
        .post("/api/keys/bulk_delete", filter)
        .await
        .expect(200);
    follows(&gateway, &["AIza-file-c", "AIza-file-d"]).await;
}
