//! What is shown of checks: a list with filters and pages, one key's, and figures.

use fake_upstream::gemini;
use serde_json::json;

use super::{answer, checked};
use crate::support::{Operator, TestGateway, eventually, request};

async fn gateway() -> (TestGateway, Operator) {
    let forbidden = r#"{"error": {"code": 403, "status": "PERMISSION_DENIED"}}"#;
    let script = gemini().rule(answer(403, forbidden).key("AIza-key-2"));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(["{ key: AIza-key-1, label: billing }", "AIza-key-2"])
        .checking_keys()
        .setting("pool.max_failures", "10")
        .provider(
            "health_check",
            "{ models: [gemini-2.5-flash, gemini-2.5-pro] }",
        )
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 6).await;
    (gateway, admin)
}

#[tokio::test]
async fn checks_are_filtered_sorted_and_paged() {
    let (_gateway, admin) = gateway().await;
    let rows = async |query: &str| admin.rows(&format!("/api/key_checks?{query}")).await;
    // Two models, and the one that is listed by default.
    for (query, count) in [
        ("", 6),
        ("limit=1", 6),
        ("sort=-checked_at&limit=4", 6),
        ("sort=next_at", 6),
        ("sort=latency_ms", 6),
        ("works=true", 3),
        ("works=false", 3),
        ("status=403", 3),
        ("status=4xx&model=gemini-2.5-pro", 1),
        ("status=none", 0),
        ("class=model_unavailable&key_id=2", 3),
        ("key_id=1&works=false", 0),
        ("provider=xai", 0),
    ] {
        assert_eq!(rows(query).await.len(), count, "{query}");
    }
    let first = &rows("key_id=1&model=gemini-2.5-pro").await[0];
    assert_eq!(
        (&first["label"], &first["provider"]),
        (&json!("billing"), &json!("google"))
    );
    let latest = rows("sort=-next_at").await;
    assert_eq!(latest[0]["key_id"], 2, "after_403 is the longest");
    for (query, field) in [
        ("status=9xx", "status"),
        ("class=none", "class"),
        ("provider=nobody", "provider"),
        ("sort=model", "sort"),
        ("wokrs=true", "wokrs"),
    ] {
        let answer = admin.get(&format!("/api/key_checks?{query}")).await;
        assert_eq!(answer.refused(422, "invalid"), field, "{query}");
    }
}

#[tokio::test]
async fn a_key_shows_its_checks() {
    let (_gateway, admin) = gateway().await;
    let rows = admin.rows("/api/keys/2/checks").await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["reason"], "permission_denied");
    let key = admin.read("/api/keys/2").await;
    let models: Vec<_> = key["checks"].as_array().unwrap().iter().collect();
    assert_eq!(models.len(), 3);
    assert_eq!(models[0]["class"], "model_unavailable");
    admin
        .get("/api/keys/99/checks")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn members_see_checks_of_their_own_keys() {
    let (_gateway, admin) = gateway().await;
    let mei = admin.make_member("mei").await;
    let own = mei.add_key("AIza-of-mei-0001").await;
    let rows = eventually("the key is checked", async || {
        let rows = mei.rows("/api/key_checks").await;
        let all = rows.iter().all(|row| row["works"] == true);
        (rows.len() == 3 && all).then_some(rows)
    })
    .await;
    assert!(rows.iter().all(|row| row["key_id"] == own));
    mei.get("/api/keys/1/checks")
        .await
        .refused(404, "not_found");
    assert_eq!(mei.rows(&format!("/api/keys/{own}/checks")).await.len(), 3);
}

#[tokio::test]
async fn checks_are_counted() {
    let (gateway, _) = gateway().await;
    let answer = gateway.send(request("GET", "/metrics", &[], "")).await;
    let text = answer.text();
    for line in [
        r#"keymux_checks_total{outcome="ok",provider="google"} 3"#,
        r#"keymux_checks_total{outcome="model_unavailable",provider="google"} 3"#,
        r#"keymux_check_backlog{provider="google"} 0"#,
    ] {
        assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
    }
}
