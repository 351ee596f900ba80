//! The flags of the program, and the scripts and addresses that they mean.

use std::fmt::Display;
use std::io;
use std::net::{AddrParseError, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use fake_upstream::{Provider, ProxyFault, ProxyKind, ProxyScript, Script, ScriptForm};
use percent_encoding::percent_decode_str;
use tokio::runtime::Runtime;
use url::Url;

/// Scripted stand-ins for the providers.
///
/// Without --provider and --all it stands in for Gemini and prints "fake-upstream listens on <origin>".
/// With them it prints a line "<provider> listens on <base URL>" for each. GigaChat's token endpoint is /api/v2/oauth of its origin.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Flags {
    /// Whom to stand in for: gemini, xai, perplexity, gigachat or openai. May be repeated.
    #[arg(long, conflicts_with = "all")]
    provider: Vec<Provider>,
    /// Stand in for all of them.
    #[arg(long)]
    all: bool,
    /// Address to listen on; port 0 takes a free one. May be repeated, one for each provider in their
    /// order; providers without one take the ports that follow the last.
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: Vec<SocketAddr>,
    /// JSON file with what to say, models, keys and rules, for every stand-in or with
    /// `<provider>=` in front for one. May be repeated.
    #[arg(long)]
    script: Vec<String>,
    /// Answer generating calls of Gemini from prebuilt bytes without looking at their bodies, and measure the files of
    /// resumable uploads without keeping them.
    #[arg(long)]
    fast: bool,
    /// Keep the requests for `GET /_fake/seen`.
    #[arg(long)]
    record: bool,
    /// Worker threads; 1 runs everything on one thread. Default: one per core.
    #[arg(long)]
    workers: Option<usize>,
    /// Chunks of a streamed answer.
    #[arg(long, default_value_t = 3)]
    chunks: usize,
    /// Pause between two chunks, in milliseconds.
    #[arg(long, default_value_t = 0)]
    chunk_delay_ms: u64,
    /// Pad the text of each chunk to this many bytes.
    #[arg(long)]
    chunk_bytes: Option<usize>,
    /// Pad unary answers to about this many bytes.
    #[arg(long)]
    answer_bytes: Option<usize>,
    /// An outbound proxy to start beside the stand-ins, which relays to loopback alone:
    /// `<http|https|socks5>://[user:password@]127.0.0.1:<port>[?exit=127.0.0.9][&fault=<JSON>]`.
    /// The exit is the address that stand-ins see, the fault one of `_fake/proxies`. May be repeated.
    #[arg(long, value_parser = proxy_plan)]
    pub(crate) proxy: Vec<ProxyPlan>,
    /// Serve HTTPS with certificates made at start.
    #[arg(long)]
    tls: bool,
    /// Where to write the certificate authorities that clients must trust, those of https proxies
    /// among them. Without --tls only GigaChat serves HTTPS then, as its real root is private too.
    #[arg(long, alias = "ca-out")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// A stand-in to start, and where.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) script: Script,
    pub(crate) listen: SocketAddr,
}

/// A proxy to start, and where.
#[derive(Debug, Clone)]
pub(crate) struct ProxyPlan {
    pub(crate) script: ProxyScript,
    pub(crate) listen: SocketAddr,
}

impl Flags {
    /// Whether the one stand-in is there by default.
    pub(crate) fn names_no_provider(&self) -> bool {
        self.provider.is_empty() && !self.all
    }

    /// Every stand-in to start; fails when a script cannot be read or an address is left over.
    pub(crate) fn plans(&self) -> io::Result<Vec<Plan>> {
        let providers = self.providers();
        if self.listen.len() > providers.len() {
            return Err(wrong(format!(
                "{} addresses to listen on for {} stand-ins: name a --provider for each",
                self.listen.len(),
                providers.len()
            )));
        }
        let secure = |provider: &Provider| self.serves_https(*provider);
        let secure_proxy = |plan: &ProxyPlan| plan.script.kind() == ProxyKind::Https;
        let secured = providers.iter().any(secure) || self.proxy.iter().any(secure_proxy);
        if self.ca_file.is_some() && !secured {
            return Err(wrong(
                "--ca-file has nothing to write: add --tls".to_owned(),
            ));
        }
        let plan = |(index, provider): (usize, &Provider)| {
            Ok(Plan {
                script: self.script(*provider)?,
                listen: self.address(index),
            })
        };
        providers.iter().enumerate().map(plan).collect()
    }

    fn providers(&self) -> Vec<Provider> {
        if self.all {
            return Provider::ALL.to_vec();
        }
        if self.provider.is_empty() {
            return vec![Provider::Gemini];
        }
        self.provider.clone()
    }

    fn serves_https(&self, provider: Provider) -> bool {
        self.tls || (provider == Provider::Gigachat && self.ca_file.is_some())
    }

    fn address(&self, index: usize) -> SocketAddr {
        if let Some(address) = self.listen.get(index) {
            return *address;
        }
        let last = self.listen.len().saturating_sub(1);
        let mut address = self.listen[last];
        if address.port() != 0 {
            address.set_port(address.port().saturating_add((index - last) as u16));
        }
        address
    }

    fn script(&self, provider: Provider) -> io::Result<Script> {
        let pause = Duration::from_millis(self.chunk_delay_ms);
        let mut script = Script::of(provider).chunks(self.chunks, pause);
        if let Some(bytes) = self.chunk_bytes {
            script = script.chunk_bytes(bytes);
        }
        if let Some(bytes) = self.answer_bytes {
            script = script.answer_bytes(bytes);
        }
        if self.fast {
            script = script.fast();
        }
        if !self.record {
            script = script.unrecorded();
        }
        if self.serves_https(provider) {
            script = script.tls();
        }
        for file in &self.script {
            let (of, path) = named_path(file);
            if of.is_none_or(|of| of == provider) {
                script = read_script(path, script)?;
            }
        }
        Ok(script)
    }

    /// The runtime to serve on.
    pub(crate) fn runtime(&self) -> io::Result<Runtime> {
        let mut builder = match self.workers {
            Some(1) => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if let Some(workers) = self.workers.filter(|n| *n > 1) {
            builder.worker_threads(workers);
        }
        builder.enable_all().build()
    }
}

fn proxy_plan(text: &str) -> Result<ProxyPlan, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    let kind = [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5]
        .into_iter()
        .find(|kind| kind.scheme() == url.scheme())
        .ok_or_else(|| format!("{:?} is none of http, https, socks5", url.scheme()))?;
    let mut script = ProxyScript::of(kind);
    if !url.username().is_empty() {
        let password = url.password().unwrap_or_default();
        script = script.login(&decoded(url.username()), &decoded(password));
    }
    for (name, value) in url.query_pairs() {
        let wrong = |error: &dyn Display| format!("{name}={value}: {error}");
        script = match &*name {
            "exit" => script.exit(
                value
                    .parse()
                    .map_err(|error: AddrParseError| wrong(&error))?,
            ),
            "fault" => script.fault(proxy_fault(&value).map_err(|error| wrong(&error))?),
            _ => return Err(format!("{name:?} is none of exit, fault")),
        };
    }
    let port = url
        .port()
        .ok_or("a proxy needs a port; 0 takes a free one")?;
    let host = url.host_str().unwrap_or_default();
    let listen = format!("{host}:{port}").parse();
    let listen = listen.map_err(|_| format!("{host:?} is no address to listen on"))?;
    Ok(ProxyPlan { script, listen })
}

/// A fault by its name, or as JSON when it has a number.
fn proxy_fault(text: &str) -> serde_json::Result<ProxyFault> {
    let named = serde_json::Value::from(text);
    serde_json::from_value(named).or_else(|_| serde_json::from_str(text))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `xai=path` is of one provider; anything else is a path.
fn named_path(text: &str) -> (Option<Provider>, &str) {
    let named = text
        .split_once('=')
        .and_then(|(name, path)| Some((name.parse().ok()?, path)));
    match named {
        Some((of, path)) => (Some(of), path),
        None => (None, text),
    }
}

fn read_script(path: &str, script: Script) -> io::Result<Script> {
    let refused = |message: String| wrong(format!("{path}: {message}"));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    ScriptForm::parse(&text)
        .and_then(|form| form.apply(script))
        .map_err(refused)
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
