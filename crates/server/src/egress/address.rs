//! Where connections may lead. Names are resolved in `connect.rs`, which asks here about each address right before it
//! connects to that very address; what is written in the configuration is checked by `config` as well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far from the public internet a connection may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses only.
    Public,
    /// Private ones too, but neither link-local nor clouds' metadata services.
    Private,
    /// Any.
    Anywhere,
}

/// An address lies outside of a [`Reach`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutOfReach {
    /// It is link-local, or a cloud's metadata service.
    #[error("it is a link-local or metadata address; see server.allow_link_local")]
    LinkLocal,
    /// It is not public.
    #[error("it is no public address")]
    NotPublic,
}

impl Reach {
    /// Whether connections to the address are allowed.
    pub(crate) fn check(self, address: IpAddr) -> Result<(), OutOfReach> {
        let address = innermost(address);
        if self != Self::Anywhere && config::is_link_local_address(address) {
            return Err(OutOfReach::LinkLocal);
        }
        if self == Self::Public && !is_public(address) {
            return Err(OutOfReach::NotPublic);
        }
        Ok(())
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, behind NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn innermost(address: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = address else {
        return address;
    };
    match outer.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// All but what IANA's registry of special-purpose addresses (RFC 6890) does not call globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private, loopback; multicast, reserved, broadcast.
        [0 | 10 | 127 | 224..=255, ..]
            // Carriers' NAT.
            | [100, 64..=127, ..]
            // Link-local.
            | [169, 254, ..]
            // Private.
            | [172, 16..=31, ..]
            | [192, 168, ..]
            // Protocol assignments, documentation, 6to4 relays.
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // Benchmarks.
            | [198, 18 | 19, ..]
    )
}

/// Global unicast (RFC 4291) without protocol assignments such as Teredo, without documentation, and without ISATAP
/// (RFC 5214), whose interfaces are IPv4 addresses of the site. Loopback, unique local, link-local and multicast
/// addresses, and IPv4 in other disguises, lie outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..]
        | [0x3fff, 0..=0xfff, ..]
        | [_, _, _, _, 0 | 0x200, 0x5efe, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(address: &str, reach: Reach, expected: Result<(), OutOfReach>) {
        let parsed = address.parse().unwrap();
        assert_eq!(reach.check(parsed), expected, "{address} {reach:?}");
    }

    #[test]
    fn public_addresses_are_in_reach() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            check(address, Reach::Public, Ok(()));
        }
    }

    #[test]
    fn what_is_not_public_is_out_of_reach_unless_private_addresses_are_allowed() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:7f00:1::1",
            "2a00:1450::5efe:a00:1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(address, Reach::Public, Err(OutOfReach::NotPublic));
            check(address, Reach::Private, Ok(()));
        }
    }

    #[test]
    fn link_local_and_metadata_addresses_are_out_of_any_reach_but_the_widest() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            check(address, Reach::Public, Err(OutOfReach::LinkLocal));
            check(address, Reach::Private, Err(OutOfReach::LinkLocal));
            check(address, Reach::Anywhere, Ok(()));
        }
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_judged_alike_in_every_disguise(bits: u32) {
            let plain = Ipv4Addr::from(bits);
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            let disguises = [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ];
            for disguise in disguises {
                for reach in [Reach::Public, Reach::Private] {
                    prop_assert_eq!(reach.check(disguise.into()), reach.check(plain.into()));
                }
            }
        }
    }
}
