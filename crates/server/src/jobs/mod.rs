//! Background work. One file per job; all are started here and end when the program stops.

mod check_keys;
mod check_proxies;
mod close_idle;
mod follow_owners;
mod key_files;
mod list_models;
mod prune;
mod read_proxy_lists;
mod reload;
mod report_status;
mod save_resources;
mod save_state;
mod store_bans;
mod write_bodies;
mod write_records;

use std::sync::Arc;

use domain::RequestRecord;
use tokio::sync::mpsc;

use crate::app::App;
use crate::gateway::KeptBodies;
use crate::notices::Notice;

/// Starts every job.
pub(crate) fn start(
    app: &Arc<App>,
    records: mpsc::Receiver<RequestRecord>,
    bodies: mpsc::Receiver<KeptBodies>,
    notices: mpsc::Receiver<Notice>,
) {
    app.tasks.spawn(write_records::run(app.clone(), records));
    app.tasks.spawn(write_bodies::run(app.clone(), bodies));
    app.tasks.spawn(follow_owners::run(app.clone(), notices));
    app.tasks.spawn(save_state::run(app.clone()));
    app.tasks.spawn(save_resources::run(app.clone()));
    app.tasks.spawn(store_bans::run(app.clone()));
    app.tasks.spawn(reload::run(app.clone()));
    app.tasks.spawn(key_files::run(app.clone()));
    app.tasks.spawn(prune::run(app.clone()));
    app.tasks.spawn(report_status::run(app.clone()));
    app.tasks.spawn(close_idle::run(app.clone()));
    app.tasks.spawn(list_models::run(app.clone()));
    app.tasks.spawn(check_keys::run(app.clone()));
    app.tasks.spawn(read_proxy_lists::run(app.clone()));
    app.tasks.spawn(check_proxies::run(app.clone()));
}
