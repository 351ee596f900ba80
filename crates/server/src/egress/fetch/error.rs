//! Why there is no image: what the caller may read, and whose fault it is.

use std::io;

use crate::egress::{OutOfReach, SendError};

/// An image that was not fetched. Its text is for the caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It cannot be read, or is of another scheme.
    #[error("the image's url is not an absolute http or https url")]
    NotAUrl,
    /// It is longer than any real one.
    #[error("the image's url is longer than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// It has a user name or a password.
    #[error("the image's url has a user name or a password; expected one without")]
    Credentials,
    /// It names a port of something else than the web.
    #[error("the image's url names port {port}; expected 80 or 443")]
    Port {
        /// The port.
        port: u16,
    },
    /// It leads to where callers may not send keymux.
    #[error("{host} is not at a public address; send the image itself as a data url")]
    NotPublic {
        /// The host's name or address.
        host: String,
    },
    /// Its host sent keymux round and round.
    #[error("the image's url redirects more than {most} times; expected that of the image itself")]
    TooManyRedirects {
        /// How often is allowed.
        most: usize,
    },
    /// It is larger than it may be.
    #[error("the image is larger than {most} bytes")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// Its host does not give it.
    #[error("{host} answered with status {status} when asked for the image")]
    Refused {
        /// The host's name or address.
        host: String,
        /// What it answered.
        status: u16,
    },
    /// Its host gave no answer.
    #[error("{host} could not be asked for the image")]
    Unreachable {
        /// The host's name or address.
        host: String,
        /// What only the log says.
        private: String,
    },
    /// Its host stopped in the middle of it.
    #[error("the image from {host} broke off; try again")]
    BrokeOff {
        /// The host's name or address.
        host: String,
        /// What only the log says.
        private: String,
    },
    /// It did not come in time.
    #[error("the image did not come within {seconds} s; try again, or send it as a data url")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
}

impl FetchError {
    /// Whether another URL is needed; else the same one may do later.
    pub(crate) fn is_callers_fault(&self) -> bool {
        match self {
            Self::NotAUrl
            | Self::TooLong { .. }
            | Self::Credentials
            | Self::Port { .. }
            | Self::NotPublic { .. }
            | Self::TooManyRedirects { .. }
            | Self::TooLarge { .. } => true,
            Self::Refused { status, .. } => *status < 500 && *status != 429,
            Self::Unreachable { .. } | Self::BrokeOff { .. } | Self::TimedOut { .. } => false,
        }
    }

    /// What only the log says.
    pub(crate) fn private(&self) -> Option<&str> {
        match self {
            Self::Unreachable { private, .. } | Self::BrokeOff { private, .. } => Some(private),
            _ => None,
        }
    }
}

/// A host that no connection was made to, or that did not answer.
pub(super) fn host_failed(host: &str, error: &SendError) -> FetchError {
    let host = host.to_owned();
    let is_out_of_reach = match error {
        SendError::Connect { source, .. } => is_out_of_reach(source),
        _ => false,
    };
    if is_out_of_reach {
        return FetchError::NotPublic { host };
    }
    FetchError::Unreachable {
        host,
        private: error.to_string(),
    }
}

fn is_out_of_reach(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(OutOfReach::LinkLocal | OutOfReach::NotPublic))
}
