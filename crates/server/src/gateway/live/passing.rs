//! One way of a session: each message is looked at, and passed on as soon as the other side has taken the one before.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::error::GatewayError;
use super::farewell::PATIENCE;
use super::socket::Socket;
use crate::live_sessions::EndedBy;

/// The longest time without a ping.
const LONGEST_BEAT: Duration = Duration::from_secs(30);
type Source<S> = SplitStream<Socket<S>>;
type Target<S> = SplitSink<Socket<S>, Message>;

/// The two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Provider,
}

/// What ended one way of a session.
#[derive(Debug)]
pub(super) enum What {
    /// It was closed in order.
    Closed(Option<CloseFrame>),
    /// The connection has broken off.
    Gone,
    /// Nothing came for too long, not even an answer to a ping.
    Silent,
    /// It did not read what it was sent.
    Stuck,
    /// It sent more in one message than may be.
    TooLarge,
    /// What it sent is no WebSocket's, or a text that is none.
    Malformed(Malformed),
}

/// How a side has broken the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    Frame,
    Text,
}

/// What ended a session.
#[derive(Debug)]
pub(super) enum End {
    Side(Side, What),
    /// The caller's limits have no room for more.
    Limit,
    /// A message must not reach the provider.
    Refused(GatewayError),
    /// The caller may not hold the session any more.
    Withdrawn(GatewayError),
    By(EndedBy),
}

/// What becomes of a message.
pub(super) enum Fate {
    Passed,
    /// It is passed on, and nothing after it.
    Last(End),
    Stopped(End),
}

/// Looks at each message of one side before it is passed on.
pub(super) trait Watch {
    fn watch(&mut self, message: &Message) -> impl Future<Output = Fate> + Send;
}

/// Passes messages one way, those first that are here already, until it is over.
pub(super) async fn pass<S, T>(
    side: Side,
    (from, waiting): (&mut Source<S>, Vec<Message>),
    to: &mut Target<T>,
    patience: Duration,
    watch: &mut impl Watch,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let every = (patience / 4).min(LONGEST_BEAT);
    let mut beat = interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let mut waiting = waiting.into_iter();
    loop {
        let next = if let Some(message) = waiting.next() {
            Ok(Some(message))
        } else {
            tokio::select! {
                next = from.next() => {
                    heard = Instant::now();
                    said(next)
                }
                _ = beat.tick() => {
                    if heard.elapsed() > patience {
                        return End::Side(side, What::Silent);
                    }
                    // The other side answers, and shows thereby that it is there.
                    match put(to, Message::Ping(Bytes::new()), patience).await {
                        Ok(()) => continue,
                        Err(what) => return End::Side(side.other(), what),
                    }
                }
            }
        };
        let message = match next {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            Err(what) => return End::Side(side, what),
        };
        let last = match watch.watch(&message).await {
            Fate::Passed => None,
            Fate::Last(end) => Some(end),
            Fate::Stopped(end) => return end,
        };
        if let Err(what) = put(to, message, patience).await {
            return End::Side(side.other(), what);
        }
        if let Some(end) = last {
            return end;
        }
        heard = Instant::now();
    }
}

/// What a side has said, where it was more than that it is there.
pub(super) fn said(next: Option<Result<Message, Error>>) -> Result<Option<Message>, What> {
    match next {
        Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(Some(message)),
        Some(Ok(Message::Close(frame))) => Err(What::Closed(frame)),
        Some(Ok(_)) => Ok(None),
        Some(Err(Error::Capacity(_))) => Err(What::TooLarge),
        Some(Err(Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
        ))) => Err(What::Gone),
        Some(Err(Error::Protocol(_))) => Err(What::Malformed(Malformed::Frame)),
        Some(Err(Error::Utf8(_))) => Err(What::Malformed(Malformed::Text)),
        Some(Err(_)) | None => Err(What::Gone),
    }
}

async fn put<T>(to: &mut Target<T>, message: Message, patience: Duration) -> Result<(), What>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(patience, to.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(What::Gone),
        Err(_) => Err(What::Stuck),
    }
}

/// A provider that is gone may have said why before it went.
pub(super) async fn last_words<S>(from: &mut Source<S>) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = async {
        while let Some(Ok(message)) = from.next().await {
            if let Message::Close(frame) = message {
                return What::Closed(frame);
            }
        }
        What::Gone
    };
    let what = timeout(PATIENCE, words).await.unwrap_or(What::Gone);
    End::Side(Side::Provider, what)
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Provider,
            Self::Provider => Self::Caller,
        }
    }
}
