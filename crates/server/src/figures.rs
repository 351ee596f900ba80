//! How long figures are kept. `jobs/prune.rs` deletes what is older; charts ask for no finer ones than are still there.

use std::time::Duration;

use store::Span;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Those of minutes for two days, of hours for a quarter, of days for ten years.
pub(crate) const fn kept(span: Span) -> Duration {
    match span {
        Span::Minute => DAY.saturating_mul(2),
        Span::Hour => DAY.saturating_mul(92),
        Span::Day => DAY.saturating_mul(3_660),
    }
}
