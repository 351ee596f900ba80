//! What happens now, for those who watch: requests as they end, keys as they change, bans. Nobody watching costs one atomic
//! read a request; a watcher who cannot follow loses the oldest, and is told how many.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{Ban, KeyId, RequestRecord};
use tokio::sync::broadcast;

/// Events that a slow watcher may be behind.
const BEHIND: usize = 1_024;

/// Who watch at the same time: each costs a look at the figures a second.
const MOST_WATCHERS: usize = 100;

/// Something that has happened.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A request is over.
    Request(Arc<RequestRecord>),
    /// How a key stands has changed.
    Key { provider: Arc<str>, key: KeyId },
    /// An address was banned.
    Ban(Ban),
    /// A ban was lifted.
    Unban(IpAddr),
}

/// Where it is told.
#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Happening>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }
}

impl Events {
    /// Tells of something, if anybody watches.
    pub(crate) fn tell(&self, happening: impl FnOnce() -> Happening) {
        if self.0.receiver_count() > 0 {
            let _ = self.0.send(happening());
        }
    }

    /// Watches; none: too many do already.
    pub(crate) fn watch(&self) -> Option<broadcast::Receiver<Happening>> {
        (self.0.receiver_count() < MOST_WATCHERS).then(|| self.0.subscribe())
    }
}
