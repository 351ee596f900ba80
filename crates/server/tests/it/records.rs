//! What keymux writes down of requests and shows of it: the request log (`list.rs`, `export.rs`, `detail.rs`), kept
//! bodies (`bodies.rs`), charts, standing and what is left of the day (`series.rs`, `standing.rs`, `capacity.rs`), live events (`events.rs`), what members see of
//! all that (`members.rs`), how much is kept (`pruning.rs`), and what becomes of it when the database is away
//! (`outage.rs`). `watcher.rs` and `past.rs` are the words that these are told in.

mod bodies;
mod capacity;
mod detail;
mod events;
mod export;
mod list;
mod members;
mod outage;
mod past;
mod pruning;
mod series;
mod standing;
mod watcher;

pub(crate) use past::beside;
pub(crate) use watcher::Watcher;
