//! How long resources live. Sources: providers/gemini.md, sections 6 to 8, and providers/xai.md, section 1; where Google says nothing, longer than anybody
//! needs them.

use std::time::Duration;

use domain::{ResourceName, UnixMs};
use providers::Api;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a resource that is made now is gone at the latest; none: it stays until it is deleted.
pub(super) fn of(api: Api, name: &ResourceName, now: UnixMs) -> Option<UnixMs> {
    let lifetime = match name.collection() {
        "deferred-completions" => DAY,
        "files" | "batches" if api != Api::Google => return None,
        "files" | "generatedFiles" => DAY * 2 + HOUR,
        "operations" | "responses" => DAY * 30,
        "batches" | "interactions" => DAY * 60,
        // There may be a new one with every call of an agent.
        "environments" => DAY * 365,
        _ => return None,
    };
    Some(now + lifetime)
}

/// An instant as Google writes it, such as `2026-11-20T10:00:00.123Z`.
pub(super) fn stated(text: &str) -> Option<UnixMs> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(UnixMs(instant.as_millisecond()))
}
