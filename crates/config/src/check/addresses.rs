//! Where the URLs of providers and of outbound proxies may lead. Names are not resolved here: an address is checked again where connections are made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::findings::Findings;
use crate::sections::{Kind, Sections};
use crate::{Origin, ProxyUrl};

/// Metadata services of clouds outside of the link-local ranges (Alibaba Cloud; Azure; Oracle Cloud; AWS over IPv6).
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];
const NOT_REACHED: &str =
    "is a link-local or metadata address; set server.allow_link_local: true to allow it";
const METADATA_NAMES: [&str; 2] = ["metadata.google.internal", "metadata"];

/// Refuses link-local and metadata addresses, and warns of keys that would travel readable.
pub(crate) fn check(sections: &Sections, findings: &mut Findings) {
    for (name, provider) in &sections.providers {
        let urls = [
            ("base_url", Some(&provider.base_url)),
            ("token_url", provider.token_url.as_ref()),
        ];
        for (field, url) in urls {
            let Some(url) = url else { continue };
            let path = format!("providers.{name}.{field}");
            let origin = findings.origin(&path);
            if !sections.server.allow_link_local && is_link_local_host(url.host()) {
                let text = format!("{:?} {NOT_REACHED}", url.as_str());
                findings.problem(&origin, &path, text);
            } else if url.is_plain_http() && !url.is_loopback() {
                findings.warn(
                    &origin,
                    format!("{path} is plain http: keys and prompts are readable on their way"),
                );
            }
        }
        if provider.kind == Kind::GigaChat && provider.token_url.is_none() {
            let path = format!("providers.{name}");
            let text = "token_url is missing; expected where keys are exchanged for tokens";
            findings.problem(&findings.origin(&path), &path, text);
        }
    }
}

/// Refuses proxies at link-local and metadata addresses.
pub(crate) fn proxies(sections: &Sections, findings: &mut Findings) {
    if sections.server.allow_link_local {
        return;
    }
    let mut refuse = |origin: &Origin, path: &str, proxy: &ProxyUrl| {
        if is_link_local_host(proxy.host()) {
            let text = format!("{:?} {NOT_REACHED}", proxy.name());
            findings.problem(origin, path, text);
        }
    };
    for (index, proxy) in sections.egress.proxies.iter().enumerate() {
        let path = format!("egress.proxies[{index}]");
        refuse(&proxy.origin, &path, &proxy.value);
    }
    for (name, provider) in &sections.providers {
        for (index, key) in provider.keys.iter().enumerate() {
            if let Some(proxy) = &key.value.egress {
                let path = format!("providers.{name}.keys[{index}].egress");
                refuse(&key.origin, &path, proxy);
            }
        }
    }
}

/// Whether a host is written as a link-local address or that of a cloud's metadata service, or as the name of one.
pub fn is_link_local_host(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse() {
        Ok(address) => is_link_local_address(address),
        Err(_) => METADATA_NAMES.contains(&name.as_str()),
    }
}

/// Whether an address is link-local, or a cloud's metadata service: providers are not reached there unless
/// `server.allow_link_local` says so.
pub fn is_link_local_address(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is_local || METADATA.contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HttpUrl;
    use crate::value::Leaf;

    fn check(url: &str, expected: bool) {
        assert_eq!(
            HttpUrl::parse(url).map(|url| is_link_local_host(url.host())),
            Ok(expected),
            "{url}"
        );
    }

    #[test]
    fn link_local_and_metadata_addresses_are_told_from_others() {
        check("http://169.254.169.254/latest", true);
        check("http://[fe80::1]:80", true);
        check("http://[::ffff:169.254.169.254]", true);
        check("http://[fd00:ec2::254]", true);
        check("http://100.100.100.200", true);
        check("http://168.63.129.16", true);
        check("http://192.0.0.192", true);
        check("http://Metadata.Google.Internal.", true);
        check("http://127.0.0.1:9000", false);
        check("http://10.0.0.1", false);
        check("https://api.x.ai", false);
    }
}
