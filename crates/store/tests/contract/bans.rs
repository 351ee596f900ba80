//! Banned addresses.

use std::time::Duration;

use domain::Ban;
use store::Store;

use crate::database::{Database, NOW, change, on_both};

on_both!(
    ban_comes_back_until_it_is_lifted,
    address_is_banned_anew,
    bans_that_are_over_are_deleted,
);

/// For so many seconds; none: for good.
fn ban(address: &str, seconds: Option<u64>) -> Ban {
    Ban {
        address: address.into(),
        reason: "3601 requests in an hour".into(),
        created_by: Some("keymux".into()),
        requests: Some(3_601),
        created_at: NOW,
        until: seconds.map(|seconds| NOW + Duration::from_secs(seconds)),
    }
}

async fn put(store: &Store, bans: &[&Ban]) {
    for ban in bans {
        let put = change(store, async |change| change.ban(ban).await);
        put.await.unwrap();
    }
}

async fn bans(database: &Database) -> Vec<Ban> {
    database.open().await.load_bans().await.unwrap()
}

async fn ban_comes_back_until_it_is_lifted(database: &Database) {
    let store = database.open().await;
    let (timed, permanent) = (ban("192.0.2.7", Some(60)), ban("2001:db8::/64", None));
    put(&store, &[&permanent, &timed]).await;
    assert_eq!(bans(database).await, [timed, permanent.clone()]);
    let lift = async || {
        let lifted = change(&store, async |change| change.lift_ban("192.0.2.7").await);
        lifted.await.unwrap()
    };
    assert!(lift().await);
    assert!(!lift().await);
    assert_eq!(bans(database).await, [permanent]);
}

async fn address_is_banned_anew(database: &Database) {
    let store = database.open().await;
    let later = Ban {
        reason: "by hand".into(),
        created_by: None,
        requests: None,
        created_at: NOW + Duration::from_secs(1),
        ..ban("192.0.2.7", None)
    };
    put(&store, &[&ban("192.0.2.7", Some(60)), &later]).await;
    assert_eq!(bans(database).await, std::slice::from_ref(&later));
    let found = change(&store, async |change| change.ban_of("192.0.2.7").await);
    assert_eq!(found.await.unwrap(), Some(later));
    let other = change(&store, async |change| change.ban_of("192.0.2.8").await);
    assert_eq!(other.await.unwrap(), None);
}

async fn bans_that_are_over_are_deleted(database: &Database) {
    let store = database.open().await;
    let all = [ban("a", None), ban("b", Some(60)), ban("c", Some(61))];
    put(&store, &all.each_ref()).await;
    let now = NOW + Duration::from_secs(60);
    let delete = async || {
        let deleted = change(&store, async |change| change.delete_expired_bans(now).await);
        deleted.await.unwrap()
    };
    assert_eq!(delete().await, 1);
    assert_eq!(delete().await, 0);
    assert_eq!(bans(database).await, [all[0].clone(), all[2].clone()]);
}
