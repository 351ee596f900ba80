//! A minute's limit of an address: whom it counts, what it refuses, how it says so; and whose address it is.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{HERE, SECOND, THERE, generate_from, limited, open};
use crate::support::{CLIENT_KEY, Connection, Operator, TestGateway, request};

#[tokio::test]
async fn a_minute_lets_in_so_many_and_says_when_to_come_back() {
    let gateway = limited(2, 3_600).start().await;
    for left in ["1", "0"] {
        let answer = gateway.ask_from(HERE).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit-requests"), "2");
        assert_eq!(answer.header("x-ratelimit-remaining-requests"), left);
        assert!(!answer.header("x-ratelimit-reset-requests").is_empty());
    }
    let refused = gateway.ask_from(HERE).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), "0");
    let error = refused.error();
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("2 requests a minute are allowed; try again in"),
        "{message}"
    );
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((55..=61).contains(&wait), "{wait}");
    assert_eq!(gateway.upstream.count(), 2);
    assert_eq!(gateway.ask_from(THERE).await.status, 200);
    gateway.running.skip(SECOND * u32::try_from(wait).unwrap());
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    assert_eq!(
        gateway
            .metric("keymux_ip_limited_total{reason=\"too_many\"}")
            .await,
        1
    );
}

#[tokio::test]
async fn client_keys_pass_whatever_the_address_has_done() {
    let gateway = limited(1, 3).start().await;
    assert_eq!(gateway.statuses(HERE, 5).await, [200, 429, 429, 403, 403]);
    for _ in 0..5 {
        let answer = gateway.ask_with(HERE, CLIENT_KEY).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit-requests"), "");
    }
}

/// Every kind of path that a caller can ask without a key, and how it is refused there.
const PATHS: [(&str, &str, &str); 17] = [
    ("POST", "/v1beta/models/x:generateContent", "/error/status"),
    (
        "POST",
        "/v1beta/models/x:streamGenerateContent",
        "/0/error/status",
    ),
    ("GET", "/v1beta/models", "/error/status"),
    ("GET", "/v1alpha/nothing/that/is/known", "/error/status"),
    ("POST", "/upload/v1beta/files", "/error/status"),
    ("POST", "/v1beta/interactions", "/error/code"),
    ("GET", "/v1/models", "/error/type"),
    ("POST", "/v1/chat/completions", "/error/type"),
    ("GET", "/v1/chat/completions", "/error/type"),
    ("POST", "/v1/responses", "/error/type"),
    ("POST", "/v1/messages", "/error/type"),
    ("GET", "/p/google/v1beta/models", "/error/status"),
    ("GET", "/p/nobody/models", "/error/type"),
    ("POST", "/gemini-proxy", "/errors/0/code"),
    ("POST", "/api/v1/chat/generate-text", "/detail"),
    ("GET", "/api/v1/provider-keys", "/detail"),
    ("GET", "/api/v1/nothing", "/detail"),
];

#[tokio::test]
async fn every_path_of_callers_is_limited_in_its_dialect() {
    let gateway = limited(1, 3_600).start().await;
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    gateway.upstream.clear_seen();
    let from = [("x-forwarded-for", HERE)];
    for (method, path, place) in PATHS {
        let answer = gateway.send(request(method, path, &from, "{}")).await;
        assert_eq!(answer.status, 429, "{path}: {}", answer.text());
        assert!(!answer.header("retry-after").is_empty(), "{path}");
        let limit = answer.header("x-ratelimit-limit-requests");
        assert_eq!(limit, "1", "{path}");
        let word = answer.json().pointer(place).cloned();
        let word = word.unwrap_or_else(|| panic!("{path}: {}", answer.text()));
        let expected = match place {
            "/errors/0/code" => "QUOTA_ERROR",
            "/error/type" => "rate_limit_error",
            "/error/code" => "rate_limit_exceeded",
            "/detail" => word.as_str().unwrap(),
            _ => "RESOURCE_EXHAUSTED",
        };
        assert_eq!(word, expected, "{path}");
    }
    let climbing = gateway.send(request("GET", "/v1/x/../models", &from, ""));
    assert_eq!(climbing.await.status, 429);
    assert_eq!(gateway.upstream.count(), 0);
}

/// How many requests of the minute an address has left, after one more.
async fn left(gateway: &TestGateway) -> u64 {
    let answer = gateway.ask_from(HERE).await;
    let left = answer.header("x-ratelimit-remaining-requests");
    left.parse().unwrap()
}

#[tokio::test]
async fn every_path_of_callers_counts_and_no_other_does() {
    let gateway = limited(1_000, 100_000).start().await;
    let from = [("x-forwarded-for", HERE)];
    for (method, path, _) in PATHS {
        let before = left(&gateway).await;
        gateway.send(request(method, path, &from, "{}")).await;
        assert_eq!(left(&gateway).await, before - 2, "{path}");
    }
    for (method, path) in [
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/_gateway/health"),
        ("GET", "/api/v1/health"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/api/keys"),
        ("POST", "/api/login"),
    ] {
        let before = left(&gateway).await;
        gateway.send(request(method, path, &from, "{}")).await;
        assert_eq!(left(&gateway).await, before - 1, "{path}");
    }
    let before = left(&gateway).await;
    let key = [("x-forwarded-for", HERE), ("x-goog-api-key", CLIENT_KEY)];
    for (method, path, _) in PATHS {
        gateway.send(request(method, path, &key, "{}")).await;
    }
    assert_eq!(left(&gateway).await, before - 1, "client keys do not count");
}

#[tokio::test]
async fn where_a_key_is_required_whoever_shows_none_is_told_so_each_time() {
    let gateway = limited(1, 2)
        .setting("server.auth", "required")
        .start()
        .await;
    assert_eq!(gateway.statuses(HERE, 5).await, [401; 5]);
    let from = [("x-forwarded-for", HERE)];
    let absent = gateway.send(request("POST", "/v1/responses", &from, "{}"));
    assert_eq!(absent.await.status, 404);
}

#[tokio::test]
async fn settings_hold_from_the_next_request_on() {
    let gateway = open().start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 200]);
    admin.set("ip_limits.per_minute", json!(2)).await;
    assert_eq!(gateway.ask_from(HERE).await.status, 429);
    admin.set("ip_limits.per_minute", json!(3)).await;
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 429]);
    admin.set("ip_limits.per_minute", Value::Null).await;
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    admin.set("ip_limits.ban_for", json!("1h")).await;
    admin.set("ip_limits.ban_above_per_hour", json!(6)).await;
    let banned = gateway.ask_from(HERE).await;
    assert_eq!((banned.status, banned.header("retry-after")), (403, "3600"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_race_never_get_past_the_minute_by_even_one() {
    const CALLERS: usize = 200;
    let gateway = limited(40, 3_600).start().await;
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        connections.push(Connection::open(gateway.address).await);
    }
    let asked = connections
        .iter_mut()
        .map(async |caller| caller.send(generate_from(HERE, &[])).await.status);
    let statuses = join_all(asked).await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (40, CALLERS - 40), "{statuses:?}");
    assert_eq!(gateway.upstream.count(), 40);
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address_and_a_mapped_one_is_ipv4() {
    let gateway = limited(1, 3_600).start().await;
    for (address, status) in [
        ("2001:db8:0:1::17", 200),
        ("2001:db8:0:1:ffff::1", 429),
        ("[2001:db8:0:1::18]:4711", 429),
        ("2001:db8:0:2::17", 200),
        (HERE, 200),
        ("::ffff:203.0.113.9", 429),
        ("203.0.113.9:4711", 429),
    ] {
        assert_eq!(gateway.ask_from(address).await.status, status, "{address}");
    }
}

#[tokio::test]
async fn an_address_that_is_only_said_changes_nothing() {
    let gateway = limited(2, 5)
        .setting("server.trusted_proxies", "[]")
        .start()
        .await;
    let mut statuses = Vec::new();
    for n in 0..7 {
        let said = format!("198.51.100.{n}");
        let headers = [
            ("forwarded", "for=198.51.100.99"),
            ("x-real-ip", &*said),
            ("cf-connecting-ip", &*said),
        ];
        statuses.push(gateway.send(generate_from(&said, &headers)).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429, 429, 403, 403]);
    let admin = Operator::admin(&gateway).await;
    assert_eq!(admin.rows("/api/bans").await[0]["ip"], "127.0.0.1");
}

#[tokio::test]
async fn of_several_addresses_the_one_that_the_trusted_proxy_saw_counts() {
    let gateway = limited(1, 3_600).start().await;
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    for n in 0..3 {
        let spoofed = format!("198.51.100.{n}, {HERE}");
        assert_eq!(gateway.ask_from(&spoofed).await.status, 429, "{spoofed}");
        let lines = [("x-forwarded-for", HERE)];
        let twice = generate_from(&format!("198.51.100.{n}"), &lines);
        assert_eq!(gateway.send(twice).await.status, 429);
    }
    assert_eq!(gateway.ask_from("198.51.100.1").await.status, 200);
}

#[tokio::test]
async fn trusted_proxies_can_be_changed_while_it_runs() {
    let gateway = TestGateway::new()
        .setting("server.auth", "open")
        .setting("ip_limits.per_minute", "1")
        .start()
        .await;
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    assert_eq!(gateway.ask_from(THERE).await.status, 429);
    let admin = Operator::admin(&gateway).await;
    admin
        .set("server.trusted_proxies", json!(["127.0.0.0/8"]))
        .await;
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 429]);
    assert_eq!(gateway.ask_from(THERE).await.status, 200);
}

#[tokio::test]
async fn a_refusal_is_in_the_request_log() {
    let gateway = limited(1, 2).start().await;
    gateway.ask_from(HERE).await;
    let (limited, banned) = (gateway.ask_from(HERE).await, gateway.ask_from(HERE).await);
    for (answer, status) in [(limited, 429), (banned, 403)] {
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.status, status);
        assert_eq!(record.error, Some(domain::Class::Refused));
        assert!(record.attempts.is_empty() && record.client.is_none());
    }
}
