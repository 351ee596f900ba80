//! Roll-ups: sums of request records per minute, hour and day, so that charts never scan rows.
//!
//! They are written in the transaction of their records (`gather.rs` sums a batch up, `write.rs` adds it to what is
//! there), read by `read.rs` and `range.rs`, and deleted by `retention.rs`. A record counts in each dimension exactly once, so the
//! sums over the values of a dimension are those over all records.

mod figures;
mod gather;
mod histogram;
mod model_names;
mod range;
mod read;
mod retention;
mod write;

use std::time::Duration;

use domain::UnixMs;

use crate::names::Word;

pub use figures::Figures;
pub(crate) use gather::Gathered;
pub use histogram::Histogram;
pub(crate) use model_names::ModelNames;
pub use read::{SeriesPoint, SeriesQuery, Total};
pub(crate) use write::{add_postgres, add_sqlite, upsert_sums_text, upsert_text};

/// How long a time one roll-up sums up. Days are those of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Span {
    /// Every span, shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its length.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.seconds() as u64)
    }

    /// When the span began that `time` is in.
    pub const fn start_of(self, time: UnixMs) -> UnixMs {
        UnixMs(time.0 - time.0.rem_euclid(self.ms()))
    }

    const fn seconds(self) -> i32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    const fn ms(self) -> i64 {
        self.seconds() as i64 * 1_000
    }
}

/// What requests are told apart by. A value that a request does not have is the empty text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Nothing: the one value is the empty text.
    All,
    /// The provider's name.
    Provider,
    /// `provider/model`; [`OTHER_MODELS`] for names that nobody knows.
    Model,
    /// The client key's id.
    Client,
    /// `ok`, or the name of the class of the error.
    Outcome,
    /// `client/provider/model`, or `client/` and [`OTHER_MODELS`]. Has no histograms.
    ClientModel,
    /// The provider key's id; per hour and day only. Has no histograms.
    Key,
}

impl Dimension {
    /// The spans that it is kept by. There are too many keys for a row of each a minute.
    const fn spans(self) -> &'static [Span] {
        match self {
            Self::Key => &[Span::Hour, Span::Day],
            _ => &Span::ALL,
        }
    }

    /// Most rows are those of keys and of clients' models, and most of what a row costs are its histograms.
    const fn has_histograms(self) -> bool {
        !matches!(self, Self::Key | Self::ClientModel)
    }
}

/// The value of requests for models that are not counted by name: callers choose names, and there is no end to them.
pub const OTHER_MODELS: &str = "other";

impl Word for Dimension {
    const WHAT: &'static str = "dimension";
    const ALL: &'static [Self] = &[
        Self::All,
        Self::Provider,
        Self::Model,
        Self::Client,
        Self::Outcome,
        Self::ClientModel,
        Self::Key,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Client => "client",
            Self::Outcome => "outcome",
            Self::ClientModel => "client_model",
            Self::Key => "key",
        }
    }
}
