//! Writes request records in batches. It waits a moment after the first one, so that the busier the program is, the
//! fewer transactions a record costs.

use std::sync::Arc;
use std::time::Duration;

use domain::RequestRecord;
use store::StoreError;
use tokio::sync::mpsc::Receiver;

use crate::app::App;

const MOST_AT_ONCE: usize = 4096;
const GATHER: Duration = Duration::from_millis(400);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>, mut records: Receiver<RequestRecord>) {
    let mut batch = Vec::with_capacity(MOST_AT_ONCE);
    loop {
        // A batch that the database did not take is tried again before more is taken out of the queue.
        if batch.is_empty() {
            tokio::select! {
                biased;
                count = records.recv_many(&mut batch, MOST_AT_ONCE) => if count == 0 { return },
                () = app.tasks.stopping() => return flush(&app, &mut records, batch).await,
            }
            gather(&app, &mut records, &mut batch).await;
        }
        write(&app, &mut batch).await;
        if app.tasks.are_stopping() && !batch.is_empty() {
            return flush(&app, &mut records, batch).await;
        }
    }
}

/// Waits for what comes in the next moment, unless the batch is full.
async fn gather(app: &App, records: &mut Receiver<RequestRecord>, batch: &mut Vec<RequestRecord>) {
    if batch.len() == MOST_AT_ONCE {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(GATHER) => {}
        () = app.tasks.stopping() => {}
    }
    while batch.len() < MOST_AT_ONCE {
        let Ok(record) = records.try_recv() else {
            return;
        };
        batch.push(record);
    }
}

/// What is still there when the program stops.
async fn flush(app: &App, records: &mut Receiver<RequestRecord>, mut batch: Vec<RequestRecord>) {
    while let Ok(record) = records.try_recv() {
        batch.push(record);
    }
    if !batch.is_empty() && app.store.write_records(&batch).await.is_err() {
        tracing::warn!(records = batch.len(), "request records lost at shutdown");
    }
}

/// Keeps the batch when the database does not take it: the queue in front of it fills, drops and counts.
async fn write(app: &App, batch: &mut Vec<RequestRecord>) {
    // Taken in again when the database did not take it: that says the same.
    app.checks.learn(batch);
    match app.store.write_records(batch).await {
        Ok(()) => {
            batch.clear();
            if app.database.note(true) {
                tracing::info!("the database takes records again");
            }
        }
        // The database is there and will never take this batch: one of them must not hold up the others.
        Err(StoreError::Refused(_) | StoreError::Corrupt { .. }) => one_by_one(app, batch).await,
        Err(error) => {
            if app.database.note(false) {
                tracing::error!(%error, "request records cannot be written; trying on");
            }
            tokio::select! {
                () = tokio::time::sleep(AFTER_FAILURE) => {}
                () = app.tasks.stopping() => {}
            }
        }
    }
}

/// Writes each by itself. What is refused is lost, and counted; what fails otherwise stays for the next time.
async fn one_by_one(app: &App, batch: &mut Vec<RequestRecord>) {
    let mut lost = 0;
    let mut records = std::mem::take(batch).into_iter();
    for record in records.by_ref() {
        match app.store.write_records(std::slice::from_ref(&record)).await {
            Ok(()) => {}
            Err(error @ (StoreError::Refused(_) | StoreError::Corrupt { .. })) => {
                lost += 1;
                tracing::debug!(request.id = %record.id, %error, "the database refuses a record");
            }
            Err(_) => {
                batch.push(record);
                break;
            }
        }
    }
    batch.extend(records);
    if lost > 0 {
        app.metrics.dropped_records.inc_by(lost);
        tracing::error!(
            records = lost,
            "request records lost: the database refuses them"
        );
    }
}
