//! Request records and their attempts.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Attempt, AttemptOutcome, Class, ClientId, Dialect, KeyId, Nanodollars, RequestId,
    RequestRecord, Usage,
};

use crate::database::{Database, NOW, on_both};

on_both!(
    bare_record_comes_back_as_it_was,
    full_record_comes_back_as_it_was,
    every_class_comes_back,
    record_that_is_there_is_passed_over,
    records_are_read_newest_first_in_pages,
    old_records_are_deleted_in_steps,
    unreadable_record_is_left_out,
);

fn bare(sequence: u16) -> RequestRecord {
    RequestRecord::plain(
        RequestId::new(NOW, 1, sequence),
        Dialect::Gemini,
        "unknown",
        401,
    )
}

fn attempt(class: Class, reason: &'static str) -> Attempt {
    Attempt {
        elsewhere: None,
        key: Some(KeyId(7)),
        egress: "socks5://10.0.0.9:1080".into(),
        status: Some(429),
        outcome: AttemptOutcome {
            class,
            reason: reason.into(),
        },
        latency_us: u64::from(u32::MAX) + 1,
        chosen: "least loaded of \"20\"".into(),
    }
}

fn full(sequence: u16) -> RequestRecord {
    let last = Attempt {
        elsewhere: None,
        key: None,
        egress: "direct".into(),
        status: None,
        ..attempt(Class::Timeout, "timeout")
    };
    RequestRecord {
        client: Some(ClientId(3)),
        dialect: Dialect::OpenAi,
        endpoint: "streamGenerateContent",
        provider: Some(Arc::from("google")),
        model: Some(Arc::from("gemini-2.5-flash")),
        key: Some(KeyId(i64::MAX)),
        status: 499,
        stream: true,
        latency_us: u64::from(u32::MAX) + 7,
        first_byte_us: Some(0),
        usage: Some(Usage {
            prompt: u32::MAX,
            output: 2,
            reasoning: 3,
            cached: 4,
            tool: 5,
            total: 6,
        }),
        cost: Some(Nanodollars(1_234_567)),
        error: Some(Class::ClientGone),
        attempts: vec![attempt(Class::RateLimited, "per_minute"), last],
        ..bare(sequence)
    }
}

async fn check(database: &Database, record: RequestRecord) {
    let store = database.open().await;
    store
        .write_records(std::slice::from_ref(&record))
        .await
        .unwrap();
    assert_eq!(store.record(record.id).await.unwrap(), Some(record.clone()));
    assert_eq!(store.recent_records(10, None).await.unwrap(), [record]);
}

async fn bare_record_comes_back_as_it_was(database: &Database) {
    check(database, bare(1)).await;
}

async fn full_record_comes_back_as_it_was(database: &Database) {
    check(database, full(1)).await;
}

async fn every_class_comes_back(database: &Database) {
    let store = database.open().await;
    let records: Vec<RequestRecord> = (0..)
        .zip(Class::ALL)
        .map(|(sequence, class)| RequestRecord {
            error: (class != Class::Ok).then_some(class),
            attempts: vec![attempt(class, class.name())],
            ..bare(sequence)
        })
        .collect();
    store.write_records(&records).await.unwrap();
    let mut read = store.recent_records(100, None).await.unwrap();
    read.reverse();
    assert_eq!(read, records);
}

async fn record_that_is_there_is_passed_over(database: &Database) {
    let store = database.open().await;
    store.write_records(&[full(1)]).await.unwrap();
    store
        .write_records(&[bare(1), bare(2), full(2), bare(3)])
        .await
        .unwrap();
    let read = store.recent_records(10, None).await.unwrap();
    assert_eq!(read, [bare(3), bare(2), full(1)]);
    assert_eq!(store.record(RequestId(404)).await.unwrap(), None);
}

async fn records_are_read_newest_first_in_pages(database: &Database) {
    let store = database.open().await;
    let records: Vec<RequestRecord> = (0..333).map(full).collect();
    store.write_records(&records).await.unwrap();
    store.write_records(&[]).await.unwrap();
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.recent_records(100, before).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        read.extend(page);
    }
    read.reverse();
    assert_eq!(read, records);
}

async fn old_records_are_deleted_in_steps(database: &Database) {
    let store = database.open().await;
    let mut late = bare(0);
    late.id = RequestId::first_at(NOW + Duration::from_millis(1));
    let mut records: Vec<RequestRecord> = (0..5).map(bare).collect();
    records.push(late.clone());
    store.write_records(&records).await.unwrap();
    assert_eq!(store.delete_records_before(late.id, 3).await.unwrap(), 3);
    let left = store.recent_records(10, None).await.unwrap();
    assert_eq!(left, [late.clone(), bare(4), bare(3)]);
    assert_eq!(store.delete_records_before(late.id, 3).await.unwrap(), 2);
    assert_eq!(store.delete_records_before(late.id, 3).await.unwrap(), 0);
    assert_eq!(store.recent_records(10, None).await.unwrap(), [late]);
}

async fn unreadable_record_is_left_out(database: &Database) {
    let store = database.open().await;
    store.write_records(&[bare(1), full(2)]).await.unwrap();
    let id = full(2).id;
    database
        .execute(&format!(
            "UPDATE requests SET error = 'nonsense' WHERE id = {}",
            id.0
        ))
        .await;
    assert_eq!(store.recent_records(10, None).await.unwrap(), [bare(1)]);
    assert!(store.record(id).await.is_err());
}
