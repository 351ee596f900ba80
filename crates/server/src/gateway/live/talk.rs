//! A session that is open on both sides: messages pass both ways, each as soon as the other side has taken the one before,
//! so that whoever is slow slows the other down. What the provider says is read as it passes, for what it takes.

use std::time::Duration;

use bytes::Bytes;
use domain::{Class, Key, Verdict};
use futures_util::future::join;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use providers::Api;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use wire::gemini::live::LiveScan;

use super::super::admission;
use super::super::affinity;
use super::super::begun::Session;
use super::super::credentials::Credential;
use super::super::error::GatewayError;
use super::super::exchange::Exchange;
use super::super::relay::Ending;
use super::farewell::{Farewell, Goodbye, PATIENCE, part};
use super::opening::ProviderSocket;
use super::setup::bytes_of;
use super::{CallerSocket, Open};
use crate::live_sessions::{EndedBy, LiveSession, Opened};

/// The longest time without a ping.
const LONGEST_BEAT: Duration = Duration::from_secs(30);
/// How long Google lets a session be resumed.
const RESUMABLE: Duration = Duration::from_secs(24 * 3600);

type Source<S> = SplitStream<WebSocketStream<S>>;
type Target<S> = SplitSink<WebSocketStream<S>, Message>;

/// A session that is open at the provider.
#[derive(Debug)]
pub(super) struct Talk {
    exchange: Box<Exchange>,
    /// Keeps the key counted as busy.
    credential: Credential,
    open: Open,
    provider: ProviderSocket,
    /// What the provider has said already.
    first: Option<Message>,
}

/// The two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Caller,
    Provider,
}

/// What ended one way of a session.
#[derive(Debug)]
enum What {
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
}

/// What ended a session.
#[derive(Debug)]
enum End {
    Side(Side, What),
    /// The caller's limits have no room for more.
    Limit,
    /// A message must not reach the provider.
    Refused(GatewayError),
    By(EndedBy),
}

/// What becomes of a message.
enum Fate {
    Passed,
    /// It is passed on, and nothing after it.
    Last(End),
    Stopped(End),
}

/// How a session ends for everyone.
#[derive(Debug)]
struct Parting {
    class: Class,
    reason: String,
    to_caller: Goodbye,
    to_provider: Goodbye,
}

impl Talk {
    /// A session that an exchange has opened with that key.
    pub(super) fn new(
        mut exchange: Box<Exchange>,
        credential: Credential,
        open: Open,
    ) -> Option<Self> {
        let (provider, first) = exchange.call.opening.as_mut()?.take_opened()?;
        exchange.recording.answered(101, true);
        let _ = open.session.opened.set(Opened {
            model: exchange.call.model.as_str().into(),
            key: credential.key().map(|key| key.id),
            egress: match exchange.last_egress().proxy() {
                Some(proxy) => proxy.name.clone(),
                None => exchange.app.direct.clone(),
            },
        });
        Some(Self {
            exchange,
            credential,
            open,
            provider,
            first,
        })
    }

    /// Passes messages until the session is over, after those that the caller has sent early.
    pub(super) async fn hold(self, caller: CallerSocket, early: Vec<Message>) {
        let Self {
            exchange,
            credential,
            open,
            provider,
            first,
        } = self;
        let mut reader = Reader::new(&exchange, &credential, &open);
        let (mut to_provider, mut from_provider) = provider.split();
        let (mut to_caller, mut from_caller) = caller.split();
        let patience = exchange.snapshot.config.pool.stream_idle_timeout;
        let session = &open.session;
        let mut guard = Guard {
            exchange: &exchange,
            session,
            project: credential.key().map(Key::project_name),
        };
        let end = {
            let down = pass(
                Side::Provider,
                (&mut from_provider, first.into_iter().collect()),
                &mut to_caller,
                patience,
                &mut reader,
            );
            let up = pass(
                Side::Caller,
                (&mut from_caller, early),
                &mut to_provider,
                patience,
                &mut guard,
            );
            tokio::select! {
                // What a provider has said before it went is heard before a message to it fails.
                biased;
                end = down => end,
                end = up => end,
                by = session.ended() => End::By(by),
            }
        };
        let end = match end {
            End::Side(Side::Provider, What::Gone) => last_words(&mut from_provider).await,
            end => end,
        };
        let parting = reader.part(end);
        reader.write_down(&parting);
        join(
            part(from_caller, to_caller, parting.to_caller),
            part(from_provider, to_provider, parting.to_provider),
        )
        .await;
    }
}

/// Looks at each message of one side before it is passed on.
trait Watch {
    fn watch(&mut self, message: &Message) -> impl Future<Output = Fate> + Send;
}

/// Looks at what the caller says: it may name what is another's.
struct Guard<'a> {
    exchange: &'a Exchange,
    session: &'a LiveSession,
    /// The project that the session is with; none: of a key that the caller has brought.
    project: Option<String>,
}

impl Watch for Guard<'_> {
    async fn watch(&mut self, message: &Message) -> Fate {
        let said = bytes_of(message);
        self.session.from_caller.count(said.len());
        if self.exchange.provider.api != Api::Google {
            return Fate::Passed;
        }
        let checked = affinity::check_message(self.exchange, self.project.as_deref(), said).await;
        checked.map_or_else(
            |error| Fate::Stopped(End::Refused(error)),
            |()| Fate::Passed,
        )
    }
}

/// Reads what the provider says on its way to the caller.
struct Reader<'a> {
    exchange: &'a Exchange,
    credential: &'a Credential,
    open: &'a Open,
    scan: LiveScan,
}

impl Watch for Reader<'_> {
    async fn watch(&mut self, message: &Message) -> Fate {
        self.read(message)
    }
}

impl<'a> Reader<'a> {
    fn new(exchange: &'a Exchange, credential: &'a Credential, open: &'a Open) -> Self {
        Self {
            exchange,
            credential,
            open,
            scan: LiveScan::default(),
        }
    }

    fn read(&mut self, message: &Message) -> Fate {
        let bytes = bytes_of(message);
        self.open.session.from_provider.count(bytes.len());
        let heard = self.scan.read(bytes);
        let exchange = self.exchange;
        let now = exchange.app.clock.now();
        if let Some(handle) = heard.handle {
            let way = exchange.last_egress();
            if let Some(by) = Session::begun(&exchange.caller, self.credential, way) {
                exchange.app.begun.learn(&handle, by, now, RESUMABLE);
            }
        }
        if !heard.has_usage {
            return Fate::Passed;
        }
        let usage = self.scan.usage();
        self.open.session.set_usage(usage);
        exchange.recording.takes(usage.unwrap_or_default());
        if admission::has_room(&exchange.caller, now) {
            Fate::Passed
        } else {
            Fate::Last(End::Limit)
        }
    }

    fn write_down(&self, parting: &Parting) {
        let Parting { class, reason, .. } = parting;
        let exchange = self.exchange;
        exchange
            .app
            .metrics
            .live_close(&exchange.provider.name, *class);
        exchange.recording.closed(*class, reason.clone());
        exchange.recording.over(Ending {
            usage: self.scan.usage(),
            ..Ending::of(*class)
        });
        tracing::debug!(
            request.id = %exchange.recording.id(),
            provider = &*exchange.provider.name,
            key.id = self.credential.key().map(|key| key.id.0),
            class = class.name(),
            reason,
            "session over"
        );
    }

    /// What the end means, and what either side is told of it.
    fn part(&self, end: End) -> Parting {
        let (class, reason, to_caller, to_provider) = match end {
            End::Side(Side::Provider, What::Closed(frame)) => return self.closed(frame),
            End::Side(Side::Caller, What::Closed(frame)) => {
                let farewell = Farewell::read(frame, &[]);
                let reason = format!("caller_closed_{}", farewell.code);
                return Parting {
                    class: Class::Ok,
                    reason,
                    to_caller: Goodbye::Answer,
                    to_provider: Goodbye::Say(farewell),
                };
            }
            End::Side(Side::Caller, What::Gone) => (Class::ClientGone, "caller_gone", None, None),
            End::Side(Side::Caller, What::Silent) => (
                Class::ClientGone,
                "caller_silent",
                None,
                Some(Farewell::left()),
            ),
            End::Side(Side::Caller, What::Stuck) => (
                Class::ClientGone,
                "caller_stuck",
                None,
                Some(Farewell::left()),
            ),
            End::Side(Side::Caller, What::TooLarge) => {
                let (told, left) = (Farewell::too_large(), Farewell::left());
                (
                    Class::BadRequest,
                    "message_too_large",
                    Some(told),
                    Some(left),
                )
            }
            End::Side(Side::Provider, What::Gone | What::TooLarge) => {
                (Class::Truncated, "broke_off", Some(Farewell::lost()), None)
            }
            End::Side(Side::Provider, What::Silent) => (
                Class::Timeout,
                "provider_silent",
                Some(Farewell::silent()),
                None,
            ),
            End::Side(Side::Provider, What::Stuck) => (
                Class::Timeout,
                "provider_stuck",
                Some(Farewell::silent()),
                None,
            ),
            End::Limit => {
                let (told, left) = (Farewell::limited(), Farewell::left());
                (Class::Refused, "limit_reached", Some(told), Some(left))
            }
            End::Refused(error) => {
                error.log(self.exchange.recording.id());
                let (told, left) = (Farewell::from(&error), Farewell::left());
                (error.class, "message_refused", Some(told), Some(left))
            }
            End::By(by) => {
                let reason = match by {
                    EndedBy::Operator => "closed_by_operator",
                    EndedBy::Shutdown => "shutdown",
                };
                let (told, left) = (Farewell::ended(by), Farewell::left());
                (Class::Ok, reason, Some(told), Some(left))
            }
        };
        Parting {
            class,
            reason: reason.to_owned(),
            to_caller: goodbye(to_caller),
            to_provider: goodbye(to_provider),
        }
    }

    /// The provider has closed: what that says of the key, and of the session.
    fn closed(&self, frame: Option<CloseFrame>) -> Parting {
        let exchange = self.exchange;
        let farewell = Farewell::read(frame, &[self.credential.secret().expose()]);
        let verdict: Verdict = exchange
            .provider
            .api
            .judge_close(farewell.code, &farewell.reason);
        let reason = match verdict.class {
            Class::Ok => format!("closed_{}", farewell.code),
            _ => format!("closed_{}_{}", farewell.code, verdict.reason),
        };
        if verdict.class != Class::Ok {
            let now = exchange.app.clock.now();
            let model = &exchange.call.model;
            self.credential.report(model, &verdict, Duration::ZERO, now);
        }
        Parting {
            class: verdict.class,
            reason,
            to_caller: Goodbye::Say(farewell.for_caller(&verdict)),
            to_provider: Goodbye::Answer,
        }
    }
}

fn goodbye(farewell: Option<Farewell>) -> Goodbye {
    farewell.map_or(Goodbye::None, Goodbye::Say)
}

/// Passes messages one way, those first that are here already, until it is over.
async fn pass<S, T>(
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
fn said(next: Option<Result<Message, Error>>) -> Result<Option<Message>, What> {
    match next {
        Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(Some(message)),
        Some(Ok(Message::Close(frame))) => Err(What::Closed(frame)),
        Some(Ok(_)) => Ok(None),
        Some(Err(Error::Capacity(_))) => Err(What::TooLarge),
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
async fn last_words<S>(from: &mut Source<S>) -> End
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
