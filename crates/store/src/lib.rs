//! Persistence over SQLite and PostgreSQL: keys and their state, client keys, users, uploads, request records.
//! One file per entity, each with its row, its queries and the way to and from `domain`; no row type leaves the crate.
//! No HTTP, no clock (`now` is an argument), nothing on the path of a request. Start at `handle.rs`;
//! secrets are sealed in `seal.rs`, tables are made in `migration/`.

mod attempts;
mod batch;
mod change;
mod clients;
mod connect;
mod cooling;
mod error;
mod handle;
mod key_states;
mod keys;
mod master_key;
mod meta;
mod migration;
mod names;
mod page;
mod pair_states;
mod records;
mod seal;
mod sync;
mod uploads;
mod users;

pub use error::StoreError;
pub use handle::Store;
pub use keys::KeyAdd;
pub use master_key::{Created, MasterKey, MasterKeyError};
pub use sync::Synced;
pub use uploads::UploadSession;
pub use users::User;

/// What [`Store::sync_keys`] did.
pub type KeySync = Synced;
