//! `GET /api/stats/timeseries`: every figure, by everything, over every time; the points add up to what happened.

use std::time::Duration;

use domain::{Class, ClientId, KeyId, Nanodollars, RequestRecord, UnixMs, Usage};
use serde_json::{Value, json};

use super::past::{now, record};
use crate::support::{Operator, TestGateway};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const SUMS: [(&str, f64); 8] = [
    ("requests", 4.0),
    ("failed", 1.0),
    ("tokens", 48.0),
    ("prompt_tokens", 28.0),
    ("output_tokens", 20.0),
    ("reasoning_tokens", 8.0),
    ("cached_tokens", 12.0),
    ("cost_usd", 0.006),
];
const MEASURES: [&str; 8] = [
    "success_rate",
    "latency_mean",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "first_byte_p50",
    "first_byte_p95",
    "first_byte_p99",
];

/// Four requests of one moment: one of them failed, and one has no first byte.
fn four(began: UnixMs, first: u16) -> Vec<RequestRecord> {
    let counted = |number: u16| RequestRecord {
        usage: Some(Usage {
            prompt: 7,
            output: 5,
            reasoning: 2,
            cached: 3,
            tool: 0,
            total: 12,
        }),
        cost: Some(Nanodollars(1_500_000)),
        first_byte_us: Some(10_000),
        ..record(began, first + number)
    };
    let mut four = vec![counted(0), counted(1), counted(2), counted(3)];
    (four[0].client, four[0].key) = (Some(ClientId(901)), Some(KeyId(71)));
    (four[1].provider, four[1].model) = (Some("xai".into()), Some("grok-4".into()));
    (four[2].status, four[2].error, four[2].first_byte_us) = (503, Some(Class::Overloaded), None);
    (four[3].status, four[3].error) = (499, Some(Class::ClientGone));
    four
}

/// The values of each line, by its name.
fn lines(series: &Value) -> Vec<(String, Vec<Option<f64>>)> {
    let lines = series["lines"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let points = line["points"].as_array().unwrap().iter();
            let values = points.map(|point| point["value"].as_f64()).collect();
            (line["group"].as_str().unwrap().to_owned(), values)
        })
        .collect()
}

fn sum(values: &[Option<f64>]) -> f64 {
    values.iter().map(|value| value.unwrap()).sum()
}

/// The points of a chart are as far apart as it says, from its beginning to its end.
fn assert_even(series: &Value) {
    let time = |value: &Value| -> i64 {
        let time: jiff::Timestamp = value.as_str().unwrap().parse().unwrap();
        time.as_millisecond()
    };
    let step = series["step_seconds"].as_i64().unwrap() * 1000;
    let (from, to) = (time(&series["from"]), time(&series["to"]));
    for line in series["lines"].as_array().unwrap() {
        let times = line["points"].as_array().unwrap().iter();
        let times: Vec<i64> = times.map(|point| time(&point["time"])).collect();
        assert_eq!(times[0], from);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == step));
        let last = times[times.len() - 1];
        assert!(last < to && to <= last + step, "{last} {to}");
        assert!(times.len() <= 400, "{} points", times.len());
    }
}

#[tokio::test]
async fn points_of_every_range_add_up_to_what_was_sent() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let now = now();
    let mut first = 0;
    for ago in [
        5 * MINUTE,
        40 * MINUTE,
        3 * HOUR,
        20 * HOUR,
        4 * DAY,
        25 * DAY,
        200 * DAY,
    ] {
        let four = four(now - Duration::from_secs(ago), first);
        gateway.running.store().write_records(&four).await.unwrap();
        first += 4;
    }
    for (range, times) in [
        ("15m", 1.0),
        ("1h", 2.0),
        ("60m", 2.0),
        ("6h", 3.0),
        ("24h", 4.0),
        ("7d", 5.0),
        ("30d", 6.0),
        ("365d", 7.0),
    ] {
        for (metric, one) in SUMS {
            let path = format!("/api/stats/timeseries?metric={metric}&range={range}");
            let series = admin.read(&path).await;
            assert_even(&series);
            let lines = lines(&series);
            assert_eq!(lines.len(), 1);
            let found = sum(&lines[0].1);
            assert!(
                (found - one * times).abs() < 1e-9,
                "{metric} {range}: {found}"
            );
        }
        for metric in MEASURES {
            let path = format!("/api/stats/timeseries?metric={metric}&range={range}");
            let series = admin.read(&path).await;
            let values = lines(&series).remove(0).1;
            let measured: Vec<f64> = values.iter().flatten().copied().collect();
            assert!(
                measured.len() < values.len(),
                "{metric} {range}: no gap is told"
            );
            assert!(
                !measured.is_empty() && measured.len() as f64 <= times,
                "{metric} {range}"
            );
            let is_right = |value: &f64| match metric {
                "success_rate" => (value - 0.75).abs() < 1e-9,
                "latency_mean" => (value - 20.0).abs() < 1e-9,
                // 20 ms and 10 ms lie in buckets that reach so far.
                _ if metric.starts_with("latency") => (15.8..=25.2).contains(value),
                _ => (10.0..=15.9).contains(value),
            };
            assert!(
                measured.iter().all(is_right),
                "{metric} {range}: {measured:?}"
            );
        }
    }
}

#[tokio::test]
async fn lines_are_told_apart_by_what_is_asked_for() {
    let gateway = TestGateway::new()
        .clients("- { name: named, key: sk-named-00000001 }")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let clients = admin.read("/api/allowed_keys?q=named").await;
    let named = clients["items"][0]["id"].as_i64().unwrap();
    let mut four = four(now() - Duration::from_secs(90), 0);
    four[3].client = Some(ClientId(named));
    four[3].key = Some(gateway.key(0).id);
    gateway.running.store().write_records(&four).await.unwrap();
    let check = async |group_by: &str, expected: &[(&str, f64)]| {
        let path = format!("/api/stats/timeseries?range=15m&group_by={group_by}");
        let series = admin.read(&path).await;
        assert_even(&series);
        let found = lines(&series);
        let mut found: Vec<(&str, f64)> = found
            .iter()
            .map(|(name, values)| (name.as_str(), sum(values)))
            .collect();
        found.sort_by(|one, other| one.0.cmp(other.0));
        assert_eq!(found, expected, "{group_by}");
    };
    check("provider", &[("google", 3.0), ("xai", 1.0)]).await;
    check("model", &[("google/gemini-past", 3.0), ("xai/grok-4", 1.0)]).await;
    check(
        "outcome",
        &[("client_gone", 1.0), ("ok", 2.0), ("overloaded", 1.0)],
    )
    .await;
    let name = format!("named ({named})");
    check("client", &[("901", 1.0), ("anonymous", 2.0), (&name, 1.0)]).await;
    let key = format!("AI…-1 ({})", gateway.key(0).id);
    check("key", &[("", 2.0), ("71", 1.0), (&key, 1.0)]).await;
}

#[tokio::test]
async fn a_chart_of_one_client_key_is_there_also_when_others_ask_more() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let began = now() - Duration::from_secs(90);
    // Fifteen client keys, each of which asked more than the one before.
    let records = (1..=15).flat_map(|client| (0..=client).map(move |turn| (client, turn)));
    let records: Vec<RequestRecord> = records
        .map(|(client, turn)| RequestRecord {
            client: Some(ClientId(900 + i64::from(client))),
            ..record(began, client * 20 + turn)
        })
        .collect();
    gateway
        .running
        .store()
        .write_records(&records)
        .await
        .unwrap();
    let check = async |query: &str, expected: &[(&str, f64)]| {
        let path = format!("/api/stats/timeseries?range=15m&{query}");
        let series = admin.read(&path).await;
        assert_even(&series);
        let found = lines(&series);
        let found: Vec<(&str, f64)> = found
            .iter()
            .map(|(name, values)| (name.as_str(), sum(values)))
            .collect();
        assert_eq!(found, expected, "{query}");
    };
    let all = admin
        .read("/api/stats/timeseries?range=15m&group_by=client")
        .await;
    assert_eq!(lines(&all).len(), 12);
    assert!(!lines(&all).iter().any(|(name, _)| name == "901"));
    check("client=901", &[("", 2.0)]).await;
    check("client=901&group_by=client", &[("901", 2.0)]).await;
    check("client=901&group_by=provider", &[("google", 2.0)]).await;
    check("client=901&group_by=model", &[("google/gemini-past", 2.0)]).await;
    check("client=77", &[("", 0.0)]).await;
    check("client=77&group_by=client", &[]).await;
}

#[tokio::test]
async fn a_chart_of_nothing_is_a_line_of_zeros_or_of_gaps() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (metric, expected) in [
        ("requests", Some(0.0)),
        ("cost_usd", Some(0.0)),
        ("latency_p95", None),
        ("success_rate", None),
    ] {
        let path = format!("/api/stats/timeseries?metric={metric}&range=1h");
        let found = lines(&admin.read(&path).await);
        assert_eq!(found.len(), 1, "{metric}");
        assert!(found[0].1.len() >= 60, "{metric}");
        assert!(
            found[0].1.iter().all(|value| *value == expected),
            "{metric}: {found:?}"
        );
    }
    let path = "/api/stats/timeseries?group_by=model";
    assert_eq!(admin.read(path).await["lines"], json!([]));
}

#[tokio::test]
async fn a_short_time_long_ago_is_shown_by_what_is_still_kept_of_it() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let store = gateway.running.store();
    let began = now() - Duration::from_secs(10 * DAY);
    store.write_records(&four(began, 0)).await.unwrap();
    // What pruning leaves: minutes of two days.
    let minutes = now() - Duration::from_secs(2 * DAY);
    store
        .delete_rollups_before(store::Span::Minute, minutes, 10_000)
        .await
        .unwrap();
    let instant = |time: UnixMs| {
        jiff::Timestamp::from_millisecond(time.0)
            .unwrap()
            .to_string()
    };
    let (from, to) = (
        began - Duration::from_secs(HOUR),
        began + Duration::from_secs(HOUR),
    );
    for to in [to, began + Duration::from_secs(20 * HOUR)] {
        let path = format!(
            "/api/stats/timeseries?from={}&to={}",
            instant(from),
            instant(to)
        );
        let series = admin.read(&path).await;
        assert_even(&series);
        assert!((sum(&lines(&series)[0].1) - 4.0).abs() < 1e-9, "{series}");
    }
}

#[tokio::test]
async fn unknown_figures_groups_and_times_are_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (query, field) in [
        ("metric=latency", "metric"),
        ("group_by=owner", "group_by"),
        ("range=1w", "range"),
        ("range=0m", "range"),
        ("range=3651d", "range"),
        ("range=-1h", "range"),
        ("range=", "range"),
        ("range=1h&from=2026-01-01T00:00:00Z", "range"),
        ("from=yesterday", "from"),
        ("to=tomorrow", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=1970-01-01T00:00:00Z", "from"),
        ("client=named", "client"),
        ("client=901&group_by=key", "group_by"),
        ("step=60", "step"),
        ("metric=requests&metric=failed", "metric"),
    ] {
        let path = format!("/api/stats/timeseries?{query}");
        assert_eq!(
            admin.get(&path).await.refused(422, "invalid"),
            field,
            "{query}"
        );
    }
}
