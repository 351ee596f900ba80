//! After the first useful chunk nothing is said twice: an answer that breaks ends with an error that the caller can read.

use domain::Class;
use fake_upstream::Rule;
use http_body_util::BodyExt;

use super::{Way, answered, raw_gateway, read_at_least, says};
use crate::support::{Answer, Connection, TestGateway, generate};

/// The stream `abcdef` in three chunks, with a fault that spoils it after two of them.
async fn check(way: Way, rule: Rule, code: u16, class: Class) {
    let gateway = TestGateway::new()
        .upstream(way.script().says("abcdef").rule(rule))
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.stream_idle_timeout", "1s")
        .start()
        .await;
    let answer = gateway.send(way.request()).await;
    check_ends_with_error(way, &answer, code);
    assert_eq!(answer.said(), "abcd", "{way:?}");
    assert_eq!(gateway.upstream.count(), 1, "{way:?}");
    let record = gateway.only_record().await;
    assert_eq!((record.status, record.error), (200, Some(class)), "{way:?}");
}

fn check_ends_with_error(way: Way, answer: &Answer, code: u16) {
    assert_eq!(
        (answer.status, answer.is_whole),
        (200, true),
        "{way:?}: {}",
        answer.text()
    );
    let last = answer.documents().pop().unwrap();
    assert_eq!(last["error"]["code"], code, "{way:?}: {last}");
    assert!(
        last["error"]["message"].is_string() && last["error"]["status"].is_string(),
        "{last}"
    );
    if way.is_sse() {
        let text = answer.text();
        let events: Vec<&str> = text.split_inclusive("\r\n\r\n").collect();
        assert!(
            events.iter().all(|event| event.ends_with("\r\n\r\n")),
            "{text:?}"
        );
        let expected = format!("data: {{\"error\":{{\"code\":{code},");
        assert!(events[events.len() - 1].starts_with(&expected), "{text:?}");
    }
}

#[tokio::test]
async fn a_cut_stream_ends_with_an_error() {
    for way in Way::ALL {
        check(way, Rule::new().cut_after_chunks(2), 503, Class::Truncated).await;
    }
}

#[tokio::test]
async fn a_reset_stream_ends_with_an_error() {
    for way in Way::ALL {
        check(
            way,
            Rule::new().reset_after_chunks(2),
            503,
            Class::Truncated,
        )
        .await;
    }
}

#[tokio::test]
async fn a_stream_that_pauses_for_too_long_ends_with_an_error() {
    check(
        Way::Sse,
        Rule::new().stall_after_chunks(2),
        504,
        Class::Timeout,
    )
    .await;
}

#[tokio::test]
async fn an_array_that_pauses_for_too_long_ends_with_an_error() {
    check(
        Way::ArrayTls,
        Rule::new().stall_after_chunks(2),
        504,
        Class::Timeout,
    )
    .await;
}

/// One whole event, then `rest` of another, then the connection is cut.
async fn cut_inside(way: Way, rest: &str) -> Answer {
    let (gateway, upstream) = raw_gateway().await;
    let first = if way.is_sse() {
        format!("data: {}\r\n\r\n", says("abc"))
    } else {
        format!("[{}", says("abc"))
    };
    answered(gateway.send(way.request()), async {
        let mut provider = upstream.next().await;
        provider.begin(way.content_type()).await;
        provider.chunk(first).await;
        provider.chunk(rest).await;
    })
    .await
}

#[tokio::test]
async fn a_torn_event_is_left_out() {
    for rest in [
        "da",
        "data: ",
        "data: {\"candidates\": [{\"content\"",
        "event: x\r\n",
    ] {
        let answer = cut_inside(Way::Sse, rest).await;
        check_ends_with_error(Way::Sse, &answer, 503);
        assert_eq!(
            (answer.said(), answer.documents().len()),
            ("abc".to_owned(), 2),
            "{rest}"
        );
        assert!(
            !answer
                .text()
                .contains(&format!("\r\n\r\n{rest}data: {{\"error")),
            "{rest}"
        );
    }
    for rest in ["\r\n", "\r\n,", ",\r\n{\"candidates\": [{\"content\"", ", "] {
        let answer = cut_inside(Way::Array, rest).await;
        check_ends_with_error(Way::Array, &answer, 503);
        assert_eq!(
            (answer.said(), answer.documents().len()),
            ("abc".to_owned(), 2),
            "{rest}"
        );
    }
}

#[tokio::test]
async fn a_long_event_that_is_torn_is_followed_by_an_error() {
    let long = format!(
        "data: {{\"candidates\": [{{\"content\": \"{}",
        "x".repeat(100_000)
    );
    let answer = cut_inside(Way::Sse, &long).await;
    let text = answer.text();
    let last = text.trim_end().rsplit("\r\n\r\n").next().unwrap();
    assert!(
        last.starts_with("data: {\"error\":{\"code\":503,"),
        "{last}"
    );
    assert!(answer.is_whole);
}

#[tokio::test]
async fn an_array_with_a_long_torn_element_breaks_the_connection() {
    let (gateway, upstream) = raw_gateway().await;
    let mut caller = Connection::open(gateway.address).await;
    let (mut answer, mut provider) = tokio::join!(
        async { caller.begin(Way::Array.request()).await.into_body() },
        async {
            let mut provider = upstream.next().await;
            provider.begin(Way::Array.content_type()).await;
            provider.chunk(format!("[{}", says("abc"))).await;
            provider
        }
    );
    let long = format!(
        ",{{\"candidates\": [{{\"content\": \"{}",
        "x".repeat(100_000)
    );
    provider.chunk(&long).await;
    read_at_least(&mut answer, long.len()).await;
    drop(provider);
    assert!(answer.collect().await.is_err());
}

/// An answer in one document is cut or stalls in the middle.
async fn check_unary(way: Way, rule: Rule, class: Class) {
    let gateway = TestGateway::new()
        .upstream(way.script().answer_bytes(200_000).rule(rule))
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.stream_idle_timeout", "1s")
        .start()
        .await;
    let answer = gateway.send(generate()).await;
    assert_eq!((answer.status, answer.is_whole), (200, false), "{way:?}");
    assert_eq!(gateway.upstream.count(), 1);
    assert_eq!(gateway.only_record().await.error, Some(class), "{way:?}");
}

#[tokio::test]
async fn a_cut_document_breaks_the_connection() {
    for way in [Way::Sse, Way::SseTls] {
        check_unary(way, Rule::new().cut_after_chunks(1), Class::Truncated).await;
        check_unary(way, Rule::new().reset_after_chunks(1), Class::Truncated).await;
    }
}

#[tokio::test]
async fn a_document_that_stalls_breaks_the_connection() {
    check_unary(Way::Sse, Rule::new().stall_after_chunks(1), Class::Timeout).await;
}
