//! How fast request records are written and read, on SQLite and PostgreSQL. Prints to standard output.
//!
//! - `records [records] [batch] [url]` writes into a new database: rows per second, CPU per row. `bench` calls this.
//! - `records fill URL [records] [keys]` writes a month of traffic that ends now: 10 million records of 1,000 keys unless
//!   other numbers are given.
//! - `records read URL` times what pages and charts ask of a database that was filled, and prints the query plans.

mod fill;
mod invent;
mod read;

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use domain::RequestRecord;
use store::{MasterKey, Store};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        let text = arguments.get(at);
        text.map_or(Ok(default), |text| text.parse())
    };
    let url = |at: usize| arguments.get(at).ok_or("the url of a database is missing");
    match arguments.first().map(String::as_str) {
        Some("fill") => {
            let (total, keys) = (number(2, 10_000_000)?, number(3, invent::KEYS)?);
            fill::run(&open(url(1)?).await?, total, keys).await
        }
        Some("read") => read::run(&open(url(1)?).await?).await,
        _ => {
            let folder = tempfile::tempdir()?;
            let default = format!("sqlite:{}", folder.path().join("keymux.db").display());
            let url = arguments.get(2).unwrap_or(&default);
            write(&open(url).await?, number(0, 400_000)?, number(1, 512)?).await
        }
    }
}

/// The same master key each time, so that a database can be filled and read by two calls.
async fn open(url: &str) -> Result<Store, Box<dyn Error>> {
    let master = MasterKey::from_text(&"5".repeat(64))?;
    Ok(Store::open(url, master).await?)
}

async fn write(store: &Store, total: usize, batch: usize) -> Outcome {
    let records: Vec<RequestRecord> = (0..total).map(invent::busy_minute).collect();
    let (began, cpu_began) = (Instant::now(), cpu_seconds()?);
    for batch in records.chunks(batch) {
        store.write_records(batch).await?;
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu_began);
    let rows = total as f64;
    print(&format!(
        "{total} records in batches of {batch}: {:.0} rows/s, {:.2} us CPU/row",
        rows / wall,
        cpu * 1e6 / rows
    ))
}

fn print(line: &str) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}
