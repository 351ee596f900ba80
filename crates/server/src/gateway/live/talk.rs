//! A session that is open on both sides: messages pass both ways, each as soon as the other side has taken the one before,
//! so that whoever is slow slows the other down. What the provider says is read as it passes, for what it takes.

use std::time::Duration;

use domain::{Class, Key, Verdict};
use futures_util::StreamExt;
use futures_util::future::join;
use providers::Api;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use wire::gemini::live::LiveScan;

use super::super::admission;
use super::super::affinity;
use super::super::begun::Session;
use super::super::credential::Credential;
use super::super::error::GatewayError;
use super::super::exchange::Exchange;
use super::super::relay::Ending;
use super::farewell::{Farewell, Goodbye, part};
use super::opening::ProviderSocket;
use super::passing::{End, Fate, Side, Watch, What, last_words, pass};
use super::setup::bytes_of;
use super::{CallerSocket, Open, permission};
use crate::live_sessions::{EndedBy, LiveSession, Opened};

/// How long Google lets a session be resumed.
const RESUMABLE: Duration = Duration::from_secs(24 * 3600);

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

/// How a session ends for everyone.
#[derive(Debug)]
struct Parting {
    class: Class,
    reason: String,
    to_caller: Goodbye,
    to_provider: Goodbye,
}

/// The class and the reason of an end, and what the caller and the provider are told.
type Ended = (Class, &'static str, Option<Farewell>, Option<Farewell>);

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
                why = permission::withdrawn(&exchange, session) => End::Withdrawn(why),
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
        match permission::holder(exchange, &self.open.session) {
            Err(why) => Fate::Last(End::Withdrawn(why)),
            Ok(holder) if admission::has_room(&holder, now) => Fate::Passed,
            Ok(_) => Fate::Last(End::Limit),
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
            End::Side(Side::Caller, What::Malformed(how)) => {
                let (told, left) = (Farewell::malformed(how), Farewell::left());
                (Class::BadRequest, "malformed", Some(told), Some(left))
            }
            End::Side(Side::Provider, What::Gone | What::TooLarge | What::Malformed(_)) => {
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
            End::Refused(error) => self.stopped(&error, "message_refused"),
            End::Withdrawn(error) => self.stopped(&error, "client_key_refused"),
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

    /// The caller must not go on.
    fn stopped(&self, error: &GatewayError, reason: &'static str) -> Ended {
        error.log(self.exchange.recording.id());
        let (told, left) = (Farewell::from(error), Farewell::left());
        (error.class, reason, Some(told), Some(left))
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
