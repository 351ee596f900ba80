//! Whose keys are whose, and which of an owner's keys is selected.

use domain::{Key, KeyDraft, KeyId, KeySource, Role, UserId};
use futures_util::future::join_all;
use store::{KeyPatch, Selection, Store, StoreError};

use crate::database::{Database, NOW, change, on_both, user};

on_both!(
    first_key_of_an_owner_for_a_provider_is_selected,
    selecting_a_key_unselects_the_other,
    key_of_the_pool_cannot_be_selected,
    next_key_is_selected_in_order_of_creation,
    handles_that_select_at_once_leave_one_selected,
    two_selected_keys_are_refused_by_the_database,
    key_that_was_let_go_of_can_be_taken_but_not_from_its_owner,
    owner_must_exist,
);

fn draft(provider: &str, secret: &str, owner: impl Into<Option<UserId>>) -> KeyDraft {
    KeyDraft {
        owner: owner.into(),
        ..KeyDraft::plain(provider, secret, KeySource::Admin)
    }
}

async fn add(store: &Store, drafts: &[KeyDraft]) -> Vec<KeyId> {
    store.add_keys(drafts, NOW).await.unwrap().added
}

async fn keys(store: &Store) -> Vec<Key> {
    let rows = store.load_keys().await.unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

/// The secrets of the selected keys, in order of id.
async fn selected(store: &Store) -> Vec<String> {
    let keys = keys(store).await.into_iter();
    let selected = keys.filter(|key| key.selected);
    selected.map(|key| key.secret.expose().to_owned()).collect()
}

async fn select(store: &Store, id: KeyId) -> Selection {
    let selected = change(store, async |change| change.select_key(id).await);
    selected.await.unwrap()
}

async fn unselect(store: &Store, id: KeyId) -> bool {
    let unselected = change(store, async |change| change.unselect_key(id).await);
    unselected.await.unwrap()
}

async fn first_key_of_an_owner_for_a_provider_is_selected(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let ana = user(&store, "ana", Role::Member).await.id;
    let first = [
        draft("google", "pool", None),
        draft("google", "mei 1", mei),
        draft("google", "mei 2", mei),
        draft("xai", "mei 3", mei),
        draft("google", "ana 1", ana),
    ];
    let ids = add(&store, &first).await;
    assert_eq!(selected(&store).await, ["mei 1", "mei 3", "ana 1"]);
    add(&store, &[draft("google", "ana 2", ana)]).await;
    assert_eq!(selected(&store).await, ["mei 1", "mei 3", "ana 1"]);
    unselect(&store, ids[1]).await;
    add(&store, &[draft("google", "mei 4", mei)]).await;
    assert_eq!(selected(&store).await, ["mei 3", "ana 1"]);
}

async fn selecting_a_key_unselects_the_other(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let names = ["a", "b"].map(|name| draft("google", name, mei));
    let ids = add(&store, &names).await;
    add(&store, &[draft("xai", "x", mei)]).await;
    let instead_of = Some(ids[0]);
    assert_eq!(
        select(&store, ids[1]).await,
        Selection::Selected { instead_of }
    );
    assert_eq!(selected(&store).await, ["b", "x"]);
    assert_eq!(select(&store, ids[1]).await, Selection::Unchanged);
    assert!(unselect(&store, ids[1]).await);
    assert!(!unselect(&store, ids[1]).await);
    assert_eq!(selected(&store).await, ["x"]);
    let instead_of = None;
    assert_eq!(
        select(&store, ids[0]).await,
        Selection::Selected { instead_of }
    );
    assert_eq!(selected(&store).await, ["a", "x"]);
}

async fn key_of_the_pool_cannot_be_selected(database: &Database) {
    let store = database.open().await;
    let pool = add(&store, &[draft("google", "pool", None)]).await[0];
    for id in [pool, KeyId(404)] {
        assert_eq!(select(&store, id).await, Selection::Impossible);
        assert!(!unselect(&store, id).await);
    }
    assert_eq!(selected(&store).await, [""; 0]);
}

async fn next_key_is_selected_in_order_of_creation(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let ana = user(&store, "ana", Role::Member).await.id;
    let drafts = [
        draft("google", "a", mei),
        draft("google", "b", mei),
        draft("google", "ana 1", ana),
        draft("xai", "x", mei),
        draft("google", "off", mei),
        draft("google", "c", mei),
    ];
    let ids = add(&store, &drafts).await;
    let off = KeyPatch {
        enabled: Some(false),
        ..KeyPatch::default()
    };
    let switched = change(&store, async |change| {
        change.update_keys(&ids[4..5], &off).await
    });
    switched.await.unwrap();
    let delete = async |gone: KeyId| {
        let next = change(&store, async |change| {
            change.delete_keys(&[gone]).await?;
            change.select_next(mei, "google", gone).await
        });
        next.await.unwrap()
    };
    select(&store, ids[1]).await;
    for (gone, next) in [(ids[1], ids[5]), (ids[5], ids[0])] {
        assert_eq!(delete(gone).await, Some(next));
    }
    assert_eq!(delete(ids[0]).await, None);
    assert_eq!(selected(&store).await, ["ana 1", "x"]);
}

async fn handles_that_select_at_once_leave_one_selected(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let secrets: Vec<String> = (0..6).map(|n| n.to_string()).collect();
    let drafts = secrets.iter().map(|secret| draft("google", secret, mei));
    let ids = add(&store, &drafts.collect::<Vec<_>>()).await;
    let select_from = async |id| select(&database.open().await, id).await;
    let done = join_all(ids[1..].iter().map(|id| select_from(*id))).await;
    let replaced: Vec<KeyId> = done
        .iter()
        .map(|done| match done {
            Selection::Selected {
                instead_of: Some(other),
            } => *other,
            other => panic!("{other:?}"),
        })
        .collect();
    let left: Vec<Key> = keys(&store).await;
    let left: Vec<&Key> = left.iter().filter(|key| key.selected).collect();
    assert_eq!(left.len(), 1);
    assert!(!replaced.contains(&left[0].id));
    assert!(replaced.contains(&ids[0]));
}

async fn two_selected_keys_are_refused_by_the_database(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let names = ["a", "b"].map(|name| draft("google", name, mei));
    add(&store, &names).await;
    assert!(
        database
            .try_execute("UPDATE keys SET selected = TRUE")
            .await
            .is_err()
    );
    assert_eq!(selected(&store).await, ["a"]);
}

async fn key_that_was_let_go_of_can_be_taken_but_not_from_its_owner(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let ana = user(&store, "ana", Role::Member).await.id;
    let both = ["mine", "pool"].map(|secret| draft("google", secret, None));
    add(&store, &[draft("google", "mine", mei)]).await;
    store
        .sync_keys(&both, KeySource::Config, NOW)
        .await
        .unwrap();
    store.sync_keys(&[], KeySource::Config, NOW).await.unwrap();
    let owners = async || {
        let keys = keys(&store).await.into_iter();
        let owners: Vec<_> = keys
            .map(|key| (key.owner, key.enabled, key.selected))
            .collect();
        owners
    };
    assert_eq!(
        owners().await,
        [(Some(mei), false, true), (None, false, false)]
    );

    for (owner, duplicates) in [(Some(ana), vec![0]), (None, vec![0]), (Some(mei), vec![])] {
        let mine = [draft("google", "mine", owner)];
        let done = store.add_keys(&mine, NOW).await.unwrap();
        assert_eq!(done.duplicates, duplicates, "{owner:?}");
    }
    add(&store, &[draft("google", "pool", ana)]).await;
    assert_eq!(
        owners().await,
        [(Some(mei), true, true), (Some(ana), true, true)]
    );
}

async fn owner_must_exist(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let drafts = [draft("google", "a", mei), draft("google", "b", UserId(404))];
    let done = store.add_keys(&drafts, NOW).await;
    assert!(
        matches!(done, Err(StoreError::NoSuchUser(UserId(404)))),
        "{done:?}"
    );
    assert_eq!(keys(&store).await, []);
}
