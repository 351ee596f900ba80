//! Figures: how keymux stands now, and how it stood. All of it is read from counters in memory and from roll-ups, never
//! from the requests themselves. Members see what their own client keys did.

mod capacity;
mod lines;
mod series;
mod status;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) use status::{Live, live};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(status::get_status))
        .routes(routes!(series::get_series))
        .routes(routes!(capacity::get_capacity))
}
