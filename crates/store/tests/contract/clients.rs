//! Client keys.

use domain::{Client, ClientDay, ClientDraft, ClientId, ClientLimits, KeySource};
use domain::{Nanodollars, Role, Secret, UnixMs, UserId};
use store::{ClientPatch, Store, StoreError, Synced};

use crate::database::{Database, NOW, change, on_both, user};

on_both!(
    made_client_comes_back_without_its_secret,
    secret_makes_one_client_only,
    source_states_its_clients,
    only_what_is_named_of_a_client_is_changed,
    deleted_client_leaves_nothing_behind,
    owner_of_a_client_must_exist,
    unreadable_client_is_left_out,
);

async fn made_client_comes_back_without_its_secret(database: &Database) {
    let store = database.open().await;
    let limits = ClientLimits {
        rpm: Some(60),
        tpd: Some(u64::MAX),
        allowed_models: ["gemini-2.5-flash".to_owned()].into(),
        ..ClientLimits::default()
    };
    let secret = Secret::new("sk-a-long-enough-secret-1f2e");
    let draft = ClientDraft {
        limits: limits.clone(),
        ..ClientDraft::plain("app", KeySource::Admin)
    };
    let made = store.create_client(&draft, &secret, NOW).await.unwrap();
    let read = store.load_clients().await.unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", [&made]));
    assert_eq!(
        (made.name.as_str(), made.masked.as_str()),
        ("app", "sk-a…1f2e")
    );
    assert_eq!(made.fingerprint, secret.fingerprint());
    assert_eq!(
        (made.limits, made.enabled, made.expires_at),
        (limits, true, None)
    );
    assert_eq!((made.source, made.created_at), (KeySource::Admin, NOW));
    assert_eq!(store.revision().await.unwrap(), 1);
}

async fn secret_makes_one_client_only(database: &Database) {
    let store = database.open().await;
    let secret = Secret::new("sk-1");
    let make = async |name| {
        let draft = ClientDraft::plain(name, KeySource::Admin);
        store.create_client(&draft, &secret, NOW).await
    };
    make("first").await.unwrap();
    let second = make("second").await;
    assert!(matches!(second, Err(StoreError::Duplicate)), "{second:?}");
    assert_eq!(store.load_clients().await.unwrap().len(), 1);
    assert_eq!(store.revision().await.unwrap(), 1);
}

async fn sync(store: &Store, clients: &[(&str, &str)]) -> Synced {
    let clients: Vec<_> = clients
        .iter()
        .map(|(name, secret)| ((*name).to_owned(), Secret::new(*secret)))
        .collect();
    store
        .sync_clients(KeySource::Config, &clients, NOW)
        .await
        .unwrap()
}

async fn seen(store: &Store) -> Vec<(String, bool, KeySource)> {
    let clients = store.load_clients().await.unwrap();
    let seen = |client: Client| (client.name, client.enabled, client.source);
    clients.into_iter().map(seen).collect()
}

async fn source_states_its_clients(database: &Database) {
    use KeySource::{Admin, Config};
    let store = database.open().await;
    let limits = ClientLimits {
        rpm: Some(9),
        ..ClientLimits::default()
    };
    for (name, secret) in [("hand", "sk-h"), ("other", "sk-o")] {
        let draft = ClientDraft {
            limits: limits.clone(),
            ..ClientDraft::plain(name, Admin)
        };
        let secret = Secret::new(secret);
        store.create_client(&draft, &secret, NOW).await.unwrap();
    }

    let synced = sync(&store, &[("a", "sk-a"), ("b", "sk-b"), ("taken", "sk-h")]).await;
    assert_eq!(
        synced,
        Synced {
            added: 2,
            updated: 1,
            ..Synced::default()
        }
    );
    let synced = sync(&store, &[("renamed", "sk-a"), ("taken", "sk-h")]).await;
    assert_eq!(
        synced,
        Synced {
            unchanged: 1,
            updated: 1,
            disabled: 1,
            ..Synced::default()
        }
    );
    let expected = [
        ("taken".to_owned(), true, Config),
        ("other".to_owned(), true, Admin),
        ("renamed".to_owned(), true, Config),
        ("b".to_owned(), false, Config),
    ];
    assert_eq!(seen(&store).await, expected);
    assert_eq!(store.load_clients().await.unwrap()[0].limits, limits);
    let synced = sync(
        &store,
        &[("renamed", "sk-a"), ("b", "sk-b"), ("taken", "sk-h")],
    )
    .await;
    assert_eq!(
        synced,
        Synced {
            unchanged: 2,
            updated: 1,
            ..Synced::default()
        }
    );
    let revision = store.revision().await.unwrap();
    sync(
        &store,
        &[("renamed", "sk-a"), ("b", "sk-b"), ("taken", "sk-h")],
    )
    .await;
    assert_eq!(store.revision().await.unwrap(), revision);
}

async fn make(store: &Store, name: &str) -> Client {
    let draft = ClientDraft::plain(name, KeySource::Admin);
    let secret = Secret::new(format!("sk-{name}"));
    store.create_client(&draft, &secret, NOW).await.unwrap()
}

async fn update(store: &Store, id: ClientId, patch: &ClientPatch) -> Option<Client> {
    let updated = change(store, async |change| change.update_client(id, patch).await);
    updated.await.unwrap()
}

/// A client key's patch, and what becomes of it; another client key stays as it is.
async fn check(store: &Store, patch: ClientPatch, expected: impl FnOnce(&mut Client)) {
    let mut wanted = store.load_clients().await.unwrap();
    expected(&mut wanted[0]);
    let updated = update(store, wanted[0].id, &patch).await.unwrap();
    assert_eq!(format!("{updated:?}"), format!("{:?}", wanted[0]));
    let read = store.load_clients().await.unwrap();
    assert_eq!(format!("{read:?}"), format!("{wanted:?}"));
}

async fn only_what_is_named_of_a_client_is_changed(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await.id;
    for name in ["app", "other"] {
        make(&store, name).await;
    }
    let none = ClientPatch::default;
    check(&store, none(), |_| ()).await;
    let name = Some("renamed".to_owned());
    check(&store, ClientPatch { name, ..none() }, |client| {
        client.name = "renamed".into();
    })
    .await;
    for enabled in [false, true] {
        let patch = ClientPatch {
            enabled: Some(enabled),
            ..none()
        };
        check(&store, patch, |client| client.enabled = enabled).await;
    }
    for expires_at in [Some(UnixMs(NOW.0 + 1)), None] {
        let patch = ClientPatch {
            expires_at: Some(expires_at),
            ..none()
        };
        check(&store, patch, |client| client.expires_at = expires_at).await;
    }
    for owner in [Some(mei), None] {
        let patch = ClientPatch {
            owner: Some(owner),
            ..none()
        };
        check(&store, patch, |client| client.owner = owner).await;
    }
    let limits = ClientLimits {
        budget_usd: Some(0.1),
        ..ClientLimits::default()
    };
    let patch = ClientPatch {
        limits: Some(limits.clone()),
        ..none()
    };
    check(&store, patch, |client| client.limits = limits).await;
    assert!(update(&store, ClientId(404), &none()).await.is_none());
}

async fn deleted_client_leaves_nothing_behind(database: &Database) {
    let store = database.open().await;
    let (gone, kept) = (make(&store, "gone").await.id, make(&store, "kept").await.id);
    let day = |client| ClientDay {
        client,
        day: 20_412,
        requests: 1,
        tokens: 2,
        cost: Nanodollars(3),
    };
    let days = [day(gone), day(kept)];
    store.save_client_days(&days).await.unwrap();
    let delete = async || {
        let deleted = change(&store, async |change| change.delete_client(gone).await);
        deleted.await.unwrap()
    };
    assert!(delete().await);
    assert!(!delete().await);
    let clients = store.load_clients().await.unwrap();
    assert_eq!(
        clients.iter().map(|client| client.id).collect::<Vec<_>>(),
        [kept]
    );
    assert_eq!(store.load_client_days(0).await.unwrap(), [day(kept)]);
}

async fn owner_of_a_client_must_exist(database: &Database) {
    let store = database.open().await;
    let nobody = Some(UserId(404));
    let draft = ClientDraft {
        owner: nobody,
        ..ClientDraft::plain("app", KeySource::Admin)
    };
    let made = store.create_client(&draft, &Secret::new("sk-1"), NOW).await;
    assert!(
        matches!(made, Err(StoreError::NoSuchUser(UserId(404)))),
        "{made:?}"
    );
    let app = make(&store, "app").await.id;
    let patch = ClientPatch {
        owner: Some(nobody),
        ..ClientPatch::default()
    };
    let moved = change(&store, async |change| {
        change.update_client(app, &patch).await
    })
    .await;
    assert!(
        matches!(moved, Err(StoreError::NoSuchUser(UserId(404)))),
        "{moved:?}"
    );
}

async fn unreadable_client_is_left_out(database: &Database) {
    let store = database.open().await;
    for name in ["a", "b"] {
        make(&store, name).await;
    }
    let damage = "UPDATE clients SET limits = '{' WHERE name = 'a'";
    database.execute(damage).await;
    let left = store.load_clients().await.unwrap();
    assert_eq!(
        left.iter()
            .map(|client| client.name.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
}
