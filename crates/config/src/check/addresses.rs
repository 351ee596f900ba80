//! Where provider URLs may lead. Names are not resolved here: an address is checked again where connections are made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::HttpUrl;
use crate::findings::Findings;
use crate::sections::{Kind, Sections};

/// Metadata services of clouds outside of the link-local ranges (Alibaba Cloud; AWS over IPv6).
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];
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
            if !sections.server.allow_link_local && is_link_local(url) {
                let text = format!(
                    "{:?} is a link-local or metadata address; set server.allow_link_local: true to allow it",
                    url.as_str()
                );
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

fn is_link_local(url: &HttpUrl) -> bool {
    let name = url.host().trim_end_matches('.').to_ascii_lowercase();
    match url.address() {
        Some(address) => is_link_local_address(address),
        None => METADATA_NAMES.contains(&name.as_str()),
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
    use crate::value::Leaf;

    fn check(url: &str, expected: bool) {
        assert_eq!(
            HttpUrl::parse(url).map(|url| is_link_local(&url)),
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
        check("http://Metadata.Google.Internal.", true);
        check("http://127.0.0.1:9000", false);
        check("http://10.0.0.1", false);
        check("https://api.x.ai", false);
    }
}
