//! `egress`: outbound proxies.

use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;

use crate::ProxyUrl;
use crate::section::{choice, section};
use crate::value::Placed;

section! {
    /// Outbound proxies.
    pub struct Egress {
        /// Used for all providers, unless a key names its own.
        proxies: Vec<Placed<ProxyUrl>> = "[]",
        /// Lists of proxies that are read again and again.
        sources: Vec<Placed<ProxySource>> = "[]",
        /// Proxies that are kept at most.
        max_proxies: usize = "100" in "1" ..= "100000",
        /// Healthy proxies below which more are looked for.
        min_healthy: usize = "5" in "0" ..= "100000",
        /// How proxies are checked.
        health_check: EgressHealthCheck = "{}",
        /// Whether a provider is reached directly when no proxy is healthy; if not, the answer is 502.
        fallback_to_direct: bool = "true",
    }
}

section! {
    /// How proxies are checked.
    pub struct EgressHealthCheck {
        /// Whether proxies are checked.
        enabled: bool = "true",
        /// What is fetched through the proxy; not set: a model of a provider.
        url: Option<Secret> = "null",
        /// How long a check may take.
        timeout: Duration = "15s" in "1s" ..= "10m",
        /// Checks at the same time.
        concurrency: usize = "10" in "1" ..= "1000",
        /// How often a proxy is checked again.
        recheck_interval: Duration = "5m" in "1s" ..= "365d",
    }
}

section! {
    /// A list of proxies: at a URL or in a file.
    pub struct ProxySource {
        /// Where the list is fetched from.
        url: Option<Secret> = "null",
        /// Where the list is on this machine.
        file: Option<PathBuf> = "null",
        /// How the list is written.
        format: SourceFormat = "text",
        /// What proxies speak that the list gives without a scheme.
        protocol: ProxyProtocol = "http",
        /// How often it is read again.
        refresh: Duration = "60s" in "1s" ..= "365d",
        /// The fields of a JSON list.
        fields: SourceFields = "{}",
        /// Whether private and loopback addresses in the list are used.
        allow_private: bool = "false",
    }
}

section! {
    /// The names of the fields of a JSON list.
    pub struct SourceFields {
        /// The field of the proxy's address.
        host: String = "ip",
        /// The field of its port.
        port: String = "port",
        /// The field of what it speaks.
        protocol: String = "protocol",
    }
}

choice! {
    /// How a list of proxies is written.
    pub enum SourceFormat {
        /// A line for each proxy: `host:port` or a URL.
        Text = "text",
        /// A JSON array of objects.
        Json = "json",
    }
}

choice! {
    /// What a proxy speaks.
    pub enum ProxyProtocol {
        /// HTTP with CONNECT.
        Http = "http",
        /// The same over TLS.
        Https = "https",
        /// SOCKS5.
        Socks5 = "socks5",
    }
}
