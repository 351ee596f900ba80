//! The listening side: connections, routes, bodies. What a callers' endpoint does is in `gateway`.

mod assets;
mod body;
mod coding;
mod connections;
mod cors;
mod dashboard;
mod docs;
mod health;
mod listen;
mod machine;
mod own;
mod router;

pub(crate) use body::{Body, BoxError};
pub(crate) use listen::{Listener, serve};
