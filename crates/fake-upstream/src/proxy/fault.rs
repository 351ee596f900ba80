//! What can be wrong with a proxy. A throttled exit is no fault of the proxy itself: it is a rule of
//! the stand-in on the address that the proxy comes from ([`Rule::peer`](crate::Rule::peer)).

use serde::{Deserialize, Serialize};

/// What a proxy does to every connection that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyFault {
    /// Nobody listens: the connection is refused. The port stays taken, so that it can come back.
    ClosedPort,
    /// Takes the connection in and closes it.
    HangUp,
    /// Takes the connection in and never says a word.
    Hang,
    /// Greets (TLS, or SOCKS' choice of a method) and never answers the request to connect.
    HangAtConnect,
    /// Says that it has connected, and relays nothing.
    HangInTunnel,
    /// Refuses every login: 407, or the failure of SOCKS' login.
    WrongLogin,
    /// Says that the target cannot be reached: 502, or SOCKS' reply 4.
    Unreachable,
    /// Answers the request to connect with this: an HTTP status, or a reply of SOCKS5.
    Refuses(u16),
    /// Says something that is neither HTTP nor SOCKS, and closes.
    Garbage,
    /// Begins an answer whose header has no end.
    EndlessHeader,
    /// Resets the connection once it has relayed so many bytes from the target.
    CutAfter(u64),
    /// Relays so many bytes from the target and then no more.
    StallAfter(u64),
    /// Ends TLS itself with a certificate of an authority that nobody knows, and reads what the
    /// client then says.
    ManInTheMiddle,
}
