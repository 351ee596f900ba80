//! Tokens from a scripted endpoint: how often it is asked, with what, and what its answers come to.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use domain::Certainty;
use futures_util::future::join_all;
use http::{Response, StatusCode};
use http_body_util::Full;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::endpoint::{LARGEST_ANSWER, LONGEST_EXCERPT};
use super::*;
use crate::egress::OriginOptions;
use crate::test_server::{Asked, serve};

/// Half an hour before the tokens of the fixtures end.
const NOW: UnixMs = UnixMs(1_763_630_400_000);
const MINUTE: Duration = Duration::from_secs(60);

/// An endpoint whose answers a test has written, and how often it was asked.
struct Scripted {
    tokens: Tokens,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    /// One that answers its requests in turn, the last answer over and over.
    async fn with(answers: &[(u16, &str)]) -> Self {
        let answers: Vec<(u16, String)> = answers
            .iter()
            .map(|&(status, body)| (status, body.to_owned()))
            .collect();
        Self::answering(move |number, _| {
            let (status, body) = &answers[number.min(answers.len() - 1)];
            std::future::ready(answer(*status, body.clone()))
        })
        .await
    }

    /// One that is given the number of a request and the request.
    async fn answering<F, A>(script: F) -> Self
    where
        F: Fn(usize, Asked) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let address = serve(move |asked| script(count.fetch_add(1, Ordering::SeqCst), asked)).await;
        let tokens = Tokens::new(origin(address), "GIGACHAT_API_PERS");
        Self { tokens, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The token at `now`, or the reason why there is none.
    async fn token(&self, now: UnixMs) -> Result<String, &'static str> {
        plain(self.tokens.token(&key(), &Egress::Direct, now).await)
    }
}

fn origin(address: SocketAddr) -> Arc<Origin> {
    let options = OriginOptions {
        base_url: format!("http://{address}/api/v2/oauth"),
        ca_file: None,
        http2: false,
        allow_link_local: false,
    };
    Arc::new(Origin::new(options).unwrap())
}

fn key() -> Secret {
    Secret::new("bm8gaWQ6bm8gc2VjcmV0")
}

fn answer(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

/// A token that lives for half an hour.
fn token(text: &str) -> String {
    format!(r#"{{"access_token":"{text}","expires_at":1763632200000}}"#)
}

fn plain(result: Result<Secret, Arc<Refusal>>) -> Result<String, &'static str> {
    result
        .map(|token| token.expose().to_owned())
        .map_err(|refusal| refusal.verdict.reason)
}

/// Polls a request for a token once.
fn look<F: Future>(request: &mut Pin<Box<F>>) -> Poll<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    request.as_mut().poll(&mut context)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_requests_fetch_one_token() {
    let endpoint = Scripted::with(&[(200, &token("a"))]).await;
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let tokens = endpoint.tokens.clone();
        callers.spawn(async move { plain(tokens.token(&key(), &Egress::Direct, NOW).await) });
    }
    let all = callers.join_all().await;
    assert!(
        all.iter().all(|token| *token == Ok("a".to_owned())),
        "{all:?}"
    );
    assert_eq!(endpoint.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_wait_and_kept_for_nobody_else() {
    let endpoint = Scripted::with(&[(500, "down"), (200, &token("a"))]).await;
    let all = join_all((0..50).map(|_| endpoint.token(NOW))).await;
    assert!(
        all.iter().all(|it| *it == Err("token_server_error")),
        "{all:?}"
    );
    assert_eq!(endpoint.asked(), 1);
    assert_eq!(endpoint.token(NOW).await, Ok("a".to_owned()));
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn too_many_token_requests_are_followed_by_a_pause() {
    let endpoint = Scripted::with(&[(429, "{}"), (200, &token("a"))]).await;
    for _ in 0..3 {
        assert_eq!(endpoint.token(NOW).await, Err("token_requests_too_many"));
    }
    assert_eq!(endpoint.asked(), 1);
    assert_eq!(endpoint.token(NOW + MINUTE).await, Ok("a".to_owned()));
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_once_however_many_refuse_it() {
    let endpoint = Scripted::with(&[(200, &token("a")), (200, &token("b"))]).await;
    let old = endpoint
        .tokens
        .token(&key(), &Egress::Direct, NOW)
        .await
        .unwrap();
    let again = async || {
        endpoint.tokens.refuse(&key(), &old);
        endpoint.token(NOW).await
    };
    let all = join_all((0..50).map(|_| again())).await;
    assert!(
        all.iter().all(|token| *token == Ok("b".to_owned())),
        "{all:?}"
    );
    assert_eq!(again().await, Ok("b".to_owned()));
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn keys_have_tokens_of_their_own() {
    let script = |_, asked: Asked| {
        let key = asked.header("authorization").replace("Basic ", "of-");
        std::future::ready(answer(200, token(&key)))
    };
    let endpoint = Scripted::answering(script).await;
    for name in ["one", "two", "one"] {
        let token = endpoint
            .tokens
            .token(&Secret::new(name), &Egress::Direct, NOW)
            .await;
        assert_eq!(plain(token), Ok(format!("of-{name}")));
    }
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn tokens_are_fetched_anew_a_minute_before_they_end() {
    const MS: Duration = Duration::from_millis(1);
    let milliseconds = include_str!("../../../../fixtures/providers/gigachat/token_ok.json");
    let seconds = include_str!("../../../../fixtures/providers/gigachat/token_ok_seconds.json");
    let other_names = include_str!("../../../../fixtures/providers/gigachat/token_ok_alt.json");
    for body in [milliseconds, seconds, other_names] {
        let endpoint = Scripted::with(&[(200, body)]).await;
        let first = endpoint.token(NOW).await;
        assert!(first.is_ok(), "{body}");
        assert_eq!(endpoint.token(NOW + 29 * MINUTE - MS).await, first);
        assert_eq!(endpoint.asked(), 1, "{body}");
        assert_eq!(endpoint.token(NOW + 29 * MINUTE).await, first);
        assert_eq!(endpoint.asked(), 2, "{body}");
    }
}

#[tokio::test]
async fn a_token_that_does_not_say_when_it_ends_lives_for_half_an_hour() {
    let endpoint = Scripted::with(&[(200, r#"{"access_token":"a"}"#)]).await;
    for (after, asked) in [(0, 1), (28, 1), (31, 2)] {
        assert!(endpoint.token(NOW + after * MINUTE).await.is_ok());
        assert_eq!(endpoint.asked(), asked, "after {after} minutes");
    }
}

#[test]
fn a_life_is_used_but_for_its_last_minute_or_half() {
    let check = |end: Option<Duration>, expected: Duration| {
        assert_eq!(
            useful_life(end.map(|end| NOW + end), NOW),
            expected,
            "{end:?}"
        );
    };
    check(Some(30 * MINUTE), 29 * MINUTE);
    check(Some(2 * MINUTE), MINUTE);
    check(Some(MINUTE), MINUTE / 2);
    check(Some(Duration::from_secs(2)), Duration::from_secs(1));
    check(Some(Duration::MAX), Duration::from_secs(86_340));
    // It had ended before it came: the clocks differ.
    check(Some(Duration::ZERO), 29 * MINUTE);
    check(None, 29 * MINUTE);
}

#[tokio::test]
async fn requests_look_as_the_endpoint_expects() {
    let script = |_, asked: Asked| {
        let lines = [
            asked.path.as_str(),
            asked.header("authorization"),
            asked.header("content-type"),
            asked.header("accept"),
            std::str::from_utf8(&asked.body).unwrap(),
        ];
        std::future::ready(answer(200, token(&lines.join("|").replace(' ', "_"))))
    };
    let endpoint = Scripted::answering(script).await;
    let expected = "/api/v2/oauth|Basic_bm8gaWQ6bm8gc2VjcmV0|application/x-www-form-urlencoded\
                    |application/json|scope=GIGACHAT_API_PERS";
    assert_eq!(endpoint.token(NOW).await, Ok(expected.to_owned()));
}

#[tokio::test]
async fn every_request_has_a_uuid_of_its_own() {
    let script = |_, asked: Asked| std::future::ready(answer(200, token(asked.header("rquid"))));
    let endpoint = Scripted::answering(script).await;
    let first = endpoint.token(NOW).await.unwrap();
    let second = endpoint.token(NOW + 40 * MINUTE).await.unwrap();
    assert_ne!(first, second);
    for id in [first, second] {
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4", "{id}");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}

/// An endpoint that tells when it is asked, and answers when it is let.
async fn held() -> (Scripted, Arc<Notify>, Arc<Semaphore>) {
    let (arrived, leave) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (arrived.clone(), leave.clone());
    let endpoint = Scripted::answering(move |_, _| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.acquire().await.unwrap().forget();
            answer(200, token("a"))
        }
    })
    .await;
    (endpoint, arrived, leave)
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_one_who_began_it_goes_away() {
    let (endpoint, arrived, leave) = held().await;
    let mut first = Box::pin(endpoint.token(NOW));
    let mut second = Box::pin(endpoint.token(NOW));
    tokio::select! {
        _ = &mut first => panic!("it was not let answer"),
        () = arrived.notified() => {}
    }
    assert!(look(&mut second).is_pending());
    drop(first);
    leave.add_permits(1);
    assert_eq!(second.await, Ok("a".to_owned()));
    assert_eq!(endpoint.asked(), 1);
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_is_begun_anew_by_the_next() {
    let (endpoint, arrived, leave) = held().await;
    let mut first = Box::pin(endpoint.token(NOW));
    tokio::select! {
        _ = &mut first => panic!("it was not let answer"),
        () = arrived.notified() => {}
    }
    drop(first);
    leave.add_permits(2);
    assert_eq!(endpoint.token(NOW).await, Ok("a".to_owned()));
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn an_endpoint_that_stalls_is_given_up() {
    let (endpoint, _arrived, _leave) = held().await;
    let mut impatient = Endpoint::new(endpoint.tokens.origin().clone(), "");
    impatient.limit = Duration::from_millis(20);
    let refusal = impatient.ask(&key(), &Egress::Direct).await.unwrap_err();
    assert_eq!(refusal.verdict.class, Class::Timeout);
    assert_eq!(refusal.private, "no token within 20 ms");
}

async fn check_refusal(status: u16, body: &str, class: Class, private: &str) {
    let endpoint = Scripted::with(&[(status, body)]).await;
    let refusal = endpoint
        .tokens
        .token(&key(), &Egress::Direct, NOW)
        .await
        .unwrap_err();
    assert_eq!(refusal.verdict.class, class);
    assert_eq!(refusal.private, private);
    assert_eq!(refusal.status, Some(status));
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_show_no_key() {
    let body = r#"{"code":6,"message":"no bm8gaWQ6bm8gc2VjcmV0"}"#;
    let shown = r#"{"code":6,"message":"no [redacted]"}"#;
    check_refusal(401, body, Class::KeyInvalid, shown).await;
    let no_json = "the answer is not a JSON object";
    check_refusal(200, "<html>", Class::ServerError, no_json).await;
    let large = "x".repeat(LARGEST_ANSWER + 1);
    let too_large = "the answer is larger than 65536 bytes";
    check_refusal(200, &large, Class::ServerError, too_large).await;
    check_refusal(502, &large, Class::ServerError, &large[..LONGEST_EXCERPT]).await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_matter_of_the_network() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let tokens = Tokens::new(origin(address), "GIGACHAT_API_PERS");
    let refusal = tokens
        .token(&key(), &Egress::Direct, NOW)
        .await
        .unwrap_err();
    assert_eq!(
        (refusal.verdict.class, refusal.status),
        (Class::Network, None)
    );
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_decisively_wrong() {
    let endpoint = Scripted::with(&[(200, &token("a"))]).await;
    let token = endpoint
        .tokens
        .token(&Secret::new("a\nb"), &Egress::Direct, NOW)
        .await;
    let verdict = &token.unwrap_err().verdict;
    assert_eq!(
        (verdict.class, verdict.certainty),
        (Class::KeyInvalid, Certainty::Decisive)
    );
    assert_eq!(endpoint.asked(), 0);
}

#[tokio::test]
async fn keys_whose_tokens_have_ended_are_forgotten() {
    let endpoint = Scripted::with(&[(200, r#"{"access_token":"a"}"#)]).await;
    for number in 0..200 {
        let key = Secret::new(format!("key-{number}"));
        let token = endpoint
            .tokens
            .token(&key, &Egress::Direct, NOW + number * MINUTE)
            .await;
        assert!(token.is_ok());
    }
    assert!(endpoint.tokens.0.lock().by_key.len() <= FEW);
    assert_eq!(endpoint.asked(), 200);
}
