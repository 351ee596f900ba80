//! What keymux bears: mistakes, floods, garbage and slowness of callers; and how it comes to an end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fake_upstream::{Rule, gemini};
use http_body_util::BodyExt;
use serde_json::json;

use crate::support::{
    CLIENT_KEY, Connection, MODEL, Socket, TestGateway, eventually, generate, post, prompt,
    request, stream,
};

fn path() -> String {
    format!("/v1beta/models/{MODEL}:generateContent")
}

/// The head of a request for the model's answer, up to its last header.
fn head() -> String {
    let path = path();
    format!("POST {path} HTTP/1.1\r\nhost: keymux\r\nx-goog-api-key: {CLIENT_KEY}\r\n")
}

#[tokio::test]
async fn malformed_json_is_the_providers_400_and_hurts_no_key() {
    let gateway = TestGateway::new().start().await;
    let bodies = [
        "{",
        "nonsense",
        "[1, 2",
        "{\"contents\": ",
        "\u{0}\u{1}",
        "{\"contents\": [], \"unknown\": 1}",
        "{}",
    ];
    for (asked, body) in bodies.iter().enumerate() {
        let answer = gateway.post(&path(), *body).await;
        assert_eq!(answer.status, 400, "{body:?}");
        assert_eq!(answer.error()["status"], "INVALID_ARGUMENT", "{body:?}");
        assert_eq!(gateway.upstream.count(), asked + 1, "{body:?}");
    }
    assert_eq!(gateway.health(0), "active");
    assert_eq!(gateway.pair_cooling(0), 0);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_body_that_declares_too_much_is_413() {
    let gateway = TestGateway::new()
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!("{}content-length: 1025\r\n\r\n", head()))
        .await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 413);
    let error = answer.error();
    assert_eq!(error["code"], 413);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("1024") && message.contains("server.max_body"),
        "{message}"
    );
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_413_and_one_that_just_fits_passes() {
    let gateway = TestGateway::new()
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    for (more, expected) in [(0, 200), (1, 413)] {
        gateway.upstream.clear_seen();
        let mut body = prompt("hi").to_vec();
        body.resize(1024 + more, b' ');
        let mut caller = Socket::open(gateway.address).await;
        caller
            .send(format!("{}transfer-encoding: chunked\r\n\r\n", head()))
            .await;
        for piece in body.chunks(512) {
            caller.send_chunk(piece).await;
        }
        caller.try_send("0\r\n\r\n").await;
        assert_eq!(caller.answer().await.status, expected);
        assert_eq!(gateway.upstream.count(), usize::from(expected == 200));
    }
}

#[tokio::test]
async fn slow_headers_are_cut_however_they_drip() {
    let gateway = TestGateway::new()
        .setting("server.header_read_timeout", "1s")
        .start()
        .await;
    let began = Instant::now();
    let mut silent = Socket::open(gateway.address).await;
    silent.send("GET /health HTTP/1.1\r\nhost: ke").await;
    let mut dripping = Socket::open(gateway.address).await;
    while dripping.try_send("x").await {
        assert!(began.elapsed() < Duration::from_secs(4), "it still listens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(silent.rest().await.is_empty());
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let script = gemini()
        .says("one two three")
        .chunks(3, Duration::from_millis(800));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("server.idle_timeout", "1s")
        .setting("server.header_read_timeout", "1s")
        .start()
        .await;
    let mut idle = Socket::open(gateway.address).await;
    idle.send("GET /health HTTP/1.1\r\nhost: keymux\r\n\r\n")
        .await;
    assert_eq!(idle.answer().await.status, 200);
    let mut fresh = Socket::open(gateway.address).await;
    let (streamed, rest, none) = tokio::join!(gateway.stream(), idle.rest(), fresh.rest());
    assert_eq!(streamed.said(), "one two three");
    assert!(rest.is_empty() && none.is_empty());
}

#[tokio::test]
async fn a_slow_body_is_waited_for() {
    let gateway = TestGateway::new()
        .setting("server.idle_timeout", "1s")
        .setting("server.header_read_timeout", "1s")
        .start()
        .await;
    let body = prompt("Say hello");
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!("{}content-length: {}\r\n\r\n", head(), body.len()))
        .await;
    for piece in body.chunks(body.len() / 4) {
        tokio::time::sleep(Duration::from_millis(450)).await;
        caller.send(piece).await;
    }
    assert_eq!(caller.answer().await.status, 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_no_provider() {
    let gateway = TestGateway::new().start().await;
    for framing in [
        "content-length: 1000\r\n\r\n{",
        "transfer-encoding: chunked\r\n\r\n5\r\n{",
    ] {
        let mut caller = Socket::open(gateway.address).await;
        caller.send(format!("{}{framing}", head())).await;
        caller.end().await;
        caller.rest().await;
    }
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "{}transfer-encoding: chunked\r\n\r\nno size\r\n",
            head()
        ))
        .await;
    caller.rest().await;
    assert_eq!(gateway.upstream.count(), 0);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn garbage_is_refused_and_survived() {
    let gateway = TestGateway::new().start().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\xff\xfe\xfd\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nname: bad\x01value\r\n\r\n",
        b"POST /v1beta/models HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1beta/models HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1beta/models HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /v1beta/models HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        let mut caller = Socket::open(gateway.address).await;
        caller.send(garbage).await;
        caller.end().await;
        let text = String::from_utf8_lossy(&caller.rest().await).into_owned();
        let is_refused = text.is_empty() || text.starts_with("HTTP/1.1 400");
        assert!(
            is_refused,
            "{:?}: {text}",
            garbage.escape_ascii().to_string()
        );
    }
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn a_body_with_two_framings_smuggles_no_second_request() {
    let gateway = TestGateway::new().start().await;
    let hidden = "GET /v1beta/hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "POST /v1beta/corpora HTTP/1.1\r\nhost: keymux\r\nx-goog-api-key: {CLIENT_KEY}\r\n\
             content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ))
        .await;
    caller.end().await;
    caller.rest().await;
    let seen = gateway.upstream.seen();
    assert!(seen.len() <= 1, "{seen:?}");
    assert!(seen.iter().all(|call| call.body.is_empty()), "{seen:?}");
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let gateway = TestGateway::new().start().await;
    let long = "a".repeat(70_000);
    let many = "x-header: 1\r\n".repeat(300);
    for (head, expected) in [
        (
            format!("GET /health HTTP/1.1\r\nx-long: {long}\r\n\r\n"),
            [431, 431],
        ),
        (format!("GET /health HTTP/1.1\r\n{many}\r\n"), [431, 431]),
        (
            format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
            [414, 431],
        ),
    ] {
        let mut caller = Socket::open(gateway.address).await;
        caller.send(&head).await;
        let status = caller.head().await.0;
        assert!(expected.contains(&status), "{status} for {}", &head[..30]);
    }
    let fits = format!("{}x-long: {}\r\n", head(), "a".repeat(40_000));
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!("{fits}content-length: 1\r\n\r\n{{"))
        .await;
    assert_eq!(caller.answer().await.status, 400);
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_until_others_end() {
    let gateway = TestGateway::new()
        .setting("server.max_connections", "2")
        .start()
        .await;
    let health = "GET /health HTTP/1.1\r\nhost: keymux\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut caller = Socket::open(gateway.address).await;
        caller.send(health).await;
        assert_eq!(caller.answer().await.status, 200);
        open.push(caller);
    }
    let mut third = Socket::open(gateway.address).await;
    third.try_send(health).await;
    assert!(third.rest().await.is_empty());
    open.pop();
    eventually("there is room again", async || {
        let mut caller = Socket::open(gateway.address).await;
        let was_sent = caller.try_send(health).await;
        caller.end().await;
        (was_sent && !caller.rest().await.is_empty()).then_some(())
    })
    .await;
    open[0].send(health).await;
    assert_eq!(open[0].answer().await.status, 200);
}

#[tokio::test]
async fn a_hundred_callers_at_once_are_answered() {
    let script = gemini()
        .says("hello there you")
        .chunks(3, Duration::from_millis(20));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys((1..=10).map(|key| format!("AIza-key-{key}")))
        .start()
        .await;
    let answers = futures_util::future::join_all((0..100).map(async |number| {
        if number % 2 == 0 {
            gateway.generate().await
        } else {
            gateway.stream().await
        }
    }))
    .await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.said() == "hello there you")
    );
    assert_eq!(gateway.upstream.count(), 100);
    assert_eq!(gateway.records(100).await.len(), 100);
}

#[tokio::test]
async fn own_paths_answer_get_and_head_alone() {
    let gateway = TestGateway::new().start().await;
    let send = async |method: &str, path: &str| gateway.send(request(method, path, &[], "")).await;
    for path in [
        "/health",
        "/health/",
        "/ready",
        "/metrics",
        "/_gateway/health",
    ] {
        let (got, head) = (send("GET", path).await, send("HEAD", path).await);
        assert_eq!((got.status, head.status), (200, 200), "{path}");
        assert!(!got.body.is_empty() && head.body.is_empty(), "{path}");
        for method in ["POST", "DELETE"] {
            let refused = send(method, path).await;
            assert_eq!(refused.status, 405, "{method} {path}");
            assert_eq!(refused.header("allow"), "GET, HEAD", "{method} {path}");
            assert_eq!(refused.error()["code"], "method_not_allowed");
        }
    }
    for path in [
        "/nowhere",
        "/healthy",
        "/v2/models",
        "/v1betaX/models",
        "/admin/../x",
    ] {
        let answer = send("GET", path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.error()["message"].is_string(), "{path}");
    }
    let health = send("GET", "/health").await.json();
    assert_eq!(
        (&health["status"], &health["service"]),
        (&json!("healthy"), &json!("keymux"))
    );
    assert_eq!(send("GET", "/ready").await.json()["status"], "ready");
    assert_eq!(
        send("GET", "/_gateway/health").await.json()["gemini_keys_available"],
        1
    );
    assert_eq!(gateway.upstream.count(), 0);
}

/// A stream that has begun, on a connection of its own.
struct Begun {
    _caller: Connection,
    body: hyper::body::Incoming,
}

async fn begin_stream(gateway: &TestGateway) -> Begun {
    let mut caller = Connection::open(gateway.address).await;
    let response = caller.begin(stream()).await;
    assert_eq!(response.status(), 200);
    let body = response.into_body();
    Begun {
        _caller: caller,
        body,
    }
}

#[tokio::test]
async fn a_stream_that_runs_may_end_before_the_program_does() {
    let script = gemini()
        .says("one two three")
        .chunks(3, Duration::from_millis(200));
    let gateway = TestGateway::new().upstream(script).start().await;
    let begun = begin_stream(&gateway).await;
    let mut idle = Socket::open(gateway.address).await;
    let TestGateway { running, .. } = gateway;
    let ((), body, rest) = tokio::join!(running.stop(), begun.body.collect(), idle.rest());
    let text = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
    assert!(text.contains("\"STOP\""), "{text}");
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_cut_after_the_grace() {
    let script = gemini().rule(Rule::new().stall_after_chunks(1));
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("server.shutdown_grace", "1s")
        .start()
        .await;
    let begun = begin_stream(&gateway).await;
    let told = Instant::now();
    let TestGateway { running, .. } = gateway;
    let ((), body) = tokio::join!(running.stop(), begun.body.collect());
    assert!(body.is_err(), "{body:?}");
    let took = told.elapsed();
    let expected = Duration::from_millis(900)..Duration::from_secs(3);
    assert!(expected.contains(&took), "{took:?}");
}

#[tokio::test]
async fn it_is_not_ready_while_it_drains() {
    let script = gemini()
        .says("one two three")
        .chunks(3, Duration::from_millis(300));
    let gateway = TestGateway::new().upstream(script).start().await;
    let begun = begin_stream(&gateway).await;
    let TestGateway {
        running, address, ..
    } = gateway;
    let ready = eventually("it drains", async || {
        let mut probe = Connection::open(address).await;
        let answer = probe.send(request("GET", "/ready", &[], "")).await;
        (answer.status == 503).then_some(answer)
    });
    let ((), body, ready) = tokio::join!(running.stop(), begun.body.collect(), ready);
    assert!(body.is_ok());
    assert_eq!(ready.json()["status"], "draining");
}

/// Bytes that are nearly a request, or nothing like one.
fn mutilated(random: &mut fastrand::Rng, request: &[u8]) -> Vec<u8> {
    let mut bytes = match random.u8(..4) {
        0 => std::iter::repeat_with(|| random.u8(..)).take(200).collect(),
        _ => request.to_vec(),
    };
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..bytes.len());
        match random.u8(..4) {
            0 => bytes[at] = random.u8(..),
            1 => bytes.insert(at, random.u8(..)),
            2 => bytes.truncate(at + 1),
            _ => {
                let piece: Vec<u8> = bytes[at..].iter().take(40).copied().collect();
                bytes.extend(piece);
            }
        }
    }
    bytes
}

#[tokio::test]
async fn random_bytes_never_stop_it_from_answering_the_next_request() {
    let gateway = TestGateway::new().start().await;
    let body = prompt("Say hello");
    let whole = format!("{}content-length: {}\r\n\r\n", head(), body.len());
    let whole = [whole.as_bytes(), &body].concat();
    let mut random = fastrand::Rng::with_seed(20_261_120);
    for round in 0..300 {
        let bytes = mutilated(&mut random, &whole);
        let mut caller = Socket::open(gateway.address).await;
        caller.try_send(&bytes).await;
        if random.bool() {
            caller.end().await;
            let read = tokio::time::timeout(Duration::from_secs(60), caller.rest()).await;
            assert!(read.is_ok(), "round {round}: {}", bytes.escape_ascii());
        }
        if round % 25 == 0 {
            assert_eq!(gateway.generate().await.status, 200, "round {round}");
        }
    }
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(gateway.health(0), "active");
}

#[tokio::test]
async fn a_body_that_is_large_passes_through_a_reader_that_is_slow() {
    let gateway = TestGateway::new()
        .upstream(gemini().answer_bytes(4 << 20))
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let mut body = caller.begin(generate()).await.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().data_ref().map_or(0, Bytes::len);
        tokio::task::yield_now().await;
    }
    assert!(length >= 4 << 20, "{length}");
    let next = caller.send(post(&path(), prompt("hi"))).await;
    assert_eq!(next.status, 200);
}
