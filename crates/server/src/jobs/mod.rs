//! Background work. One file per job; all are started here and end when the program stops.

mod close_idle;
mod prune;
mod reload;
mod save_state;
mod write_records;

use std::sync::Arc;

use domain::RequestRecord;
use tokio::sync::mpsc;

use crate::app::App;

/// Starts every job. `revision` is the one of the store that the app was built from.
pub(crate) fn start(app: &Arc<App>, records: mpsc::Receiver<RequestRecord>, revision: i64) {
    app.tasks.spawn(write_records::run(app.clone(), records));
    app.tasks.spawn(save_state::run(app.clone()));
    app.tasks.spawn(reload::run(app.clone(), revision));
    app.tasks.spawn(prune::run(app.clone()));
    app.tasks.spawn(close_idle::run(app.clone()));
}
