//! What the store promises, told once for each entity and shown on SQLite and on PostgreSQL.
//! `database.rs` makes a fresh database for each story.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a story that cannot go on has failed"
)]
#![expect(clippy::print_stderr, reason = "stories that are passed over say so")]

mod activity;
mod bans;
mod bodies;
mod changes;
mod checks;
mod client_days;
mod clients;
mod database;
mod edited_keys;
mod key_files;
mod keys;
mod opening;
mod prices;
mod random;
mod record_pages;
mod records;
mod resources;
mod rollups;
mod rotation;
mod selected_keys;
mod sessions;
mod settings;
mod states;
mod uploads;
mod users;
