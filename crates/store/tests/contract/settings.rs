//! Settings that were changed while running.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::Store;

use crate::database::{Database, NOW, change, on_both};

on_both!(
    every_kind_of_value_comes_back,
    named_settings_are_changed_and_others_stay,
    unreadable_setting_is_left_out,
);

async fn put(store: &Store, settings: &[(&str, Option<Value>)]) {
    let settings = settings.iter().cloned();
    let settings: BTreeMap<String, Option<Value>> = settings
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let put = change(store, async |change| {
        change.put_settings(&settings, NOW).await
    });
    put.await.unwrap();
}

async fn check(database: &Database, expected: &[(&str, Value)]) {
    let read = database.open().await.load_settings().await.unwrap();
    let expected = expected.iter().cloned();
    let expected: BTreeMap<String, Value> = expected
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    assert_eq!(read, expected);
}

async fn every_kind_of_value_comes_back(database: &Database) {
    let store = database.open().await;
    let values = [
        ("a.number", json!(3)),
        ("b.fraction", json!(0.25)),
        ("c.flag", json!(true)),
        ("d.text", json!("30s \u{1f511} \"quoted\"")),
        ("e.list", json!(["one", "two"])),
        ("f.object", json!({"fast": ["google/gemini-2.5-flash"]})),
        ("g.null", Value::Null),
    ];
    let put_all: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, Some(value.clone())))
        .collect();
    put(&store, &put_all).await;
    check(database, &values).await;
    assert_eq!(store.revision().await.unwrap(), 1);
}

async fn named_settings_are_changed_and_others_stay(database: &Database) {
    let store = database.open().await;
    put(&store, &[("a", Some(json!(1))), ("b", Some(json!(2)))]).await;
    put(&store, &[("b", Some(json!(3))), ("c", None)]).await;
    check(database, &[("a", json!(1)), ("b", json!(3))]).await;
    put(&store, &[("a", None), ("c", Some(json!(4)))]).await;
    check(database, &[("b", json!(3)), ("c", json!(4))]).await;
}

async fn unreadable_setting_is_left_out(database: &Database) {
    let store = database.open().await;
    put(&store, &[("a", Some(json!(1))), ("b", Some(json!(2)))]).await;
    let damage = "UPDATE settings SET value = '{' WHERE name = 'a'";
    database.execute(damage).await;
    check(database, &[("b", json!(2))]).await;
}
