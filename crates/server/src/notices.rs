//! What requests notice about the keys of an owner, on its way to the job that acts on it (`jobs/follow_owners.rs`).
//! Requests only put it into a bounded queue; they never wait for what comes of it.

use std::sync::Arc;

use domain::{KeyId, UserId};
use tokio::sync::mpsc;

/// Notices that may wait. What comes when so many do is dropped: the next failure tells the same again.
const WAITING: usize = 1_024;

/// A request that keys of its caller's owner have failed.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) owner: UserId,
    pub(crate) provider: Arc<str>,
    /// The keys, in the order of their failures; never empty.
    pub(crate) failed: Vec<FailedKey>,
    pub(crate) ending: Ending,
}

/// A key of the owner's that has failed a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailedKey {
    pub(crate) id: KeyId,
    /// The verdict's code, for example `api_key_invalid`.
    pub(crate) reason: &'static str,
    /// The failure took the key, or its project for the model, out of use.
    pub(crate) is_out: bool,
}

/// How the owner's keys came through.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// Another of them has answered.
    Answered(KeyId),
    /// None of them has.
    Exhausted,
}

/// The queue's end that requests hold.
#[derive(Debug)]
pub(crate) struct Notices(mpsc::Sender<Notice>);

impl Notices {
    /// The queue, and its other end for the job.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Notice>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Hands a notice over without waiting.
    pub(crate) fn put(&self, notice: Notice) {
        if self.0.try_send(notice).is_err() {
            tracing::debug!("a notice about an owner's keys is dropped: too many wait");
        }
    }
}
