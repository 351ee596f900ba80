//! `server`: the address, who is let in, and the limits of connections and bodies.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;
use ipnet::IpNet;

use crate::Bytes;
use crate::section::{choice, section};

section! {
    /// Where keymux listens, whom it lets in, and what it bears.
    pub struct Server {
        /// Address and port; port 0 takes a free one.
        listen: SocketAddr = "127.0.0.1:8000"; restart,
        /// The folder of the SQLite database, of generated secrets and of spools.
        data_dir: PathBuf = "./data"; restart,
        /// Whether callers need a client key. `open` lets callers without one in; a wrong one is refused in both modes.
        auth: Auth = "required",
        /// Allows `auth: open` and well-known default secrets on an address that others can reach.
        i_know_this_is_public: bool = "false",
        /// Proxies whose `X-Forwarded-For` is believed.
        trusted_proxies: Vec<IpNet> = "[]"; live,
        /// The largest request body. Bodies are held in memory for a retry.
        max_body: Bytes = "100MiB" in "1KiB" ..= "1TiB"; live,
        /// The largest upload. Uploads are streamed and not retried.
        max_upload: Bytes = "2GiB" in "1KiB" ..= "1TiB"; live,
        /// Origins that browsers may call from; `["*"]` allows any.
        cors_origins: Vec<String> = "[]"; live,
        /// How long open requests may go on after a signal to stop.
        shutdown_grace: Duration = "30s" in "0s" ..= "1d"; live,
        /// Addresses that may read `/metrics`; empty: any.
        metrics_allow: Vec<IpNet> = "[]",
        /// A bearer token without which `/metrics` is refused.
        metrics_token: Option<Secret> = "null",
        /// How long a caller may take to send its headers.
        header_read_timeout: Duration = "30s" in "1s" ..= "1h"; live,
        /// How long a connection may stay open without a request.
        idle_timeout: Duration = "120s" in "1s" ..= "1d"; live,
        /// Connections of callers at the same time.
        max_connections: usize = "10000" in "1" ..= "1000000"; live,
        /// Worker threads; 0: one for each core.
        workers: usize = "0" in "0" ..= "1024"; restart,
        /// Allows providers at link-local and cloud metadata addresses.
        allow_link_local: bool = "false",
        /// Whether images that callers name by URL may lie on private addresses, and on any port.
        allow_private_images: bool = "false",
    }
}

choice! {
    /// Whether callers need a client key.
    pub enum Auth {
        /// They do.
        Required = "required",
        /// They do not, but a wrong one is refused.
        Open = "open",
    }
}
