//! What works, but perhaps not as its author thinks.

use crate::support::{NONE, Variables, config};

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
        &["environment REDIS_URL: redis.url has no effect in this version"],
    );
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
