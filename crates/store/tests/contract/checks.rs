//! The last check of each key with each model, over a restart.

use domain::{CheckResult, Class, KeyCheck, KeyDraft, KeyId, KeySource, UnixMs};
use store::Store;

use crate::database::{Database, NOW, change, on_both};

on_both!(
    every_check_comes_back_page_by_page,
    last_check_of_a_key_and_a_model_counts,
    checks_go_with_their_key,
    models_are_named_and_forgotten_by_provider,
    unreadable_check_is_left_out,
);

fn check(key: KeyId, model: &str) -> KeyCheck {
    KeyCheck {
        key,
        model: model.into(),
        checked_at: NOW,
        next_at: UnixMs(NOW.0 + 43_200_000),
        result: CheckResult {
            status: Some(200),
            class: Class::Ok,
            reason: "ok",
            latency_ms: 84,
        },
    }
}

async fn add(store: &Store, provider: &str, count: usize) -> Vec<KeyId> {
    let draft = |n| KeyDraft::plain(provider, &format!("AIza-{n}"), KeySource::Admin);
    let drafts: Vec<KeyDraft> = (0..count).map(draft).collect();
    store.add_keys(&drafts, NOW).await.unwrap().added
}

/// All of them, by so many at a time.
async fn load(store: &Store, at_most: u64) -> Vec<KeyCheck> {
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let page = store.load_checks(last.as_ref(), at_most).await.unwrap();
        all.extend(page.checks);
        match page.last {
            Some(place) => last = Some(place),
            None => return all,
        }
    }
}

async fn every_check_comes_back_page_by_page(database: &Database) {
    let store = database.open().await;
    let keys = add(&store, "google", 3).await;
    let mut saved = Vec::new();
    for &key in &keys {
        for model in ["", "gemini-2.5-pro", "gemini-flash-latest"] {
            saved.push(check(key, model));
        }
    }
    saved[4].result = CheckResult {
        status: None,
        class: Class::Network,
        reason: "connection_refused",
        latency_ms: u32::MAX,
    };
    let mut shuffled = saved.clone();
    shuffled.reverse();
    store.save_checks(&shuffled).await.unwrap();
    store.save_checks(&[]).await.unwrap();
    let store = database.open().await;
    for at_most in [1, 2, 9, 1000] {
        assert_eq!(load(&store, at_most).await, saved, "{at_most}");
    }
}

async fn last_check_of_a_key_and_a_model_counts(database: &Database) {
    let store = database.open().await;
    let key = add(&store, "google", 1).await[0];
    store.save_checks(&[check(key, "m")]).await.unwrap();
    let mut later = check(key, "m");
    later.checked_at = UnixMs(NOW.0 + 5);
    later.result.class = Class::KeyInvalid;
    store
        .save_checks(&[check(key, "m"), later.clone()])
        .await
        .unwrap();
    assert_eq!(load(&store, 9).await, [later]);
}

async fn checks_go_with_their_key(database: &Database) {
    let store = database.open().await;
    let keys = add(&store, "google", 2).await;
    let saved: Vec<KeyCheck> = keys.iter().map(|key| check(*key, "m")).collect();
    store.save_checks(&saved).await.unwrap();
    change(&store, async |change| change.delete_keys(&keys[..1]).await)
        .await
        .unwrap();
    assert_eq!(load(&store, 9).await, saved[1..]);
}

async fn models_are_named_and_forgotten_by_provider(database: &Database) {
    let store = database.open().await;
    let (google, other) = (
        add(&store, "google", 3).await,
        add(&store, "other", 1).await,
    );
    let keys = google.iter().chain(&other);
    let saved: Vec<KeyCheck> = keys
        .flat_map(|key| [check(*key, "a"), check(*key, "b")])
        .collect();
    store.save_checks(&saved).await.unwrap();
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
        pairs.iter().map(owned).collect()
    };
    let mut models = store.checked_models().await.unwrap();
    models.sort();
    let all = [
        ("google", "a"),
        ("google", "b"),
        ("other", "a"),
        ("other", "b"),
    ];
    assert_eq!(models, named(&all));
    let mut deleted = Vec::new();
    for _ in 0..3 {
        deleted.push(store.forget_checks("google", "a", 2).await.unwrap());
    }
    assert_eq!(deleted, [2, 1, 0]);
    let mut models = store.checked_models().await.unwrap();
    models.sort();
    assert_eq!(models, named(&all[1..]));
}

async fn unreadable_check_is_left_out(database: &Database) {
    let store = database.open().await;
    let keys = add(&store, "google", 2).await;
    let saved: Vec<KeyCheck> = keys.iter().map(|key| check(*key, "m")).collect();
    store.save_checks(&saved).await.unwrap();
    let damage = format!(
        "UPDATE key_checks SET class = 'none' WHERE key_id = {}",
        keys[1]
    );
    database.execute(&damage).await;
    for at_most in [1, 9] {
        assert_eq!(load(&store, at_most).await, saved[..1]);
    }
}
