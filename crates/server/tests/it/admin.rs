//! The admin API as a hostile caller and a careful operator meet it: one file for each resource, and some for what all
//! of them share: who may ask (`doors`), the document (`document`), the activity log and secrets (`traces`).

mod bans;
mod bulk;
mod client_keys;
mod crashes;
mod document;
mod doors;
mod export;
mod hang_up;
mod jobs;
mod keys;
mod lists;
mod models;
mod passwords;
mod postgres;
mod prices;
mod sessions;
mod settings;
mod throttle;
mod traces;
mod trying;
mod users;
