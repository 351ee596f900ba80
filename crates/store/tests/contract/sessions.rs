//! Sessions of the admin API.

use std::time::Duration;

use domain::{Role, Secret, User};
use store::{Store, UserPatch};

use crate::database::{Database, NOW, change, on_both, on_sqlite, user};

on_both!(
    session_is_its_users_until_it_expires,
    session_ends_at_logout,
    disabling_a_user_ends_all_of_their_sessions,
    new_password_ends_all_sessions_but_the_kept_one,
    deleted_user_has_no_session,
    user_who_has_changed_gets_no_session,
    sessions_do_not_raise_the_revision,
);

fn token(name: &str) -> Secret {
    Secret::new(format!("token {name}"))
}

async fn begin(store: &Store, name: &str, user: &User) -> bool {
    let expires = NOW + Duration::from_secs(60);
    let token = token(name);
    let begun = store.create_session(&token, user, NOW, expires);
    begun.await.unwrap()
}

/// Which of these sessions are live.
async fn check(store: &Store, names: &[&str], live: &[&str]) {
    let mut seen = Vec::new();
    for name in names {
        if store.session(&token(name), NOW).await.unwrap().is_some() {
            seen.push(*name);
        }
    }
    assert_eq!(seen, live);
}

async fn update(store: &Store, user: &User, patch: UserPatch) {
    let updated = change(store, async |change| {
        change.update_user(user.id, &patch, NOW).await
    });
    updated.await.unwrap().unwrap();
}

async fn session_is_its_users_until_it_expires(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    assert!(begin(&store, "a", &mei).await);
    let role = Some(Role::Admin);
    let promoted = UserPatch {
        role,
        ..UserPatch::default()
    };
    update(&store, &mei, promoted).await;

    let other = database.open().await;
    let expires = NOW + Duration::from_secs(60);
    let before = expires - Duration::from_millis(1);
    let (found, until) = other.session(&token("a"), before).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.role, until),
        (mei.id, Role::Admin, expires)
    );
    assert!(other.session(&token("a"), expires).await.unwrap().is_none());
    assert!(other.session(&token("b"), NOW).await.unwrap().is_none());

    assert_eq!(store.delete_expired_sessions(before).await.unwrap(), 0);
    assert_eq!(store.delete_expired_sessions(expires).await.unwrap(), 1);
    assert!(store.session(&token("a"), NOW).await.unwrap().is_none());
}

async fn session_ends_at_logout(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    for name in ["a", "b"] {
        begin(&store, name, &mei).await;
    }
    assert!(store.delete_session(&token("a")).await.unwrap());
    assert!(!store.delete_session(&token("a")).await.unwrap());
    check(&store, &["a", "b"], &["b"]).await;
}

async fn disabling_a_user_ends_all_of_their_sessions(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    let ana = user(&store, "ana", Role::Member).await;
    begin(&store, "mei", &mei).await;
    begin(&store, "ana", &ana).await;
    let switched = |enabled| UserPatch {
        enabled: Some(enabled),
        kept_session: Some(token("mei")),
        ..UserPatch::default()
    };
    update(&store, &mei, switched(false)).await;
    check(&store, &["mei", "ana"], &["ana"]).await;
    update(&store, &mei, switched(true)).await;
    check(&store, &["mei", "ana"], &["ana"]).await;
    begin(&store, "mei", &mei).await;
    database.execute("UPDATE users SET enabled = FALSE").await;
    check(&store, &["mei", "ana"], &[]).await;
}

async fn new_password_ends_all_sessions_but_the_kept_one(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    let ana = user(&store, "ana", Role::Admin).await;
    for name in ["a", "b", "c"] {
        begin(&store, name, &mei).await;
    }
    begin(&store, "ana", &ana).await;
    let names = ["a", "b", "c", "ana"];
    let renamed = UserPatch {
        username: Some("may".into()),
        ..UserPatch::default()
    };
    update(&store, &mei, renamed).await;
    check(&store, &names, &names).await;
    let new_password = |kept_session| UserPatch {
        password_hash: Some(Secret::new("$argon2id$2")),
        kept_session,
        ..UserPatch::default()
    };
    update(&store, &mei, new_password(Some(token("b")))).await;
    check(&store, &names, &["b", "ana"]).await;
    update(&store, &mei, new_password(None)).await;
    check(&store, &names, &["ana"]).await;
    let set = store.set_password("ana", Role::Admin, "$argon2id$3", NOW);
    set.await.unwrap();
    check(&store, &names, &[]).await;
}

async fn deleted_user_has_no_session(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    begin(&store, "a", &mei).await;
    let deleted = change(&store, async |change| change.delete_user(mei.id).await);
    assert!(deleted.await.unwrap());
    check(&store, &["a"], &[]).await;
    assert!(!store.delete_session(&token("a")).await.unwrap());
    assert!(!begin(&store, "b", &mei).await);
}

async fn user_who_has_changed_gets_no_session(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    let patch = UserPatch {
        password_hash: Some(Secret::new("$argon2id$2")),
        ..UserPatch::default()
    };
    update(&store, &mei, patch).await;
    assert!(!begin(&store, "a", &mei).await);
    let mei = store.user("mei").await.unwrap().unwrap();
    let patch = UserPatch {
        enabled: Some(false),
        ..UserPatch::default()
    };
    update(&store, &mei, patch).await;
    assert!(!begin(&store, "b", &mei).await);
    check(&store, &["a", "b"], &[]).await;
}

async fn sessions_do_not_raise_the_revision(database: &Database) {
    let store = database.open().await;
    let mei = user(&store, "mei", Role::Member).await;
    let revision = store.revision().await.unwrap();
    begin(&store, "a", &mei).await;
    begin(&store, "b", &mei).await;
    store.delete_session(&token("a")).await.unwrap();
    let all = NOW + Duration::from_secs(99);
    assert_eq!(store.delete_expired_sessions(all).await.unwrap(), 1);
    assert_eq!(store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn token_is_not_in_the_files_of_sqlite() {
    on_sqlite(async |database| {
        let store = database.open().await;
        let mei = user(&store, "mei", Role::Member).await;
        begin(&store, "very-secret", &mei).await;
        assert!(database.holds("argon2id"), "the rows are not in the files");
        assert!(!database.holds("very-secret"));
    })
    .await;
}
