//! How one provider is addressed, authenticated and understood: pure functions from an answer to a verdict.
//! No async, no clock, no I/O, and nothing about a key's health: `keypool` draws the conclusions.
//! One file (or folder) per provider, listed here; the dialects that they read with are in `wire`.

pub mod google;
