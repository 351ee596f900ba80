//! Users of the admin API.

use std::time::Duration;

use crate::database::{Database, NOW, on_both};

on_both!(admin_is_known_once_made, password_is_set_over_the_old_one);

async fn admin_is_known_once_made(database: &Database) {
    let store = database.open().await;
    assert!(!store.has_admin().await.unwrap());
    store
        .set_password("mei", "member", "$argon2id$1", NOW)
        .await
        .unwrap();
    assert!(!store.has_admin().await.unwrap());
    store
        .set_password("admin", "admin", "$argon2id$2", NOW)
        .await
        .unwrap();
    assert!(store.has_admin().await.unwrap());
    assert_eq!(store.revision().await.unwrap(), 2);
}

async fn password_is_set_over_the_old_one(database: &Database) {
    let store = database.open().await;
    let later = NOW + Duration::from_secs(60);
    store
        .set_password("mei", "member", "$argon2id$1", NOW)
        .await
        .unwrap();
    store
        .set_password("mei", "admin", "$argon2id$2", later)
        .await
        .unwrap();
    let user = store.user("mei").await.unwrap().unwrap();
    assert_eq!(
        (user.username.as_str(), user.role.as_str()),
        ("mei", "admin")
    );
    assert_eq!(user.password_hash.expose(), "$argon2id$2");
    assert_eq!((user.created_at, user.updated_at), (NOW, later));
    assert!(store.user("nobody").await.unwrap().is_none());
    assert!(!format!("{user:?}").contains("argon2id"));
}
