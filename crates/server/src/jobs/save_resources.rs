//! Saves who has what was made. How is in `resources/`.

use std::sync::Arc;

use crate::app::App;

pub(super) async fn run(app: Arc<App>) {
    app.resources
        .keep_saving(&app.store, app.tasks.stopping())
        .await;
}
