//! The four columns that a cooling is kept in, in both tables of states: all set, or all null.

use domain::{Class, Cooling, UnixMs};

use crate::StoreError;
use crate::names::Word as _;

/// `until`, `probe_at`, `class`, `streak`.
#[derive(Default)]
pub(crate) struct CoolingColumns {
    pub(crate) until: Option<i64>,
    pub(crate) probe_at: Option<i64>,
    pub(crate) class: Option<String>,
    pub(crate) streak: Option<i16>,
}

impl From<Cooling> for CoolingColumns {
    fn from(cooling: Cooling) -> Self {
        Self {
            until: Some(cooling.until.0),
            probe_at: Some(cooling.probe_at.0),
            class: Some(cooling.class.name().to_owned()),
            streak: Some(i16::from(cooling.streak)),
        }
    }
}

impl CoolingColumns {
    /// The cooling, if the columns hold one.
    pub(crate) fn read(self) -> Result<Option<Cooling>, StoreError> {
        let (Some(until), Some(probe_at), Some(class), Some(streak)) =
            (self.until, self.probe_at, self.class, self.streak)
        else {
            return Ok(None);
        };
        Ok(Some(Cooling {
            until: UnixMs(until),
            probe_at: UnixMs(probe_at),
            class: Class::from_word(&class)?,
            streak: u8::try_from(streak).unwrap_or(u8::MAX),
        }))
    }
}
