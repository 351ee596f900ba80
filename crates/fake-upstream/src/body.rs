//! The body of an answer: one piece at once, or pieces with a pause between them and one of four
//! endings. It also tells the recorder when the answer is complete. What the pieces say is decided
//! elsewhere (the providers' folders); when a connection dies is done by `socket.rs`.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::seat::Seat;
use crate::seen::Visit;
use crate::socket::Cord;

/// What happens after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The body ends as HTTP demands.
    Proper,
    /// Nothing more comes and the connection stays open.
    Stall,
    /// The connection is reset.
    Reset,
    /// The connection is closed without the end of the body.
    Cut,
}

/// Pieces to send, shared when they were built in advance.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    pub(crate) list: Arc<[Bytes]>,
    pub(crate) pause: Duration,
    pub(crate) ending: Ending,
    /// The promised `content-length`; `None` sends a chunked body.
    pub(crate) declared: Option<u64>,
}

/// What ends with an answer, or with its client: the record of the request, and the seat that some
/// providers let only so many requests have at once.
#[derive(Debug, Default)]
pub(crate) struct Stake {
    pub(crate) visit: Option<Visit>,
    pub(crate) seat: Option<Seat>,
}

impl Stake {
    // The seat is free before the last piece leaves: whoever has read the answer may ask again.
    pub(crate) fn complete(&mut self) {
        self.seat = None;
        if let Some(visit) = &self.visit {
            visit.complete();
        }
    }
}

/// A body that hyper can send.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    content: Content,
    stake: Stake,
}

#[derive(Debug)]
enum Content {
    Whole(Option<Bytes>),
    Paced(Box<Paced>),
}

#[derive(Debug)]
struct Paced {
    pieces: Pieces,
    next: usize,
    resting: bool,
    rest: Option<Pin<Box<Sleep>>>,
    cord: Arc<Cord>,
    end: End,
}

/// How far a body is that ends by the death of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ahead,
    Lingering,
    Dead,
}

/// What was written gets this long to leave before the connection dies: over HTTP/2 another task
/// writes it.
const LINGER: Duration = Duration::from_millis(5);

impl AnswerBody {
    pub(crate) fn whole(bytes: Bytes, stake: Stake) -> Self {
        let left = (!bytes.is_empty()).then_some(bytes);
        let mut body = Self {
            content: Content::Whole(left),
            stake,
        };
        if body.is_end_stream() {
            body.complete();
        }
        body
    }

    pub(crate) fn paced(pieces: Pieces, stake: Stake, cord: Arc<Cord>) -> Self {
        let paced = Paced {
            pieces,
            next: 0,
            resting: false,
            rest: None,
            cord,
            end: End::Ahead,
        };
        Self {
            content: Content::Paced(Box::new(paced)),
            stake,
        }
    }

    fn complete(&mut self) {
        self.stake.complete();
    }
}

impl Paced {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        ready!(self.poll_rest(cx));
        if let Some(piece) = self.pieces.list.get(self.next).cloned() {
            self.next += 1;
            if !self.is_over() {
                self.rest_for(self.pieces.pause);
            }
            return Poll::Ready(Some(piece));
        }
        if self.dies() && self.end == End::Ahead {
            self.end = End::Lingering;
            self.rest_for(LINGER);
            ready!(self.poll_rest(cx));
        }
        self.poll_end()
    }

    fn poll_end(&mut self) -> Poll<Option<Bytes>> {
        match self.pieces.ending {
            Ending::Proper => return Poll::Ready(None),
            Ending::Stall => return Poll::Pending,
            Ending::Reset => self.cord.reset(),
            Ending::Cut => self.cord.close(),
        }
        self.end = End::Dead;
        Poll::Pending
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.resting
            && let Some(rest) = &mut self.rest
        {
            ready!(rest.as_mut().poll(cx));
            self.resting = false;
        }
        Poll::Ready(())
    }

    fn rest_for(&mut self, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        self.resting = true;
        match &mut self.rest {
            Some(rest) => rest.as_mut().reset(Instant::now() + pause),
            None => self.rest = Some(Box::pin(tokio::time::sleep(pause))),
        }
    }

    fn dies(&self) -> bool {
        matches!(self.pieces.ending, Ending::Reset | Ending::Cut)
    }

    /// Everything was sent that will ever be.
    fn is_over(&self) -> bool {
        let sent = self.next >= self.pieces.list.len();
        (sent && self.pieces.ending == Ending::Proper) || self.end == End::Dead
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let (polled, over) = match &mut self.content {
            Content::Whole(bytes) => (Poll::Ready(bytes.take()), true),
            Content::Paced(paced) => {
                let polled = paced.poll_piece(cx);
                (polled, paced.is_over())
            }
        };
        if over {
            self.complete();
        }
        polled.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_none(),
            Content::Paced(paced) => paced.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Content::Paced(paced) => paced
                .pieces
                .declared
                .map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}
