//! Users of the admin API.

use std::time::Duration;

use domain::{ClientDraft, KeyDraft, KeySource, Role, Secret, User, UserId};
use store::{Store, StoreError, UserPatch};

use crate::database::{Database, NOW, change, on_both, user};

on_both!(
    admin_is_known_once_made,
    password_is_set_over_the_old_one,
    made_user_comes_back_as_they_were,
    only_what_is_named_of_a_user_is_changed,
    name_that_is_taken_is_refused,
    last_administrator_is_left,
    user_who_owns_something_is_not_deleted,
    unreadable_user_is_left_out,
);

async fn admin_is_known_once_made(database: &Database) {
    let store = database.open().await;
    assert!(!store.has_admin().await.unwrap());
    store
        .set_password("mei", Role::Member, "$argon2id$1", NOW)
        .await
        .unwrap();
    assert!(!store.has_admin().await.unwrap());
    store
        .set_password("admin", Role::Admin, "$argon2id$2", NOW)
        .await
        .unwrap();
    assert!(store.has_admin().await.unwrap());
    assert_eq!(store.revision().await.unwrap(), 2);
    database.execute("UPDATE users SET enabled = FALSE").await;
    assert!(!store.has_admin().await.unwrap());
    store
        .set_password("admin", Role::Admin, "$argon2id$3", NOW)
        .await
        .unwrap();
    assert!(store.has_admin().await.unwrap());
}

async fn password_is_set_over_the_old_one(database: &Database) {
    let store = database.open().await;
    let later = NOW + Duration::from_secs(60);
    store
        .set_password("mei", Role::Member, "$argon2id$1", NOW)
        .await
        .unwrap();
    store
        .set_password("mei", Role::Admin, "$argon2id$2", later)
        .await
        .unwrap();
    let user = store.user("mei").await.unwrap().unwrap();
    assert_eq!((user.username.as_str(), user.role), ("mei", Role::Admin));
    assert_eq!(user.password_hash.expose(), "$argon2id$2");
    assert_eq!((user.created_at, user.updated_at), (NOW, later));
    assert!(store.user("nobody").await.unwrap().is_none());
    assert!(!format!("{user:?}").contains("argon2id"));
}

async fn update(store: &Store, id: UserId, patch: &UserPatch) -> Result<Option<User>, StoreError> {
    let later = NOW + Duration::from_secs(60);
    change(store, async |change| {
        change.update_user(id, patch, later).await
    })
    .await
}

async fn delete(store: &Store, id: UserId) -> Result<bool, StoreError> {
    change(store, async |change| change.delete_user(id).await).await
}

/// Everything of a user, also what `Debug` does not show.
fn all_of(user: &User) -> String {
    format!("{user:?} {}", user.password_hash.expose())
}

async fn made_user_comes_back_as_they_were(database: &Database) {
    let store = database.open().await;
    let made = [
        user(&store, "admin", Role::Admin).await,
        user(&store, "mei", Role::Member).await,
    ];
    assert!(made[1].enabled);
    assert_eq!((made[1].created_at, made[1].updated_at), (NOW, NOW));
    let read = store.users().await.unwrap();
    assert_eq!(
        read.iter().map(all_of).collect::<Vec<_>>(),
        made.iter().map(all_of).collect::<Vec<_>>()
    );
    let mei = store.user_by_id(made[1].id).await.unwrap().unwrap();
    assert_eq!(all_of(&mei), all_of(&made[1]));
    assert!(store.user_by_id(UserId(404)).await.unwrap().is_none());
}

/// What a patch makes of a user.
type Expected = fn(&mut User);

async fn only_what_is_named_of_a_user_is_changed(database: &Database) {
    let store = database.open().await;
    user(&store, "admin", Role::Admin).await;
    let mut mei = user(&store, "mei", Role::Member).await;
    mei.updated_at = NOW + Duration::from_secs(60);
    let none = UserPatch::default;
    let name = |user: &mut User| user.username = "may".into();
    let role = |user: &mut User| user.role = Role::Admin;
    let off = |user: &mut User| user.enabled = false;
    let hash = |user: &mut User| user.password_hash = Secret::new("$argon2id$2");
    let (username, password_hash) = (Some("may".into()), Some(Secret::new("$argon2id$2")));
    let cases: [(UserPatch, Expected); 5] = [
        (none(), |_| ()),
        (UserPatch { username, ..none() }, name),
        (
            UserPatch {
                role: Some(Role::Admin),
                ..none()
            },
            role,
        ),
        (
            UserPatch {
                enabled: Some(false),
                ..none()
            },
            off,
        ),
        (
            UserPatch {
                password_hash,
                ..none()
            },
            hash,
        ),
    ];
    for (patch, expected) in cases {
        expected(&mut mei);
        let updated = update(&store, mei.id, &patch).await.unwrap().unwrap();
        assert_eq!(all_of(&updated), all_of(&mei), "{patch:?}");
        let read = store.user_by_id(mei.id).await.unwrap().unwrap();
        assert_eq!(all_of(&read), all_of(&mei), "{patch:?}");
    }
    let nobody = update(&store, UserId(404), &none()).await.unwrap();
    assert!(nobody.is_none());
    let admin = store.user("admin").await.unwrap().unwrap();
    assert_eq!(admin.updated_at, NOW);
}

async fn name_that_is_taken_is_refused(database: &Database) {
    let store = database.open().await;
    user(&store, "mei", Role::Member).await;
    let ana = user(&store, "ana", Role::Member).await.id;
    let revision = store.revision().await.unwrap();
    let renamed = UserPatch {
        username: Some("mei".into()),
        ..UserPatch::default()
    };
    let renamed = update(&store, ana, &renamed).await;
    assert!(matches!(renamed, Err(StoreError::Duplicate)), "{renamed:?}");
    let made = change(&store, async |change| {
        change
            .create_user("mei", Role::Admin, "$argon2id$2", NOW)
            .await
    });
    let made = made.await;
    assert!(matches!(made, Err(StoreError::Duplicate)), "{made:?}");
    assert_eq!(store.revision().await.unwrap(), revision);
    assert_eq!(store.user("mei").await.unwrap().unwrap().role, Role::Member);
}

async fn last_administrator_is_left(database: &Database) {
    let store = database.open().await;
    let only = user(&store, "admin", Role::Admin).await.id;
    let second = user(&store, "second", Role::Admin).await.id;
    let none = UserPatch::default;
    let disabled = UserPatch {
        enabled: Some(false),
        ..none()
    };
    let demoted = UserPatch {
        role: Some(Role::Member),
        ..none()
    };
    update(&store, second, &disabled).await.unwrap();
    for patch in [&disabled, &demoted] {
        let refused = update(&store, only, patch).await;
        assert!(matches!(refused, Err(StoreError::LastAdmin)), "{refused:?}");
    }
    let refused = delete(&store, only).await;
    assert!(matches!(refused, Err(StoreError::LastAdmin)), "{refused:?}");
    let refused = store.set_password("admin", Role::Member, "$argon2id$2", NOW);
    let refused = refused.await;
    assert!(matches!(refused, Err(StoreError::LastAdmin)), "{refused:?}");

    let enabled = UserPatch {
        enabled: Some(true),
        ..none()
    };
    update(&store, second, &enabled).await.unwrap();
    update(&store, only, &demoted).await.unwrap();
    assert!(delete(&store, only).await.unwrap());
    assert!(!delete(&store, only).await.unwrap());
    assert!(store.has_admin().await.unwrap());
}

async fn user_who_owns_something_is_not_deleted(database: &Database) {
    let store = database.open().await;
    user(&store, "admin", Role::Admin).await;
    let mei = user(&store, "mei", Role::Member).await.id;
    let key = |secret| KeyDraft {
        owner: Some(mei),
        ..KeyDraft::plain("google", secret, KeySource::Admin)
    };
    let keys = store.add_keys(&[key("a"), key("b")], NOW).await.unwrap();
    let app = ClientDraft {
        owner: Some(mei),
        ..ClientDraft::plain("app", KeySource::Admin)
    };
    let secret = Secret::new("sk-1");
    let app = store.create_client(&app, &secret, NOW).await.unwrap().id;
    let check = async |expected: (u64, u64)| match delete(&store, mei).await {
        Err(StoreError::InUse { keys, clients }) => assert_eq!((keys, clients), expected),
        other => panic!("{other:?}"),
    };
    check((2, 1)).await;
    let gone = change(&store, async |change| change.delete_client(app).await);
    assert!(gone.await.unwrap());
    check((2, 0)).await;
    let gone = change(&store, async |change| change.delete_keys(&keys.added).await);
    assert_eq!(gone.await.unwrap(), 2);
    assert!(delete(&store, mei).await.unwrap());
    assert!(store.user_by_id(mei).await.unwrap().is_none());
}

async fn unreadable_user_is_left_out(database: &Database) {
    let store = database.open().await;
    for name in ["ana", "mei"] {
        user(&store, name, Role::Member).await;
    }
    let damage = "UPDATE users SET role = 'emperor' WHERE username = 'ana'";
    database.execute(damage).await;
    let users = store.users().await.unwrap();
    assert_eq!(
        users
            .iter()
            .map(|user| user.username.as_str())
            .collect::<Vec<_>>(),
        ["mei"]
    );
    let error = store.user("ana").await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}
