//! A provider's address and the connections to it. `send` takes an idle connection or opens one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::connect::{Endpoint, Io, Protocol};
use super::h1::H1;
use super::{Outgoing, RequestBody, SendError, UpstreamBody, tls};

/// Servers close idle connections after some minutes; one that is reused shortly before would lose its request.
const KEEP_IDLE: Duration = Duration::from_secs(60);
const MOST_IDLE: usize = 512;
/// A path may die without a word; a shared connection on it would swallow every request.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Google allows 100 streams on a connection; beyond this another one is opened.
const STREAMS_PER_CONNECTION: usize = 90;

/// How a provider is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginOptions {
    /// Its base URL, without a query.
    pub(crate) base_url: String,
    /// Extra roots, for this provider alone.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether HTTP/2 is offered.
    pub(crate) http2: bool,
    /// Whether names may lead to link-local addresses.
    pub(crate) allow_link_local: bool,
}

/// A provider's address with its connections.
#[derive(Debug)]
pub(crate) struct Origin {
    options: OriginOptions,
    endpoint: Endpoint,
    authority: HeaderValue,
    scheme: Scheme,
    /// The path of the base URL, without a slash at its end.
    base_path: String,
    idle: Arc<IdleConnections>,
    h2: Mutex<Vec<Shared>>,
}

/// An HTTP/2 connection and the streams on it.
#[derive(Clone, Debug)]
struct Shared {
    sender: http2::SendRequest<RequestBody>,
    streams: Arc<()>,
}

impl Origin {
    pub(crate) fn new(options: OriginOptions) -> anyhow::Result<Self> {
        let uri: Uri = options.base_url.parse().context("parse base_url")?;
        let authority = uri.authority().context("base_url has no host")?;
        let scheme = uri.scheme().cloned().context("base_url has no scheme")?;
        let is_https = scheme == Scheme::HTTPS;
        let tls = is_https.then(|| tls::client_config(options.ca_file.as_deref(), options.http2));
        Ok(Self {
            endpoint: Endpoint {
                host: authority.host().to_owned(),
                port: authority
                    .port_u16()
                    .unwrap_or(if is_https { 443 } else { 80 }),
                tls: tls.transpose()?,
                allow_link_local: options.allow_link_local,
            },
            authority: HeaderValue::from_str(authority.as_str())?,
            scheme,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            idle: Arc::default(),
            h2: Mutex::default(),
            options,
        })
    }

    /// What it was made from.
    pub(crate) fn options(&self) -> &OriginOptions {
        &self.options
    }

    /// The address without a slash at its end, for example `https://generativelanguage.googleapis.com`.
    pub(crate) fn url(&self) -> String {
        let authority = self.authority.to_str().unwrap_or_default();
        format!("{}://{authority}{}", self.scheme, self.base_path)
    }

    /// Sends the request and gives the answer once its head is there.
    ///
    /// A kept connection may have been closed by the provider just now; then the request is sent once more on another,
    /// unless it may have been acted on and creates something.
    pub(crate) async fn send(
        &self,
        outgoing: &mut Outgoing,
    ) -> Result<Response<UpstreamBody>, SendError> {
        while let Some(connection) = self.idle.take() {
            match self.exchange(connection, outgoing).await {
                // It was not written at all: the next one may do.
                Err(SendError::Exchange(error))
                    if error.is_canceled() && may_repeat(&error, outgoing) => {}
                Err(SendError::Exchange(error)) if may_repeat(&error, outgoing) => {
                    return Box::pin(self.send_anew(outgoing)).await;
                }
                done => return done,
            }
        }
        if let Some(shared) = self.shared() {
            match Box::pin(self.exchange_h2(shared, outgoing)).await {
                Err(SendError::Exchange(error)) if may_repeat(&error, outgoing) => {}
                done => return done,
            }
        }
        Box::pin(self.send_anew(outgoing)).await
    }

    /// Sends on a connection that is opened for it.
    async fn send_anew(
        &self,
        outgoing: &mut Outgoing,
    ) -> Result<Response<UpstreamBody>, SendError> {
        let (io, protocol) = self.endpoint.connect().await?;
        match protocol {
            Protocol::Http1 => self.exchange(H1::handshake(io).await?, outgoing).await,
            Protocol::Http2 => self.exchange_h2(self.share(io).await?, outgoing).await,
        }
    }

    /// Closes connections that have been idle for long.
    pub(crate) fn close_idle(&self) {
        self.idle.close_old();
        self.shared_connections()
            .retain(|shared| !shared.sender.is_closed());
    }

    async fn exchange(
        &self,
        mut connection: H1,
        outgoing: &mut Outgoing,
    ) -> Result<Response<UpstreamBody>, SendError> {
        let mut request = Self::request(outgoing);
        request.headers_mut().insert(HOST, self.authority.clone());
        *request.uri_mut() = self.path(outgoing).into();
        let (head, incoming) = connection.send(request).await?.into_parts();
        let body = UpstreamBody::h1(incoming, connection, self.idle.clone());
        Ok(Response::from_parts(head, body))
    }

    async fn exchange_h2(
        &self,
        mut shared: Shared,
        outgoing: &mut Outgoing,
    ) -> Result<Response<UpstreamBody>, SendError> {
        let mut request = Self::request(outgoing);
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = self
            .authority
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok());
        uri.path_and_query = Some(self.path(outgoing));
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        shared.sender.ready().await?;
        let (head, incoming) = shared.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(
            head,
            UpstreamBody::h2(incoming, shared.streams),
        ))
    }

    fn request(outgoing: &mut Outgoing) -> Request<RequestBody> {
        let body = outgoing.body.take().unwrap_or_else(RequestBody::empty);
        let mut request = Request::new(body);
        *request.method_mut() = outgoing.method.clone();
        *request.headers_mut() = outgoing.headers.clone();
        request
    }

    fn path(&self, outgoing: &Outgoing) -> PathAndQuery {
        let joined = if self.base_path.is_empty() {
            outgoing.path_and_query.parse()
        } else {
            format!("{}{}", self.base_path, outgoing.path_and_query).parse()
        };
        joined.unwrap_or_else(|_| PathAndQuery::from_static("/"))
    }

    /// An HTTP/2 connection with room for a stream.
    fn shared(&self) -> Option<Shared> {
        let mut connections = self.shared_connections();
        connections.retain(|shared| !shared.sender.is_closed());
        connections
            .iter()
            .find(|shared| Arc::strong_count(&shared.streams) <= STREAMS_PER_CONNECTION)
            .cloned()
    }

    async fn share(&self, io: Io) -> Result<Shared, SendError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE / 2)
            .handshake(TokioIo::new(io))
            .await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends with its last user, and nothing is lost with it at shutdown"
        )]
        tokio::spawn(connection);
        let shared = Shared {
            sender,
            streams: Arc::new(()),
        };
        self.shared_connections().push(shared.clone());
        Ok(shared)
    }

    fn shared_connections(&self) -> std::sync::MutexGuard<'_, Vec<Shared>> {
        self.h2.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_repeat(error: &hyper::Error, outgoing: &Outgoing) -> bool {
    let is_here = matches!(outgoing.body, super::OutgoingBody::Buffered(_));
    let was_closed = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
    is_here && was_closed && (error.is_canceled() || !outgoing.creates)
}

/// HTTP/1.1 connections that no request uses, last used first.
///
/// A mutex, held for a push or a pop: there is nothing to wait for while holding it.
#[derive(Debug, Default)]
pub(crate) struct IdleConnections {
    stack: Mutex<Vec<H1>>,
}

impl IdleConnections {
    pub(crate) fn put(&self, mut connection: H1) {
        connection.idle_since = Instant::now();
        let mut stack = self.lock();
        if stack.len() < MOST_IDLE {
            stack.push(connection);
        }
    }

    fn take(&self) -> Option<H1> {
        loop {
            let mut connection = self.lock().pop()?;
            if connection.idle_since.elapsed() < KEEP_IDLE && connection.is_reusable() {
                return Some(connection);
            }
        }
    }

    fn close_old(&self) {
        self.lock()
            .retain(|connection| connection.idle_since.elapsed() < KEEP_IDLE);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<H1>> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
