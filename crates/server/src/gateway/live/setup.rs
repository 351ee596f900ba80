//! From a caller's open socket to a session at the provider: the first message is read, checked, and put to one key after
//! the other. What the caller says meanwhile waits, as far as it is little.

use std::time::Duration;

use config::Isolation;
use domain::Class;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::Message;
use wire::gemini::live::Setup;

use super::super::admission;
use super::super::begun;
use super::super::error::GatewayError;
use super::super::exchange::Exchange;
use super::super::failover::{self, Outcome};
use super::super::record::Recording;
use super::passing::{What, said};
use super::talk::Talk;
use super::{Asked, CallerSocket, Farewell, caller_socket, lost};

/// How long a caller may take to say what it wants.
const FIRST_MESSAGE: Duration = Duration::from_secs(30);
/// What a caller may say before the session is open, in bytes; the rest stays in its socket.
const MOST_EARLY: usize = 64 * 1024;

/// Why a session was not opened.
enum NotOpened {
    /// The caller has gone, or says what is no message.
    Left(What),
    /// It gets this error.
    Refused(GatewayError),
    /// It gets the provider's own words.
    Closed(Farewell, StatusCode, Class),
}

/// Serves a caller whose wish for a session has been granted.
pub(super) async fn serve(asked: Asked, upgrade: OnUpgrade) {
    let Some(mut caller) = caller_socket(upgrade).await else {
        return;
    };
    let recording = asked.visit.recording.clone();
    let session = asked.open.session.clone();
    let mut early = Vec::new();
    let opened = tokio::select! {
        opened = open(asked, &mut caller, &mut early) => opened,
        by = session.ended() => {
            let farewell = Farewell::ended(by);
            Err(NotOpened::Closed(farewell, StatusCode::SERVICE_UNAVAILABLE, Class::Refused))
        }
    };
    match opened {
        Ok(talk) => talk.hold(caller, early).await,
        Err(why) => turn_away(&mut caller, why, &recording).await,
    }
}

/// Opens the session at the provider.
async fn open(
    mut asked: Asked,
    caller: &mut CallerSocket,
    early: &mut Vec<Message>,
) -> Result<Talk, NotOpened> {
    let first = tokio::time::timeout(FIRST_MESSAGE, next_message(caller)).await;
    let first = first.map_err(|_| no_setup())?.map_err(NotOpened::Left)?;
    let setup = Setup::read(bytes_of(&first)).ok_or_else(no_setup)?;
    check(&mut asked, &setup).await?;
    let (mut exchange, open) = asked.put(setup.model, Some(first));
    let outcome = tokio::select! {
        outcome = bind_and_run(&mut exchange) => outcome,
        what = gone(caller, early) => return Err(NotOpened::Left(what)),
    };
    match outcome.map_err(NotOpened::Refused)? {
        Outcome::Answer(_, credential) => {
            Talk::new(exchange, credential, open).ok_or_else(|| NotOpened::Refused(lost()))
        }
        Outcome::Refusal(_, verdict)
            if matches!(verdict.class, Class::RateLimited | Class::QuotaDaily) =>
        {
            Err(NotOpened::Refused(throttled(&exchange, verdict.class)))
        }
        Outcome::Refusal(refusal, verdict) => {
            let status = refusal.head.status;
            let closed = closed(&mut exchange);
            Err(closed.map_or_else(
                || NotOpened::Refused(refused_handshake(status, verdict.class)),
                |farewell| NotOpened::Closed(farewell, status, verdict.class),
            ))
        }
    }
}

async fn bind_and_run(exchange: &mut Exchange) -> Result<Outcome, GatewayError> {
    exchange.bind().await?;
    failover::run(exchange).await
}

/// What could not be checked before the caller has said which model it wants, and which session it goes on with.
async fn check(asked: &mut Asked, setup: &Setup) -> Result<(), NotOpened> {
    let visit = &mut asked.visit;
    visit.recording.goes_to(&asked.provider.name, &setup.model);
    admission::check_session(&visit.caller, &asked.provider.name, &setup.model)?;
    if let Some(handle) = &setup.handle {
        let (app, id) = (&visit.app, begun::id_of(handle));
        match app.begun.find(&app.store, id, visit.now).await {
            Some(begun) if begun.is_of(&visit.caller) => {
                visit.session.get_or_insert(begun);
            }
            Some(_) => return Err(admission::forbidden("this was begun with another key").into()),
            None if may_be_anothers(asked) => return Err(unknown_handle()),
            None => {}
        }
    }
    asked.visit.shed([(&asked.provider, &*setup.model)])?;
    Ok(())
}

/// Sessions that were begun with a caller's own key are not known here, and only that key goes on with them.
fn may_be_anothers(asked: &Asked) -> bool {
    let isolation = asked.visit.snapshot.config.affinity.isolation;
    let is_with_own_key = asked.received.brought.key(asked.provider.api).is_some();
    isolation == Isolation::Owner && !is_with_own_key
}

/// Ends when the caller goes away; what it says until then is kept for later.
async fn gone(caller: &mut CallerSocket, early: &mut Vec<Message>) -> What {
    let mut kept = 0;
    while kept < MOST_EARLY {
        match next_message(caller).await {
            Ok(message) => {
                kept += message.len();
                early.push(message);
            }
            Err(what) => return what,
        }
    }
    std::future::pending().await
}

/// The next message, or why none comes.
async fn next_message(caller: &mut CallerSocket) -> Result<Message, What> {
    loop {
        if let Some(message) = said(caller.next().await)? {
            return Ok(message);
        }
    }
}

/// Tells the caller why there is no session, and writes it down.
async fn turn_away(caller: &mut CallerSocket, why: NotOpened, recording: &Recording) {
    let farewell = match why {
        NotOpened::Left(what) => {
            let Some((farewell, status)) = broken(&what) else {
                return;
            };
            recording.refused(status.as_u16(), Class::BadRequest);
            farewell
        }
        NotOpened::Refused(error) => {
            error.log(recording.id());
            recording.refused(error.status.as_u16(), error.class);
            Farewell::from(&error)
        }
        NotOpened::Closed(farewell, status, class) => {
            recording.refused(status.as_u16(), class);
            farewell
        }
    };
    let goodbye = async {
        if caller.send(farewell.into()).await.is_ok() {
            while let Some(Ok(_)) = caller.next().await {}
            caller.end().await;
        }
    };
    let _ = tokio::time::timeout(super::farewell::PATIENCE, goodbye).await;
}

/// What a caller is told that has not gone and says what is no message.
fn broken(what: &What) -> Option<(Farewell, StatusCode)> {
    match what {
        What::TooLarge => Some((Farewell::too_large(), StatusCode::PAYLOAD_TOO_LARGE)),
        What::Malformed(how) => Some((Farewell::malformed(*how), StatusCode::BAD_REQUEST)),
        What::Closed(_) | What::Gone | What::Silent | What::Stuck => None,
    }
}

/// The bytes of a message that carries any.
pub(super) fn bytes_of(message: &Message) -> &[u8] {
    match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes) => bytes,
        _ => &[],
    }
}

fn closed(exchange: &mut Exchange) -> Option<Farewell> {
    exchange.call.opening.as_mut()?.take_closed()
}

fn no_setup() -> NotOpened {
    let text = "the first message must be {\"setup\": {\"model\": …}}, with each member once";
    NotOpened::Refused(GatewayError::caller(StatusCode::BAD_REQUEST, text))
}

fn unknown_handle() -> NotOpened {
    let text = "the session of this handle is not known here: it is too old, or was not begun through keymux; begin a new one";
    let error = GatewayError::upstream(StatusCode::NOT_FOUND, Class::AffinityMiss, text);
    NotOpened::Refused(error)
}

/// Every key has been asked, and none has quota left. What the provider says of it is about keys.
fn throttled(exchange: &Exchange, class: Class) -> GatewayError {
    let text = format!(
        "every key of {} is out of quota now; try again later",
        exchange.provider.name
    );
    GatewayError::upstream(StatusCode::TOO_MANY_REQUESTS, class, text)
}

/// The provider has refused the socket itself.
fn refused_handshake(status: StatusCode, class: Class) -> GatewayError {
    let text = "the provider does not open this session";
    GatewayError::upstream(status, class, text)
}

impl From<GatewayError> for NotOpened {
    fn from(error: GatewayError) -> Self {
        Self::Refused(error)
    }
}
