//! Prices of models.

use domain::{LongPrompt, Price};
use store::Store;

use crate::database::{Database, NOW, change, on_both};

on_both!(
    price_comes_back_as_it_was,
    price_is_put_over_the_old_one_and_deleted,
    unreadable_price_is_left_out,
);

fn price(input: f64) -> Price {
    Price {
        input,
        output: 2.5,
        ..Price::default()
    }
}

async fn put(store: &Store, provider: &str, model: &str, price: &Price) {
    let put = change(store, async |change| {
        change.put_price(provider, model, price, NOW).await
    });
    put.await.unwrap();
}

async fn check(database: &Database, expected: &[(&str, &str, Price)]) {
    let read = database.open().await.load_prices().await.unwrap();
    let read: Vec<_> = read
        .iter()
        .map(|(provider, model, price)| (provider.as_str(), model.as_str(), *price))
        .collect();
    assert_eq!(read, expected);
}

async fn price_comes_back_as_it_was(database: &Database) {
    let store = database.open().await;
    let full = Price {
        cached_input: Some(0.031_25),
        reasoning: Some(0.1),
        long_prompt: Some(LongPrompt {
            above_tokens: 200_000,
            input: 2.5,
            cached_input: None,
            output: 15.0,
        }),
        ..price(1.25)
    };
    put(&store, "google", "gemini-2.5-pro", &full).await;
    put(&store, "xai", "grok-4", &price(3.0)).await;
    let expected = [
        ("google", "gemini-2.5-pro", full),
        ("xai", "grok-4", price(3.0)),
    ];
    check(database, &expected).await;
    assert_eq!(store.revision().await.unwrap(), 2);
}

async fn price_is_put_over_the_old_one_and_deleted(database: &Database) {
    let store = database.open().await;
    for (provider, input) in [("xai", 1.0), ("google", 2.0), ("xai", 3.0)] {
        put(&store, provider, "m", &price(input)).await;
    }
    check(
        database,
        &[("google", "m", price(2.0)), ("xai", "m", price(3.0))],
    )
    .await;
    let delete = async || {
        let deleted = change(&store, async |change| change.delete_price("xai", "m").await);
        deleted.await.unwrap()
    };
    assert!(delete().await);
    assert!(!delete().await);
    check(database, &[("google", "m", price(2.0))]).await;
}

async fn unreadable_price_is_left_out(database: &Database) {
    let store = database.open().await;
    for model in ["a", "b", "c"] {
        put(&store, "google", model, &price(1.0)).await;
    }
    let damage = "UPDATE prices SET price = '{\"input\": \"free\"}' WHERE model = 'a'";
    database.execute(damage).await;
    put(&store, "google", "c", &price(f64::NAN)).await;
    check(database, &[("google", "b", price(1.0))]).await;
}
