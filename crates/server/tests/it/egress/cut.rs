//! A proxy that dies in the middle of an answer: the caller is told that it is not whole, and nothing is sent twice.

use domain::Class;
use fake_upstream::{FakeProxy, ProxyFault, Rule, gemini};
use http_body_util::BodyExt;

use super::{attempts, behind, came_directly, http, leaving_by, name, no_key_is_hurt, urls};
use crate::support::{Connection, generate, stream};

#[tokio::test]
async fn a_stream_whose_proxy_dies_ends_with_an_error_and_is_not_repeated() {
    let proxies = [http(1), http(2)];
    let script = gemini().tls().says("hello");
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(script.rule(Rule::new().stall_after_chunks(1).times(1)))
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let answer = caller.begin(stream()).await;
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        let chunk = frame.unwrap().into_data().unwrap();
        if text.is_empty() {
            proxies.iter().for_each(FakeProxy::cut_connections);
        }
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(text.starts_with("data: {\"candidates\""), "{text}");
    assert!(text.contains("\"error\""), "{text}");
    let record = gateway.only_record().await;
    assert_eq!(record.error, Some(Class::Truncated));
    assert_eq!(gateway.upstream.count(), 1);
    no_key_is_hurt(&gateway);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn an_answer_that_breaks_off_before_its_first_word_is_asked_for_on_another_way() {
    let proxies = [http(1), http(2)];
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .provider("http2", "false")
        .upstream(
            gemini()
                .tls()
                .rule(Rule::new().stall_before_head().times(1)),
        )
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let answering = caller.send(generate());
    let cutting = async {
        let bad = crate::support::eventually("the request is on its way", async || {
            let waiting = gateway.upstream.count() == 1;
            let mut both = proxies.iter();
            waiting
                .then(|| both.position(|proxy| proxy.open() == 1))
                .flatten()
        })
        .await;
        proxies[bad].set_fault(Some(ProxyFault::ClosedPort));
        proxies[bad].cut_connections();
        bad
    };
    let (answer, bad) = tokio::join!(answering, cutting);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    let expected = [
        (name(&proxies[bad]), "connection_lost".to_owned()),
        (name(&proxies[1 - bad]), "ok".to_owned()),
    ];
    assert_eq!(attempts(&record), expected);
    // The other way led there: so this one is to blame.
    let now = super::standing(&gateway, &name(&proxies[bad])).await;
    assert_eq!(now, "failed: connection_lost");
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_slow_answer_through_the_only_proxy_is_asked_for_again_through_it() {
    let proxy = http(1);
    let gateway = leaving_by(&urls(&[&proxy]), "true")
        .upstream(
            gemini()
                .tls()
                .rule(Rule::new().stall_before_head().times(1)),
        )
        .setting("pool.request_timeout", "1s")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    let expected = [
        (name(&proxy), "first_chunk_timeout".to_owned()),
        (name(&proxy), "ok".to_owned()),
    ];
    assert_eq!(attempts(&record), expected);
    assert_eq!(came_directly(&gateway), 0);
}
