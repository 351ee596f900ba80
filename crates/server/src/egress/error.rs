//! Why a provider could not be reached, whether a proxy is to blame for that, and how far the request had come: that decides whether it may be repeated.

use std::io;
use std::sync::Arc;

use super::outgoing::TooLarge;
use super::{Culprit, Egress, Proxy, ProxyFault};

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No connection: the provider has seen nothing.
    Connect,
    /// The request may have been read, and acted on.
    Exchange,
}

/// What a caller did to its upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallersFault {
    /// It sent more than it may.
    TooLarge,
    /// It went away.
    BrokeOff,
}

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The address could not be resolved or connected to.
    #[error("connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Connecting took too long.
    #[error("connect to {address}: no connection within {seconds} s")]
    ConnectTimeout {
        /// Host and port.
        address: String,
        /// The limit.
        seconds: u64,
    },
    /// The TLS handshake failed.
    #[error("tls handshake with {address}: {source}")]
    Tls {
        /// Host and port.
        address: String,
        /// What rustls said.
        source: io::Error,
    },
    /// There is no way through a proxy.
    #[error("through {egress}: {fault}")]
    Proxy {
        /// The proxy's name.
        egress: Arc<str>,
        /// What is wrong with it.
        fault: ProxyFault,
    },
    /// The HTTP exchange broke off.
    #[error("exchange: {0}")]
    Exchange(#[from] hyper::Error),
}

impl SendError {
    /// How far the request had come.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Tls { .. }
            | Self::Proxy { .. } => Phase::Connect,
            Self::Exchange(error) if error.is_canceled() => Phase::Connect,
            Self::Exchange(_) => Phase::Exchange,
        }
    }

    /// What the caller did to its upload, where that ended the exchange.
    pub(crate) fn callers_fault(&self) -> Option<CallersFault> {
        let Self::Exchange(error) = self else {
            return None;
        };
        if !error.is_user() {
            return None;
        }
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            if inner.is::<TooLarge>() {
                return Some(CallersFault::TooLarge);
            }
            cause = inner.source();
        }
        Some(CallersFault::BrokeOff)
    }

    /// A short stable code for records, for example `connect_failed`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect_failed",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Tls { .. } => "tls_failed",
            Self::Proxy { fault, .. } => fault.reason(),
            Self::Exchange(_) => match self.callers_fault() {
                Some(CallersFault::TooLarge) => "upload_too_large",
                Some(CallersFault::BrokeOff) => "upload_broke_off",
                None => "connection_lost",
            },
        }
    }
}

/// A failure that an attempt's egress may be to blame for.
#[derive(Clone, Debug)]
pub(crate) struct EgressFault {
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) culprit: Culprit,
    /// A short stable code, for example `proxy_unreachable`.
    pub(crate) reason: &'static str,
    /// The provider has seen nothing of the request.
    pub(crate) is_before_sending: bool,
}

impl EgressFault {
    /// What a failure says of the egress that the attempt left by; none: nothing.
    pub(crate) fn of(error: &SendError, egress: &Egress) -> Option<Self> {
        let proxy = egress.proxy()?.clone();
        let culprit = match error {
            SendError::Proxy { fault, .. } => fault.culprit(),
            _ if error.callers_fault().is_some() => return None,
            _ => Culprit::ProxyIfOthersWork,
        };
        (culprit != Culprit::Nobody).then(|| Self {
            proxy,
            culprit,
            reason: error.reason(),
            is_before_sending: error.phase() == Phase::Connect,
        })
    }
}
