//! Key files: what an instance finds in its folders becomes keys, and what several instances find does not clash.

use std::sync::Arc;

use domain::{Key, KeyId, KeySource};
use store::{FileKey, FileKeys, FileSync, KeyPatch, Store, Synced};

use crate::database::{Database, NOW, change, on_both};

on_both!(
    files_state_their_keys,
    a_statement_again_changes_nothing,
    what_operators_have_set_stays,
    what_an_operator_switched_off_stays_off_and_is_forgotten_by_its_file,
    a_key_of_the_configuration_too_stays_while_one_has_it,
    what_cannot_be_read_keeps_its_keys,
    a_key_stays_while_the_folder_of_a_running_instance_has_it,
    an_instance_that_raises_its_counter_no_more_can_be_forgotten,
    a_key_that_is_switched_on_after_its_file_let_go_is_the_operator_s,
);

const GOOGLE: &str = "google";

/// A statement of `file key` pairs.
fn files(place: Option<&str>, keys: &[(&str, &str)]) -> FileKeys {
    let google: Arc<str> = GOOGLE.into();
    FileKeys {
        place: place.map(str::to_owned),
        keys: keys
            .iter()
            .map(|(file, secret)| FileKey {
                provider: google.clone(),
                file: (*file).into(),
                secret: domain::Secret::new(*secret),
            })
            .collect(),
        read: [google].into(),
        ..FileKeys::default()
    }
}

/// States them. Gives the counts: added, unchanged, updated, disabled.
async fn state(store: &Store, files: &FileKeys) -> [usize; 4] {
    let FileSync { counts, touched } = change(store, async |change| {
        change.state_file_keys(files, NOW).await
    })
    .await
    .unwrap();
    let Synced {
        added,
        unchanged,
        updated,
        disabled,
    } = counts;
    assert!(touched.len() >= added + updated + disabled);
    [added, unchanged, updated, disabled]
}

async fn keys(store: &Store) -> Vec<Key> {
    let rows = store.load_keys().await.unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

/// Each key as `secret source file on`.
async fn check(store: &Store, expected: &[&str]) {
    let text = |key: &Key| {
        let file = key.file.as_deref().unwrap_or("-");
        let on = if key.enabled { "on" } else { "off" };
        format!("{} {:?} {file} {on}", key.secret.expose(), key.source)
    };
    let seen: Vec<String> = keys(store).await.iter().map(text).collect();
    assert_eq!(seen, expected);
}

async fn patch(store: &Store, key: KeyId, patch: KeyPatch) {
    let patched = change(store, async |change| {
        change.update_keys(&[key], &patch).await
    });
    assert_eq!(patched.await.unwrap(), 1);
}

fn switch(enabled: bool) -> KeyPatch {
    KeyPatch {
        enabled: Some(enabled),
        ..KeyPatch::default()
    }
}

async fn files_state_their_keys(database: &Database) {
    let store = database.open().await;
    let first = files(
        None,
        &[("a.txt", "k-1"), ("a.txt", "k-2"), ("b.txt", "k-1")],
    );
    assert_eq!(state(&store, &first).await, [2, 0, 0, 0]);
    check(&store, &["k-1 File a.txt on", "k-2 File a.txt on"]).await;

    let moved = files(None, &[("b.txt", "k-1"), ("a.txt", "k-3")]);
    assert_eq!(state(&store, &moved).await, [1, 0, 1, 1]);
    check(
        &store,
        &["k-1 File b.txt on", "k-2 File - off", "k-3 File a.txt on"],
    )
    .await;

    assert_eq!(state(&store, &first).await, [0, 0, 2, 1]);
    check(
        &store,
        &["k-1 File a.txt on", "k-2 File a.txt on", "k-3 File - off"],
    )
    .await;
    // A provider without a folder has no key file.
    let none = FileKeys::default();
    assert_eq!(state(&store, &none).await, [0, 0, 0, 2]);
}

async fn a_statement_again_changes_nothing(database: &Database) {
    let store = database.open().await;
    let secrets: Vec<String> = (0..600).map(|n| format!("AIza-{n}")).collect();
    let many: Vec<(&str, &str)> = secrets.iter().map(|key| ("a.txt", key.as_str())).collect();
    assert!(store.differs_from_files(&files(None, &many)).await.unwrap());
    assert_eq!(state(&store, &files(None, &many)).await, [600, 0, 0, 0]);
    assert!(!store.differs_from_files(&files(None, &many)).await.unwrap());

    let fewer = files(None, &many[1..]);
    assert!(store.differs_from_files(&fewer).await.unwrap());
    let done = change(&store, async |change| {
        change.state_file_keys(&fewer, NOW).await
    });
    let first = keys(&store).await[0].id;
    assert_eq!(done.await.unwrap().touched, [first]);
}

async fn what_operators_have_set_stays(database: &Database) {
    let store = database.open().await;
    let all = files(None, &[("a.txt", "k-1")]);
    state(&store, &all).await;
    let id = keys(&store).await[0].id;
    let named = KeyPatch {
        label: Some(Some("billing".to_owned())),
        weight: Some(7),
        ..KeyPatch::default()
    };
    patch(&store, id, named).await;
    for statement in [&all, &files(None, &[]), &files(None, &[("b.txt", "k-1")])] {
        state(&store, statement).await;
        let key = &keys(&store).await[0];
        assert_eq!((key.id, key.weight), (id, 7));
        assert_eq!(key.label.as_deref(), Some("billing"));
    }
    check(&store, &["k-1 File b.txt on"]).await;
}

async fn what_an_operator_switched_off_stays_off_and_is_forgotten_by_its_file(database: &Database) {
    let store = database.open().await;
    let all = files(None, &[("a.txt", "k-1")]);
    state(&store, &all).await;
    let id = keys(&store).await[0].id;
    patch(&store, id, switch(false)).await;
    assert_eq!(state(&store, &all).await, [0, 1, 0, 0]);
    check(&store, &["k-1 File a.txt off"]).await;
    state(&store, &files(None, &[])).await;
    check(&store, &["k-1 File - off"]).await;
    assert!(!store.differs_from_files(&files(None, &[])).await.unwrap());
    assert_eq!(state(&store, &all).await, [0, 0, 1, 0]);
    check(&store, &["k-1 File a.txt off"]).await;
}

async fn a_key_of_the_configuration_too_stays_while_one_has_it(database: &Database) {
    let store = database.open().await;
    let of_config = [domain::KeyDraft {
        weight: 5,
        ..domain::KeyDraft::plain(GOOGLE, "k-1", KeySource::Config)
    }];
    let config = async |drafts: &[domain::KeyDraft]| {
        store
            .sync_keys(drafts, KeySource::Config, NOW)
            .await
            .unwrap();
    };
    let all = files(None, &[("a.txt", "k-1")]);
    state(&store, &all).await;
    config(&of_config).await;
    check(&store, &["k-1 Config - on"]).await;
    assert_eq!(state(&store, &all).await, [0, 1, 0, 0]);
    assert_eq!(state(&store, &files(None, &[])).await, [0, 0, 0, 0]);
    check(&store, &["k-1 Config - on"]).await;

    config(&[]).await;
    assert_eq!(state(&store, &all).await, [0, 0, 1, 0]);
    check(&store, &["k-1 File a.txt on"]).await;
    assert_eq!(keys(&store).await[0].weight, 5);
}

async fn what_cannot_be_read_keeps_its_keys(database: &Database) {
    let store = database.open().await;
    let all = files(None, &[("a.txt", "k-1"), ("b.txt", "k-2")]);
    state(&store, &all).await;
    let google: Arc<str> = GOOGLE.into();
    let without_a = FileKeys {
        unreadable_files: [(google.clone(), "a.txt".into())].into(),
        ..files(None, &[])
    };
    assert_eq!(state(&store, &without_a).await, [0, 0, 0, 1]);
    check(&store, &["k-1 File a.txt on", "k-2 File - off"]).await;

    let without_folder = FileKeys {
        unreadable: [google].into(),
        ..FileKeys::default()
    };
    assert_eq!(state(&store, &without_folder).await, [0, 0, 0, 0]);
    check(&store, &["k-1 File a.txt on", "k-2 File - off"]).await;
}

async fn a_key_stays_while_the_folder_of_a_running_instance_has_it(database: &Database) {
    let store = database.open().await;
    for place in ["one", "other"] {
        store.beat_place(place).await.unwrap();
    }
    let one = files(Some("one"), &[("a.txt", "k-1"), ("a.txt", "k-both")]);
    let other = files(Some("other"), &[("z.txt", "k-2"), ("z.txt", "k-both")]);
    assert_eq!(state(&store, &one).await, [2, 0, 0, 0]);
    assert_eq!(state(&store, &other).await, [1, 1, 0, 0]);
    let settled = [
        "k-1 File a.txt on",
        "k-both File a.txt on",
        "k-2 File z.txt on",
    ];
    for statement in [&one, &other] {
        assert!(!store.differs_from_files(statement).await.unwrap());
        check(&store, &settled).await;
    }

    // What only one has, only that one can let go; what both have comes back as the other's.
    assert_eq!(
        state(&store, &files(Some("other"), &[])).await,
        [0, 0, 0, 1]
    );
    assert_eq!(state(&store, &other).await, [0, 1, 1, 0]);
    assert_eq!(state(&store, &files(Some("one"), &[])).await, [0, 0, 0, 2]);
    assert_eq!(state(&store, &other).await, [0, 1, 1, 0]);
    check(
        &store,
        &[
            "k-1 File - off",
            "k-both File z.txt on",
            "k-2 File z.txt on",
        ],
    )
    .await;

    // An instance that runs no more is spoken for by those that have a folder of that provider.
    let gone = store.beat_place("one").await.unwrap();
    let (name, beat) = gone.iter().find(|(name, _)| name == "other").unwrap();
    store.forget_place(name, *beat).await.unwrap();
    let folderless = FileKeys {
        place: Some("one".to_owned()),
        ..FileKeys::default()
    };
    assert!(!store.differs_from_files(&folderless).await.unwrap());
    assert_eq!(
        state(&store, &files(Some("one"), &[("a.txt", "k-2")])).await,
        [0, 0, 1, 1]
    );
    check(
        &store,
        &["k-1 File - off", "k-both File - off", "k-2 File a.txt on"],
    )
    .await;
}

async fn an_instance_that_raises_its_counter_no_more_can_be_forgotten(database: &Database) {
    let store = database.open().await;
    let at = |name: &str, beat: i64| (name.to_owned(), beat);
    assert_eq!(store.beat_place("one").await.unwrap(), [at("one", 1)]);
    let mut both = store.beat_place("other").await.unwrap();
    both.sort();
    assert_eq!(both, [at("one", 1), at("other", 1)]);
    store.beat_place("one").await.unwrap();
    // It has been raised since.
    store.forget_place("one", 1).await.unwrap();
    store.forget_place("other", 1).await.unwrap();
    assert_eq!(store.beat_place("one").await.unwrap(), [at("one", 3)]);
}

async fn a_key_that_is_switched_on_after_its_file_let_go_is_the_operator_s(database: &Database) {
    let store = database.open().await;
    state(&store, &files(None, &[("a.txt", "k-1"), ("a.txt", "k-2")])).await;
    let ids: Vec<KeyId> = keys(&store).await.iter().map(|key| key.id).collect();
    patch(&store, ids[1], switch(false)).await;
    state(&store, &files(None, &[])).await;
    for id in ids {
        patch(&store, id, switch(true)).await;
    }
    check(&store, &["k-1 Admin - on", "k-2 Admin - on"]).await;
    assert!(!store.differs_from_files(&files(None, &[])).await.unwrap());
}
