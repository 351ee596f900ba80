//! Opening: migrations, the master key, what is on the disk, and several handles on one database.

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use domain::{ClientDraft, KeyDraft, KeySource, Secret};
use futures_util::future::join_all;
use store::{MasterKey, Store, StoreError};

use crate::database::{Database, NOW, on_both, on_sqlite};

on_both!(
    handles_that_open_at_once_migrate_once,
    another_master_key_is_refused,
    acknowledged_write_is_seen_by_another_handle,
    tables_of_a_newer_version_are_used,
    closed_store_answers_no_more,
);

async fn handles_that_open_at_once_migrate_once(database: &Database) {
    let stores = join_all((0..6).map(|_| database.open())).await;
    for store in &stores {
        store.ping().await.unwrap();
        assert_eq!(store.revision().await.unwrap(), 0);
    }
}

async fn another_master_key_is_refused(database: &Database) {
    database.open().await.close().await.unwrap();
    let other = Store::open(&database.url, MasterKey::generate()).await;
    assert!(
        matches!(other, Err(StoreError::WrongMasterKey)),
        "{other:?}"
    );
    database.open().await.ping().await.unwrap();
}

async fn acknowledged_write_is_seen_by_another_handle(database: &Database) {
    let (writer, reader) = (database.open().await, database.open().await);
    let key = KeyDraft::plain("google", "AIza-1", KeySource::Admin);
    writer.add_keys(&[key], NOW).await.unwrap();
    assert_eq!(reader.load_keys().await.unwrap().len(), 1);
    assert_eq!(reader.revision().await.unwrap(), 1);
}

async fn tables_of_a_newer_version_are_used(database: &Database) {
    database.open().await.close().await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
    database.execute(newer).await;
    database.open().await.ping().await.unwrap();
}

async fn closed_store_answers_no_more(database: &Database) {
    let store = database.open().await;
    store.clone().close().await.unwrap();
    let answer = store.ping().await;
    assert!(
        matches!(answer, Err(StoreError::Unreachable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn secrets_are_not_in_the_files_of_sqlite() {
    on_sqlite(async |database| {
        let store = database.open().await;
        let mut key = KeyDraft::plain("google", "AIza-very-secret-key", KeySource::Admin);
        key.egress = Some(Secret::new("socks5://me:proxy-password@10.0.0.9:1080"));
        store.add_keys(&[key], NOW).await.unwrap();
        let secret = Secret::new("sk-very-secret-client");
        let app = ClientDraft::plain("app", KeySource::Admin);
        store.create_client(&app, &secret, NOW).await.unwrap();

        assert!(
            database.holds("google"),
            "the rows are not in the files that are searched"
        );
        for secret in ["very-secret", "proxy-password"] {
            assert!(!database.holds(secret), "{secret} is in a file");
        }
        store.close().await.unwrap();
        assert!(!database.holds("very-secret"));
    })
    .await;
}

#[tokio::test]
async fn files_of_sqlite_are_their_owners_alone() {
    on_sqlite(async |database| {
        let _store = database.open().await;
        let folder = database.folder.path().join("new folder");
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    })
    .await;
}

#[tokio::test]
async fn url_that_names_no_database_is_refused_without_showing_it() {
    for url in [
        "",
        "keymux.db",
        "mysql://root:hunter2@localhost/keymux",
        "sqlite::memory:",
        "sqlite:keymux.db?mode=memory",
        "postgres://keymux:hunter2@localhost:port/keymux",
    ] {
        let error = Store::open(url, MasterKey::generate()).await.unwrap_err();
        assert!(matches!(error, StoreError::Url(_)), "{url}: {error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

/// What stands in front of a database that is away often does this: it takes the connection and ends it in peace.
#[tokio::test]
async fn a_server_that_hangs_up_is_not_reachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://me@{}/keymux", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut caller, _)) = listener.accept() {
            let _ = caller.read(&mut [0; 64]);
        }
    });
    let error = Store::open(&url, MasterKey::generate()).await;
    assert!(
        matches!(error, Err(StoreError::Unreachable(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn file_that_is_no_database_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keymux.db");
    std::fs::write(
        &path,
        "this is no database at all, but long enough to look like one".repeat(99),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), MasterKey::generate()).await;
    assert!(
        matches!(error, Err(StoreError::Corrupt { .. })),
        "{error:?}"
    );
}
