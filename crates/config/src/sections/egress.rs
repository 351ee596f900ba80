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
        /// Used for all providers, unless a key names its own: `http://`, `https://` or `socks5://`, perhaps with `user:password@`, percent-encoded.
        proxies: Vec<Placed<ProxyUrl>> = "[]",
        /// Lists of proxies that are read again and again. Those that are found there are used after a check.
        sources: Vec<Placed<ProxySource>> = "[]",
        /// Proxies that are kept at most: all of `proxies`, and of the lists as many as there is room for.
        max_proxies: usize = "100" in "1" ..= "100000",
        /// Healthy proxies below which those of the lists are checked until there are so many again.
        min_healthy: usize = "5" in "0" ..= "100000",
        /// How proxies are checked.
        health_check: EgressHealthCheck = "{}",
        /// Whether a provider is reached directly when no proxy is usable, or when its URL is plain http; if not, the answer is 502.
        fallback_to_direct: bool = "true",
        /// A PEM file with certificates that are trusted for `https://` proxies, and for `health_check.url`, besides the public ones.
        ca_file: Option<PathBuf> = "null"; reload,
    }
}

section! {
    /// How proxies are checked.
    pub struct EgressHealthCheck {
        /// Whether proxies are checked; if not, those of the lists are used unchecked.
        enabled: bool = "true",
        /// An https URL that is fetched through the proxy, and must answer with a success, for example a provider's model with a key of its own for checks; not set: a model of a provider, with a key that would leave by the proxy.
        url: Option<Secret> = "null",
        /// How long a check may take.
        timeout: Duration = "15s" in "1s" ..= "10m",
        /// Checks at the same time.
        concurrency: usize = "10" in "1" ..= "1000",
        /// How often a proxy is checked again. One of a list that fails rests for as long, and twice as long each time, up to an hour.
        recheck_interval: Duration = "5m" in "1s" ..= "365d",
    }
}

section! {
    /// A list of proxies: at a URL, in a file, or well known.
    pub struct ProxySource {
        /// Where the list is fetched from.
        url: Option<Secret> = "null",
        /// Where the list is on this machine.
        file: Option<PathBuf> = "null",
        /// How the list is written.
        format: SourceFormat = "text",
        /// What proxies speak that the list gives without a scheme.
        protocol: ProxyProtocol = "http",
        /// How often it is read again; when it fails, at growing intervals up to an hour, and what it held before is kept.
        refresh: Duration = "60s" in "1s" ..= "365d",
        /// The fields of a JSON list.
        fields: SourceFields = "{}",
        /// Whether private and loopback addresses in the list are used, and whether the list itself may be at one.
        allow_private: bool = "false",
        /// A well-known public list, instead of `url`, `format` and `protocol`. Nobody knows who runs such proxies: they see whom you talk to and when, though not what is said, and most of them are slow or dead.
        preset: Option<ProxyPreset> = "null",
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
    /// A well-known public list of proxies.
    pub enum ProxyPreset {
        /// HTTP proxies, by `github.com/TheSpeedX/PROXY-List`.
        ThespeedxHttp = "thespeedx-http",
        /// SOCKS5 proxies, by the same.
        ThespeedxSocks5 = "thespeedx-socks5",
        /// HTTP proxies, by `github.com/monosans/proxy-list`.
        MonosansHttp = "monosans-http",
        /// SOCKS5 proxies, by the same.
        MonosansSocks5 = "monosans-socks5",
        /// SOCKS5 proxies, by `github.com/hookzof/socks5_list`.
        HookzofSocks5 = "hookzof-socks5",
    }
}

impl ProxyPreset {
    /// Where the list is: a proxy on each line.
    pub const fn url(self) -> &'static str {
        match self {
            Self::ThespeedxHttp => {
                "https://raw.githubusercontent.com/TheSpeedX/PROXY-List/master/http.txt"
            }
            Self::ThespeedxSocks5 => {
                "https://raw.githubusercontent.com/TheSpeedX/PROXY-List/master/socks5.txt"
            }
            Self::MonosansHttp => {
                "https://raw.githubusercontent.com/monosans/proxy-list/main/proxies/http.txt"
            }
            Self::MonosansSocks5 => {
                "https://raw.githubusercontent.com/monosans/proxy-list/main/proxies/socks5.txt"
            }
            Self::HookzofSocks5 => {
                "https://raw.githubusercontent.com/hookzof/socks5_list/master/proxy.txt"
            }
        }
    }

    /// What its proxies speak.
    pub const fn protocol(self) -> ProxyProtocol {
        match self {
            Self::ThespeedxHttp | Self::MonosansHttp => ProxyProtocol::Http,
            Self::ThespeedxSocks5 | Self::MonosansSocks5 | Self::HookzofSocks5 => {
                ProxyProtocol::Socks5
            }
        }
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
