//! Bans: who shows no client key is refused from there, until the ban ends or is lifted.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{
    CLIENT_KEY, MODEL, Operator, TestGateway, eventually, generate_path, prompt, request,
};

/// Behind a proxy that is trusted, open to callers without a client key.
async fn start() -> (TestGateway, Operator) {
    let gateway = TestGateway::new()
        .setting("server.auth", "open")
        .setting("server.trusted_proxies", "[127.0.0.1/32]")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    (gateway, admin)
}

async fn generate_from(gateway: &TestGateway, address: &str, key: Option<&str>) -> u16 {
    let path = generate_path(MODEL);
    let mut headers = vec![("x-forwarded-for", address)];
    headers.extend(key.map(|key| ("x-goog-api-key", key)));
    gateway
        .send(request("POST", &path, &headers, prompt("hi")))
        .await
        .status
}

#[tokio::test]
async fn who_is_banned_is_refused_without_a_client_key_only() {
    let (gateway, admin) = start().await;
    let bad = "203.0.113.9";
    assert_eq!(generate_from(&gateway, bad, None).await, 200);
    let ban = json!({"ip": format!(" {bad} "), "reason": "scraping"});
    let made = admin.post("/api/bans", ban).await.expect(201).json();
    assert_eq!(
        (&made["ip"], &made["reason"]),
        (&json!(bad), &json!("scraping"))
    );
    assert!(made["until"].is_null());
    assert_eq!(generate_from(&gateway, bad, None).await, 403);
    assert_eq!(generate_from(&gateway, bad, Some(CLIENT_KEY)).await, 200);
    assert_eq!(generate_from(&gateway, "203.0.113.10", None).await, 200);
    assert_eq!(
        generate_from(&gateway, "203.0.113.9, 203.0.113.10", None).await,
        200
    );
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(generate_from(&gateway, bad, None).await, 403);
    admin.delete(&format!("/api/bans/{bad}")).await.expect(204);
    assert_eq!(generate_from(&gateway, bad, None).await, 200);
    admin
        .delete(&format!("/api/bans/{bad}"))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_network_of_ipv6_is_banned_whole() {
    let (gateway, admin) = start().await;
    let made = admin
        .post("/api/bans", json!({"ip": "2001:db8::17"}))
        .await
        .expect(201)
        .json();
    assert_eq!(made["ip"], "2001:db8::");
    for (address, status) in [
        ("2001:db8::17", 403),
        ("2001:db8::ffff:1:2:3", 403),
        ("2001:db8:0:1::17", 200),
    ] {
        assert_eq!(
            generate_from(&gateway, address, None).await,
            status,
            "{address}"
        );
    }
    admin.delete("/api/bans/2001:db8::99").await.expect(204);
    assert_eq!(generate_from(&gateway, "2001:db8::17", None).await, 200);
    admin
        .post("/api/bans", json!({"ip": "::ffff:203.0.113.9"}))
        .await
        .expect(201);
    assert_eq!(generate_from(&gateway, "203.0.113.9", None).await, 403);
}

#[tokio::test]
async fn a_ban_ends_by_itself() {
    let (gateway, admin) = start().await;
    let until = Timestamp::now() + SignedDuration::from_millis(900);
    let until = format!("{until:.3}");
    let ban = json!({"ip": "203.0.113.9", "until": until});
    admin.post("/api/bans", ban).await.expect(201);
    assert_eq!(generate_from(&gateway, "203.0.113.9", None).await, 403);
    assert_eq!(admin.rows("/api/bans").await[0]["until"], until);
    eventually("the ban is over", async || {
        (generate_from(&gateway, "203.0.113.9", None).await == 200).then_some(())
    })
    .await;
    assert_eq!(admin.rows("/api/bans").await.len(), 0);
}

#[tokio::test]
async fn a_second_ban_of_an_address_replaces_the_first() {
    let (_gateway, admin) = start().await;
    for reason in ["one", "two"] {
        let ban = json!({"ip": "203.0.113.9", "reason": reason});
        admin.post("/api/bans", ban).await.expect(201);
    }
    let rows = admin.rows("/api/bans").await;
    assert_eq!((rows.len(), &rows[0]["reason"]), (1, &json!("two")));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (_gateway, admin) = start().await;
    for (body, field) in [
        (json!({"ip": ""}), "ip"),
        (json!({"ip": "localhost"}), "ip"),
        (json!({"ip": "203.0.113.0/24"}), "ip"),
        (json!({"ip": "203.0.113.9:80"}), "ip"),
        (
            json!({"ip": "203.0.113.9", "until": "2001-01-01T00:00:00Z"}),
            "until",
        ),
        (json!({"ip": "203.0.113.9", "until": "tomorrow"}), "until"),
        (
            json!({"ip": "203.0.113.9", "reason": "x".repeat(501)}),
            "reason",
        ),
        (json!({"ip": "203.0.113.9", "for": "1h"}), "for"),
    ] {
        let answer = admin.post("/api/bans", body).await;
        assert_eq!(answer.refused(422, "invalid"), field, "{}", answer.text());
    }
    for ip in ["nonsense", "203.0.113.9", "%00"] {
        admin
            .delete(&format!("/api/bans/{ip}"))
            .await
            .refused(404, "not_found");
    }
    assert_eq!(admin.rows("/api/bans").await.len(), 0);
}
