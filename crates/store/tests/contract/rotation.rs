//! A new master key: what opens with which key, instances that go on meanwhile, rotations that stop or meet.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use domain::{KeyDraft, KeyId, KeySource, Secret};
use futures_util::future::join_all;
use store::{KeyPatch, MasterKey, MasterKeys, RotateError, Rotation, Store, StoreError};

use crate::database::{Database, NOW, change, on_both};

on_both!(
    every_value_opens_with_the_new_key_and_none_with_the_old,
    file_keeps_only_the_new_key_and_stays_private,
    store_from_before_reads_and_writes_at_every_step,
    source_from_before_states_its_keys_at_every_step,
    store_from_before_reads_single_keys_first,
    proxy_that_is_set_by_a_store_from_before_is_under_the_new_key,
    rotation_that_stopped_is_gone_on_with,
    step_that_is_broken_off_leaves_everything_readable,
    crash_between_file_and_database_is_gone_on_with,
    rotations_that_start_at_once_end_with_one_key,
    value_that_is_under_the_old_key_again_is_sealed_anew,
    rotation_is_logged_and_disturbs_nobody,
    file_that_cannot_be_replaced_changes_nothing,
    database_with_nothing_sealed_is_refused,
    damaged_value_is_named_and_does_not_stop_it,
    given_keys_change_over_at_once,
    one_given_key_is_refused,
    store_without_the_new_key_keeps_what_it_has,
);

/// More than a page holds, so that a rotation can stop between two.
const KEYS: usize = 600;

fn file(database: &Database) -> PathBuf {
    database.folder.path().join("master.key")
}

/// A handle as a process has that reads its key from the file.
async fn open(database: &Database) -> Result<Store, StoreError> {
    let (keys, _) = MasterKeys::of_file(&file(database))?;
    Store::open(&database.url, keys).await
}

async fn open_given(database: &Database, keys: [&MasterKey; 2]) -> Result<Store, StoreError> {
    let keys = MasterKeys::given(keys[0].clone(), vec![keys[1].clone()])?;
    Store::open(&database.url, keys).await
}

fn draft(number: usize) -> KeyDraft {
    let mut draft = KeyDraft::plain("google", &format!("AIza-{number}"), KeySource::Admin);
    draft.egress = number.is_multiple_of(100).then(|| proxy(number));
    draft
}

fn proxy(number: usize) -> Secret {
    Secret::new(format!("socks5://me:password-{number}@10.0.0.9:1080"))
}

async fn add(store: &Store, numbers: std::ops::Range<usize>) {
    let drafts: Vec<KeyDraft> = numbers.map(draft).collect();
    store.add_keys(&drafts, NOW).await.unwrap();
}

/// A handle on a database that has keys.
async fn filled(database: &Database) -> Store {
    let store = open(database).await.unwrap();
    add(&store, 0..KEYS).await;
    store
}

/// The store gives the first `count` keys, whole.
async fn check(store: &Store, count: usize, when: &str) {
    let keys = store.load_keys().await.unwrap();
    assert_eq!(keys.len(), count, "{when}");
    for (number, (key, _)) in keys.iter().enumerate() {
        let expected = draft(number);
        assert_eq!(key.secret, expected.secret, "{when}");
        assert_eq!(key.egress, expected.egress, "{when}");
    }
}

async fn finish(mut rotation: Rotation) -> Rotation {
    while rotation.step(NOW).await.unwrap().is_some() {}
    rotation
}

async fn rotate(store: &Store) -> Rotation {
    finish(store.rotate_master_key().await.unwrap()).await
}

fn lines(database: &Database) -> usize {
    fs::read_to_string(file(database)).unwrap().lines().count()
}

async fn every_value_opens_with_the_new_key_and_none_with_the_old(database: &Database) {
    let store = filled(database).await;
    let old = fs::read_to_string(file(database)).unwrap();
    let old = || MasterKey::from_text(&old).unwrap();
    database
        .execute("CREATE TABLE kept AS SELECT * FROM meta")
        .await;
    let progress = rotate(&store).await.progress();
    assert_eq!((progress.done, progress.total), (606, 606));

    check(&open(database).await.unwrap(), KEYS, "the new key").await;
    let refused = Store::open(&database.url, old()).await;
    assert!(
        matches!(refused, Err(StoreError::WrongMasterKey)),
        "{refused:?}"
    );

    // With its old canary back the old key gets in, but opens nothing.
    let back = "UPDATE meta SET sealed = (SELECT sealed FROM kept WHERE kept.name = meta.name)";
    database.execute(back).await;
    check(
        &Store::open(&database.url, old()).await.unwrap(),
        0,
        "the old key",
    )
    .await;
}

async fn file_keeps_only_the_new_key_and_stays_private(database: &Database) {
    let store = filled(database).await;
    let old = fs::read_to_string(file(database)).unwrap();
    let rotation = store.rotate_master_key().await.unwrap();
    let both = fs::read_to_string(file(database)).unwrap();
    let (new, rest) = both.split_once('\n').unwrap();
    assert_eq!(rest, old);
    let mode = || fs::metadata(file(database)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o600);
    finish(rotation).await;
    assert_eq!(
        fs::read_to_string(file(database)).unwrap(),
        format!("{new}\n")
    );
    assert_eq!(mode(), 0o600);
}

async fn store_from_before_reads_and_writes_at_every_step(database: &Database) {
    let from_before = filled(database).await;
    let mut count = KEYS;
    let mut rotation = open(database)
        .await
        .unwrap()
        .rotate_master_key()
        .await
        .unwrap();
    loop {
        add(&from_before, count..count + 1).await;
        count += 1;
        check(&from_before, count, "during").await;
        if rotation.step(NOW).await.unwrap().is_none() {
            break;
        }
    }
    assert_eq!(under_how_many_keys(database).await, 1);
    add(&from_before, count..count + 1).await;
    check(&from_before, count + 1, "after").await;
    check(&open(database).await.unwrap(), count + 1, "anew").await;
}

async fn under_how_many_keys(database: &Database) -> i64 {
    let ids = "SELECT count(DISTINCT substr(secret, 2, 4)) FROM keys";
    database.number(ids).await
}

async fn source_from_before_states_its_keys_at_every_step(database: &Database) {
    let from_before = filled(database).await;
    let mut rotation = open(database)
        .await
        .unwrap()
        .rotate_master_key()
        .await
        .unwrap();
    for round in 0.. {
        let mut stated = KeyDraft::plain("xai", "xai-1", KeySource::File);
        stated.egress = Some(proxy(round));
        from_before
            .sync_keys(&[stated], KeySource::File, NOW)
            .await
            .unwrap();
        let keys = from_before.load_keys().await.unwrap();
        assert_eq!(keys[KEYS].0.egress, Some(proxy(round)));
        if rotation.step(NOW).await.unwrap().is_none() {
            break;
        }
    }
    assert_eq!(under_how_many_keys(database).await, 1);
}

async fn store_from_before_reads_single_keys_first(database: &Database) {
    let store = filled(database).await;
    let [one, several] = [open(database).await.unwrap(), open(database).await.unwrap()];
    rotate(&store).await;
    let ids: Vec<KeyId> = store.load_keys().await.unwrap()[..2]
        .iter()
        .map(|(key, _)| key.id)
        .collect();
    let key = one.key(ids[0]).await.unwrap().unwrap();
    assert_eq!(key.secret, draft(0).secret);
    let keys = several.keys_by_id(&ids).await.unwrap();
    let secrets: Vec<_> = keys.into_iter().map(|(key, _)| key.secret).collect();
    assert_eq!(secrets, [draft(0).secret, draft(1).secret]);
}

async fn proxy_that_is_set_by_a_store_from_before_is_under_the_new_key(database: &Database) {
    let store = filled(database).await;
    let from_before = open(database).await.unwrap();
    let id = store.load_keys().await.unwrap()[1].0.id;
    rotate(&store).await;
    let patch = KeyPatch {
        egress: Some(Some(proxy(1))),
        ..KeyPatch::default()
    };
    let changed = change(&from_before, async |change| {
        change.update_keys(&[id], &patch).await
    });
    assert_eq!(changed.await.unwrap(), 1);
    let ids = "SELECT count(DISTINCT substr(egress, 2, 4)) FROM keys";
    assert_eq!(database.number(ids).await, 1);
    let key = store.key(id).await.unwrap().unwrap();
    assert_eq!(key.egress, Some(proxy(1)));
}

async fn rotation_that_stopped_is_gone_on_with(database: &Database) {
    let from_before = filled(database).await;
    for steps in 0.. {
        let mut rotation = from_before.rotate_master_key().await.unwrap();
        assert!(!rotation.is_resumed());
        let keys = fs::read_to_string(file(database)).unwrap();
        for _ in 0..steps {
            rotation.step(NOW).await.unwrap();
        }
        let is_over = rotation.step(NOW).await.unwrap().is_none();
        drop(rotation);

        let store = open(database).await.unwrap();
        check(&store, KEYS, &format!("stopped after {steps} steps")).await;
        if is_over {
            return assert!(steps > 5, "{steps}");
        }
        if lines(database) > 1 {
            let rotation = store.rotate_master_key().await.unwrap();
            assert!(rotation.is_resumed(), "{steps}");
            assert_eq!(fs::read_to_string(file(database)).unwrap(), keys);
            finish(rotation).await;
        }
        assert_eq!(lines(database), 1, "{steps}");
        check(&from_before, KEYS, "gone on with").await;
        store.close().await.unwrap();
    }
}

async fn step_that_is_broken_off_leaves_everything_readable(database: &Database) {
    let store = filled(database).await;
    let mut rotation = store.rotate_master_key().await.unwrap();
    for turns in 0..40 {
        let wait = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            stepped = rotation.step(NOW) => drop(stepped.unwrap()),
            () = wait => {}
        }
        check(&store, KEYS, &format!("{turns} turns")).await;
    }
    finish(rotation).await;
    assert_eq!(lines(database), 1);
    check(&open(database).await.unwrap(), KEYS, "after").await;
}

async fn crash_between_file_and_database_is_gone_on_with(database: &Database) {
    let from_before = filled(database).await;
    let old = fs::read_to_string(file(database)).unwrap();
    let new = "ab".repeat(32);
    fs::write(file(database), format!("{new}\n{old}")).unwrap();

    let store = open(database).await.unwrap();
    add(&store, KEYS..KEYS + 1).await;
    assert_eq!(under_how_many_keys(database).await, 1, "sealed too early");
    check(&from_before, KEYS + 1, "before").await;
    assert!(rotate(&store).await.is_resumed());
    check(&from_before, KEYS + 1, "after").await;
    let new = MasterKey::from_text(&new).unwrap();
    check(
        &Store::open(&database.url, new).await.unwrap(),
        KEYS + 1,
        "anew",
    )
    .await;
}

async fn rotations_that_start_at_once_end_with_one_key(database: &Database) {
    let from_before = filled(database).await;
    let turn = async |_| {
        let store = open(database).await.unwrap();
        rotate(&store).await;
        store
    };
    for store in join_all((0..3).map(turn)).await {
        check(&store, KEYS, "one that rotated").await;
    }
    assert_eq!(lines(database), 1);
    assert_eq!(under_how_many_keys(database).await, 1);
    check(&open(database).await.unwrap(), KEYS, "anew").await;
    check(&from_before, KEYS, "from before").await;
}

async fn value_that_is_under_the_old_key_again_is_sealed_anew(database: &Database) {
    let store = filled(database).await;
    database
        .execute("CREATE TABLE kept AS SELECT id, secret FROM keys")
        .await;
    let mut rotation = store.rotate_master_key().await.unwrap();
    while rotation.progress().done < 606 {
        rotation.step(NOW).await.unwrap();
    }
    let back =
        "UPDATE keys SET secret = (SELECT secret FROM kept WHERE kept.id = keys.id) WHERE id < 9";
    database.execute(back).await;
    finish(rotation).await;
    check(&open(database).await.unwrap(), KEYS, "after").await;
}

async fn rotation_is_logged_and_disturbs_nobody(database: &Database) {
    let store = filled(database).await;
    let revision = store.revision().await.unwrap();
    rotate(&store).await;
    assert_eq!(store.revision().await.unwrap(), revision);
    let line = "SELECT count(*) FROM activity WHERE actor = 'cli' AND action = 'ROTATE_MASTER_KEY' \
        AND resource = 'master_key' AND at = 1763640000000 AND details LIKE '%; 606 were sealed anew'";
    assert_eq!(database.number(line).await, 1);
}

async fn file_that_cannot_be_replaced_changes_nothing(database: &Database) {
    let store = filled(database).await;
    let old = fs::read_to_string(file(database)).unwrap();
    let in_the_way = database.folder.path().join("master.key.new");
    fs::create_dir(&in_the_way).unwrap();
    let error = store.rotate_master_key().await.unwrap_err().to_string();
    assert!(error.contains("master.key cannot be replaced"), "{error}");
    assert_eq!(fs::read_to_string(file(database)).unwrap(), old);
    check(&open(database).await.unwrap(), KEYS, "refused").await;
    fs::remove_dir(in_the_way).unwrap();
    rotate(&store).await;
    check(&open(database).await.unwrap(), KEYS, "allowed").await;
}

async fn database_with_nothing_sealed_is_refused(database: &Database) {
    let store = open(database).await.unwrap();
    let old = fs::read_to_string(file(database)).unwrap();
    let refused = store.rotate_master_key().await;
    assert!(matches!(refused, Err(RotateError::Empty)), "{refused:?}");
    assert_eq!(fs::read_to_string(file(database)).unwrap(), old);
}

async fn damaged_value_is_named_and_does_not_stop_it(database: &Database) {
    let store = filled(database).await;
    let moved = "UPDATE keys SET secret = (SELECT secret FROM keys WHERE id = 1) WHERE id = 7";
    database.execute(moved).await;
    let rotation = rotate(&store).await;
    assert_eq!(rotation.unreadable(), ["keys.secret of row 7"]);
    assert_eq!(lines(database), 1);
    assert_eq!(store.load_keys().await.unwrap().len(), KEYS - 1);
}

async fn given_keys_change_over_at_once(database: &Database) {
    let [old, new] = [(); 2].map(|()| MasterKey::generate());
    let not_yet = Store::open(&database.url, old.clone()).await.unwrap();
    add(&not_yet, 0..KEYS).await;
    let restarted = open_given(database, [&new, &old]).await.unwrap();
    add(&restarted, KEYS..KEYS + 1).await;
    check(&not_yet, KEYS + 1, "before").await;

    let rotation = restarted.rotate_master_key().await.unwrap();
    assert!(!rotation.is_resumed());
    add(&restarted, KEYS + 1..KEYS + 2).await;
    drop(rotation);
    let rotation = rotate(&open_given(database, [&new, &old]).await.unwrap()).await;
    assert!(rotation.is_resumed());
    check(&restarted, KEYS + 2, "after").await;
    let only_new = Store::open(&database.url, new.clone()).await.unwrap();
    check(&only_new, KEYS + 2, "the new key").await;

    let again = restarted.rotate_master_key().await.unwrap();
    assert_eq!(finish(again).await.progress().total, 0);
    let logged = database.number("SELECT count(*) FROM activity").await;
    assert_eq!(logged, 1);
    let wrong = open_given(database, [&old, &MasterKey::generate()]).await;
    assert!(
        matches!(wrong, Err(StoreError::WrongMasterKey)),
        "{wrong:?}"
    );
}

async fn one_given_key_is_refused(database: &Database) {
    let store = database.open().await;
    add(&store, 0..1).await;
    let refused = store.rotate_master_key().await;
    assert!(matches!(refused, Err(RotateError::OneKey)), "{refused:?}");
    check(&database.open().await, 1, "refused").await;
}

async fn store_without_the_new_key_keeps_what_it_has(database: &Database) {
    let [old, new] = [(); 2].map(|()| MasterKey::generate());
    let left_out = Store::open(&database.url, old.clone()).await.unwrap();
    add(&left_out, 0..2).await;
    let mut rotation = open_given(database, [&new, &old])
        .await
        .unwrap()
        .rotate_master_key()
        .await
        .unwrap();
    let refused = left_out.add_keys(&[draft(2)], NOW).await;
    assert!(
        matches!(refused, Err(StoreError::WrongMasterKey)),
        "{refused:?}"
    );
    rotation.step(NOW).await.unwrap();
    let refused = left_out.load_keys().await;
    assert!(
        matches!(refused, Err(StoreError::WrongMasterKey)),
        "not merely fewer keys"
    );
    let refused = left_out.key(KeyId(1)).await;
    assert!(
        matches!(refused, Err(StoreError::WrongMasterKey)),
        "{refused:?}"
    );
    left_out.ping().await.unwrap();
}
