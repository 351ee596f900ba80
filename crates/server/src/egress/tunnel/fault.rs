//! What can go wrong on the way through a proxy, and what that says of the proxy. The texts are for the log; no credential
//! is in them.

use std::io;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyFault {
    /// It could not be connected to.
    #[error("connect to it: {0}")]
    Unreachable(io::Error),
    /// It cannot be trusted with the credentials: TLS with an `https://` proxy failed.
    #[error("tls handshake with it: {0}")]
    Tls(io::Error),
    /// A step took too long.
    #[error("no {what} within {seconds} s")]
    Hangs {
        /// What was waited for.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// It closed the connection instead of answering.
    #[error("it hung up: {0}")]
    HungUp(io::Error),
    /// It wants other credentials, or some.
    #[error("{0}")]
    Credentials(&'static str),
    /// It does not want to.
    #[error("it refuses to open a tunnel: {0}")]
    Refused(String),
    /// It speaks something else.
    #[error("its answer is no {protocol}: {what}")]
    Garbage {
        /// What it should speak.
        protocol: &'static str,
        /// What it said instead.
        what: String,
    },
    /// It says that the provider cannot be reached from there.
    #[error("it does not reach the provider: {0}")]
    TargetUnreachable(String),
    /// What was opened as a tunnel led nowhere.
    #[error("tls handshake with the provider through it: {0}")]
    Cut(io::Error),
    /// Somebody else than the provider answers at the end of the tunnel.
    #[error("the certificate at the end of the tunnel is not the provider's: {0}")]
    Certificate(io::Error),
    /// What is sent would be readable for it.
    #[error("plain http is never sent through a proxy")]
    PlainHttp,
}

/// Whose fault it is that there is no tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Culprit {
    /// The proxy's, whatever the provider does.
    Proxy,
    /// The proxy's if the provider is reached on another way; else it is the provider that cannot be reached.
    ProxyIfOthersWork,
    /// Nobody's: it was never asked.
    Nobody,
}

impl ProxyFault {
    pub(crate) fn culprit(&self) -> Culprit {
        match self {
            Self::Unreachable(_)
            | Self::Tls(_)
            | Self::Hangs { .. }
            | Self::HungUp(_)
            | Self::Credentials(_)
            | Self::Refused(_)
            | Self::Garbage { .. } => Culprit::Proxy,
            Self::TargetUnreachable(_) | Self::Cut(_) | Self::Certificate(_) => {
                Culprit::ProxyIfOthersWork
            }
            Self::PlainHttp => Culprit::Nobody,
        }
    }

    /// A short stable code for records.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "proxy_unreachable",
            Self::Tls(_) => "proxy_tls_failed",
            Self::Hangs { .. } => "proxy_hangs",
            Self::HungUp(_) => "proxy_hung_up",
            Self::Credentials(_) => "proxy_credentials",
            Self::Refused(_) => "proxy_refused",
            Self::Garbage { .. } => "proxy_garbage",
            Self::TargetUnreachable(_) => "proxy_target_unreachable",
            Self::Cut(_) => "proxy_tunnel_cut",
            Self::Certificate(_) => "proxy_wrong_certificate",
            Self::PlainHttp => "plain_http_not_proxied",
        }
    }
}
