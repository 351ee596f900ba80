//! `keymux healthcheck`: asks the local instance whether it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use config::Config;
use http::{HeaderMap, Method};

use super::{block_on, complain};
use crate::egress::{Egress, Origin, OriginOptions, Outgoing, OutgoingBody};

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let base_url = format!("http://{}", reachable(config.server.listen));
    let options = OriginOptions {
        base_url: base_url.clone(),
        ca_file: None,
        http2: false,
        allow_link_local: true,
    };
    let origin = Origin::new(options)?;
    let mut request = Outgoing {
        method: Method::GET,
        path_and_query: "/ready".into(),
        headers: HeaderMap::new(),
        body: OutgoingBody::Buffered(Vec::new().into()),
        creates: false,
    };
    block_on(1, async {
        let answer =
            tokio::time::timeout(PATIENCE, origin.send(&mut request, &Egress::Direct)).await;
        let problem = match answer {
            Ok(Ok(answer)) if answer.status().is_success() => return Ok(ExitCode::SUCCESS),
            Ok(Ok(answer)) => format!("answered with status {}", answer.status()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        complain(&format!("keymux at {base_url} is not ready: {problem}"));
        Ok(ExitCode::FAILURE)
    })
}

/// An address that listens everywhere is reached on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
