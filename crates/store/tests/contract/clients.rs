//! Client keys.

use domain::{Client, ClientLimits, KeySource, Secret};
use store::{Store, StoreError, Synced};

use crate::database::{Database, NOW, on_both};

on_both!(
    made_client_comes_back_without_its_secret,
    secret_makes_one_client_only,
    source_states_its_clients,
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
    let made = store.create_client("app", &secret, limits.clone(), KeySource::Admin, NOW);
    let made = made.await.unwrap();
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
    let make = |name| {
        store.create_client(
            name,
            &secret,
            ClientLimits::default(),
            KeySource::Admin,
            NOW,
        )
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
        let secret = Secret::new(secret);
        let made = store.create_client(name, &secret, limits.clone(), Admin, NOW);
        made.await.unwrap();
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
