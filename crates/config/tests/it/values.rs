//! Every section with every field set.

use std::time::Duration;

use config::{Auth, BanFor, Bytes, ExhaustedStatus, Kind, LogFormat, LogLevel, Strategy};
use domain::UnixMs;

use crate::support::{NONE, config};

#[test]
fn the_sections_that_are_acted_upon_are_read_whole() {
    let config = config(
        "
server:
  listen: '[::1]:9000'
  data_dir: /tmp/k
  auth: open
  trusted_proxies: [10.0.0.0/8, 127.0.0.1]
  max_body: 1MiB
  max_upload: 64KB
  cors_origins: ['*']
  shutdown_grace: 0
  metrics_allow: [127.0.0.0/8]
  metrics_token: a-token
  header_read_timeout: 1s
  idle_timeout: 1m30s
  max_connections: 5
  workers: 2
pool: { strategy: round_robin, max_failures: 9, recheck_interval: 1s, request_timeout: 2s, stream_idle_timeout: 3s, exhausted_status: 429 }
retry: { max_attempts: 1, deadline: 4s, delay: 250ms, empty_response: false, wait_for_key: 5s, heartbeat: 6s }
logs: { level: debug, format: json, retention: 1h }
ip_limits: { ban_for: 7d }
",
        NONE,
    );
    let server = &config.server;
    assert_eq!(server.auth, Auth::Open);
    assert_eq!(
        (server.max_body, server.max_upload),
        (Bytes(1 << 20), Bytes(64_000))
    );
    assert_eq!((server.max_connections, server.workers), (5, 2));
    assert_eq!(server.shutdown_grace, Duration::ZERO);
    assert_eq!(server.idle_timeout, Duration::from_secs(90));
    assert_eq!(
        server
            .metrics_token
            .as_ref()
            .map(|token| token.expose().len()),
        Some(7)
    );
    assert_eq!(config.pool.strategy, Strategy::RoundRobin);
    assert_eq!(
        config.pool.exhausted_status,
        ExhaustedStatus::TooManyRequests
    );
    assert_eq!(config.retry.delay, Duration::from_millis(250));
    assert!(!config.retry.empty_response);
    assert_eq!(
        (config.logs.level, config.logs.format),
        (LogLevel::Debug, LogFormat::Json)
    );
    assert_eq!(
        config.ip_limits.ban_for,
        BanFor::Time(Duration::from_secs(7 * 86_400))
    );
}

#[test]
fn keys_are_texts_or_mappings() {
    let config = config(
        "
providers:
  google:
    keys:
      - AIzaA
      - { key: AIzaB, project: team-a, label: billing, weight: 2, priority: -1 }
",
        NONE,
    );
    let keys = &config.providers["google"].keys;
    assert_eq!((keys[0].value.weight, keys[0].value.priority), (1, 0));
    assert_eq!(keys[0].value.project, None);
    let second = &keys[1].value;
    assert_eq!((second.weight, second.priority), (2, -1));
    assert_eq!(second.project.as_deref(), Some("team-a"));
    assert_eq!(second.label.as_deref(), Some("billing"));
    assert_eq!(keys[1].origin.to_string(), "keymux.yaml:6");
}

#[test]
fn clients_have_an_expiry_and_a_switch() {
    let config = config(
        "clients: [{ name: a, key: sk-x, enabled: false, expires_at: 2027-01-31 }]",
        NONE,
    );
    let client = &config.clients[0].value;
    assert!(!client.enabled);
    assert_eq!(client.expires_at, Some(UnixMs(1_801_353_600_000)));
}

#[test]
fn a_client_key_has_the_limits_that_are_set_for_it() {
    let config = config(
        "clients:
  - { name: a, key: sk-x, rpm: 1, rpd: 2, tpm: 3, tpd: 4, max_concurrent: 5, budget_usd: 0.5, budget_period: day,
      allowed_providers: [google], allowed_models: [m], allowed_endpoints: [openai.chat.completions], allowed_ips: [10.0.0.1] }
  - { name: b, key: sk-y }",
        NONE,
    );
    let limits = config.clients[0].value.limits();
    assert_eq!(
        (limits.rpm, limits.rpd, limits.tpm, limits.tpd),
        (Some(1), Some(2), Some(3), Some(4))
    );
    assert_eq!(
        (limits.max_concurrent, limits.budget_usd),
        (Some(5), Some(0.5))
    );
    assert_eq!(limits.budget_period, domain::BudgetPeriod::Day);
    let allowed = [
        (&limits.allowed_providers, "google"),
        (&limits.allowed_models, "m"),
        (&limits.allowed_endpoints, "openai.chat.completions"),
        (&limits.allowed_ips, "10.0.0.1/32"),
    ];
    for (names, name) in allowed {
        assert_eq!(names.iter().collect::<Vec<_>>(), [name]);
    }
    assert_eq!(
        config.clients[1].value.limits(),
        domain::ClientLimits::default()
    );
}

#[test]
fn what_is_set_for_a_built_in_provider_is_merged_with_what_is_known() {
    let config = config("providers: { google: { http2: false }, xai: null }", NONE);
    let google = &config.providers["google"];
    assert_eq!((google.kind, google.http2), (Kind::Gemini, false));
    assert_eq!(
        google.base_url.as_str(),
        "https://generativelanguage.googleapis.com"
    );
    assert_eq!(
        google.health_check.model.as_deref(),
        Some("gemini-flash-latest")
    );
    assert_eq!(
        config.providers["xai"].base_url.as_str(),
        "https://api.x.ai/v1"
    );
    assert_eq!(
        config.providers["gigachat"].scope.as_deref(),
        Some("GIGACHAT_API_PERS")
    );
}

#[test]
fn what_a_key_may_have_under_way_follows_its_kind_and_scope() {
    let check = |fields: &str, expected: Option<u32>| {
        let url = "base_url: http://127.0.0.1:1, token_url: http://127.0.0.1:1";
        let config = config(&format!("providers: {{ it: {{ {url}, {fields} }} }}"), NONE);
        let most = config.providers["it"].concurrent_per_key();
        assert_eq!(most.map(std::num::NonZero::get), expected, "{fields}");
    };
    check("kind: gigachat, scope: GIGACHAT_API_PERS", Some(1));
    check("kind: gigachat", Some(1));
    check("kind: gigachat, scope: GIGACHAT_API_CORP", Some(10));
    check("kind: gigachat, max_concurrent: 4", Some(4));
    check("kind: gemini, max_concurrent: 4", Some(4));
    check("kind: gemini, scope: GIGACHAT_API_PERS", None);
}

#[test]
fn an_alias_is_one_model_or_a_chain() {
    let config = config("aliases: { fast: google/a, smart: [google/b, fast] }", NONE);
    assert_eq!(config.aliases["fast"].0, ["google/a"]);
    assert_eq!(config.aliases["smart"].0, ["google/b", "fast"]);
}
