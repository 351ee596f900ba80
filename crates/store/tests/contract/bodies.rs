//! Bodies of requests and answers, and the room that they and their records take.

use std::time::Duration;

use domain::{RequestId, RequestRecord};
use store::{RecordBodies, Store, StoredBody};

use crate::database::{Database, NOW, on_both, on_sqlite};
use crate::random::records;

on_both!(
    bodies_come_back_as_they_were,
    body_that_is_there_stays,
    bodies_go_with_their_records,
    size_falls_when_records_are_deleted,
);

fn body(bytes: &[u8]) -> StoredBody {
    StoredBody {
        bytes: bytes.to_vec(),
        encoding: "zstd".to_owned(),
        original_len: 1 << 40,
        truncated: true,
    }
}

fn bodies(id: RequestId, bytes: &[u8]) -> RecordBodies {
    RecordBodies {
        id,
        request: Some(body(bytes)),
        response: None,
    }
}

fn id(sequence: u16) -> RequestId {
    RequestId::new(NOW, 1, sequence)
}

fn none(id: RequestId) -> RecordBodies {
    RecordBodies {
        id,
        request: None,
        response: None,
    }
}

async fn bodies_come_back_as_they_were(database: &Database) {
    let store = database.open().await;
    let empty = StoredBody {
        encoding: "identity".to_owned(),
        original_len: 0,
        truncated: false,
        ..body(b"")
    };
    let both = RecordBodies {
        response: Some(empty),
        ..bodies(id(1), &[0, 255, 7])
    };
    let (one, neither) = (bodies(id(2), &vec![9; 100_000]), none(id(3)));
    let all = [both, one, neither];
    store.write_bodies(&all).await.unwrap();
    store.write_bodies(&[]).await.unwrap();
    for expected in all {
        assert_eq!(store.bodies(expected.id).await.unwrap(), expected);
    }
}

async fn body_that_is_there_stays(database: &Database) {
    let store = database.open().await;
    let (first, again) = (bodies(id(1), b"first"), bodies(id(1), b"again"));
    store
        .write_bodies(std::slice::from_ref(&first))
        .await
        .unwrap();
    store.write_bodies(&[again]).await.unwrap();
    assert_eq!(store.bodies(id(1)).await.unwrap(), first);
}

/// Also those whose record was never written.
async fn bodies_go_with_their_records(database: &Database) {
    let store = database.open().await;
    let records = records(4, Duration::from_secs(4));
    let mut all: Vec<RecordBodies> = records
        .iter()
        .map(|record| bodies(record.id, b"x"))
        .collect();
    all.push(bodies(RequestId(records[1].id.0 + 1), b"of none"));
    store.write_records(&records).await.unwrap();
    store.write_bodies(&all).await.unwrap();
    assert_eq!(store.delete_oldest_records(2).await.unwrap(), 2);
    for bodies in [&all[0], &all[1], &all[4]] {
        assert_eq!(store.bodies(bodies.id).await.unwrap(), none(bodies.id));
    }
    for bodies in &all[2..4] {
        assert_eq!(store.bodies(bodies.id).await.unwrap(), *bodies);
    }
    assert_eq!(store.recent_records(10, None).await.unwrap().len(), 2);
    assert_eq!(store.delete_oldest_records(10).await.unwrap(), 2);
}

/// The records of one round, later than those of the rounds before, each with a body of 4 KB.
async fn write_round(store: &Store, round: i64) {
    let later = |record: RequestRecord| RequestRecord {
        id: RequestId(record.id.0 + (round << 40)),
        ..record
    };
    let records: Vec<RequestRecord> = records(500, Duration::from_secs(60))
        .into_iter()
        .map(later)
        .collect();
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
        .take(4_096)
        .collect();
    let bodies: Vec<RecordBodies> = records
        .iter()
        .map(|record| bodies(record.id, &bytes))
        .collect();
    store.write_records(&records).await.unwrap();
    store.write_bodies(&bodies).await.unwrap();
}

async fn size_falls_when_records_are_deleted(database: &Database) {
    let store = database.open().await;
    let empty = store.size_bytes().await.unwrap();
    write_round(&store, 0).await;
    let full = store.size_bytes().await.unwrap();
    assert!(full > empty + 500 * 4_096, "{empty} {full}");
    assert_eq!(store.delete_oldest_records(250).await.unwrap(), 250);
    let half = store.size_bytes().await.unwrap();
    assert!(half + 240 * 4_096 < full, "{half} {full}");
}

#[tokio::test]
async fn file_of_sqlite_stays_as_large_as_what_is_kept() {
    on_sqlite(async |database| {
        let store = database.open().await;
        let file = database.folder.path().join("new folder/keymux.db");
        let mut largest = 0;
        for round in 0..12 {
            write_round(&store, round).await;
            if round > 0 {
                assert_eq!(store.delete_oldest_records(500).await.unwrap(), 500);
            }
            let len = std::fs::metadata(&file).unwrap().len();
            if round < 4 {
                largest = len.max(largest);
            } else {
                assert!(
                    len <= largest + largest / 10,
                    "round {round}: {len} {largest}"
                );
            }
        }
    })
    .await;
}
