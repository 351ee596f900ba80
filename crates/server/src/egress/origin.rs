//! A provider's address. `send` takes an idle connection of the attempt's egress (`connections.rs`), or opens one.

use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use http::header::HOST;
use http::response::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};

use super::connect::{Endpoint, Io, Protocol};
use super::connections::{Connections, Shared, ThroughProxies};
use super::h1::H1;
use super::{Egress, Outgoing, Proxy, Reach, RequestBody, SendError, UpstreamBody, tls};

/// Connections that are kept for requests that leave by no proxy.
const MOST_IDLE: usize = 512;

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

/// What a provider has answered to the wish to speak another protocol.
#[derive(Debug)]
pub(crate) enum Upgraded {
    /// It does, from here on; and what of it has come already.
    Open(Io, Bytes),
    /// It does not, and says why.
    Refused(UpstreamBody),
}

/// A provider's address with its connections.
#[derive(Debug)]
pub(crate) struct Origin {
    options: OriginOptions,
    endpoint: Endpoint,
    /// The same for connections that leave HTTP behind, which HTTP/2 is not offered on.
    upgrading: Endpoint,
    authority: HeaderValue,
    scheme: Scheme,
    /// The path of the base URL, without a slash at its end.
    base_path: String,
    /// Those that leave by no proxy.
    direct: Connections,
    through: ThroughProxies,
}

impl Origin {
    pub(crate) fn new(options: OriginOptions) -> anyhow::Result<Self> {
        let uri: Uri = options.base_url.parse().context("parse base_url")?;
        let authority = uri.authority().context("base_url has no host")?;
        let scheme = uri.scheme().cloned().context("base_url has no scheme")?;
        let is_https = scheme == Scheme::HTTPS;
        let tls = is_https.then(|| tls::client_config(options.ca_file.as_deref(), options.http2));
        let default_port = if is_https { 443 } else { 80 };
        let endpoint = Endpoint {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            tls: tls.transpose()?,
            reach: if options.allow_link_local {
                Reach::Anywhere
            } else {
                Reach::Private
            },
        };
        Ok(Self {
            upgrading: Endpoint {
                tls: endpoint.tls.as_deref().map(tls::for_upgrades),
                ..endpoint.clone()
            },
            endpoint,
            authority: HeaderValue::from_str(authority.as_str())?,
            scheme,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            direct: Connections::new(MOST_IDLE),
            through: ThroughProxies::default(),
            options,
        })
    }

    /// The same address, without the connections that are open to it.
    pub(crate) fn unconnected(&self) -> Self {
        Self {
            options: self.options.clone(),
            endpoint: self.endpoint.clone(),
            upgrading: self.upgrading.clone(),
            authority: self.authority.clone(),
            scheme: self.scheme.clone(),
            base_path: self.base_path.clone(),
            direct: Connections::new(0),
            through: ThroughProxies::default(),
        }
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

    /// Whether what is sent is encrypted: only then may it leave through a proxy.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.endpoint.tls.is_some()
    }

    /// Sends the request by that egress, and gives the answer once its head is there.
    ///
    /// A kept connection may have been closed by the provider just now; then the request is sent once more on another,
    /// unless it may have been acted on and creates something.
    pub(crate) async fn send(
        &self,
        outgoing: &mut Outgoing,
        egress: &Egress,
    ) -> Result<Response<UpstreamBody>, SendError> {
        match egress {
            Egress::Direct => self.send_on(&self.direct, outgoing, None).await,
            Egress::Proxy(proxy) => {
                proxy.count_attempt();
                let connections = self.through.of(proxy);
                Box::pin(self.send_on(&connections, outgoing, Some(proxy))).await
            }
        }
    }

    async fn send_on(
        &self,
        connections: &Connections,
        outgoing: &mut Outgoing,
        proxy: Option<&Proxy>,
    ) -> Result<Response<UpstreamBody>, SendError> {
        while let Some(connection) = connections.idle.take() {
            match self.exchange(connection, connections, outgoing).await {
                // It was not written at all: the next one may do.
                Err(SendError::Exchange(error))
                    if error.is_canceled() && may_repeat(&error, outgoing) => {}
                Err(SendError::Exchange(error)) if may_repeat(&error, outgoing) => {
                    return Box::pin(self.send_anew(connections, outgoing, proxy)).await;
                }
                done => return done,
            }
        }
        if let Some(shared) = connections.shared() {
            match Box::pin(self.exchange_h2(shared, outgoing)).await {
                Err(SendError::Exchange(error)) if may_repeat(&error, outgoing) => {}
                done => return done,
            }
        }
        Box::pin(self.send_anew(connections, outgoing, proxy)).await
    }

    /// Asks by that egress to speak another protocol, on a connection of its own.
    pub(crate) async fn upgrade(
        &self,
        outgoing: &mut Outgoing,
        egress: &Egress,
    ) -> Result<(Parts, Upgraded), SendError> {
        let (io, idle) = match egress {
            Egress::Direct => {
                let (io, _) = self.upgrading.connect().await?;
                (io, self.direct.idle.clone())
            }
            Egress::Proxy(proxy) => {
                proxy.count_attempt();
                let (io, _) = self.upgrading.connect_through(proxy).await?;
                (io, self.through.of(proxy).idle.clone())
            }
        };
        let mut connection = H1::handshake(io).await?;
        let answer = connection.send(self.h1_request(outgoing)).await?;
        let (head, incoming) = answer.into_parts();
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            let body = UpstreamBody::h1(incoming, connection, idle);
            return Ok((head, Upgraded::Refused(body)));
        }
        let (io, read) = connection.into_io().await;
        Ok((head, Upgraded::Open(io, read)))
    }

    /// Sends on a connection that is opened for it.
    async fn send_anew(
        &self,
        connections: &Connections,
        outgoing: &mut Outgoing,
        proxy: Option<&Proxy>,
    ) -> Result<Response<UpstreamBody>, SendError> {
        let (io, protocol) = match proxy {
            None => self.endpoint.connect().await?,
            Some(proxy) => self.endpoint.connect_through(proxy).await?,
        };
        match protocol {
            Protocol::Http1 => {
                let connection = H1::handshake(io).await?;
                self.exchange(connection, connections, outgoing).await
            }
            Protocol::Http2 => {
                let shared = connections.share(io).await?;
                self.exchange_h2(shared, outgoing).await
            }
        }
    }

    /// Closes connections that have been idle for long, and those through proxies that are used no more.
    pub(crate) fn close_idle(&self) {
        self.direct.close_old();
        self.through.close_old();
    }

    async fn exchange(
        &self,
        mut connection: H1,
        connections: &Connections,
        outgoing: &mut Outgoing,
    ) -> Result<Response<UpstreamBody>, SendError> {
        let request = self.h1_request(outgoing);
        let (head, incoming) = connection.send(request).await?.into_parts();
        let body = UpstreamBody::h1(incoming, connection, connections.idle.clone());
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
        let (answer, streams) = shared.send(request).await?;
        let (head, incoming) = answer.into_parts();
        Ok(Response::from_parts(
            head,
            UpstreamBody::h2(incoming, streams),
        ))
    }

    fn h1_request(&self, outgoing: &mut Outgoing) -> Request<RequestBody> {
        let mut request = Self::request(outgoing);
        request.headers_mut().insert(HOST, self.authority.clone());
        *request.uri_mut() = self.path(outgoing).into();
        request
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
}

fn may_repeat(error: &hyper::Error, outgoing: &Outgoing) -> bool {
    let is_here = matches!(outgoing.body, super::OutgoingBody::Buffered(_));
    let was_closed = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
    is_here && was_closed && (error.is_canceled() || !outgoing.creates)
}
