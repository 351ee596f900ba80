//! One try: send with one key, read the answer until it is worth committing to, and judge it.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use domain::{Certainty, Class, Verdict};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use providers::google::{self, ErrorAnswer, Place, Transfer};
use wire::gemini::{AnswerScan, Content, Framing};

use super::call::Call;
use super::credentials::Credential;
use super::headers;
use super::hold::{Answer, Flow};
use crate::egress::{CallersFault, Phase, SendError, UpstreamBody};
use crate::snapshot::Provider;

/// The most that is read of an error's body.
const LARGEST_ERROR: usize = 1 << 20;
/// How long an error's body may pause.
const ERROR_PAUSE: Duration = Duration::from_secs(3);
const LONGEST_EXCERPT: usize = 512;
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
    /// Until it was judged.
    pub(crate) took: Duration,
    pub(crate) result: Result<Box<Answer>, Box<Failure>>,
}

/// A try that gave no answer for the caller.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// What the provider said, without secrets.
    pub(crate) refusal: Option<Refusal>,
    /// An answer without content: passed on as it is when it is not tried again.
    pub(crate) empty: Option<Answer>,
    /// Nothing can have been created by it.
    pub(crate) is_harmless: bool,
    /// What only the log says.
    pub(crate) private: String,
}

/// An error of the provider's, without secrets.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

type Judged = (Option<u16>, Verdict, Result<Box<Answer>, Box<Failure>>);

/// Tries `call` with one key, for at most `limit` up to the first useful chunk; an upload, as long as it moves within
/// `limit`.
pub(crate) async fn send(
    provider: &Provider,
    call: &mut Call,
    credential: &Credential,
    limit: Duration,
) -> Tried {
    let began = Instant::now();
    let moved = call.outgoing.body.moved();
    let mut exchange = pin!(exchange(provider, call, credential));
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
        took: began.elapsed(),
        result,
    }
}

async fn exchange(provider: &Provider, call: &mut Call, credential: &Credential) -> Judged {
    if google::authenticate(&mut call.outgoing.headers, credential.secret(), call.place).is_err() {
        return unusable_key();
    }
    provider.add_default_headers(&mut call.outgoing.headers);
    let response = match provider.origin.send(&mut call.outgoing).await {
        Ok(response) => response,
        Err(error) => return unreachable_provider(&error),
    };
    let (mut head, body) = response.into_parts();
    headers::clean_for_caller(&mut head.headers, credential.secret().expose());
    if head.status.is_client_error() || head.status.is_server_error() {
        return Box::pin(refused(call, credential, head, body)).await;
    }
    hold(provider, call, credential, head, body).await
}

/// Reads an error and judges it.
async fn refused(call: &Call, credential: &Credential, head: Parts, body: UpstreamBody) -> Judged {
    let status = head.status.as_u16();
    let body = collect_error(body).await;
    let verdict = google::judge_error(&ErrorAnswer {
        status,
        headers: &head.headers,
        body: &body,
        place: call.place,
    });
    let refusal = refusal(head, body, credential);
    let failure = Failure {
        private: excerpt(&refusal.body),
        refusal: Some(refusal),
        is_harmless: proves_nothing_was_done(status, verdict.class),
        ..Failure::default()
    };
    (Some(status), verdict, Err(Box::new(failure)))
}

/// Reads a success until it is worth sending, or turns out to be none.
async fn hold(
    provider: &Provider,
    call: &Call,
    credential: &Credential,
    mut head: Parts,
    mut body: UpstreamBody,
) -> Judged {
    let status = Some(head.status.as_u16());
    let scan = scan_for(call, &head);
    if scan
        .as_ref()
        .is_some_and(|scan| scan.framing() != Framing::Json)
    {
        // The end of a broken stream is written by us.
        head.headers.remove(CONTENT_LENGTH);
    }
    let mut flow = Flow::new(scan);
    let may_link = may_hold_links(call);
    let mut bytes_held = 0;
    loop {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return broke_off(status, &error),
            None => break,
        };
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        bytes_held += chunk.len();
        let progress = flow.push(chunk, credential.secret());
        if progress.error && !flow.has_content() {
            return error_inside(status, head, &flow, credential);
        }
        let is_small_document = !flow.is_stream() && bytes_held <= SMALL_DOCUMENT;
        let is_worth_it = progress.useful && flow.has_ready();
        let is_read_whole = may_link || (is_small_document && flow.scan().is_some());
        if (is_worth_it && !is_read_whole) || bytes_held > MOST_HELD {
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
    flow.finish(credential.secret());
    if may_link {
        flow.turn_links(&provider.origin.url(), call.called_at.as_deref());
        head.headers.remove(CONTENT_LENGTH);
    }
    let verdict = flow.final_verdict();
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

/// Whether the answer may name files to be downloaded: it is then read whole, as far as it is small.
fn may_hold_links(call: &Call) -> bool {
    call.place == Place::Resource
        && call.transfer == Transfer::None
        && call.outgoing.method == Method::GET
}

/// How the answer is read; not at all where it is no JSON.
fn scan_for(call: &Call, head: &Parts) -> Option<AnswerScan> {
    let kind = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_read = kind.is_some_and(|kind| {
        kind.starts_with("application/json") || kind.starts_with("text/event-stream")
    });
    let is_file = call.transfer == Transfer::Download || head.status.is_redirection();
    if is_file || !is_read && call.answer == Content::Any {
        return None;
    }
    Some(AnswerScan::new(call.framing(kind), call.answer))
}

/// An error object inside a 200: the caller gets it as the error that it is.
fn error_inside(
    status: Option<u16>,
    mut head: Parts,
    flow: &Flow,
    credential: &Credential,
) -> Judged {
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
    let refusal = refusal(head, body, credential);
    let failure = Failure {
        private: excerpt(&refusal.body),
        refusal: Some(refusal),
        ..Failure::default()
    };
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

/// A key that no header can carry was mistyped by an operator.
fn unusable_key() -> Judged {
    let verdict =
        Verdict::new(Class::KeyInvalid, "key_not_sendable").certainty(Certainty::Decisive);
    (
        None,
        verdict,
        Err(Box::new(Failure {
            is_harmless: true,
            ..Failure::default()
        })),
    )
}

fn unreachable_provider(error: &SendError) -> Judged {
    let class = match error.callers_fault() {
        Some(CallersFault::TooLarge) => Class::BadRequest,
        Some(CallersFault::BrokeOff) => Class::ClientGone,
        None => Class::Network,
    };
    let failure = Failure {
        is_harmless: error.phase() == Phase::Connect,
        private: error.to_string(),
        ..Failure::default()
    };
    (
        None,
        Verdict::new(class, error.reason()),
        Err(Box::new(failure)),
    )
}

fn broke_off(status: Option<u16>, error: &hyper::Error) -> Judged {
    let failure = Failure {
        private: error.to_string(),
        ..Failure::default()
    };
    (
        status,
        Verdict::new(Class::ServerError, "broke_off_before_content"),
        Err(Box::new(failure)),
    )
}

fn timed_out(limit: Duration) -> Judged {
    let private = format!("no useful chunk within {} ms", limit.as_millis());
    let failure = Failure {
        private,
        ..Failure::default()
    };
    (
        None,
        Verdict::new(Class::Timeout, "first_chunk_timeout"),
        Err(Box::new(failure)),
    )
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

fn refusal(mut head: Parts, body: Bytes, credential: &Credential) -> Refusal {
    head.headers.remove(CONTENT_LENGTH);
    Refusal {
        head,
        body: redact(body, credential),
    }
}

/// The beginning of a body that has been redacted, for the log.
fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LONGEST_EXCERPT)]).into_owned()
}

fn redact(body: Bytes, credential: &Credential) -> Bytes {
    wire::redact::redact(body, &[credential.secret().expose()])
}

impl From<Refusal> for Response<Bytes> {
    fn from(refusal: Refusal) -> Self {
        Self::from_parts(refusal.head, refusal.body)
    }
}
