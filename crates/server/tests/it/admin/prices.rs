//! Prices: an operator's row goes before the table that keymux comes with, from the next record on.

use serde_json::{Value, json};

use crate::support::{MODEL, Operator, TestGateway};

async fn cost(gateway: &TestGateway) -> Option<f64> {
    let answer = gateway.generate().await.expect(200);
    let cost = gateway.record_of(&answer).await.cost;
    cost.map(domain::Nanodollars::dollars)
}

fn price(input: f64, output: f64) -> Value {
    json!({"input": input, "output": output})
}

#[tokio::test]
async fn another_price_changes_what_the_next_request_costs() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let path = format!("/api/prices/google?model={MODEL}");
    let before = cost(&gateway).await;
    admin.put(&path, price(1_000.0, 1_000.0)).await.expect(204);
    let dear = cost(&gateway).await.unwrap();
    assert!(dear > 0.0 && Some(dear) != before, "{before:?} {dear}");
    admin.put(&path, price(2_000.0, 2_000.0)).await.expect(204);
    let dearer = cost(&gateway).await.unwrap();
    assert!((dearer / dear - 2.0).abs() < 1e-6, "{dear} {dearer}");
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(cost(&gateway).await, Some(dearer));
    admin.put(&path, price(0.0, 0.0)).await.expect(204);
    assert_eq!(cost(&gateway).await, Some(0.0));
    admin.delete(&path).await.expect(204);
    assert_eq!(cost(&gateway).await, before);
    admin.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_price_is_for_a_model_or_for_all_that_begin_alike() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin
        .put("/api/prices/google?model=gemini-*", price(1_000.0, 0.0))
        .await
        .expect(204);
    let alike = cost(&gateway).await.unwrap();
    let own = format!("/api/prices/google?model={MODEL}");
    admin.put(&own, price(3_000.0, 0.0)).await.expect(204);
    assert!((cost(&gateway).await.unwrap() / alike - 3.0).abs() < 1e-6);
    let slashes = "/api/prices/xai?model=vendor%2Fmodel-1";
    admin.put(slashes, price(1.0, 2.0)).await.expect(204);
    let rows = admin.rows("/api/prices").await;
    let set: Vec<&Value> = rows
        .iter()
        .filter(|row| row["source"] == "operator")
        .collect();
    assert_eq!(set.len(), 3);
    assert!(set.iter().any(|row| row["model"] == "vendor/model-1"));
    assert!(rows.iter().any(|row| row["source"] == "built_in"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let path = format!("/api/prices/google?model={MODEL}");
    for (field, value) in [
        ("input", json!(-1)),
        ("input", json!(1_000_001)),
        ("input", json!("1")),
        ("output", json!(-0.5)),
        ("cached_input", json!(-1)),
        ("reasoning", json!(1e12)),
        (
            "long_prompt",
            json!({"above_tokens": 1, "input": -1, "output": 1}),
        ),
        ("inptu", json!(1)),
    ] {
        let mut body = price(1.0, 1.0);
        body[field] = value.clone();
        let answer = admin.put(&path, body).await;
        let blamed = answer.refused(422, "invalid");
        assert!(
            blamed.starts_with(field),
            "{field} {value}: {}",
            answer.text()
        );
    }
    let answer = admin
        .put("/api/prices/nobody?model=x", price(1.0, 1.0))
        .await;
    answer.refused(404, "not_found");
    for query in ["", "?model=", "?model=a%20b", "?model=a%00", "?modell=x"] {
        let answer = admin
            .put(&format!("/api/prices/google{query}"), price(1.0, 1.0))
            .await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.text());
    }
    let rows = admin.rows("/api/prices").await;
    assert!(rows.iter().all(|row| row["source"] == "built_in"));
}
