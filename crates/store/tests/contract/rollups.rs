//! Roll-ups: they are what the rows add up to, whatever becomes of a batch and whoever else writes.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Class, ClientId, Dialect, KeyId, Nanodollars, RequestId, RequestRecord, UnixMs};
use futures_util::future::join_all;
use store::{Dimension, Figures, OTHER_MODELS, SeriesPoint, SeriesQuery, Span, Store};

use crate::database::{Database, NOW, on_both};
use crate::random::records;

on_both!(
    rollups_are_what_the_rows_add_up_to,
    batch_that_fails_leaves_neither_rows_nor_sums,
    record_written_twice_is_counted_once,
    writers_of_two_instances_add_up,
    series_has_what_was_asked_for,
    totals_come_with_the_most_requests_first,
    unheard_of_models_are_counted_together,
    absurd_numbers_do_not_stop_the_writing,
    rollups_are_deleted_by_span_in_steps,
);

const DIMENSIONS: [Dimension; 7] = [
    Dimension::All,
    Dimension::Provider,
    Dimension::Model,
    Dimension::Client,
    Dimension::Outcome,
    Dimension::ClientModel,
    Dimension::Key,
];

fn everything(dimension: Dimension, span: Span) -> SeriesQuery {
    SeriesQuery {
        dimension,
        values: None,
        from: NOW - Duration::from_secs(86_400),
        to: NOW + Duration::from_secs(100 * 86_400),
        span,
    }
}

/// The value of a record, in words that are put together here anew.
fn value(dimension: Dimension, record: &RequestRecord) -> String {
    let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    let client = id(record.client.map(|client| client.0));
    let provider = record.provider.as_deref().unwrap_or_default();
    let model = record
        .model
        .as_ref()
        .map(|model| format!("{provider}/{model}"));
    let model = model.unwrap_or_default();
    match dimension {
        Dimension::All => String::new(),
        Dimension::Provider => provider.to_owned(),
        Dimension::Model => model,
        Dimension::Client => client,
        Dimension::Outcome => record.error.map_or("ok", Class::name).to_owned(),
        Dimension::ClientModel => format!("{client}/{model}"),
        Dimension::Key => id(record.key.map(|key| key.0)),
    }
}

fn has_histograms(dimension: Dimension) -> bool {
    !matches!(dimension, Dimension::ClientModel | Dimension::Key)
}

fn add(figures: &mut Figures, record: &RequestRecord, dimension: Dimension) {
    let usage = record.usage.unwrap_or_default();
    let failed = record.error.is_some_and(|class| class != Class::ClientGone);
    figures.requests += 1;
    figures.failed += u64::from(failed);
    figures.prompt_tokens += u64::from(usage.prompt);
    figures.output_tokens += u64::from(usage.output);
    figures.reasoning_tokens += u64::from(usage.reasoning);
    figures.cached_tokens += u64::from(usage.cached);
    figures.total_tokens += u64::from(usage.total);
    figures.cost += record.cost.unwrap_or_default();
    figures.latency_us += record.latency_us;
    figures.first_byte_us += record.first_byte_us.unwrap_or_default();
    if has_histograms(dimension) {
        figures.latency.add_us(record.latency_us);
        if let Some(us) = record.first_byte_us {
            figures.first_byte.add_us(us);
        }
    }
}

/// What the points must be.
fn expected(records: &[RequestRecord], dimension: Dimension, span: Span) -> Vec<SeriesPoint> {
    let mut sums: BTreeMap<(UnixMs, String), Figures> = BTreeMap::new();
    for record in records {
        let start = span.start_of(record.id.time());
        let figures = sums.entry((start, value(dimension, record))).or_default();
        add(figures, record, dimension);
    }
    let point = |((start, value), figures)| SeriesPoint {
        start,
        value,
        figures,
    };
    sums.into_iter().map(point).collect()
}

/// PostgreSQL sorts texts by the rules of a language.
fn sorted(mut points: Vec<SeriesPoint>) -> Vec<SeriesPoint> {
    points.sort_by(|a, b| (a.start, &a.value).cmp(&(b.start, &b.value)));
    points
}

async fn requests(store: &Store) -> u64 {
    let totals = store
        .totals(&everything(Dimension::All, Span::Day), 10)
        .await
        .unwrap();
    totals.iter().map(|total| total.figures.requests).sum()
}

async fn rollups_are_what_the_rows_add_up_to(database: &Database) {
    let store = database.open().await;
    let records = records(1_500, Duration::from_secs(3 * 86_400));
    for (size, batch) in [10, 33, 100].iter().cycle().zip(records.chunks(100)) {
        for part in batch.chunks(*size) {
            store.write_records(part).await.unwrap();
        }
    }
    for dimension in DIMENSIONS {
        for span in Span::ALL {
            let found = store
                .timeseries(&everything(dimension, span))
                .await
                .unwrap();
            let mut expected = expected(&records, dimension, span);
            if (dimension, span) == (Dimension::Key, Span::Minute) {
                expected.clear();
            }
            assert_eq!(sorted(found), expected, "{dimension:?} {span:?}");
        }
    }
}

async fn batch_that_fails_leaves_neither_rows_nor_sums(database: &Database) {
    let store = database.open().await;
    let records = records(300, Duration::from_secs(600));
    database.execute("ALTER TABLE rollups RENAME TO away").await;
    store.write_records(&records).await.unwrap_err();
    assert_eq!(store.recent_records(10, None).await.unwrap(), []);
    database.execute("ALTER TABLE away RENAME TO rollups").await;
    assert_eq!(requests(&store).await, 0);
    store.write_records(&records).await.unwrap();
    assert_eq!(requests(&store).await, 300);
}

async fn record_written_twice_is_counted_once(database: &Database) {
    let store = database.open().await;
    let records = records(600, Duration::from_secs(600));
    store.write_records(&records[..400]).await.unwrap();
    store.write_records(&records[..400]).await.unwrap();
    store.write_records(&records[300..500]).await.unwrap();
    let doubled = [&records[450..], &records[550..]].concat();
    store.write_records(&doubled).await.unwrap();
    let found = store
        .timeseries(&everything(Dimension::All, Span::Minute))
        .await
        .unwrap();
    assert_eq!(found, expected(&records, Dimension::All, Span::Minute));
    assert_eq!(store.recent_records(1_000, None).await.unwrap().len(), 600);
}

/// Both add to the same rows, in as many transactions at once as there are connections.
async fn writers_of_two_instances_add_up(database: &Database) {
    let stores = [database.open().await, database.open().await];
    let records = records(2_000, Duration::from_secs(120));
    let writes = records.chunks(100).zip(stores.iter().cycle());
    let written = join_all(writes.map(|(batch, store)| store.write_records(batch))).await;
    for result in written {
        result.unwrap();
    }
    for dimension in DIMENSIONS {
        let found = stores[0]
            .timeseries(&everything(dimension, Span::Hour))
            .await
            .unwrap();
        assert_eq!(
            sorted(found),
            expected(&records, dimension, Span::Hour),
            "{dimension:?}"
        );
    }
}

async fn series_has_what_was_asked_for(database: &Database) {
    let store = database.open().await;
    let records = records(500, Duration::from_secs(6 * 3_600));
    store.write_records(&records).await.unwrap();
    let all = expected(&records, Dimension::Client, Span::Hour);
    let (from, to) = (all[0].start, all[0].start + Duration::from_secs(2 * 3_600));
    let query = SeriesQuery {
        values: Some(["3", "", "nobody"].map(str::to_owned).into()),
        from: from + Duration::from_secs(1_799),
        to,
        ..everything(Dimension::Client, Span::Hour)
    };
    let is_wanted = |point: &SeriesPoint| point.start < to && matches!(&*point.value, "3" | "");
    let wanted: Vec<SeriesPoint> = all.into_iter().filter(is_wanted).collect();
    assert!(wanted.len() == 4, "{wanted:?}");
    assert_eq!(sorted(store.timeseries(&query).await.unwrap()), wanted);
    for values in [Some(Vec::new()), Some(vec!["nobody".to_owned()])] {
        let query = SeriesQuery {
            values,
            ..query.clone()
        };
        assert_eq!(store.timeseries(&query).await.unwrap(), []);
        assert_eq!(store.totals(&query, 10).await.unwrap(), []);
    }
    let between = |from, to| SeriesQuery {
        from,
        to,
        ..query.clone()
    };
    let backwards = between(to, from);
    assert_eq!(store.timeseries(&backwards).await.unwrap(), []);
    let ever = between(UnixMs(i64::MIN), UnixMs(i64::MAX));
    assert_eq!(store.timeseries(&ever).await.unwrap().len(), 12);
}

async fn totals_come_with_the_most_requests_first(database: &Database) {
    let store = database.open().await;
    let records = records(500, Duration::from_secs(6 * 3_600));
    store.write_records(&records).await.unwrap();
    let mut totals: BTreeMap<String, Figures> = BTreeMap::new();
    for record in &records {
        let value = value(Dimension::Model, record);
        add(totals.entry(value).or_default(), record, Dimension::Model);
    }
    let query = everything(Dimension::Model, Span::Hour);
    let found = store.totals(&query, 3).await.unwrap();
    assert!(found.is_sorted_by_key(|total| std::cmp::Reverse(total.figures.requests)));
    let least = found[2].figures.requests;
    let more = totals.values().filter(|figures| figures.requests > least);
    assert!(found.len() == 3 && more.count() < 3);
    for total in found {
        assert_eq!(totals.get(&total.value), Some(&total.figures));
    }
}

fn plain(sequence: u16, model: &str, error: Option<Class>) -> RequestRecord {
    RequestRecord {
        client: Some(ClientId(1)),
        provider: Some("google".into()),
        model: Some(model.into()),
        key: Some(KeyId(1)),
        latency_us: 1,
        error,
        ..RequestRecord::plain(
            RequestId::new(NOW, 2, sequence),
            Dialect::Gemini,
            "generateContent",
            200,
        )
    }
}

async fn unheard_of_models_are_counted_together(database: &Database) {
    let store = database.open().await;
    let batch = [
        plain(1, "no-such-model", Some(Class::ModelUnavailable)),
        plain(2, "with\0nul", Some(Class::BadRequest)),
        plain(3, "gemini", None),
        plain(4, "gemini", Some(Class::BadRequest)),
    ];
    store.write_records(&batch).await.unwrap();
    let totals = store
        .totals(&everything(Dimension::Model, Span::Day), 10)
        .await
        .unwrap();
    let mut counts: Vec<(String, u64)> = totals
        .into_iter()
        .map(|total| (total.value, total.figures.requests))
        .collect();
    counts.sort();
    let expected = [("google/gemini", 2), (OTHER_MODELS, 2)];
    assert_eq!(
        counts,
        expected.map(|(value, count)| (value.to_owned(), count))
    );
    assert_eq!(store.recent_records(10, None).await.unwrap().len(), 4);
}

async fn absurd_numbers_do_not_stop_the_writing(database: &Database) {
    let store = database.open().await;
    let absurd = |sequence| RequestRecord {
        latency_us: u64::MAX >> 1,
        first_byte_us: Some(u64::MAX >> 1),
        cost: Some(Nanodollars(i64::MAX)),
        ..plain(sequence, "gemini", None)
    };
    store.write_records(&[absurd(1), absurd(2)]).await.unwrap();
    store.write_records(&[absurd(3)]).await.unwrap();
    assert_eq!(requests(&store).await, 3);
}

async fn rollups_are_deleted_by_span_in_steps(database: &Database) {
    let store = database.open().await;
    let records = records(400, Duration::from_secs(4 * 3_600));
    store.write_records(&records).await.unwrap();
    let noon = Span::Hour.start_of(NOW + Duration::from_secs(2 * 3_600));
    let old = |point: &SeriesPoint| point.start < noon;
    let mut count = 0;
    for dimension in DIMENSIONS {
        let points = store
            .timeseries(&everything(dimension, Span::Hour))
            .await
            .unwrap();
        count += points.iter().filter(|point| old(point)).count() as u64;
    }
    let mut deleted = 0;
    loop {
        let step = store
            .delete_rollups_before(Span::Hour, noon, 10)
            .await
            .unwrap();
        assert!(step <= 10);
        deleted += step;
        if step < 10 {
            break;
        }
    }
    assert_eq!(deleted, count);
    for dimension in DIMENSIONS {
        let left = store
            .timeseries(&everything(dimension, Span::Hour))
            .await
            .unwrap();
        assert!(!left.is_empty() && !left.iter().any(old), "{dimension:?}");
    }
    let minutes = store
        .timeseries(&everything(Dimension::All, Span::Minute))
        .await
        .unwrap();
    assert_eq!(minutes, expected(&records, Dimension::All, Span::Minute));
}
