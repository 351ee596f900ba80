//! An address that is shut out. Why and for how long is decided by those who ban; here it is plain data.

use crate::UnixMs;

/// An address whose requests are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// An IPv4 address, or an IPv6 network of 64 bits, as the limits of addresses write it.
    pub address: String,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub created_at: UnixMs,
    /// Until when; none: until it is lifted.
    pub until: Option<UnixMs>,
}
