//! Pages of request records: filters, cursors, budgets, and which index answers.

use std::time::Duration;

use domain::{Class, ClientId, KeyId, RequestId, RequestRecord, UnixMs};
use store::{RecordFilter, SearchBudget, Span, StatusFilter, Store};

use crate::database::{Database, NOW, on_both, on_sqlite};
use crate::random::records;

on_both!(
    every_filter_finds_what_it_names,
    pages_are_full_while_the_budget_lasts,
    spent_budget_leaves_a_cursor_to_go_on_from,
    records_without_rollups_are_found,
    what_nobody_may_see_is_not_found,
);

const HOURS: Duration = Duration::from_secs(30 * 3_600);
/// One window a call.
const SMALLEST: SearchBudget = SearchBudget {
    time: Duration::ZERO,
    candidates: 0,
};
const AMPLE: SearchBudget = SearchBudget {
    time: Duration::from_secs(3_600),
    candidates: u64::MAX,
};

type Fill = fn(&mut RecordFilter);
type Matches = fn(&RequestRecord) -> bool;

fn filter(fill: Fill) -> RecordFilter {
    let mut filter = RecordFilter::default();
    fill(&mut filter);
    filter
}

fn after(hours: u64) -> UnixMs {
    NOW + Duration::from_secs(3_600 * hours)
}

fn failed(record: &RequestRecord) -> bool {
    record.error.is_some_and(|class| class != Class::ClientGone)
}

fn holds(record: &RequestRecord, text: &str) -> bool {
    let attempts = record.attempts.iter();
    let attempts = attempts.map(|attempt| format!("{} {}", attempt.egress, attempt.outcome.reason));
    let model = record.model.as_deref().unwrap_or_default().to_owned();
    let error = record.error.map_or("", Class::name).to_owned();
    let mut texts = attempts.chain([model, error, record.endpoint.to_owned()]);
    texts.any(|own| own.to_lowercase().contains(&text.to_lowercase()))
}

/// A filter, and what it must find.
fn cases() -> Vec<(RecordFilter, Matches)> {
    let plain: [(Fill, Matches); 12] = [
        (|_| (), |_| true),
        (
            |f| f.from = Some(after(7)),
            |r| r.id >= RequestId::first_at(after(7)),
        ),
        (
            |f| f.to = Some(after(7)),
            |r| r.id < RequestId::first_at(after(7)),
        ),
        (
            |f| f.client = Some(ClientId(3)),
            |r| r.client == Some(ClientId(3)),
        ),
        (
            |f| f.provider = Some("provider1".into()),
            |r| r.provider.as_deref() == Some("provider1"),
        ),
        (
            |f| f.model = Some("Model_2".into()),
            |r| r.model.as_deref() == Some("Model_2"),
        ),
        (|f| f.key = Some(KeyId(2)), |r| r.key == Some(KeyId(2))),
        (
            |f| f.status = Some(StatusFilter::One(429)),
            |r| r.status == 429,
        ),
        (
            |f| f.status = Some(StatusFilter::One(206)),
            |r| r.status == 206,
        ),
        (
            |f| f.status = Some(StatusFilter::Class(4)),
            |r| r.status / 100 == 4,
        ),
        (
            |f| f.status = Some(StatusFilter::Class(2)),
            |r| r.status / 100 == 2,
        ),
        (|f| f.failed_only = true, failed),
    ];
    let texts: [(Fill, Matches); 6] = [
        (|f| f.text = Some("MODEL_1".into()), |r| holds(r, "model_1")),
        (
            |f| f.text = Some("Per_Minute".into()),
            |r| holds(r, "per_minute"),
        ),
        (|f| f.text = Some("timeout".into()), |r| holds(r, "timeout")),
        (|f| f.text = Some("0%_S".into()), |r| holds(r, "0%_s")),
        (|f| f.text = Some("l%_".into()), |_| false),
        (|f| f.text = Some(r"\".into()), |_| false),
    ];
    let together: [(Fill, Matches); 5] = [
        (several_clients, |r| {
            matches!(r.client, Some(ClientId(1 | 4)))
        }),
        (client_of_several, |r| {
            r.client == Some(ClientId(4)) && r.status == 503
        }),
        (key_of_model, |r| {
            r.key == Some(KeyId(1)) && r.model.as_deref() == Some("Model_0")
        }),
        (failed_of_provider, |r| {
            failed(r) && r.provider.as_deref() == Some("provider0")
        }),
        (status_of_key_in_time, |r| {
            let late = RequestId::first_at(after(3));
            r.status == 404 && r.key == Some(KeyId(0)) && r.id >= late
        }),
    ];
    let all = plain.into_iter().chain(texts).chain(together);
    all.map(|(fill, matches)| (filter(fill), matches)).collect()
}

fn several_clients(filter: &mut RecordFilter) {
    filter.clients = Some([4, 1, 4].map(ClientId).into());
}

fn client_of_several(filter: &mut RecordFilter) {
    several_clients(filter);
    filter.client = Some(ClientId(4));
    filter.status = Some(StatusFilter::One(503));
}

fn key_of_model(filter: &mut RecordFilter) {
    filter.key = Some(KeyId(1));
    filter.model = Some("Model_0".into());
}

fn failed_of_provider(filter: &mut RecordFilter) {
    filter.failed_only = true;
    filter.provider = Some("provider0".into());
}

fn status_of_key_in_time(filter: &mut RecordFilter) {
    filter.status = Some(StatusFilter::One(404));
    filter.key = Some(KeyId(0));
    filter.from = Some(after(3));
}

/// Every page, one after the other.
async fn pages(store: &Store, filter: &RecordFilter, budget: SearchBudget) -> Vec<RequestRecord> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store
            .records_page(filter, before, 70, budget)
            .await
            .unwrap();
        assert!(page.records.len() <= 70);
        found.extend(page.records);
        match page.next {
            Some(next) => assert!(before.replace(next).is_none_or(|before| next < before)),
            None => return found,
        }
    }
}

async fn check(store: &Store, records: &[RequestRecord], filter: &RecordFilter, matches: Matches) {
    let newest_first = records.iter().rev().filter(|record| matches(record));
    let expected: Vec<RequestId> = newest_first.map(|record| record.id).collect();
    for budget in [SMALLEST, AMPLE] {
        let found = pages(store, filter, budget).await;
        let found: Vec<RequestId> = found.iter().map(|record| record.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn every_filter_finds_what_it_names(database: &Database) {
    let store = database.open().await;
    let records = records(2_500, HOURS);
    store.write_records(&records).await.unwrap();
    for (filter, matches) in cases() {
        check(&store, &records, &filter, matches).await;
    }
}

async fn pages_are_full_while_the_budget_lasts(database: &Database) {
    let store = database.open().await;
    store.write_records(&records(2_500, HOURS)).await.unwrap();
    for (filter, _) in cases() {
        let page = store.records_page(&filter, None, 5, AMPLE).await.unwrap();
        assert!(page.records.len() == 5 || page.next.is_none(), "{filter:?}");
    }
}

async fn spent_budget_leaves_a_cursor_to_go_on_from(database: &Database) {
    let store = database.open().await;
    let mut records = records(2_500, HOURS);
    records[0].model = Some("needle".into());
    store.write_records(&records).await.unwrap();
    let needle = filter(|filter| filter.text = Some("needle".into()));
    let page = store
        .records_page(&needle, None, 10, SMALLEST)
        .await
        .unwrap();
    assert_eq!(page.records, []);
    let page = store
        .records_page(&needle, page.next, 10, SMALLEST)
        .await
        .unwrap();
    assert_eq!(page.records, []);
    let page = store
        .records_page(&needle, page.next, 10, SMALLEST)
        .await
        .unwrap();
    assert_eq!((page.records, page.next), (records[..1].to_vec(), None));
}

/// Roll-ups say in which hours a key was used; they may be deleted before the records are, or never have been.
async fn records_without_rollups_are_found(database: &Database) {
    let store = database.open().await;
    let records = records(600, HOURS);
    store.write_records(&records).await.unwrap();
    let of_key = filter(|filter| filter.key = Some(KeyId(3)));
    let matches: Matches = |record| record.key == Some(KeyId(3));
    let deleted = store
        .delete_rollups_before(Span::Hour, after(10), u64::MAX >> 1)
        .await;
    assert!(deleted.unwrap() > 0);
    check(&store, &records, &of_key, matches).await;
    database.execute("DELETE FROM rollups").await;
    check(&store, &records, &of_key, matches).await;
}

async fn what_nobody_may_see_is_not_found(database: &Database) {
    let store = database.open().await;
    store.write_records(&records(100, HOURS)).await.unwrap();
    let filters: [Fill; 5] = [
        |filter| filter.clients = Some(Vec::new()),
        |filter| {
            filter.clients = Some(vec![ClientId(1)]);
            filter.client = Some(ClientId(2));
        },
        |filter| filter.text = Some("\0".into()),
        |filter| filter.from = Some(UnixMs(i64::MAX)),
        |filter| filter.to = Some(UnixMs(i64::MIN)),
    ];
    for filter in filters.map(filter) {
        let page = store.records_page(&filter, None, 10, AMPLE).await.unwrap();
        assert_eq!((page.records.len(), page.next), (0, None), "{filter:?}");
    }
}

#[tokio::test]
async fn sqlite_searches_along_the_index_of_the_filter() {
    on_sqlite(async |database| {
        let store = database.open().await;
        let plans: [(Fill, &str); 6] = [
            (
                |_| (),
                "SEARCH requests USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
            (
                |f| f.client = Some(ClientId(1)),
                "requests_client_id (client_id=? AND ",
            ),
            (several_clients, "requests_client_id (client_id=? AND "),
            (
                |f| f.model = Some("m".into()),
                "requests_model (model=? AND ",
            ),
            (
                |f| f.status = Some(StatusFilter::Class(5)),
                "requests_status (status=? AND ",
            ),
            (|f| f.failed_only = true, "requests_failed (id>? AND id<?)"),
        ];
        for (fill, expected) in plans {
            let plan = store
                .records_plan(&filter(fill), 50)
                .await
                .unwrap()
                .join("\n");
            assert!(plan.contains(expected), "{expected}: {plan}");
            assert!(!plan.contains("SCAN requests"), "{plan}");
        }
    })
    .await;
}

#[tokio::test]
async fn search_takes_the_index_with_the_fewest_candidates() {
    on_sqlite(async |database| {
        let store = database.open().await;
        let mut records = records(2_500, HOURS);
        for record in &mut records {
            record.client = Some(ClientId(1));
            record.model = Some("frequent".into());
        }
        records[7].model = Some("rare".into());
        records[9].client = Some(ClientId(2));
        store.write_records(&records).await.unwrap();
        for (client, model, expected) in [(1, "rare", "model"), (2, "frequent", "client_id")] {
            let filter = RecordFilter {
                client: Some(ClientId(client)),
                model: Some(model.to_owned()),
                ..RecordFilter::default()
            };
            let plan = store.records_plan(&filter, 50).await.unwrap().join("\n");
            assert!(plan.contains(&format!("requests_{expected} ")), "{plan}");
        }
    })
    .await;
}
