//! Addresses that callers may come from: single ones and CIDRs.
//! IPv4 in the guise of IPv6 (`::ffff:10.0.0.1`) is IPv4 on both sides, whatever socket the caller came in by.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Bits before the IPv4 address in an IPv4-mapped one (RFC 4291, 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Reads an entry; says what is wrong with it.
pub(crate) fn read(entry: &str) -> Result<IpNet, &'static str> {
    let address = entry.parse::<IpAddr>().map(IpNet::from);
    let net = address
        .or_else(|_| entry.parse::<IpNet>())
        .map_err(|_| "is not an address or a CIDR such as 10.0.0.0/8, 192.168.1.7 or fd00::/8")?;
    Ok(match net {
        IpNet::V6(net) => mapped(net).map_or(IpNet::V6(net), IpNet::V4),
        IpNet::V4(_) => net,
    })
}

/// Whether one of them holds an address.
pub(crate) fn hold(nets: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    nets.iter().any(|net| net.contains(&address))
}

fn mapped(net: Ipv6Net) -> Option<Ipv4Net> {
    let bits = net.prefix_len().checked_sub(MAPPED_BITS)?;
    let address: Ipv4Addr = net.addr().to_ipv4_mapped()?;
    Ipv4Net::new(address, bits).ok()
}
