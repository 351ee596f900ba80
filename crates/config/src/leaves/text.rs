//! Texts with little structure: strings, secrets, paths, addresses, instants.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use domain::{Secret, UnixMs};
use ipnet::IpNet;
use serde_json::Value as Json;

use crate::value::Leaf;
use crate::{Shape, shown};

impl Leaf for String {
    fn shape() -> Shape {
        Shape::Text
    }

    fn listed(&self) -> Json {
        self.as_str().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let is_empty = text.trim().is_empty();
        if is_empty {
            Err("is empty".to_owned())
        } else {
            Ok(text.to_owned())
        }
    }
}

impl Leaf for Secret {
    const SECRET: bool = true;

    fn shape() -> Shape {
        Shape::Secret
    }

    fn listed(&self) -> Json {
        shown::masked(self).into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("has line breaks or other control characters".to_owned());
        }
        Ok(Self::new(text))
    }
}

impl Leaf for PathBuf {
    fn shape() -> Shape {
        Shape::Path
    }

    fn listed(&self) -> Json {
        self.display().to_string().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self::from)
    }
}

impl Leaf for SocketAddr {
    fn shape() -> Shape {
        Shape::Address
    }

    fn listed(&self) -> Json {
        self.to_string().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let local = text
            .strip_prefix("localhost:")
            .and_then(|port| port.parse().ok());
        let local = local.map(|port: u16| Self::from((Ipv4Addr::LOCALHOST, port)));
        let wrong =
            "is not an address and a port such as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000";
        local
            .or_else(|| text.parse().ok())
            .ok_or_else(|| wrong.to_owned())
    }
}

impl Leaf for IpNet {
    fn shape() -> Shape {
        Shape::Cidr
    }

    fn listed(&self) -> Json {
        self.to_string().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let address = text
            .parse()
            .ok()
            .map(|address: std::net::IpAddr| Self::from(address));
        let wrong = "is not a CIDR such as 10.0.0.0/8, 192.168.1.7 or fd00::/8";
        address
            .or_else(|| text.parse().ok())
            .ok_or_else(|| wrong.to_owned())
    }
}

impl Leaf for UnixMs {
    fn shape() -> Shape {
        Shape::Instant
    }

    fn listed(&self) -> Json {
        let instant = jiff::Timestamp::from_millisecond(self.0);
        instant.map_or(Json::Null, |instant| instant.to_string().into())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let instant = text.parse::<jiff::Timestamp>();
        let instant = instant.or_else(|_| format!("{text}T00:00:00Z").parse());
        instant
            .map(|instant| Self(instant.as_millisecond()))
            .map_err(|_| {
                "is not a date or an instant such as 2027-01-31 or 2027-01-31T18:00:00Z".to_owned()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Leaf + std::fmt::Debug>(text: &str, expected: Option<&T>) {
        assert_eq!(T::parse(text).ok().as_ref(), expected, "{text}");
    }

    #[test]
    fn listen_takes_localhost_but_no_other_name() {
        check(
            "localhost:80",
            Some(&SocketAddr::from(([127, 0, 0, 1], 80))),
        );
        check(
            "[::1]:0",
            Some(&SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0))),
        );
        check::<SocketAddr>("example.com:80", None);
        check::<SocketAddr>("127.0.0.1", None);
        check::<SocketAddr>("127.0.0.1:65536", None);
    }

    #[test]
    fn an_address_is_a_cidr_of_one() {
        check("10.1.2.3", "10.1.2.3/32".parse::<IpNet>().ok().as_ref());
        check("::1", "::1/128".parse::<IpNet>().ok().as_ref());
        check::<IpNet>("10.0.0.0/33", None);
    }

    #[test]
    fn a_date_is_its_first_instant_in_utc() {
        check("2027-01-31", Some(&UnixMs(1_801_353_600_000)));
        check(
            "2027-01-31T01:00:00+01:00",
            Some(&UnixMs(1_801_353_600_000)),
        );
        check::<UnixMs>("tomorrow", None);
    }
}
