//! Fills a database with a month of traffic, as the program would have written and pruned it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::{RequestRecord, UnixMs};
use store::{Span, Store};

use crate::invent::{MONTH_MS, Month};
use crate::{Outcome, print};

const BATCH: usize = 4_096;
const PROGRESS_EVERY: usize = 500_000;
const MINUTES_KEPT: Duration = Duration::from_secs(2 * 86_400);

pub(crate) async fn run(store: &Store, total: usize, keys: usize) -> Outcome {
    let began = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let month = Month {
        begin: UnixMs(now - MONTH_MS),
        records: total,
        keys,
    };
    for first in (0..total).step_by(BATCH) {
        let last = (first + BATCH).min(total);
        let batch: Vec<RequestRecord> = (first..last).map(|index| month.record(index)).collect();
        store.write_records(&batch).await?;
        prune(store, &batch).await?;
        if first / PROGRESS_EVERY != last / PROGRESS_EVERY || last == total {
            let seconds = began.elapsed().as_secs_f64();
            print(&format!(
                "{last} records in {seconds:.0} s, {:.0} rows/s, {} MiB",
                last as f64 / seconds,
                store.size_bytes().await? >> 20
            ))?;
        }
    }
    print(&format!("from {} to {now}", month.begin.0))
}

async fn prune(store: &Store, batch: &[RequestRecord]) -> Outcome {
    if let Some(last) = batch.last() {
        let before = last.id.time() - MINUTES_KEPT;
        store
            .delete_rollups_before(Span::Minute, before, 20_000)
            .await?;
    }
    Ok(())
}
