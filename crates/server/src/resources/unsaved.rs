//! What was made and is not in the database yet. Whoever made it waits; those who come meanwhile share one transaction.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Resource;
use store::{Store, StoreError};
use tokio::sync::{Notify, oneshot};

/// How long to wait for a database that has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// What may wait for a database that is gone. The oldest are given up then: they are known as long as the program runs.
const MOST: usize = 100_000;

/// What waits to be saved.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    waiting: Mutex<Waiting>,
    has_come: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    resources: Vec<Resource>,
    /// Whoever waits for them.
    makers: Vec<oneshot::Sender<()>>,
}

impl Unsaved {
    /// Adds some. The future ends when the database has them.
    pub(super) fn put(&self, resources: Vec<Resource>) -> impl Future<Output = ()> + use<> {
        let (saved, is_saved) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.resources.extend(resources);
        waiting.makers.push(saved);
        drop(waiting);
        self.has_come.notify_one();
        async {
            // An error: the program is about to end.
            let _ = is_saved.await;
        }
    }

    /// Saves whatever comes until `stopping`, and then what is left.
    pub(super) async fn keep_saving(&self, store: &Store, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let mut is_down = false;
        loop {
            let has_come = async {
                if is_down {
                    tokio::time::sleep(AFTER_FAILURE).await;
                } else {
                    self.has_come.notified().await;
                }
            };
            let is_over = tokio::select! {
                () = has_come => false,
                () = &mut stopping => true,
            };
            let ended = self.save(store).await;
            if let Err(error) = &ended
                && (!is_down || is_over)
            {
                tracing::error!(%error, "who has what was made cannot be saved; trying on");
            }
            is_down = ended.is_err();
            if is_over {
                return;
            }
        }
    }

    async fn save(&self, store: &Store) -> Result<(), StoreError> {
        let Waiting { resources, makers } = std::mem::take(&mut *self.lock());
        if let Err(error) = store.save_resources(&resources).await {
            let mut waiting = self.lock();
            let later = std::mem::replace(&mut waiting.resources, resources);
            waiting.resources.extend(later);
            let too_many = waiting.resources.len().saturating_sub(MOST);
            waiting.resources.drain(..too_many);
            waiting.makers.extend(makers);
            waiting.makers.retain(|maker| !maker.is_closed());
            return Err(error);
        }
        for maker in makers {
            // Whoever waits no more has gone on without it.
            let _ = maker.send(());
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
