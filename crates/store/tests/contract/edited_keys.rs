//! Provider keys that operators change and delete.

use std::collections::BTreeSet;

use domain::{
    Cooling, Key, KeyDraft, KeyHealth, KeyId, KeySource, KeyState, PairId, PairState, Secret,
    UnixMs,
};
use store::{KeyPatch, Store};

use crate::database::{Database, NOW, change, on_both};

on_both!(
    only_what_is_named_is_changed,
    what_a_key_may_have_can_be_taken_away,
    many_keys_are_changed_at_once,
    deleted_key_leaves_nothing_behind,
    deleted_key_can_be_added_again,
);

async fn with_keys(database: &Database, keys: usize) -> (Store, Vec<KeyId>) {
    let store = database.open().await;
    let draft = |n| KeyDraft {
        label: Some(format!("label {n}")),
        project: Some("team-a".into()),
        egress: Some(Secret::new("http://10.0.0.1:3128")),
        ..KeyDraft::plain("google", &format!("AIza-{n}"), KeySource::Admin)
    };
    let drafts: Vec<KeyDraft> = (0..keys).map(draft).collect();
    let added = store.add_keys(&drafts, NOW).await.unwrap().added;
    (store, added)
}

async fn keys(store: &Store) -> Vec<Key> {
    let rows = store.load_keys().await.unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

async fn update(store: &Store, ids: &[KeyId], patch: &KeyPatch) -> u64 {
    let updated = change(store, async |change| change.update_keys(ids, patch).await);
    updated.await.unwrap()
}

async fn delete(store: &Store, ids: &[KeyId]) -> u64 {
    let deleted = change(store, async |change| change.delete_keys(ids).await);
    deleted.await.unwrap()
}

/// What becomes of the first of two keys; the second stays as it is.
async fn check(store: &Store, patch: KeyPatch, expected: impl FnOnce(&mut Key)) {
    let mut wanted = keys(store).await;
    expected(&mut wanted[0]);
    assert_eq!(update(store, &[wanted[0].id], &patch).await, 1, "{patch:?}");
    assert_eq!(keys(store).await, wanted, "{patch:?}");
}

async fn only_what_is_named_is_changed(database: &Database) {
    let (store, _) = with_keys(database, 2).await;
    let none = KeyPatch::default;
    check(&store, none(), |_| ()).await;
    let label = Some(Some("billing".into()));
    check(&store, KeyPatch { label, ..none() }, |key| {
        key.label = Some("billing".into());
    })
    .await;
    let project = Some(Some("team-b".into()));
    check(&store, KeyPatch { project, ..none() }, |key| {
        key.project = Some("team-b".into());
    })
    .await;
    let weight = Some(100);
    check(&store, KeyPatch { weight, ..none() }, |key| {
        key.weight = 100;
    })
    .await;
    let priority = Some(-7);
    check(&store, KeyPatch { priority, ..none() }, |key| {
        key.priority = -7;
    })
    .await;
    let egress = Some(Some(Secret::new("socks5://me:password@10.0.0.9:1080")));
    check(&store, KeyPatch { egress, ..none() }, |key| {
        key.egress = Some(Secret::new("socks5://me:password@10.0.0.9:1080"));
    })
    .await;
    for enabled in [false, true] {
        let patch = KeyPatch {
            enabled: Some(enabled),
            ..none()
        };
        check(&store, patch, |key| key.enabled = enabled).await;
    }
}

async fn what_a_key_may_have_can_be_taken_away(database: &Database) {
    let (store, _) = with_keys(database, 2).await;
    let bare = KeyPatch {
        label: Some(None),
        project: Some(None),
        egress: Some(None),
        ..KeyPatch::default()
    };
    check(&store, bare, |key| {
        (key.label, key.project, key.egress) = (None, None, None);
    })
    .await;
}

async fn many_keys_are_changed_at_once(database: &Database) {
    let (store, ids) = with_keys(database, 300).await;
    let patch = KeyPatch {
        egress: Some(Some(Secret::new("http://10.0.0.2:3128"))),
        weight: Some(5),
        ..KeyPatch::default()
    };
    let mut named = ids[1..].to_vec();
    named.extend([ids[7], KeyId(99_999)]);
    assert_eq!(update(&store, &named, &patch).await, 299);
    let read = keys(&store).await;
    let new = (5, Some("http://10.0.0.2:3128"));
    let seen = |key: &Key| (key.weight, key.egress.as_ref().map(Secret::expose)) == new;
    assert_eq!(read.iter().filter(|key| seen(key)).count(), 299);
    assert_eq!(update(&store, &[], &patch).await, 0);
}

fn pair(project: String) -> (PairId, PairState) {
    let id = PairId {
        provider: "google".into(),
        project,
        model: "gemini-2.5-flash".into(),
    };
    let state = PairState {
        day_requests: 5,
        ..PairState::default()
    };
    (id, state)
}

async fn deleted_key_leaves_nothing_behind(database: &Database) {
    let (store, ids) = with_keys(database, 300).await;
    let cooling = KeyState {
        health: KeyHealth::Cooling(Cooling {
            until: UnixMs::NEVER,
            probe_at: NOW,
            class: domain::Class::RateLimited,
            streak: 1,
        }),
        ..KeyState::default()
    };
    let states: Vec<_> = ids.iter().map(|id| (*id, cooling.clone())).collect();
    let own = ids.iter().map(|id| pair(format!("key:{id}")));
    let pairs: Vec<_> = own.chain([pair("team-a".to_owned())]).collect();
    store.save_states(&states, &pairs, NOW).await.unwrap();

    let mut gone = ids[..299].to_vec();
    gone.extend([ids[0], KeyId(99_999)]);
    assert_eq!(delete(&store, &gone).await, 299);
    assert_eq!(delete(&store, &gone).await, 0);
    let left = store.load_keys().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].0.id, &left[0].1), (ids[299], &cooling));
    let pairs = store.load_pairs().await.unwrap();
    let projects: BTreeSet<String> = pairs.into_iter().map(|(id, _)| id.project).collect();
    let kept = [format!("key:{}", ids[299]), "team-a".to_owned()];
    assert_eq!(projects, kept.into());

    // A key of a deleted one's id would show a state that was left behind.
    let renumber = format!("UPDATE keys SET id = {}", ids[0]);
    database.execute(&renumber).await;
    let left = store.load_keys().await.unwrap();
    assert_eq!((left[0].0.id, &left[0].1), (ids[0], &KeyState::default()));
}

async fn deleted_key_can_be_added_again(database: &Database) {
    let (store, ids) = with_keys(database, 1).await;
    delete(&store, &ids).await;
    let again = KeyDraft::plain("google", "AIza-0", KeySource::Admin);
    let again = store.add_keys(&[again], NOW).await.unwrap();
    assert_eq!(again.added.len(), 1);
    assert!(again.added[0] > ids[0], "an id was given twice");
}
