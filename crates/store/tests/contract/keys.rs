//! Provider keys: what comes back, what is one key, and what sources and operators may do to it.

use domain::{Key, KeyDraft, KeyId, KeySource, KeyState, Role, Secret, UserId};
use store::{KeyAdd, KeyPatch, KeySync, Store};

use crate::database::{Database, NOW, change, on_both, user};

on_both!(
    added_key_comes_back_as_it_was,
    same_secret_is_one_key_of_a_provider,
    many_keys_are_added_at_once,
    source_states_its_keys,
    source_may_state_very_many_keys,
    operator_has_the_last_word_on_off,
    key_belongs_to_the_first_of_its_sources,
    pasting_a_key_revives_it,
    changes_raise_the_revision_and_nothing_else_does,
    unreadable_key_is_left_out,
    project_is_here_while_any_of_its_keys_is,
);

fn draft(secret: &str) -> KeyDraft {
    KeyDraft::plain("google", secret, KeySource::Admin)
}

fn drafts(secrets: &[&str]) -> Vec<KeyDraft> {
    secrets.iter().map(|secret| draft(secret)).collect()
}

async fn keys(store: &Store) -> Vec<Key> {
    let rows = store.load_keys().await.unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

/// Each key as `secret`, `secret off`, with its source.
async fn seen(store: &Store) -> Vec<(String, KeySource)> {
    let text = |key: &Key| {
        let off = if key.enabled { "" } else { " off" };
        format!("{}{off}", key.secret.expose())
    };
    keys(store)
        .await
        .iter()
        .map(|key| (text(key), key.source))
        .collect()
}

async fn check(store: &Store, expected: &[(&str, KeySource)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(text, source)| ((*text).to_owned(), *source))
        .collect();
    assert_eq!(seen(store).await, expected);
}

/// Switches keys on or off in an operator's name; says how many of them there are.
async fn switch(store: &Store, keys: &[KeyId], enabled: bool) -> u64 {
    let patch = KeyPatch {
        enabled: Some(enabled),
        ..KeyPatch::default()
    };
    let switched = change(store, async |change| change.update_keys(keys, &patch).await);
    switched.await.unwrap()
}

async fn sync(store: &Store, secrets: &[&str], from: KeySource) -> [usize; 4] {
    let KeySync {
        added,
        unchanged,
        updated,
        disabled,
    } = store.sync_keys(&drafts(secrets), from, NOW).await.unwrap();
    [added, unchanged, updated, disabled]
}

async fn added_key_comes_back_as_it_was(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let full = KeyDraft {
        provider: "xai".into(),
        secret: Secret::new("xai-ключ-🔑"),
        label: Some("billing".into()),
        project: Some("team-a".into()),
        weight: 100,
        priority: -3,
        egress: Some(Secret::new("socks5://me:password@10.0.0.9:1080")),
        owner: Some(mei),
        source: KeySource::File,
    };
    let added = store
        .add_keys(&[full.clone(), draft("AIza-1")], NOW)
        .await
        .unwrap();
    let rows = store.load_keys().await.unwrap();
    let ids: Vec<KeyId> = rows.iter().map(|(key, _)| key.id).collect();
    assert_eq!(
        added,
        KeyAdd {
            added: ids,
            duplicates: vec![]
        }
    );
    let (key, state) = &rows[0];
    let read = KeyDraft {
        provider: key.provider.clone(),
        secret: key.secret.clone(),
        label: key.label.clone(),
        project: key.project.clone(),
        weight: key.weight,
        priority: key.priority,
        egress: key.egress.clone(),
        owner: key.owner,
        source: key.source,
    };
    assert_eq!(read, full);
    assert_eq!((key.enabled, key.created_at), (true, NOW));
    assert_eq!(store.key(key.id).await.unwrap().as_ref(), Some(key));
    assert_eq!(store.key(KeyId(404)).await.unwrap(), None);
    assert_eq!(*state, KeyState::default());
    assert_eq!(
        (
            rows[1].0.egress.as_ref().map(Secret::expose),
            rows[1].0.label.as_deref()
        ),
        (None, None)
    );
}

async fn same_secret_is_one_key_of_a_provider(database: &Database) {
    let store = database.open().await;
    let twice = store
        .add_keys(&drafts(&["a", "b", "a"]), NOW)
        .await
        .unwrap();
    assert_eq!((twice.added.len(), twice.duplicates), (2, vec![2]));
    let again = drafts(&["c", "b", "d", "c", "a"]);
    let again = store.add_keys(&again, NOW).await.unwrap();
    assert_eq!((again.added.len(), again.duplicates), (2, vec![1, 3, 4]));
    let elsewhere = KeyDraft::plain("xai", "a", KeySource::Admin);
    let elsewhere = store.add_keys(&[elsewhere], NOW).await.unwrap();
    assert_eq!((elsewhere.added.len(), elsewhere.duplicates), (1, vec![]));
    assert_eq!(keys(&store).await.len(), 5);
}

async fn many_keys_are_added_at_once(database: &Database) {
    let store = database.open().await;
    let secrets: Vec<String> = (0..2_345).map(|n| format!("AIza-{n}")).collect();
    let many: Vec<KeyDraft> = secrets.iter().map(|secret| draft(secret)).collect();
    let added = store.add_keys(&many, NOW).await.unwrap();
    assert_eq!((added.added.len(), added.duplicates), (many.len(), vec![]));
    let again = store.add_keys(&many, NOW).await.unwrap();
    let all: Vec<usize> = (0..many.len()).collect();
    assert_eq!((again.added, again.duplicates), (vec![], all));
    let read: Vec<String> = keys(&store)
        .await
        .iter()
        .map(|key| key.secret.expose().to_owned())
        .collect();
    assert_eq!(read, secrets);
    let synced = store
        .sync_keys(&many[..300], KeySource::File, NOW)
        .await
        .unwrap();
    assert_eq!(
        synced,
        KeySync {
            updated: 300,
            ..KeySync::default()
        }
    );
}

async fn source_states_its_keys(database: &Database) {
    use KeySource::File;
    let store = database.open().await;
    assert_eq!(sync(&store, &["a", "b", "a"], File).await, [2, 0, 0, 0]);
    assert_eq!(sync(&store, &["a", "b"], File).await, [0, 2, 0, 0]);
    let ids: Vec<KeyId> = keys(&store).await.iter().map(|key| key.id).collect();

    assert_eq!(sync(&store, &["b", "c"], File).await, [1, 1, 0, 1]);
    check(&store, &[("a off", File), ("b", File), ("c", File)]).await;
    assert_eq!(sync(&store, &["a", "b", "c"], File).await, [0, 2, 1, 0]);
    check(&store, &[("a", File), ("b", File), ("c", File)]).await;
    assert_eq!(
        keys(&store).await[..2]
            .iter()
            .map(|key| key.id)
            .collect::<Vec<_>>(),
        ids
    );

    let mut relabelled = drafts(&["a", "b", "c"]);
    relabelled[1].label = Some("new".into());
    relabelled[2].egress = Some(Secret::new("http://10.0.0.1:3128"));
    let synced = store.sync_keys(&relabelled, File, NOW).await.unwrap();
    assert_eq!((synced.unchanged, synced.updated), (1, 2));
    let read = keys(&store).await;
    assert_eq!(read[1].label.as_deref(), Some("new"));
    assert_eq!(
        read[2].egress.as_ref().map(Secret::expose),
        Some("http://10.0.0.1:3128")
    );
    let again = store.sync_keys(&relabelled, File, NOW).await.unwrap();
    assert_eq!(again.unchanged, 3);
}

async fn source_may_state_very_many_keys(database: &Database) {
    let store = database.open().await;
    let all: Vec<String> = (0..2_100)
        .map(|index| format!("AIza-key-{index:04}"))
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let states = async |secrets: &[&str]| sync(&store, secrets, KeySource::Config).await;
    assert_eq!(states(&all).await, [2_100, 0, 0, 0]);
    assert_eq!(states(&all).await, [0, 2_100, 0, 0]);
    assert_eq!(states(&all[..3]).await, [0, 3, 0, 2_097]);
    assert_eq!(states(&all).await, [0, 3, 2_097, 0]);
}

async fn operator_has_the_last_word_on_off(database: &Database) {
    use KeySource::Env;
    let store = database.open().await;
    sync(&store, &["a", "b"], Env).await;
    let a = keys(&store).await[0].id;
    assert_eq!(switch(&store, &[a], false).await, 1);
    assert_eq!(sync(&store, &["a", "b"], Env).await, [0, 2, 0, 0]);
    assert_eq!(sync(&store, &["b"], Env).await, [0, 1, 0, 0]);
    assert_eq!(sync(&store, &["a", "b"], Env).await, [0, 2, 0, 0]);
    check(&store, &[("a off", Env), ("b", Env)]).await;
    assert_eq!(switch(&store, &[a, KeyId(404)], true).await, 1);
    check(&store, &[("a", Env), ("b", Env)]).await;

    assert_eq!(sync(&store, &["b"], Env).await, [0, 1, 0, 1]);
    switch(&store, &[a], false).await;
    assert_eq!(sync(&store, &["a", "b"], Env).await, [0, 2, 0, 0]);
    check(&store, &[("a off", Env), ("b", Env)]).await;
}

async fn key_belongs_to_the_first_of_its_sources(database: &Database) {
    use KeySource::{Admin, Config, Env, File};
    let store = database.open().await;
    store.add_keys(&drafts(&["a"]), NOW).await.unwrap();
    check(&store, &[("a", Admin)]).await;
    for (secrets, from, counts, seen) in [
        (&["a"][..], File, [0, 0, 1, 0], ("a", File)),
        (&["a"], Config, [0, 0, 1, 0], ("a", Config)),
        (&["a"], Env, [0, 1, 0, 0], ("a", Config)),
        (&[], Env, [0, 0, 0, 0], ("a", Config)),
        (&[], Config, [0, 0, 0, 1], ("a off", Config)),
        (&["a"], File, [0, 0, 1, 0], ("a", File)),
        (&[], File, [0, 0, 0, 1], ("a off", File)),
    ] {
        assert_eq!(
            sync(&store, secrets, from).await,
            counts,
            "{secrets:?} {from:?}"
        );
        check(&store, &[seen]).await;
    }
}

async fn pasting_a_key_revives_it(database: &Database) {
    let store = database.open().await;
    sync(&store, &["a", "b"], KeySource::File).await;
    let ids: Vec<KeyId> = keys(&store).await.iter().map(|key| key.id).collect();
    sync(&store, &[], KeySource::File).await;
    switch(&store, &ids[1..], false).await;
    let pasted = store.add_keys(&drafts(&["a", "b"]), NOW).await.unwrap();
    assert_eq!(
        pasted,
        KeyAdd {
            added: vec![ids[0]],
            duplicates: vec![1]
        }
    );
    check(
        &store,
        &[("a", KeySource::Admin), ("b off", KeySource::File)],
    )
    .await;
}

async fn changes_raise_the_revision_and_nothing_else_does(database: &Database) {
    let store = database.open().await;
    let other = database.open().await;
    store.add_keys(&drafts(&["a"]), NOW).await.unwrap();
    let id = keys(&store).await[0].id;
    assert_eq!(other.revision().await.unwrap(), 1);
    store.add_keys(&drafts(&["a"]), NOW).await.unwrap();
    store
        .save_states(&[(id, KeyState::default())], &[], NOW)
        .await
        .unwrap();
    assert_eq!(other.revision().await.unwrap(), 1);
    switch(&store, &[id], false).await;
    assert_eq!(other.revision().await.unwrap(), 2);
    sync(&store, &["b"], KeySource::Env).await;
    assert_eq!(other.revision().await.unwrap(), 3);
    sync(&store, &["b"], KeySource::Env).await;
    assert_eq!(other.revision().await.unwrap(), 3);
}

async fn unreadable_key_is_left_out(database: &Database) {
    let store = database.open().await;
    store
        .add_keys(&drafts(&["a", "b", "c"]), NOW)
        .await
        .unwrap();
    let moved = "UPDATE keys SET secret = (SELECT secret FROM keys WHERE id = 3) WHERE id = 2";
    database.execute(moved).await;
    check(&store, &[("a", KeySource::Admin), ("c", KeySource::Admin)]).await;
}

async fn project_is_here_while_any_of_its_keys_is(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let mut named = draft("b");
    named.project = Some("team".into());
    let mut owned = draft("c");
    (owned.project, owned.owner) = (Some("hers".into()), Some(mei));
    let all = [draft("a"), named, owned];
    store.add_keys(&all, NOW).await.unwrap();
    let keys = keys(&store).await;
    let own = Key::own_project_name(keys[0].id);
    let check = async |provider: &str, owner: Option<UserId>, name: &str, expected| {
        let found = store.has_project(provider, owner, name).await.unwrap();
        assert_eq!(found, expected, "{provider} {owner:?} {name}");
    };
    check("google", None, &own, true).await;
    check("google", None, "team", true).await;
    check("google", Some(mei), "hers", true).await;
    check("xai", None, "team", false).await;
    check("google", Some(mei), "team", false).await;
    check("google", None, "hers", false).await;
    check("google", None, "key:999", false).await;
    switch(&store, &[keys[1].id], false).await;
    check("google", None, "team", true).await;
    let gone = [keys[0].id, keys[1].id];
    change(&store, async |change| change.delete_keys(&gone).await)
        .await
        .unwrap();
    check("google", None, &own, false).await;
    check("google", None, "team", false).await;
}
