//! What client keys have used, by day.

use domain::{ClientDay, ClientId, Nanodollars};
use store::Store;

use crate::database::{Database, on_both};

on_both!(
    saved_days_come_back_since_a_day,
    last_state_of_a_day_counts,
    many_days_are_saved_at_once,
    old_days_are_deleted_in_steps,
);

fn day(client: i64, day: i32, requests: u64) -> ClientDay {
    ClientDay {
        client: ClientId(client),
        day,
        requests,
        tokens: requests * 1_000,
        cost: Nanodollars(requests as i64 * 10),
    }
}

async fn check(store: &Store, since: i32, expected: &[ClientDay]) {
    let read = store.load_client_days(since).await.unwrap();
    assert_eq!(read, expected);
}

async fn saved_days_come_back_since_a_day(database: &Database) {
    let store = database.open().await;
    let full = ClientDay {
        client: ClientId(2),
        day: 20_412,
        requests: i64::MAX as u64,
        tokens: i64::MAX as u64,
        cost: Nanodollars(i64::MAX),
    };
    let saved = [day(1, 20_411, 1), day(1, 20_412, 2), full];
    store.save_client_days(&saved).await.unwrap();
    store.save_client_days(&[]).await.unwrap();
    check(&database.open().await, 20_411, &saved).await;
    check(&store, 20_412, &saved[1..]).await;
    check(&store, 20_413, &[]).await;
    assert_eq!(store.revision().await.unwrap(), 0);
}

async fn last_state_of_a_day_counts(database: &Database) {
    let store = database.open().await;
    let both = [day(1, 20_412, 1), day(2, 20_412, 1)];
    store.save_client_days(&both).await.unwrap();
    let twice = [day(1, 20_412, 5), day(1, 20_412, 3)];
    store.save_client_days(&twice).await.unwrap();
    check(&store, 0, &[day(1, 20_412, 3), day(2, 20_412, 1)]).await;
}

async fn many_days_are_saved_at_once(database: &Database) {
    let store = database.open().await;
    let days: Vec<ClientDay> = (0..600).map(|client| day(client, 20_412, 1)).collect();
    let shuffled: Vec<ClientDay> = days.iter().rev().copied().collect();
    store.save_client_days(&shuffled).await.unwrap();
    check(&store, 0, &days).await;
}

async fn old_days_are_deleted_in_steps(database: &Database) {
    let store = database.open().await;
    let days = [
        day(1, 1, 1),
        day(1, 2, 1),
        day(1, 3, 1),
        day(2, 1, 1),
        day(2, 3, 1),
    ];
    store.save_client_days(&days).await.unwrap();
    let delete = async || store.delete_client_days_before(3, 2).await.unwrap();
    assert_eq!(delete().await, 2);
    check(&store, 0, &[days[1], days[2], days[4]]).await;
    assert_eq!(delete().await, 1);
    assert_eq!(delete().await, 0);
    check(&store, 0, &[days[2], days[4]]).await;
}
