//! An address that is shut out. Why and for how long is decided by those who ban; here it is plain data.

use crate::UnixMs;

/// An address whose requests are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// An IPv4 address, or an IPv6 network of 64 bits, as the limits of addresses write it.
    pub address: String,
    /// Why, for people.
    pub reason: String,
    /// Who banned it: a user's name, or `keymux`; none where an older version did not write it down.
    pub created_by: Option<String>,
    /// The requests of an hour that it was banned for; none where somebody banned it by hand.
    pub requests: Option<u64>,
    /// Since when.
    pub created_at: UnixMs,
    /// Until when; none: until it is lifted.
    pub until: Option<UnixMs>,
}

impl Ban {
    /// Whether it holds at that time.
    pub fn is_in_force(&self, now: UnixMs) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}
