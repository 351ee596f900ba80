//! Persistence over SQLite and PostgreSQL: keys and their state, client keys, users, settings, the activity log,
//! request records and more. One file or folder per entity, each with its row, its queries and the way to and from
//! `domain`; no row type leaves the crate. No HTTP, no clock (`now` is an argument), nothing on the path of a request.
//! Start at `handle.rs`, and at `change.rs` for what operators change; secrets are sealed in `seal.rs` and go over to a
//! new master key in `rotate.rs`; tables are made in `migration/`.

mod activity;
mod attempts;
mod bans;
mod batch;
mod bodies;
mod change;
mod client_days;
mod clients;
mod connect;
mod cooling;
mod error;
mod handle;
mod key_checks;
mod key_file;
mod key_places;
mod key_ring;
mod key_states;
mod keys;
mod master_key;
mod meta;
mod migration;
mod names;
mod page;
mod pair_states;
mod prices;
mod records;
mod resources;
mod rollups;
mod rotate;
mod seal;
mod sealed_rows;
mod sessions;
mod settings;
mod sql;
mod statements;
mod sync;
mod uploads;
mod users;

pub use activity::ActivityFilter;
pub use bodies::{RecordBodies, StoredBody};
pub use change::Change;
pub use clients::ClientPatch;
pub use error::StoreError;
pub use handle::Store;
pub use key_checks::{CheckPage, CheckPlace};
pub use key_file::Created;
pub use key_ring::MasterKeys;
pub use keys::{FileKey, FileKeys, FileSync, KeyAdd, KeyPatch, Selection};
pub use master_key::{MasterKey, MasterKeyError};
pub use records::{LARGEST_PAGE, RecordFilter, RecordPage, SearchBudget, StatusFilter};
pub use resources::{Holder, ResourceFilter, ResourcePlace};
pub use rollups::{
    Dimension, Figures, Histogram, OTHER_MODELS, SeriesPoint, SeriesQuery, Span, Total,
};
pub use rotate::{Progress, RotateError, Rotation};
pub use sync::Synced;
pub use uploads::UploadSession;
pub use users::{Owned, UserPatch};

/// What [`Store::sync_keys`] did.
pub type KeySync = Synced;
