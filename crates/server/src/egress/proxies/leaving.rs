//! What an attempt wants of its egress, and why it cannot leave.

use domain::{KeyId, Secret};

use super::ProxyId;

/// What an attempt wants of its egress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving<'a> {
    pub(crate) key: LeavingKey<'a>,
    /// The proxy that the key names itself.
    pub(crate) own: Option<&'a Secret>,
    /// The provider is reached by https.
    pub(crate) is_encrypted: bool,
    /// Proxies that did not lead to the provider.
    pub(crate) failed: &'a [ProxyId],
    /// Proxies that others are preferred to: they led there, but it may be by them that it came to nothing.
    pub(crate) avoided: &'a [ProxyId],
    /// The proxy by which an upload began.
    pub(crate) preferred: Option<ProxyId>,
    /// No more proxies are to be tried for this request.
    pub(crate) is_enough: bool,
}

/// Whose proxy is chosen: the same key leaves by the same proxy, in every run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeavingKey<'a> {
    /// A key of the store.
    Known(KeyId),
    /// A key that a caller brought.
    Brought(&'a Secret),
}

impl LeavingKey<'_> {
    pub(super) fn seed(self) -> u64 {
        match self {
            Self::Known(id) => id.0.cast_unsigned(),
            Self::Brought(secret) => secret.fingerprint().number(),
        }
    }
}

/// Why an attempt cannot leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoEgress {
    /// No proxy can be used, and direct connections are not wanted.
    #[error("no outbound proxy is usable now, and egress.fallback_to_direct is off")]
    NoneUsable,
    /// What is sent would be readable for the proxy.
    #[error(
        "the provider's url is plain http, which is never sent through a proxy, and egress.fallback_to_direct is off"
    )]
    PlainHttp,
    /// The key's own proxy has failed.
    #[error("the proxy that the key names is not usable now")]
    OwnOut,
    /// The key's own proxy cannot be used for this provider.
    #[error(
        "the provider's url is plain http, which is never sent through the proxy that the key names"
    )]
    OwnPlainHttp,
    /// The key's own proxy is none.
    #[error("what the key names as its proxy is no proxy url")]
    OwnWrong,
}

impl NoEgress {
    /// Whether another key may leave.
    pub(crate) fn is_about_the_key(self) -> bool {
        matches!(self, Self::OwnOut | Self::OwnPlainHttp | Self::OwnWrong)
    }

    /// A short stable code for records.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoneUsable => "no_proxy_usable",
            Self::PlainHttp | Self::OwnPlainHttp => "plain_http_not_proxied",
            Self::OwnOut => "own_proxy_unusable",
            Self::OwnWrong => "own_proxy_wrong",
        }
    }
}
