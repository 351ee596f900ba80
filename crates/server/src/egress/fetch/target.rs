//! A URL that may be asked: http or https, without credentials, on a port of the web.
//! Where its host leads is not known before the name is resolved, in `connect.rs`.

use http::HeaderValue;
use http::uri::PathAndQuery;
use url::{Position, Url};

use super::{FetchError, Limits, Ports};
use crate::egress::connect::Endpoint;
use crate::egress::{Reach, tls};

const LONGEST: usize = 8 * 1024;
const WEB_PORTS: [u16; 2] = [80, 443];

/// A URL that has been checked.
#[derive(Clone, Debug)]
pub(super) struct Target(Url);

impl Target {
    pub(super) fn read(text: &str, limits: Limits) -> Result<Self, FetchError> {
        if text.len() > LONGEST {
            return Err(FetchError::TooLong { most: LONGEST });
        }
        Self::check(Url::parse(text), limits)
    }

    /// The target of a `Location` that this one answered with.
    pub(super) fn redirected(&self, location: &str, limits: Limits) -> Result<Self, FetchError> {
        if location.len() > LONGEST {
            return Err(FetchError::TooLong { most: LONGEST });
        }
        Self::check(self.0.join(location), limits)
    }

    fn check(url: Result<Url, url::ParseError>, limits: Limits) -> Result<Self, FetchError> {
        let url = url.map_err(|_| FetchError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(FetchError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Credentials);
        }
        let target = Self(url);
        let port = target.port();
        let is_bound = limits.ports == Ports::Web && limits.reach == Reach::Public;
        if is_bound && !WEB_PORTS.contains(&port) {
            return Err(FetchError::Port { port });
        }
        Ok(target)
    }

    /// The host's name, or its address; in brackets where that is IPv6.
    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Where to connect to.
    pub(super) fn endpoint(&self, reach: Reach) -> Result<Endpoint, FetchError> {
        let is_https = self.0.scheme() == "https";
        let tls = is_https
            .then(|| tls::client_config(None, false))
            .transpose();
        Ok(Endpoint {
            host: self.host().to_owned(),
            port: self.port(),
            tls: tls.map_err(|error| FetchError::Unreachable {
                host: self.host().to_owned(),
                private: format!("{error:#}"),
            })?,
            reach,
        })
    }

    /// The host, and the port where it is not the usual one.
    pub(super) fn authority(&self) -> Result<HeaderValue, FetchError> {
        let text = &self.0[Position::BeforeHost..Position::AfterPort];
        HeaderValue::from_str(text).map_err(|_| FetchError::NotAUrl)
    }

    /// Path and query; a fragment is never sent.
    pub(super) fn path(&self) -> Result<PathAndQuery, FetchError> {
        let text = &self.0[Position::BeforePath..Position::AfterQuery];
        text.parse().map_err(|_| FetchError::NotAUrl)
    }
}
