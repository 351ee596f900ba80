//! How an attempt leaves the machine: connections to a provider, kept and reused.
//! One pool of connections per provider and egress, whatever key they carry. Start at `origin.rs`.

mod body;
mod connect;
mod error;
mod h1;
mod origin;
mod outgoing;
mod tls;

pub(crate) use body::UpstreamBody;
pub(crate) use error::{CallersFault, Phase, SendError};
pub(crate) use origin::{Origin, OriginOptions};
pub(crate) use outgoing::{Outgoing, OutgoingBody, RequestBody};
