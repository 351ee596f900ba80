//! An HTTP/1.1 connection that is driven by the task of the request that uses it.
//! A connection task of its own would cost a wake-up and a queue per chunk; a burst of small chunks pays four times as
//! much CPU that way (docs/BENCHMARKS.md).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::connect::Io;
use super::{RequestBody, SendError};

type Connection = http1::Connection<TokioIo<Io>, RequestBody>;

/// An open connection with no request, or one request, on it.
#[derive(Debug)]
pub(crate) struct H1 {
    sender: http1::SendRequest<RequestBody>,
    /// Boxed, because a connection is moved from hand to hand with every request.
    connection: Box<Connection>,
    /// It has closed, or speaks another protocol from here on; it must not be polled again.
    is_over: bool,
    /// When it became idle.
    pub(crate) idle_since: Instant,
}

impl H1 {
    pub(crate) async fn handshake(io: Io) -> Result<Self, SendError> {
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(false)
            .handshake::<_, RequestBody>(TokioIo::new(io))
            .await?;
        Ok(Self {
            sender,
            connection: Box::new(connection),
            is_over: false,
            idle_since: Instant::now(),
        })
    }

    /// Sends a request and drives the connection until the head of the answer is there.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let mut answer = pin!(self.sender.send_request(request));
        let (connection, is_over) = (&mut self.connection, &mut self.is_over);
        poll_fn(|cx| {
            if let Poll::Ready(done) = answer.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            drive(connection, is_over, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// The connection's bytes, now that the provider has agreed to another protocol; and those that have come already.
    pub(crate) async fn into_io(mut self) -> (Io, Bytes) {
        poll_fn(|cx| {
            self.drive(cx);
            if self.is_over {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let parts = self.connection.into_parts();
        (parts.io.into_inner(), parts.read_buf)
    }

    /// Moves bytes between the socket and the exchange under way.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.connection, &mut self.is_over, cx);
    }

    /// Whether another request can be sent: the last one is over, and the provider has not closed the connection.
    pub(crate) fn is_reusable(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.is_over && self.sender.is_ready()
    }
}

fn drive(connection: &mut Connection, is_over: &mut bool, cx: &mut Context<'_>) {
    // How it ended is told by the answer or its body.
    *is_over = *is_over || Pin::new(connection).poll(cx).is_ready();
}
