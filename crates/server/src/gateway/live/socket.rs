//! A WebSocket that answers pings before it reads on. The library underneath queues the answers of whoever pings and does
//! not read, without an end; here such a one stops itself.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The largest message, which is read whole before it is passed on; Google takes no larger frame.
const LARGEST_MESSAGE: usize = 16 << 20;
/// What may wait to be written: a message, and what answers pings beside it.
const MOST_UNWRITTEN: usize = LARGEST_MESSAGE + 4096;
/// What a quiet session keeps of memory for reading, on each side.
const READ_BUFFER: usize = 4096;
/// How much is thrown away at once.
const WASTE: usize = 64 * 1024;

/// One end of a session. Both its halves, once it is split, belong to one task: each wakes it for the other.
#[derive(Debug)]
pub(super) struct Socket<S> {
    inner: WebSocketStream<S>,
    /// A ping was read whose answer may not have been written yet.
    owes_pong: bool,
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// A WebSocket on an open connection, of which some may have been read.
    pub(super) async fn new(io: S, read: Bytes, role: Role) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MOST_UNWRITTEN)
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        let inner = WebSocketStream::from_partially_read(io, read.into(), role, Some(config));
        Self {
            inner: inner.await,
            owes_pong: false,
        }
    }

    /// Ends the connection when all is said. What still comes is thrown away: a reset, which is what unread bytes are
    /// answered with, would take the last words from the other side.
    pub(super) async fn end(&mut self) {
        let io = self.inner.get_mut();
        if io.shutdown().await.is_err() {
            return;
        }
        let mut waste = vec![0; WASTE];
        while matches!(io.read(&mut waste).await, Ok(1..)) {}
    }

    fn inner(&mut self) -> Pin<&mut WebSocketStream<S>> {
        Pin::new(&mut self.inner)
    }
}

impl<S> Stream for Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.owes_pong {
            // Whoever does not take it any more may have said why.
            let _ = ready!(self.inner().poll_flush(cx));
            self.owes_pong = false;
        }
        let next = ready!(self.inner().poll_next(cx));
        self.owes_pong = matches!(next, Some(Ok(Message::Ping(_))));
        Poll::Ready(next)
    }
}

impl<S> Sink<Message> for Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner().poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.inner().start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner().poll_close(cx)
    }
}
