//! The programs that are compared: each is configured, started on its own core, and waited for.
//! A new one is a file here, a row in [`Gateway::ALL`] and an arm in [`Setting::start`].

mod keymux;
mod litellm;
mod nginx;

use serde::Serialize;

use super::lab::Lab;
use super::process::Program;
use super::upstream::Upstream;
use crate::load::Target;

pub(crate) use keymux::{import_keys, set_checks, write_key_files};

/// Who stands between the load and the stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gateway {
    Keymux,
    Nginx,
    Direct,
    Litellm,
}

impl Gateway {
    pub(crate) const ALL: [Self; 4] = [Self::Keymux, Self::Nginx, Self::Direct, Self::Litellm];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keymux => "keymux",
            Self::Nginx => "nginx",
            Self::Direct => "direct",
            Self::Litellm => "LiteLLM",
        }
    }
}

/// What a scenario asks of a gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) upstream: &'a Upstream,
    /// Answers must not be collected before they are passed on.
    pub(crate) streams: bool,
    /// HTTP/2 towards the stand-in, where the gateway can and TLS offers it.
    pub(crate) http2: bool,
    pub(crate) keys: Keys<'a>,
}

/// Whether keymux checks keys in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    Off,
    /// As many as it will ever make.
    On,
}

/// The pool of keymux.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys<'a> {
    /// So many in the configuration.
    Configured(usize),
    /// Those in the database of this folder.
    Stored(&'a std::path::Path),
    /// Those in the key files of this folder, which also has the database.
    Filed(&'a std::path::Path),
}

/// A gateway that answers, or the stand-in itself.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) gateway: Gateway,
    pub(crate) target: Target,
    pub(crate) program: Option<Program>,
    /// From its start until it was ready.
    pub(crate) ready_ms: f64,
}

impl<'a> Setting<'a> {
    /// A plain proxy's work: ten keys, HTTP/1.1, whole answers.
    pub(crate) fn plain(upstream: &'a Upstream) -> Self {
        Self {
            upstream,
            streams: false,
            http2: false,
            keys: Keys::Configured(10),
        }
    }

    /// The same for streams.
    pub(crate) fn streaming(upstream: &'a Upstream) -> Self {
        Self {
            streams: true,
            ..Self::plain(upstream)
        }
    }

    /// Starts one gateway and waits until it is ready.
    pub(crate) fn start(&self, gateway: Gateway, lab: &Lab) -> anyhow::Result<Contestant> {
        match gateway {
            Gateway::Keymux => keymux::start(self, lab),
            Gateway::Nginx => nginx::start(self, lab),
            Gateway::Litellm => litellm::start(self, lab),
            Gateway::Direct => Ok(Contestant {
                gateway,
                target: Target::gemini(self.upstream.addr, &key(0)),
                program: None,
                ready_ms: 0.0,
            }),
        }
    }

    /// Starts those of the list that are installed, in that order.
    pub(crate) fn start_all(&self, list: &[Gateway], lab: &Lab) -> anyhow::Result<Vec<Contestant>> {
        let installed = list.iter().filter(|gateway| lab.tools.has(**gateway));
        installed.map(|gateway| self.start(*gateway, lab)).collect()
    }
}

/// The `index`-th key of the pool.
pub(crate) fn key(index: usize) -> String {
    format!("AIzaSyBENCH{index:028}")
}
