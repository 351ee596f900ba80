//! What a call names, and what it is going to make.

use std::borrow::Cow;

use http::header::CONTENT_ENCODING;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use providers::{Api, Transfer};
use wire::gemini::resources::{self, How, Looking, Mention, Part, Place, Unreadable};
use wire::openai::resources as team;

use crate::gateway::call::Call;
use crate::gateway::error::GatewayError;
use crate::snapshot::Provider;

/// What requests use several of at once, or give to others: they are to be made in one project.
const USED_TOGETHER: [&str; 8] = [
    "files",
    "cachedContents",
    "fileSearchStores",
    "corpora",
    "agents",
    "environments",
    "credentials",
    "voices",
];

/// Why it cannot be told what a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    /// Its body is compressed.
    Compressed,
    /// It cannot be read, or what it names cannot be made out.
    Unreadable(Unreadable),
}

impl From<Unreadable> for Hidden {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<Hidden> for GatewayError {
    fn from(hidden: Hidden) -> Self {
        match hidden {
            Hidden::Compressed => Self::caller(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "bodies have to come uncompressed: keymux reads whose files and caches they name",
            ),
            Hidden::Unreadable(Unreadable::Reference) => Self::caller(
                StatusCode::BAD_REQUEST,
                "the address of a file or a cache cannot be made out: name it as the provider does, such as files/abc-123",
            ),
            Hidden::Unreadable(Unreadable::Body) => Self::caller(
                StatusCode::BAD_REQUEST,
                "the body seems to name files or caches, and is no JSON that can be read to its end; it may be nested deeper than 64 levels",
            ),
        }
    }
}

/// The path as the provider reads it.
pub(super) fn path(call: &Call) -> Cow<'_, str> {
    let path = call.outgoing.path_and_query.split('?').next();
    percent_decode_str(path.unwrap_or_default()).decode_utf8_lossy()
}

/// Everything that a call names, what its path names first.
pub(super) fn of(call: &Call, provider: &Provider) -> Result<Vec<Mention>, Hidden> {
    match provider.api {
        Api::Google => {}
        Api::OpenAi | Api::Xai => return Ok(of_team(call)),
        Api::Perplexity | Api::GigaChat => return Ok(Vec::new()),
    }
    let mut named = in_body(call, provider)?;
    if let Some((_, query)) = call.outgoing.path_and_query.split_once('?') {
        let is_google = |host: &str| is_google(host, call, provider);
        let in_query = resources::in_query(looking(call), query, is_google)?;
        for mention in in_query {
            add(&mut named, mention);
        }
    }
    if let Some(name) = resources::in_path(&path(call)) {
        let how = How::Surely;
        named.retain(|it| it.name != name);
        named.insert(0, Mention { name, how });
    }
    Ok(named)
}

/// What a call to a provider of OpenAI's shape names. It counts where it is known: what is older than keymux works on.
fn of_team(call: &Call) -> Vec<Mention> {
    let path = &call.outgoing.path_and_query;
    let in_path = team::in_path(path);
    let has_body = call.outgoing.method == Method::POST && team::made_at(path).is_some();
    let in_body = if has_body {
        team::in_request(path, &call.chunks())
    } else {
        Vec::new()
    };
    let how = How::IfKnown;
    let names = in_path.into_iter().chain(in_body);
    names.map(|name| Mention { name, how }).collect()
}

fn add(named: &mut Vec<Mention>, mention: Mention) {
    match named.iter_mut().find(|known| known.name == mention.name) {
        Some(known) => known.how = known.how.max(mention.how),
        None => named.push(mention),
    }
}

/// What a call is read for.
fn looking(call: &Call) -> Looking {
    let makes = || match resources::place_of(&path(call)) {
        Place::Collection(kind) => Some(kind),
        _ => None,
    };
    Looking {
        part: match call.place {
            providers::Place::Interactions => Part::Interactions,
            _ => Part::Other,
        },
        makes: if call.outgoing.creates { makes() } else { None },
    }
}

/// What a message of a session names.
pub(super) fn in_message(
    message: &[u8],
    call: &Call,
    provider: &Provider,
) -> Result<Vec<Mention>, Hidden> {
    in_chunks(&[message], call, provider)
}

/// What the body names, or the message that a session begins with.
fn in_body(call: &Call, provider: &Provider) -> Result<Vec<Mention>, Hidden> {
    if let Some(opening) = &call.opening {
        return in_message(opening.setup(), call, provider);
    }
    // Of an upload only what it begins with is here: what the file is to be called.
    if call.transfer == Transfer::Download || call.outgoing.method == Method::GET {
        return Ok(Vec::new());
    }
    let chunks = call.chunks();
    if !chunks.is_empty() && call.outgoing.headers.contains_key(CONTENT_ENCODING) {
        return Err(Hidden::Compressed);
    }
    in_chunks(&chunks, call, provider)
}

fn in_chunks<C: AsRef<[u8]>>(
    chunks: &[C],
    call: &Call,
    provider: &Provider,
) -> Result<Vec<Mention>, Hidden> {
    let is_google = |host: &str| is_google(host, call, provider);
    let chunks = chunks.iter().map(AsRef::as_ref);
    Ok(resources::in_request(looking(call), chunks, is_google)?)
}

/// Whether a host is the provider's, or ours in its place.
pub(super) fn is_google(host: &str, call: &Call, provider: &Provider) -> bool {
    let is_of = |url: &str| {
        url.split_once("://")
            .is_some_and(|(_, known)| is_same_host(known, host))
    };
    host.ends_with("generativelanguage.googleapis.com")
        || is_of(&provider.origin.url())
        || call.called_at.as_deref().is_some_and(is_of)
}

/// Whether two hosts, with their ports, are one: this machine has several names.
fn is_same_host(one: &str, other: &str) -> bool {
    let local = |host: &str| {
        let port = host.rsplit_once(':').map_or("", |(_, port)| port);
        let names = ["localhost", "127.", "[::1]", "0.0.0.0"];
        let is_local = names.iter().any(|name| host.starts_with(name));
        is_local.then(|| port.to_owned())
    };
    one.eq_ignore_ascii_case(other) || local(one).is_some_and(|port| local(other) == Some(port))
}

/// Whether a call had better go where its caller has made something before: what is used with other things is to be made
/// beside them, and a session may name them later.
pub(super) fn may_go_beside_others(call: &Call) -> bool {
    call.opening.is_some() || is_used_with_others(call)
}

/// Whether a call makes what requests use several of at once.
pub(super) fn is_used_with_others(call: &Call) -> bool {
    let makes = || resources::place_of(&path(call));
    // What else makes something is a model, which is asked wherever there is room.
    let may_be = call.outgoing.creates && call.place != providers::Place::Model;
    may_be && matches!(makes(), Place::Collection(made) if USED_TOGETHER.contains(&made))
}
