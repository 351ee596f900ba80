//! Times what the pages of a dashboard ask of a database that `fill.rs` filled, and shows how it finds that.

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use domain::{ClientId, KeyId, RequestId, UnixMs};
use store::{Dimension, RecordFilter, SearchBudget, SeriesQuery, Span, StatusFilter, Store};

use crate::invent::{MONTH_MS, RARE_MODEL, RARE_STATUS};
use crate::{Outcome, print};

const PAGE: u64 = 50;
const REPEATED: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// More than any search takes: so the time of a whole search is seen.
const UNLIMITED: SearchBudget = SearchBudget {
    time: Duration::from_secs(3_600),
    candidates: u64::MAX,
};

/// What a page of a dashboard would hand in.
const USUAL: SearchBudget = SearchBudget {
    time: Duration::from_millis(250),
    candidates: u64::MAX,
};

pub(crate) async fn run(store: &Store) -> Outcome {
    let newest = store.recent_records(1, None).await?;
    let newest = newest.first().ok_or("the database has no records")?;
    let end = newest.id.time();
    print("| read | found | best of 5, ms |\n|---|---:|---:|")?;
    for (name, filter) in filters(end) {
        let found = async || {
            let page = store.records_page(&filter, None, PAGE, UNLIMITED).await?;
            Ok(page.records.len())
        };
        time(name, found).await?;
    }
    let nothing = filters(end)
        .pop()
        .map(|(_, filter)| filter)
        .unwrap_or_default();
    let one_call = async || {
        let page = store.records_page(&nothing, None, PAGE, USUAL).await?;
        Ok(page.records.len())
    };
    time("text, in nothing: one call of 250 ms", one_call).await?;
    for (name, query) in series(end) {
        let points = async || Ok(store.timeseries(&query).await?.len());
        time(&format!("series: {name}"), points).await?;
        let totals = async || Ok(store.totals(&query, 100).await?.len());
        time(&format!("totals: {name}"), totals).await?;
    }
    time("size in bytes", async || {
        Ok(store.size_bytes().await? as usize)
    })
    .await?;
    deletions(store, end).await?;
    plans(store, end).await
}

fn filters(end: UnixMs) -> Vec<(&'static str, RecordFilter)> {
    let of = |fill: fn(&mut RecordFilter)| {
        let mut filter = RecordFilter::default();
        fill(&mut filter);
        filter
    };
    let rare_status = Some(StatusFilter::One(RARE_STATUS));
    let client = of(|filter| filter.client = Some(ClientId(7)));
    let with_rare_status = |filter: &RecordFilter| RecordFilter {
        status: rare_status,
        ..filter.clone()
    };
    vec![
        ("first page", of(|_| ())),
        ("a day in the middle", a_day_in_the_middle(end)),
        ("client", client.clone()),
        (
            "member's clients",
            of(|filter| filter.clients = Some((3..9).map(ClientId).collect())),
        ),
        (
            "provider",
            of(|filter| filter.provider = Some("anthropic".into())),
        ),
        ("model", of(|filter| filter.model = Some("gpt-5".into()))),
        (
            "rare model",
            of(|filter| filter.model = Some(RARE_MODEL.into())),
        ),
        ("key", of(|filter| filter.key = Some(KeyId(77)))),
        (
            "status 429",
            of(|filter| filter.status = Some(StatusFilter::One(429))),
        ),
        ("rare status", with_rare_status(&RecordFilter::default())),
        (
            "status 5xx",
            of(|filter| filter.status = Some(StatusFilter::Class(5))),
        ),
        ("failed", of(|filter| filter.failed_only = true)),
        ("client and model", of(client_and_model)),
        ("client, key and failed", of(client_key_and_failed)),
        ("client and rare model", of(client_and_rare_model)),
        ("client and rare status", with_rare_status(&client)),
        (
            "text, frequent",
            of(|filter| filter.text = Some("Rate_Limited".into())),
        ),
        (
            "text, in nothing",
            of(|filter| filter.text = Some("no such text".into())),
        ),
    ]
}

fn a_day_in_the_middle(end: UnixMs) -> RecordFilter {
    let middle = UnixMs(end.0 - MONTH_MS / 2);
    RecordFilter {
        from: Some(middle),
        to: Some(middle + DAY),
        ..RecordFilter::default()
    }
}

fn client_and_model(filter: &mut RecordFilter) {
    filter.client = Some(ClientId(7));
    filter.model = Some("gpt-5".into());
}

fn client_and_rare_model(filter: &mut RecordFilter) {
    filter.client = Some(ClientId(7));
    filter.model = Some(RARE_MODEL.into());
}

fn client_key_and_failed(filter: &mut RecordFilter) {
    filter.client = Some(ClientId(7));
    filter.key = Some(KeyId(77));
    filter.failed_only = true;
}

fn series(end: UnixMs) -> Vec<(&'static str, SeriesQuery)> {
    let of = |dimension, days: u32, span| SeriesQuery {
        dimension,
        values: None,
        from: end - DAY * days,
        to: end,
        span,
    };
    let one = |value: &str, query: SeriesQuery| SeriesQuery {
        values: Some(vec![value.to_owned()]),
        ..query
    };
    vec![
        ("30 days by hour", of(Dimension::All, 30, Span::Hour)),
        (
            "30 days by hour, model",
            of(Dimension::Model, 30, Span::Hour),
        ),
        (
            "30 days by hour, client",
            of(Dimension::Client, 30, Span::Hour),
        ),
        (
            "30 days by day, client",
            of(Dimension::Client, 30, Span::Day),
        ),
        (
            "30 days by hour, outcome",
            of(Dimension::Outcome, 30, Span::Hour),
        ),
        (
            "30 days by hour, one key of 1,000",
            one("77", of(Dimension::Key, 30, Span::Hour)),
        ),
        ("30 days by day, key", of(Dimension::Key, 30, Span::Day)),
        ("1 day by minute", of(Dimension::All, 1, Span::Minute)),
    ]
}

async fn deletions(store: &Store, end: UnixMs) -> Outcome {
    let before = RequestId(i64::MAX);
    time("deletion of 1,000 records", async || {
        Ok(store.delete_records_before(before, 1_000).await? as usize)
    })
    .await?;
    // The last day is for the series by minute, of the next run too.
    let before = end - DAY;
    time("deletion of 1,000 roll-ups", async || {
        Ok(store
            .delete_rollups_before(Span::Minute, before, 1_000)
            .await? as usize)
    })
    .await
}

/// The best of some repetitions, since others use the machine too.
async fn time(name: &str, mut work: impl AsyncFnMut() -> Result<usize, Box<dyn Error>>) -> Outcome {
    let (mut best, mut found) = (Duration::MAX, 0);
    for _ in 0..REPEATED {
        let began = Instant::now();
        found = work().await?;
        best = best.min(began.elapsed());
    }
    print(&format!(
        "| {name} | {found} | {:.1} |",
        best.as_secs_f64() * 1e3
    ))
}

/// Each line once: a search for several values does the same for each of them.
async fn plans(store: &Store, end: UnixMs) -> Outcome {
    for (name, filter) in filters(end) {
        plan(name, store.records_plan(&filter, PAGE).await?)?;
    }
    for (name, query) in series(end) {
        plan(
            &format!("series: {name}"),
            store.timeseries_plan(&query).await?,
        )?;
    }
    Ok(())
}

fn plan(name: &str, lines: Vec<String>) -> Outcome {
    print(&format!("\n{name}:"))?;
    let mut seen = HashSet::new();
    for line in lines {
        if seen.insert(line.clone()) {
            print(&format!("  {line}"))?;
        }
    }
    Ok(())
}
