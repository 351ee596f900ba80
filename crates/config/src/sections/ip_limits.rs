//! `ip_limits`: limits for each address of anonymous callers.

use std::time::Duration;

use serde_json::Value as Json;

use crate::Shape;
use crate::section::section;
use crate::value::Leaf;

section! {
    /// Limits for each address of callers without a valid client key; IPv6 counts by /64.
    pub struct IpLimits {
        /// Requests a minute that are let in; the others are 429.
        per_minute: u32 = "40" in "1" ..= "1000000",
        /// Requests an hour, refused ones among them, above which the address is banned.
        ban_above_per_hour: u32 = "3600" in "1" ..= "100000000",
        /// How long the ban lasts: until it is lifted, or a time.
        ban_for: BanFor = "permanent",
    }
}

const PERMANENT: &str = "permanent";

/// How long a ban lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanFor {
    /// Until it is lifted.
    Permanent,
    /// A time; then the count starts anew.
    Time(Duration),
}

impl Leaf for BanFor {
    fn shape() -> Shape {
        Shape::Duration {
            or: Some(PERMANENT),
        }
    }

    fn listed(&self) -> Json {
        match self {
            Self::Permanent => PERMANENT.into(),
            Self::Time(time) => Leaf::listed(time),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text == PERMANENT {
            return Ok(Self::Permanent);
        }
        let time = Duration::parse(text)
            .ok()
            .filter(|time| *time >= Duration::from_secs(1));
        let wrong = "is not \"permanent\" or a duration from 1s up such as 30m or 7d";
        time.map(Self::Time).ok_or_else(|| wrong.to_owned())
    }
}
