//! Requests of another time: records that are written into the store as if they had happened.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{Dialect, RequestId, RequestRecord, UnixMs};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use serde_json::Value;

use crate::support::{Operator, TestGateway};

/// The wall clock.
pub(super) fn now() -> UnixMs {
    UnixMs(0) + SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A request that went well, of nobody, with nothing counted. `number` tells it apart.
pub(super) fn record(began: UnixMs, number: u16) -> RequestRecord {
    RequestRecord {
        provider: Some("google".into()),
        model: Some("gemini-past".into()),
        latency_us: 20_000,
        ..RequestRecord::plain(
            RequestId::new(began, 1, number),
            Dialect::Gemini,
            "generateContent",
            200,
        )
    }
}

/// So many requests, a millisecond from one to the next, the last one at `end`; oldest first.
pub(super) fn row_of(count: u16, end: UnixMs) -> Vec<RequestRecord> {
    (0..count)
        .map(|number| {
            let before = Duration::from_millis(u64::from(count - 1 - number));
            record(end - before, number % 4096)
        })
        .collect()
}

/// The numbers of the rows of a page.
pub(super) fn numbers(page: &Value) -> Vec<u16> {
    let rows = page["items"].as_array().unwrap();
    rows.iter().map(|row| number_of(&row["id"])).collect()
}

/// The number that a request was told apart by.
pub(super) fn number_of(id: &Value) -> u16 {
    let id: RequestId = id.as_str().unwrap().parse().unwrap();
    (id.0 & 0xfff) as u16
}

/// A connection to the database beside those of keymux.
pub(crate) async fn beside(gateway: &TestGateway) -> DatabaseConnection {
    let file = gateway.data.path().join("data/keymux.db");
    let mut options = sea_orm::ConnectOptions::new(format!("sqlite:{}", file.display()));
    options.max_connections(1);
    Database::connect(options).await.unwrap()
}

/// How many rows a table has.
pub(super) async fn rows_in(database: &DatabaseConnection, table: &str) -> i64 {
    let counted = sea_orm::Statement::from_string(
        database.get_database_backend(),
        format!("SELECT count(*) FROM {table}"),
    );
    let row = database.query_one_raw(counted).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Requests of this range up to now, by the charts.
pub(super) async fn charted(admin: &Operator, range: &str) -> f64 {
    let series = admin
        .read(&format!("/api/stats/timeseries?range={range}"))
        .await;
    let points = series["lines"][0]["points"].as_array().unwrap();
    points
        .iter()
        .map(|point| point["value"].as_f64().unwrap())
        .sum()
}
