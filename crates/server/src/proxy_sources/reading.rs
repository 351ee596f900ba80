//! One reading of a list: fetched directly, or from a file of this machine, and bounded in size and time whatever lies there.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use config::{ProxySource, SourceFormat};

use crate::egress::{self, FetchError, Limits, Listing, Ports, Reach, Reading, read_list};

/// A list of 100,000 proxies with all that some write beside each.
const LARGEST: usize = 32 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
/// Proxies that are taken from one list.
const MOST: usize = 100_000;

/// Reads a list. The error is a sentence for operators, without what the URL hides.
pub(super) async fn read(source: &ProxySource, allow_link_local: bool) -> Result<Listing, String> {
    let reach = reach(source, allow_link_local);
    let list = match (&source.file, url(source)) {
        (Some(file), _) => read_file(file.clone()).await?,
        (None, Some(url)) => fetch(url, reach).await?,
        (None, None) => return Err("it has no url".to_owned()),
    };
    let source = source.clone();
    let parse = move || parse(&list, &source, reach);
    let parsed = tokio::task::spawn_blocking(parse).await;
    parsed.unwrap_or_else(|_| Err("it could not be read through".to_owned()))
}

/// How far from the public internet the list, and the proxies in it, may lie.
pub(super) fn reach(source: &ProxySource, allow_link_local: bool) -> Reach {
    match (source.allow_private, allow_link_local) {
        (false, _) => Reach::Public,
        (true, false) => Reach::Private,
        (true, true) => Reach::Anywhere,
    }
}

fn url(source: &ProxySource) -> Option<&str> {
    let preset = source.preset.map(config::ProxyPreset::url);
    preset.or_else(|| source.url.as_ref().map(domain::Secret::expose))
}

fn parse(list: &[u8], source: &ProxySource, reach: Reach) -> Result<Listing, String> {
    let (format, protocol) = match source.preset {
        Some(preset) => (SourceFormat::Text, preset.protocol()),
        None => (source.format, source.protocol),
    };
    let reading = Reading {
        format,
        protocol,
        fields: &source.fields,
        reach,
        at_most: MOST,
    };
    let listing = read_list(list, &reading).map_err(|why| why.to_string())?;
    if listing.proxies.is_empty() {
        let first = listing.malformed.first();
        let first = first.map(|it| format!("; entry {} is {:?}: {}", it.at, it.text, it.why));
        return Err(format!(
            "there is no usable proxy in it{}",
            first.unwrap_or_default()
        ));
    }
    Ok(listing)
}

async fn fetch(url: &str, reach: Reach) -> Result<Bytes, String> {
    let limits = Limits {
        time: PATIENCE,
        ports: Ports::Any,
        accept: "text/plain, application/json, */*;q=0.5",
        ..Limits::new(LARGEST, reach)
    };
    let fetched = egress::fetch(url, limits).await;
    fetched
        .map(|fetched| fetched.body)
        .map_err(|error| said(&error))
}

/// The failure in words for a list; what is fetched is mostly an image.
fn said(error: &FetchError) -> String {
    match error {
        FetchError::NotAUrl | FetchError::TooLong { .. } | FetchError::Port { .. } => {
            "its url is no absolute http or https url".to_owned()
        }
        FetchError::Credentials => "its url has a user name or a password".to_owned(),
        FetchError::NotPublic { host } => {
            format!("{host} is not at a public address; see allow_private")
        }
        FetchError::TooManyRedirects { most } => format!("it redirects more than {most} times"),
        FetchError::TooLarge { most } => too_large(*most),
        FetchError::Refused { host, status } => format!("{host} answered with status {status}"),
        FetchError::Unreachable { host, .. } => format!("{host} could not be reached"),
        FetchError::BrokeOff { host, .. } => format!("{host} broke off in the middle of it"),
        FetchError::TimedOut { seconds } => format!("it did not come within {seconds} s"),
    }
}

fn too_large(most: usize) -> String {
    format!("it is larger than {most} bytes")
}

async fn read_file(path: PathBuf) -> Result<Bytes, String> {
    let read = tokio::task::spawn_blocking(move || read_file_here(&path)).await;
    read.unwrap_or_else(|_| Err("its file could not be read".to_owned()))
}

fn read_file_here(path: &Path) -> Result<Bytes, String> {
    let failed = |error: std::io::Error| format!("its file could not be read: {error}");
    // Opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut list = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LARGEST as u64 + 1)
        .read_to_end(&mut list)
        .map_err(failed)?;
    if list.len() > LARGEST {
        return Err(too_large(LARGEST));
    }
    Ok(list.into())
}
