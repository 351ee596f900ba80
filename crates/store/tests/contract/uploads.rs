//! Upload sessions.

use std::time::Duration;

use domain::{ClientId, Fingerprint, KeyId};
use store::UploadSession;

use crate::database::{Database, NOW, on_both};

on_both!(
    session_comes_back_until_it_expires,
    session_is_saved_over_the_old_one
);

fn session(upload: &str, seconds: u64) -> UploadSession {
    UploadSession {
        upload: Fingerprint::of(upload.as_bytes()),
        client: Some(ClientId(3)),
        key: KeyId(7),
        expires_at: NOW + Duration::from_secs(seconds),
    }
}

async fn session_comes_back_until_it_expires(database: &Database) {
    let store = database.open().await;
    let (short, mut long) = (session("short", 10), session("long", 20));
    long.client = None;
    store.save_uploads(&[short, long]).await.unwrap();
    store.save_uploads(&[]).await.unwrap();
    let mut read = database.open().await.load_uploads(NOW).await.unwrap();
    read.sort_by_key(|session| session.expires_at);
    assert_eq!(read, [short, long]);

    let found = store.upload(short.upload, NOW).await.unwrap();
    assert_eq!(found, Some(short));
    let found = store.upload(short.upload, short.expires_at).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(store.load_uploads(short.expires_at).await.unwrap(), [long]);
    assert_eq!(
        store
            .delete_expired_uploads(short.expires_at)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .delete_expired_uploads(short.expires_at)
            .await
            .unwrap(),
        0
    );
    assert_eq!(store.load_uploads(NOW).await.unwrap(), [long]);
}

async fn session_is_saved_over_the_old_one(database: &Database) {
    let store = database.open().await;
    let (old, new) = (session("one", 10), session("one", 20));
    store.save_uploads(&[old]).await.unwrap();
    store.save_uploads(&[old, new]).await.unwrap();
    assert_eq!(store.load_uploads(NOW).await.unwrap(), [new]);
}
