//! What works, but perhaps not as its author thinks; and what is refused because it would silently not.

use crate::support::{NONE, Variables, config, loaded};

fn check(yaml: &str, variables: Variables<'_>, expected: &[&str]) {
    let config = config(yaml, variables);
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, expected, "{yaml}");
}

#[test]
fn a_field_without_effect_is_said_to_have_none() {
    check(
        "shedding:\n  enabled: true\n  low: 30\nip_limits: { per_minute: 40 }\nsimple: { max_prompt_chars: 5 }\n\
         aliases: { fast: google/x }\nlogs: { bodies: all, level: warn }\negress: { health_check: { url: https://x } }",
        &[("REDIS_URL", "redis://cache")],
        &[
            "keymux.yaml:2: shedding.enabled has no effect in this version",
            "keymux.yaml:5: simple.max_prompt_chars has no effect in this version",
            "keymux.yaml:6: aliases.fast has no effect in this version",
            "keymux.yaml:8: egress.health_check.url has no effect in this version",
            "environment REDIS_URL: redis.url has no effect in this version",
        ],
    );
}

#[test]
fn a_provider_of_another_kind_has_no_effect_once_it_has_keys_or_is_new() {
    check(
        "providers: { xai: { kind: openai, base_url: https://api.x.ai/v1, keys: [] } }",
        NONE,
        &[],
    );
    check(
        "providers:\n  local: { kind: openai, base_url: \"http://localhost:1\" }\n  mine: { kind: gemini, base_url: \"http://[::1]:1\" }",
        &[("XAI_API_KEYS", "xai-1,xai-2")],
        &[
            "keymux.yaml:2: providers.local has no effect in this version: its kind is openai",
            "environment XAI_API_KEYS: providers.xai has no effect in this version: its kind is openai",
        ],
    );
}

#[test]
fn what_would_weaken_security_is_refused() {
    let proxies = "outbound proxies are not in this version; refusing to connect directly instead";
    for (yaml, path, text) in [
        (
            "egress: { proxies: [\"http://10.0.0.9:3128\"] }",
            "egress.proxies",
            proxies,
        ),
        (
            "egress: { sources: [{ file: list.txt }] }",
            "egress.sources",
            proxies,
        ),
        (
            "providers: { google: { keys: [{ key: AIzaA, egress: \"socks5://u:p@10.0.0.9:1\" }] } }",
            "providers.google.keys[0].egress",
            proxies,
        ),
    ] {
        let errors = loaded(yaml, NONE).expect_err(yaml).to_string();
        assert_eq!(errors, format!("keymux.yaml:1: {path}: {text}"));
    }
}

#[test]
fn a_key_that_is_there_twice_counts_once() {
    let yaml = "providers:\n  google:\n    keys:\n      - AIzaFAKE0000\n      - AIzaFAKE0001\n      - AIzaFAKE0000";
    check(
        yaml,
        NONE,
        &["keymux.yaml:6: providers.google.keys[2]: AI…00 is here twice and counts as one key"],
    );
    assert_eq!(config(yaml, NONE).providers["google"].keys.len(), 2);
}

#[test]
fn plain_http_to_another_machine_is_warned_of() {
    check(
        "providers: { google: { base_url: \"http://10.0.0.1/\" } }",
        NONE,
        &[
            "keymux.yaml:1: providers.google.base_url is plain http: keys and prompts are readable on their way",
        ],
    );
    for host in ["localhost:1", "127.0.0.9", "[::1]:1"] {
        check(
            &format!("providers: {{ google: {{ base_url: \"http://{host}\" }} }}"),
            NONE,
            &[],
        );
    }
}

#[test]
fn open_access_is_without_limits() {
    check(
        "server: { auth: open }",
        NONE,
        &[
            "keymux.yaml:1: server.auth: open access is without ip_limits and shedding in this version",
        ],
    );
}
