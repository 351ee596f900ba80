//! Limits of client keys as a hostile caller meets them: what is refused and how (`refusals.rs`), what answers are taken to
//! have cost (`usage.rs`), what outlives edits and restarts (`keeping.rs`), races (`races.rs`), places that must be given
//! back (`places.rs`), models in disguise (`models.rs`), and other ways round it all (`ways_round.rs`).
//! Windows of time are the `metering` crate's tests.

mod keeping;
mod models;
mod places;
mod races;
mod refusals;
mod usage;
mod ways_round;

use serde_json::{Value, json};

use crate::support::{Answer, ClientKey, Operator, TestGateway, eventually};

/// A running keymux and its administrator, who makes and changes client keys.
#[derive(Debug)]
struct Desk {
    gateway: TestGateway,
    admin: Operator,
}

impl Desk {
    async fn open(gateway: TestGateway) -> Self {
        let admin = Operator::admin(&gateway).await;
        Self { gateway, admin }
    }

    /// An ordinary keymux.
    async fn ordinary() -> Self {
        Self::open(TestGateway::new().start().await).await
    }

    /// Makes a client key with these limits.
    async fn client(&self, limits: Value) -> ClientKey {
        self.admin.make_client(named(limits)).await
    }

    /// Puts these limits in place of all that a client key has.
    async fn limit(&self, client: &ClientKey, limits: Value) {
        let path = client.path();
        self.admin.put(&path, named(limits)).await.expect(200);
    }

    async fn delete(&self, client: &ClientKey) {
        self.admin.delete(&client.path()).await.expect(204);
    }

    /// What a client key has used: `concurrent`, `rpm`, `tpd`, …, of the budget billionths of a dollar.
    async fn used(&self, client: &ClientKey, what: &str) -> u64 {
        let usage = self.admin.read(&client.path()).await["usage"].clone();
        match what {
            "budget" => (usage["budget"]["spent_usd"].as_f64().unwrap() * 1e9).round() as u64,
            _ => usage[what]["used"].as_u64().unwrap(),
        }
    }

    /// Waits until nothing of a client key's is under way.
    async fn idle(&self, client: &ClientKey) {
        eventually("its places are free", async || {
            (self.used(client, "concurrent").await == 0).then_some(())
        })
        .await;
    }

    /// Asks the model with a client key.
    async fn generate(&self, client: &ClientKey) -> Answer {
        self.gateway.send(client.generate()).await
    }
}

/// Limits with the name that a client key has to have.
fn named(mut limits: Value) -> Value {
    if let Some(fields) = limits.as_object_mut() {
        fields.insert("name".to_owned(), json!("limited"));
    }
    limits
}

/// Refused with this status, and the provider does not hear of it.
fn check_refused(desk: &Desk, answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let seen = desk.gateway.upstream.seen();
    assert!(seen.is_empty(), "{what}: {seen:?}");
}
