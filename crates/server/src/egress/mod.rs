//! How an attempt leaves the machine: directly or through an outbound proxy, on connections that are kept and reused.
//! One pool of connections per provider and egress, whatever key they carry. Start at `origin.rs`; which proxy is used
//! is `proxies/`, and how it is spoken to `tunnel/`.

mod address;
mod attribution;
mod body;
mod connect;
mod connections;
mod error;
mod fetch;
mod h1;
mod lists;
mod multipart;
mod origin;
mod outgoing;
mod proxies;
mod tls;
mod tunnel;

use address::OutOfReach;
pub(crate) use address::Reach;
pub(crate) use attribution::{Attributions, Fault, Refused};
pub(crate) use body::UpstreamBody;
pub(crate) use connect::Io;
pub(crate) use error::{CallersFault, EgressFault, Phase, SendError};
pub(crate) use fetch::{FetchError, Limits, Ports, fetch};
pub(crate) use lists::{LeftOut, Listing, Malformed, Reading, read as read_list};
pub(crate) use multipart::multipart;
pub(crate) use origin::{Origin, OriginOptions, Upgraded};
pub(crate) use outgoing::{Outgoing, OutgoingBody, RequestBody};
pub(crate) use proxies::{
    Egress, Found, Leaving, LeavingKey, Member, NoEgress, Proxies, Proxy, ProxyId, ProxySettings,
    REFUSED_EVERYBODY, State,
};
pub(crate) use tunnel::{Culprit, ProxyFault};
