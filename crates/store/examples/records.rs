//! How fast request records are written: `cargo run --release -p store --example records -- [records] [batch]`.
//! Prints rows per second and CPU microseconds per row (of the whole process), for SQLite in a temporary folder
//! or for the database of a URL given as the third argument.

use std::sync::Arc;
use std::time::Instant;

use domain::{
    Attempt, AttemptOutcome, Class, ClientId, Dialect, KeyId, RequestId, RequestRecord, UnixMs,
    Usage,
};
use store::{MasterKey, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let total: usize = arguments.next().map_or(Ok(400_000), |text| text.parse())?;
    let batch: usize = arguments.next().map_or(Ok(512), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let default = format!("sqlite:{}", folder.path().join("keymux.db").display());
    let url = arguments.next().unwrap_or(default);

    let store = Store::open(&url, MasterKey::generate()).await?;
    let records: Vec<RequestRecord> = (0..total).map(record).collect();
    let (began, cpu_began) = (Instant::now(), cpu_seconds()?);
    for batch in records.chunks(batch) {
        store.write_records(batch).await?;
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu_began);
    let rows = total as f64;
    let line = format!(
        "{total} records in batches of {batch}: {:.0} rows/s, {:.2} us CPU/row\n",
        rows / wall,
        cpu * 1e6 / rows
    );
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes())?;
    Ok(())
}

/// One in ten fails over once, one in a hundred fails.
fn record(index: usize) -> RequestRecord {
    let again = index.is_multiple_of(10);
    let error = index.is_multiple_of(100).then_some(Class::Overloaded);
    let last = error.unwrap_or(Class::Ok);
    let mut attempts = vec![attempt(index, last)];
    if again {
        attempts.insert(0, attempt(index + 1, Class::RateLimited));
    }
    let time = UnixMs(1_763_640_000_000 + index as i64 / 20);
    RequestRecord {
        id: RequestId::new(time, 1, (index % 20) as u16),
        client: Some(ClientId(index as i64 % 50)),
        dialect: Dialect::Gemini,
        endpoint: "streamGenerateContent",
        provider: Some(Arc::from("google")),
        model: Some(Arc::from("gemini-2.5-flash")),
        key: Some(KeyId(index as i64 % 1000)),
        status: if error.is_some() { 503 } else { 200 },
        stream: true,
        latency_us: 1_234_567 + index as u64,
        first_byte_us: Some(345_678),
        usage: Some(Usage {
            prompt: 1200,
            output: 340,
            reasoning: 50,
            cached: 0,
            tool: 0,
            total: 1540,
        }),
        error,
        attempts,
    }
}

fn attempt(index: usize, class: Class) -> Attempt {
    Attempt {
        key: Some(KeyId(index as i64 % 1000)),
        egress: Arc::from("direct"),
        status: Some(if class == Class::Ok { 200 } else { 429 }),
        outcome: AttemptOutcome {
            class,
            reason: class.name().into(),
        },
        latency_us: 345_678,
        chosen: "least_loaded".into(),
    }
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}
