//! One try: send with one key, read the answer until it is worth committing to, and judge it.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use domain::{Class, Secret, UnixMs, Verdict};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use providers::{Api, ErrorAnswer, Place, Transfer};
use wire::gemini::{AnswerScan, Content, Framing};

use super::call::{self, Call, Reply};
use super::credential::Credential;
use super::failure::{
    Failure, Judged, broke_off, no_token, refusal, timed_out, token_over, unreachable_provider,
    unreadable, unusable_key,
};
use super::giving::Account;
use super::hold::{Answer, Flow};
use super::{encoded, headers};
use crate::egress::{Egress, OutgoingBody, Upgraded, UpstreamBody};
use crate::snapshot::Provider;

/// The most that is read of an error's body.
const LARGEST_ERROR: usize = 1 << 20;
/// How long an error's body may pause.
const ERROR_PAUSE: Duration = Duration::from_secs(3);
/// A document up to this size is read whole before it is passed on: a caller has no use for half of one, and one that
/// breaks off can still be asked of another key.
const SMALL_DOCUMENT: usize = 64 * 1024;
/// An answer that has nothing useful by then is passed on rather than held back further.
const MOST_HELD: usize = 1 << 20;

/// How a try ended.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The provider's status, where it answered.
    pub(crate) status: Option<u16>,
    pub(crate) verdict: Verdict,
    /// How it left.
    pub(crate) egress: Egress,
    /// Until it was judged.
    pub(crate) took: Duration,
    pub(crate) result: Result<Box<Answer>, Box<Failure>>,
}

/// A key, and how an attempt with it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means<'a> {
    pub(crate) credential: &'a Credential,
    pub(crate) egress: &'a Egress,
    pub(crate) now: UnixMs,
}

/// Tries `call` with one key by one egress, for at most `limit` up to the first useful chunk; an upload, as long as it moves within
/// `limit`.
pub(crate) async fn send(
    provider: &Provider,
    call: &mut Call,
    means: Means<'_>,
    limit: Duration,
) -> Tried {
    let began = Instant::now();
    let moved = call.outgoing.body.moved();
    let mut exchange = pin!(exchange(provider, call, means));
    let mut seen = 0;
    let (status, verdict, result) = loop {
        if let Ok(judged) = tokio::time::timeout(limit, exchange.as_mut()).await {
            break judged;
        }
        let now = moved
            .as_ref()
            .map_or(0, |moved| moved.load(Ordering::Relaxed));
        if now == seen {
            break timed_out(limit);
        }
        seen = now;
    };
    Tried {
        status,
        verdict,
        egress: means.egress.clone(),
        took: began.elapsed(),
        result,
    }
}

/// Tries once, and once more where only that was refused which was fetched or given before the request itself: the token
/// that the key had been exchanged for, or files that the account no longer has.
async fn exchange(provider: &Provider, call: &mut Call, means: Means<'_>) -> Judged {
    let judged = with_token(provider, call, means).await;
    let is_token_over = provider.says_token_is_over(&judged.1);
    if is_token_over && call.is_sent_once() {
        return token_over(judged.0);
    }
    if is_token_over || may_lack_files(call, &judged) {
        return Box::pin(with_token(provider, call, means)).await;
    }
    judged
}

/// Whether the account may not have what it was given for an earlier request.
fn may_lack_files(call: &Call, (status, verdict, _): &Judged) -> bool {
    let is_missed = matches!(verdict.class, Class::BadRequest | Class::AffinityMiss);
    call.files.is_some() && *status == Some(404) && is_missed
}

async fn with_token(provider: &Provider, call: &mut Call, means: Means<'_>) -> Judged {
    let key = means.credential.secret();
    let bearer = match provider.bearer(key, means.egress, means.now).await {
        Ok(bearer) => bearer,
        Err(refusal) => return no_token(&refusal),
    };
    let token = provider.tokens.is_some().then(|| bearer.clone());
    let judged = shown(provider, call, means, bearer).await;
    if let Some(token) = token {
        provider.refuse_token(key, &token, &judged.1);
    }
    judged
}

/// Sends the call with what is shown for the key, and reads what comes back.
async fn shown(provider: &Provider, call: &mut Call, means: Means<'_>, bearer: Secret) -> Judged {
    let Means {
        credential,
        egress,
        now,
    } = means;
    if let Some(files) = call.files.clone() {
        let account = Account {
            provider,
            account: credential.account(),
            egress,
            bearer: &bearer,
            now,
        };
        match account.finish(&*files).await {
            Ok(chunks) => call.outgoing.body = OutgoingBody::Buffered(chunks),
            Err(judged) => return judged,
        }
    }
    let (headers, api) = (&mut call.outgoing.headers, provider.api);
    if api.authenticate(headers, &bearer, call.place).is_err() {
        return unusable_key();
    }
    provider.add_default_headers(&mut call.outgoing.headers);
    if call.opening.is_some() {
        return Box::pin(open(provider, call, means, &bearer)).await;
    }
    let response = match provider.origin.send(&mut call.outgoing, egress).await {
        Ok(response) => response,
        Err(error) => return unreachable_provider(&error, egress),
    };
    let (mut head, body) = response.into_parts();
    let is_failure = head.status.is_client_error() || head.status.is_server_error();
    let is_own_dialect = matches!(call.reply, Reply::AsItIs);
    if is_failure || (!is_own_dialect && !head.status.is_success()) {
        let secrets = [bearer.expose(), credential.secret().expose()];
        let judged = Box::pin(refused(api, call, &secrets, head, body)).await;
        if call.files.is_some() && matches!(judged.1.class, Class::BadRequest | Class::AffinityMiss)
        {
            // It may be that what it was given earlier is gone.
            provider.given.forget(credential.account());
        }
        return judged;
    }
    let shown = [bearer.expose(), credential.secret().expose()];
    headers::clean_for_caller(&mut head.headers, &shown);
    let mut secrets = vec![bearer];
    if provider.tokens.is_some() {
        secrets.push(credential.secret().clone());
    }
    hold(provider, call, egress, secrets, head, body).await
}

/// Opens a WebSocket, and says on it what is to be said before anything else.
async fn open(provider: &Provider, call: &mut Call, means: Means<'_>, bearer: &Secret) -> Judged {
    let secrets = [bearer.expose(), means.credential.secret().expose()];
    if let Some(opening) = &call.opening {
        opening.show_token(&mut call.outgoing.headers);
    }
    let upgraded = provider.origin.upgrade(&mut call.outgoing, means.egress);
    let (mut head, upgraded) = match upgraded.await {
        Ok(answer) => answer,
        Err(error) => return unreachable_provider(&error, means.egress),
    };
    let (io, read) = match upgraded {
        Upgraded::Open(io, read) => (io, read),
        Upgraded::Refused(body) => {
            return refused(provider.api, call, &secrets, head, body).await;
        }
    };
    headers::clean_for_caller(&mut head.headers, &secrets);
    match &mut call.opening {
        Some(opening) => {
            opening
                .begin(provider.api, head, (io, read), &secrets)
                .await
        }
        None => timed_out(Duration::ZERO),
    }
}

/// Reads an error and judges it, by headers too that the caller does not get.
async fn refused(
    api: Api,
    call: &Call,
    secrets: &[&str],
    mut head: Parts,
    body: UpstreamBody,
) -> Judged {
    let status = head.status.as_u16();
    let body = collect_error(body).await;
    let body = encoded::decode(&mut head.headers, body, LARGEST_ERROR);
    let verdict = api.judge_error(&ErrorAnswer {
        status,
        headers: &head.headers,
        body: &body,
        place: call.place,
    });
    headers::clean_for_caller(&mut head.headers, secrets);
    let failure = Failure {
        is_harmless: proves_nothing_was_done(status, verdict.class),
        ..Failure::refused(refusal(head, body, secrets))
    };
    (Some(status), verdict, Err(Box::new(failure)))
}

/// Reads a success until it is worth sending, or turns out to be none.
async fn hold(
    provider: &Provider,
    call: &Call,
    egress: &Egress,
    secrets: Vec<Secret>,
    mut head: Parts,
    mut body: UpstreamBody,
) -> Judged {
    let status = Some(head.status.as_u16());
    if encoded::is(&head.headers) && call.must_be_read() {
        return unreadable(status);
    }
    let mut flow = flow(provider.api, call, &head, secrets);
    if flow.is_stream() || flow.may_change() {
        // The end of a broken stream is written by us.
        head.headers.remove(CONTENT_LENGTH);
    }
    let may_link = may_hold_links(call);
    let mut bytes_held = 0;
    loop {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return broke_off(status, error, egress),
            None => break,
        };
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        bytes_held += chunk.len();
        let progress = flow.push(chunk);
        if progress.error && !flow.has_content() {
            return error_inside(status, head, &flow);
        }
        if flow.is_no_document() {
            return (status, flow.final_verdict(), Err(Box::default()));
        }
        let is_small_document = !flow.is_stream() && bytes_held <= SMALL_DOCUMENT;
        let is_worth_it = progress.useful && flow.has_ready();
        let is_read_whole = may_link || (is_small_document && flow.scan().is_some());
        let is_too_much = bytes_held > MOST_HELD && !flow.is_translated_whole();
        if (is_worth_it && !is_read_whole) || is_too_much {
            let verdict = flow.verdict();
            return (
                status,
                verdict,
                Ok(Box::new(Answer {
                    head,
                    flow,
                    rest: Some(body),
                })),
            );
        }
    }
    flow.finish();
    if flow.holds_only_an_error() {
        return error_inside(status, head, &flow);
    }
    if may_link {
        flow.turn_links(&provider.origin.url(), call.called_at.as_deref());
        head.headers.remove(CONTENT_LENGTH);
    }
    let verdict = whole_verdict(&flow);
    let answer = Answer {
        head,
        flow,
        rest: None,
    };
    match verdict.class {
        Class::Ok | Class::Blocked => (status, verdict, Ok(Box::new(answer))),
        class => {
            let is_passable = class == Class::EmptyAnswer;
            let failure = Failure {
                empty: is_passable.then_some(answer),
                ..Failure::default()
            };
            (status, verdict, Err(Box::new(failure)))
        }
    }
}

/// What an answer was of which nothing has gone out. Half a document is of no use to anybody: another key may have a whole
/// one.
fn whole_verdict(flow: &Flow) -> Verdict {
    let verdict = flow.final_verdict();
    let is_cut = verdict.class == Class::Truncated && !flow.holds_error();
    if is_cut && !flow.is_stream() {
        return Verdict::new(Class::ServerError, "cut_document");
    }
    verdict
}

/// Whether the answer may name files to be downloaded: it is then read whole, as far as it is small.
fn may_hold_links(call: &Call) -> bool {
    call.place == Place::Resource
        && call.transfer == Transfer::None
        && call.outgoing.method == Method::GET
}

/// The answer on its way to the caller, by what it is and what the caller reads.
fn flow(api: Api, call: &Call, head: &Parts, secrets: Vec<Secret>) -> Flow {
    let scan = scan_for(call, head);
    let framing = scan.as_ref().map_or(Framing::Json, AnswerScan::framing);
    let flow = Flow::new(api, scan, secrets);
    match &call.reply {
        Reply::AsItIs if api == Api::Google => flow,
        Reply::AsItIs => flow.passing_what_is_unknown(),
        Reply::OpenAi { .. } if encoded::is(&head.headers) => flow,
        Reply::OpenAi {
            translation,
            tidying,
            ..
        } => flow.in_openais_dialect(
            translation
                .as_ref()
                .map(|translation| translation.begin(framing)),
            tidying.begin(framing),
            &call.model,
        ),
    }
}

/// How the answer is read; not at all where it is no JSON.
fn scan_for(call: &Call, head: &Parts) -> Option<AnswerScan> {
    let kind = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_read = kind.is_some_and(|kind| {
        call::is_kind(kind, "application/json") || call::is_kind(kind, "text/event-stream")
    });
    let is_file = call.transfer == Transfer::Download || head.status.is_redirection();
    if is_file || encoded::is(&head.headers) || !is_read && call.answer == Content::Any {
        return None;
    }
    Some(AnswerScan::new(call.framing(kind), call.answer))
}

/// An error object inside a 200: the caller gets it as the error that it is.
fn error_inside(status: Option<u16>, mut head: Parts, flow: &Flow) -> Judged {
    let object = flow
        .scan()
        .and_then(|scan| scan.summary().error.as_deref())
        .unwrap_or_default();
    let (open, close): (&[u8], &[u8]) = match flow.scan().map(AnswerScan::framing) {
        Some(Framing::JsonArray) => (b"[{\"error\":", b"}]"),
        _ => (b"{\"error\":", b"}"),
    };
    let body = Bytes::from([open, object, close].concat());
    head.status = status_of(object);
    head.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    let failure = Failure::refused(refusal(head, body, &flow.secrets()));
    (status, flow.verdict(), Err(Box::new(failure)))
}

/// The status that an error object names.
fn status_of(error: &[u8]) -> StatusCode {
    #[derive(serde::Deserialize)]
    struct Code {
        code: u16,
    }
    let code = serde_json::from_slice(error)
        .ok()
        .and_then(|Code { code }| StatusCode::from_u16(code).ok());
    code.filter(|code| code.is_client_error() || code.is_server_error())
        .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// A refusal before any work: the call may be sent again even if it creates something.
fn proves_nothing_was_done(status: u16, class: Class) -> bool {
    matches!(status, 400..=499 | 503) && class != Class::Timeout
}

/// The body of an error, or as much of it as comes soon: its status alone already says that it is one.
async fn collect_error(mut body: UpstreamBody) -> Bytes {
    let mut whole = BytesMut::new();
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(ERROR_PAUSE, body.frame()).await {
        if let Ok(chunk) = frame.into_data() {
            whole.extend_from_slice(&chunk);
        }
        if whole.len() > LARGEST_ERROR {
            break;
        }
    }
    whole.freeze()
}
