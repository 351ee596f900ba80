//! Whether the caller of an open session may still hold it. Its client key was looked at when the session began, and may
//! have been changed, switched off or deleted since. What it may take is looked at where that is counted (`talk.rs`).

use std::time::Duration;

use http::Method;
use tokio::time::{MissedTickBehavior, interval};

use super::super::admission::{self, Ask};
use super::super::caller::Caller;
use super::super::error::GatewayError;
use super::super::exchange::Exchange;
use super::ENDPOINT;
use crate::live_sessions::LiveSession;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Ends when the caller may not go on, with why.
pub(super) async fn withdrawn(exchange: &Exchange, session: &LiveSession) -> GatewayError {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(why) = holder(exchange, session) {
            return why;
        }
    }
}

/// The caller as its client key is now, or why it may not go on.
pub(super) fn holder(exchange: &Exchange, session: &LiveSession) -> Result<Caller, GatewayError> {
    let ask = Ask {
        method: &Method::GET,
        provider: Some(&exchange.provider.name),
        endpoint: ENDPOINT,
        model: &exchange.call.model,
        address: session.address,
    };
    let snapshot = exchange.app.snapshot.load();
    let now = exchange.app.clock.now();
    admission::still_admitted(&exchange.caller, &snapshot, &ask, now)
}
