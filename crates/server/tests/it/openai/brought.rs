//! Provider keys that callers bring: for their own provider only, before the pool, and in no header that goes anywhere.

use fake_upstream::{FakeKey, KeyFault, gemini, openai, xai};
use http::Request;
use http_body_util::Full;

use super::{CHAT, GROK, XAI_KEY, both, chat, said};
use crate::support::{Answer, CLIENT_KEY, MODEL, TestGateway, request};

const MY_GOOGLE: &str = "AIza-brought-01";
const MY_XAI: &str = "xai-brought-001";

fn bringing(path: &str, model: &str) -> Request<Full<bytes::Bytes>> {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
        ("X-Google-API-Key", MY_GOOGLE),
        ("X-xAI-API-Key", MY_XAI),
    ];
    request("POST", path, &headers, chat(model).to_string())
}

async fn three() -> TestGateway {
    both(gemini(), xai())
        .with_provider("house", openai(), "keys: [house-key-1]\nmodels_refresh: 0s")
        .start()
        .await
}

/// Everything that a provider was shown, and with which key.
fn shown(gateway: &TestGateway, provider: &str) -> Vec<(Option<String>, String)> {
    let upstream = match provider {
        "google" => &gateway.upstream,
        other => gateway.provider(other),
    };
    let seen = upstream.seen().into_iter();
    seen.map(|seen| {
        let text = format!(
            "{} {:?} {}",
            seen.path_and_query,
            seen.headers,
            String::from_utf8_lossy(&seen.body)
        );
        (seen.key, text)
    })
    .collect()
}

fn check_ok(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-keymux-key"), "");
}

#[tokio::test]
async fn a_brought_key_is_shown_to_its_own_provider_alone() {
    let gateway = three().await;
    for (path, model, provider, expected, other) in [
        (CHAT, MODEL, "google", MY_GOOGLE, MY_XAI),
        (CHAT, GROK, "xai", MY_XAI, MY_GOOGLE),
        (
            "/p/google/v1beta/openai/chat/completions",
            MODEL,
            "google",
            MY_GOOGLE,
            MY_XAI,
        ),
        ("/p/xai/chat/completions", GROK, "xai", MY_XAI, MY_GOOGLE),
    ] {
        check_ok(&gateway.send(bringing(path, model)).await);
        let (key, text) = shown(&gateway, provider).pop().unwrap();
        assert_eq!(key.as_deref(), Some(expected), "{path} {model}");
        assert!(!text.contains(other), "{path} {model}: {text}");
        assert!(!text.contains(CLIENT_KEY), "{path} {model}: {text}");
    }
}

#[tokio::test]
async fn a_server_of_openais_kind_gets_none_of_them() {
    let gateway = three().await;
    for path in [CHAT, "/p/house/chat/completions"] {
        let model = if path == CHAT {
            "house/gpt-6-mini"
        } else {
            "gpt-6-mini"
        };
        let answer = gateway.send(bringing(path, model)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let (key, text) = shown(&gateway, "house").pop().unwrap();
        assert_eq!(key.as_deref(), Some("house-key-1"), "{path}");
        assert!(!text.contains("brought"), "{path}: {text}");
    }
}

#[tokio::test]
async fn along_a_chain_each_provider_gets_its_own() {
    let google = gemini()
        .key(FakeKey::new(MY_GOOGLE).fault(KeyFault::PrepayDepleted))
        .key(FakeKey::new("AIza-key-1").fault(KeyFault::Leaked));
    let gateway = both(google, xai().says("from grok")).start().await;
    let answer = gateway.send(bringing(CHAT, "smart")).await;
    check_ok(&answer);
    assert_eq!(said(&answer), "from grok");
    let keys = |provider: &str| -> Vec<String> {
        let shown = shown(&gateway, provider).into_iter();
        shown.filter_map(|(key, _)| key).collect()
    };
    assert_eq!(keys("google"), [MY_GOOGLE, "AIza-key-1"]);
    assert_eq!(keys("xai"), [MY_XAI]);
    for (_, text) in shown(&gateway, "xai") {
        assert!(!text.contains("AIza"), "{text}");
    }
}

#[tokio::test]
async fn a_brought_key_that_fails_falls_back_to_the_pool_and_hurts_nothing_there() {
    for fault in [KeyFault::Invalid, KeyFault::Revoked, KeyFault::PerMinute] {
        let script = xai()
            .key(FakeKey::new(MY_XAI).fault(fault))
            .key(FakeKey::new(XAI_KEY));
        let gateway = both(gemini(), script).start().await;
        let answer = gateway.send(bringing(CHAT, GROK)).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        let keys: Vec<Option<String>> = shown(&gateway, "xai")
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        let expected = [Some(MY_XAI.to_owned()), Some(XAI_KEY.to_owned())];
        assert_eq!(keys, expected, "{fault:?}");
        let again = gateway.send(super::ask(&chat(GROK))).await;
        assert_eq!(again.status, 200, "{fault:?}: {}", again.text());
        assert!(!answer.text().contains(MY_XAI));
    }
}

#[tokio::test]
async fn a_limit_of_a_brought_key_is_told_where_there_is_no_other() {
    let script = xai().key(FakeKey::new(MY_XAI).fault(KeyFault::PerMinute));
    let gateway = TestGateway::new()
        .with_provider("xai", script, "keys: []\nmodels_refresh: 0s")
        .start()
        .await;
    let answer = gateway.send(bringing(CHAT, GROK)).await;
    let expected = "429 rate_limit_error rate_limit_exceeded -";
    assert_eq!(super::refusal(&answer), expected, "{}", answer.text());
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(answer.header("x-should-retry"), "");
}

#[tokio::test]
async fn a_brought_key_is_no_client_key() {
    let gateway = three().await;
    let headers = [("X-xAI-API-Key", MY_XAI)];
    let answer = gateway
        .send(request("POST", CHAT, &headers, chat(GROK).to_string()))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(gateway.provider("xai").count(), 0);
}
