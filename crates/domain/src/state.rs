//! What is remembered of a key and of a (project, model) pair, as it is kept over a restart.
//! How it changes is decided in `keypool`.

use serde::{Deserialize, Serialize};

use crate::{Class, UnixMs};

/// A key's standing that survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// Whether it may be used.
    pub health: KeyHealth,
    /// Failures in a row that count towards `pool.max_failures`.
    pub failures: u16,
    /// It has answered at least once: a single "not valid" does not retire it.
    pub has_worked: bool,
}

/// Whether a key may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "health")]
pub enum KeyHealth {
    /// It may.
    #[default]
    Active,
    /// Not before an instant; then one request tries it.
    Cooling(Cooling),
    /// Not until an operator, or a check that succeeds, brings it back.
    Retired {
        /// Why.
        reason: RetiredReason,
        /// Since when.
        since: UnixMs,
    },
}

/// Not to be used before an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cooling {
    /// When it is over.
    pub until: UnixMs,
    /// When one request may try before that; equal to `until` where nothing is tried earlier.
    pub probe_at: UnixMs,
    /// The class of the verdict that began it.
    pub class: Class,
    /// How many times in a row it was cooled, for backoff.
    pub streak: u8,
}

/// Why a key was retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetiredReason {
    /// Wrong, expired, leaked or revoked.
    Invalid,
    /// Its own restrictions forbid the use.
    Restricted,
    /// The account behind it is suspended or denied.
    Suspended,
    /// Too many 401 and 403 in a row.
    Failures,
}

impl RetiredReason {
    /// Its name in lists and records, for example `invalid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
            Self::Failures => "failures",
        }
    }
}

/// Names a (project, model) pair across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairId {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The project's name; for a key with no project, `key:` and its id.
    pub project: String,
    /// The model's id without the provider's prefix.
    pub model: String,
}

/// What is remembered of a (project, model) pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairState {
    /// Not to be used before an instant.
    pub cooling: Option<Cooling>,
    /// The Pacific day that `day_requests` counts, in days since 1970-01-01.
    pub day: i32,
    /// Requests that the provider accepted in that day.
    pub day_requests: u32,
    /// A `PerDay` answer has come, and no success since.
    pub day_suspected: bool,
}
