//! The body of a provider's answer. Reading it drives an HTTP/1.1 connection, and gives the connection back at the end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connections::IdleConnections;
use super::h1::H1;

/// A body as it comes from the provider. Dropping it before its end cancels the request upstream.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    /// HTTP/1.1: the connection, and where it goes afterwards. HTTP/2 connections are driven by tasks of their own.
    connection: Option<(H1, Arc<IdleConnections>)>,
    /// HTTP/2: counts as a stream of its connection as long as it lives.
    _stream: Option<Arc<()>>,
}

impl UpstreamBody {
    pub(crate) fn h1(incoming: Incoming, connection: H1, home: Arc<IdleConnections>) -> Self {
        let mut body = Self {
            incoming,
            connection: Some((connection, home)),
            _stream: None,
        };
        body.give_back_when_over();
        body
    }

    pub(crate) fn h2(incoming: Incoming, stream: Arc<()>) -> Self {
        Self {
            incoming,
            connection: None,
            _stream: Some(stream),
        }
    }

    fn give_back_when_over(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((mut connection, home)) = self.connection.take()
            && connection.is_reusable()
        {
            home.put(connection);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let mut polled = Pin::new(&mut this.incoming).poll_frame(cx);
        if polled.is_pending()
            && let Some((connection, _)) = &mut this.connection
        {
            connection.drive(cx);
            polled = Pin::new(&mut this.incoming).poll_frame(cx);
        }
        match &polled {
            Poll::Ready(None) => this.give_back(),
            Poll::Ready(Some(Ok(_))) => this.give_back_when_over(),
            Poll::Ready(Some(Err(_))) => this.connection = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
