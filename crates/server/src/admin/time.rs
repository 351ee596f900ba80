//! Instants in the API: RFC 3339 in UTC, to the millisecond.

use domain::UnixMs;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) UnixMs);

impl From<UnixMs> for Time {
    fn from(time: UnixMs) -> Self {
        Self(time)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::clock::written(self.0))
    }
}

impl std::str::FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed: Result<Timestamp, _> = text.parse();
        let time = parsed.map_err(|_| {
            format!("{text:?} is no instant; expected RFC 3339 such as 2026-11-20T16:00:00Z")
        })?;
        Ok(Self(UnixMs(time.as_millisecond())))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-20T16:00:00.000Z"]);
        time.build().into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_they_are_read() {
        let time: Time = "2026-11-20T16:00:00Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-20T16:00:00.000Z");
        assert_eq!(Time(UnixMs(1_500)).to_string(), "1970-01-01T00:00:01.500Z");
        assert_eq!(Time(UnixMs::NEVER).to_string(), "9999-12-31T23:59:59.999Z");
        assert!(
            "yesterday"
                .parse::<Time>()
                .unwrap_err()
                .contains("RFC 3339")
        );
    }
}
