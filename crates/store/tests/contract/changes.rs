//! A change of configuration and the line that tells of it: together or not at all, one after another.

use domain::{Action, Ban, Event, KeyDraft, KeySource, Role};
use futures_util::future::{join, join_all};
use store::{ActivityFilter, Change, Store, StoreError, UserPatch};

use crate::database::{Database, NOW, change, on_both, user};

on_both!(
    published_change_is_there_with_its_line,
    dropped_change_leaves_no_trace,
    failed_change_leaves_no_trace,
    change_is_unseen_until_it_is_published,
    handles_that_change_at_once_raise_the_revision_one_by_one,
    handles_that_take_one_name_make_one_user,
    handles_that_disable_each_other_leave_an_administrator,
    handles_that_paste_the_same_keys_add_each_once,
    owner_is_not_deleted_while_a_key_is_added,
);

mod sqlite_alone {
    use super::{change, everything, seen};
    use crate::database::{Database, on_sqlite};

    #[tokio::test]
    async fn change_after_failures_in_which_sqlite_gave_up_is_there_for_everybody() {
        on_sqlite(gave_up).await;
    }

    /// A full disk makes SQLite end a transaction by itself, or fail one statement of it, as it happens.
    async fn gave_up(database: &Database) {
        let store = database.open().await;
        for way in ["ROLLBACK", "ABORT", "ROLLBACK", "ABORT", "ABORT"] {
            let full = format!(
                "CREATE TRIGGER full BEFORE INSERT ON bans BEGIN SELECT RAISE({way}, 'full'); END"
            );
            database.execute(&full).await;
            change(&store, everything).await.unwrap_err();
            database.execute("DROP TRIGGER full").await;
        }
        assert_eq!(seen(&database.open().await).await, [0; 6]);
        change(&store, everything).await.unwrap();
        assert_eq!(seen(&database.open().await).await, [2, 1, 1, 1, 1, 1]);
    }
}

fn event(details: &str) -> Event {
    Event {
        actor: "admin".into(),
        owner: None,
        action: Action::Add,
        resource: "keys",
        resource_id: None,
        provider: None,
        details: details.into(),
    }
}

fn drafts(secrets: &[&str]) -> Vec<KeyDraft> {
    let draft = |secret: &&str| KeyDraft::plain("google", secret, KeySource::Admin);
    secrets.iter().map(draft).collect()
}

/// Everything that stories of this file change: keys, users, settings, bans, lines, the revision.
async fn seen(store: &Store) -> [usize; 6] {
    let all = ActivityFilter::default();
    let lines = store.activities(&all, None, 99).await.unwrap();
    [
        store.load_keys().await.unwrap().len(),
        store.users().await.unwrap().len(),
        store.load_settings().await.unwrap().len(),
        store.load_bans().await.unwrap().len(),
        lines.len(),
        usize::try_from(store.revision().await.unwrap()).unwrap(),
    ]
}

/// One verb of each kind.
async fn everything(change: &Change) -> Result<(), StoreError> {
    change.add_keys(&drafts(&["a", "b"]), NOW).await?;
    change
        .create_user("mei", Role::Member, "$argon2id$1", NOW)
        .await?;
    let setting = ("retry.max_attempts".to_owned(), Some(3.into()));
    change.put_settings(&[setting].into(), NOW).await?;
    let ban = Ban {
        address: "192.0.2.7".into(),
        reason: "too many requests".into(),
        created_by: None,
        requests: None,
        created_at: NOW,
        until: None,
    };
    change.ban(&ban).await?;
    change.log(&event("everything"), NOW).await
}

async fn published_change_is_there_with_its_line(database: &Database) {
    let store = database.open().await;
    change(&store, everything).await.unwrap();
    assert_eq!(seen(&database.open().await).await, [2, 1, 1, 1, 1, 1]);
}

async fn dropped_change_leaves_no_trace(database: &Database) {
    let store = database.open().await;
    let dropped = store.change().await.unwrap();
    everything(&dropped).await.unwrap();
    drop(dropped);
    assert_eq!(seen(&store).await, [0; 6]);
    change(&store, everything).await.unwrap();
    assert_eq!(seen(&store).await, [2, 1, 1, 1, 1, 1]);
}

async fn failed_change_leaves_no_trace(database: &Database) {
    let store = database.open().await;
    user(&store, "ana", Role::Admin).await;
    let failed = change(&store, async |change| {
        everything(change).await?;
        change
            .create_user("ana", Role::Member, "$argon2id$1", NOW)
            .await
    });
    let failed = failed.await;
    assert!(matches!(failed, Err(StoreError::Duplicate)), "{failed:?}");
    assert_eq!(seen(&store).await, [0, 1, 0, 0, 0, 1]);
}

async fn change_is_unseen_until_it_is_published(database: &Database) {
    let store = database.open().await;
    let change = store.change().await.unwrap();
    everything(&change).await.unwrap();
    assert_eq!(seen(&store).await, [0; 6]);
    change.publish().await.unwrap();
    assert_eq!(seen(&store).await, [2, 1, 1, 1, 1, 1]);
}

async fn handles_that_change_at_once_raise_the_revision_one_by_one(database: &Database) {
    let add = async |secret: String| {
        let store = database.open().await;
        change(&store, async |change| {
            change.add_keys(&drafts(&[&secret]), NOW).await?;
            change.log(&event(&secret), NOW).await
        })
        .await
        .unwrap();
    };
    join_all((0..8).map(|n| add(format!("AIza-{n}")))).await;
    assert_eq!(seen(&database.open().await).await, [8, 0, 0, 0, 8, 8]);
}

async fn handles_that_take_one_name_make_one_user(database: &Database) {
    let take_name = async || {
        let store = database.open().await;
        let create = async |change: &Change| {
            let role = Role::Member;
            change.create_user("mei", role, "$argon2id$1", NOW).await
        };
        change(&store, create).await
    };
    let made = join_all((0..4).map(|_| take_name())).await;
    let refused = |made: &&Result<_, _>| matches!(made, Err(StoreError::Duplicate));
    assert_eq!(made.iter().filter(refused).count(), 3, "{made:?}");
    assert_eq!(seen(&database.open().await).await, [0, 1, 0, 0, 0, 1]);
}

async fn handles_that_disable_each_other_leave_an_administrator(database: &Database) {
    let store = database.open().await;
    let mut admins = Vec::new();
    for name in ["a", "b", "c"] {
        admins.push(user(&store, name, Role::Admin).await.id);
    }
    let disabled = UserPatch {
        enabled: Some(false),
        ..UserPatch::default()
    };
    let disable = async |id| {
        let store = database.open().await;
        let update = async |change: &Change| change.update_user(id, &disabled, NOW).await;
        change(&store, update).await
    };
    let done = join_all(admins.iter().map(|id| disable(*id))).await;
    let refused = |done: &&Result<_, _>| matches!(done, Err(StoreError::LastAdmin));
    assert_eq!(done.iter().filter(refused).count(), 1, "{done:?}");
    let users = store.users().await.unwrap();
    assert_eq!(users.iter().filter(|user| user.enabled).count(), 1);
}

async fn handles_that_paste_the_same_keys_add_each_once(database: &Database) {
    let secrets: Vec<String> = (0..100).map(|n| format!("AIza-{n}")).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let paste = async || {
        let store = database.open().await;
        store.add_keys(&drafts(&secrets), NOW).await.unwrap()
    };
    let done = join_all((0..4).map(|_| paste())).await;
    let mut added: Vec<usize> = done.iter().map(|done| done.added.len()).collect();
    added.sort_unstable();
    assert_eq!(added, [0, 0, 0, 100]);
}

async fn owner_is_not_deleted_while_a_key_is_added(database: &Database) {
    let (one, other) = (database.open().await, database.open().await);
    user(&one, "ana", Role::Admin).await;
    let mei = user(&one, "mei", Role::Member).await.id;
    let mut key = drafts(&["a"]);
    key[0].owner = Some(mei);
    let delete = async |change: &Change| change.delete_user(mei).await;
    let (added, deleted) = join(one.add_keys(&key, NOW), change(&other, delete)).await;
    let keys = one.load_keys().await.unwrap().len();
    let users = one.users().await.unwrap().len();
    match (added, deleted) {
        (
            Ok(_),
            Err(StoreError::InUse {
                keys: 1,
                clients: 0,
            }),
        ) => assert_eq!((keys, users), (1, 2)),
        (Err(StoreError::NoSuchUser(_)), Ok(true)) => assert_eq!((keys, users), (0, 1)),
        other => panic!("{other:?}"),
    }
}
