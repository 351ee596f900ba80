//! What the store promises, told once for each entity and shown on SQLite and on PostgreSQL.
//! `database.rs` makes a fresh database for each story.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "stories that are passed over say so")]

mod clients;
mod database;
mod keys;
mod opening;
mod records;
mod states;
mod uploads;
mod users;
