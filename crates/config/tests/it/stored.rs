//! Settings that are stored: what they win over, what wins over them, and what becomes of those that do not fit.

use std::fs;
use std::time::Duration;

use config::{Config, Origin, Strategy};
use serde_json::{Value as Json, json};

use crate::support::{Folder, NONE, config, values};

fn with(config: &Config, stored: Json) -> Config {
    let text = stored.to_string();
    let config = config.with_stored(&values(stored));
    config.unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn check(yaml: &str, stored: Json, expected: &[&str]) {
    let text = stored.to_string();
    let errors = config(yaml, NONE).with_stored(&values(stored));
    let errors = errors.expect_err(&text).to_string();
    assert_eq!(errors.lines().collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn a_stored_value_wins_over_the_default_and_over_nothing_else() {
    let base = config(
        "retry: { max_attempts: 6 }",
        &[("KEYMUX__POOL__MAX_FAILURES", "9")],
    );
    let config = with(
        &base,
        json!({"retry.max_attempts": 3, "pool.max_failures": 4, "pool.strategy": "random", "retry.delay": "250ms",
            "server.max_body": "1MiB", "server.cors_origins": ["*"], "retry.empty_response": false}),
    );
    assert_eq!(
        (config.retry.max_attempts, config.pool.max_failures),
        (6, 9)
    );
    assert_eq!(
        config.origin("retry.max_attempts").to_string(),
        "keymux.yaml:1"
    );
    assert_eq!(config.pool.strategy, Strategy::Random);
    assert_eq!(config.origin("pool.strategy"), Origin::Stored);
    assert_eq!(config.retry.delay, Duration::from_millis(250));
    assert_eq!(config.server.max_body.0, 1 << 20);
    assert_eq!(config.server.cors_origins, ["*"]);
    assert!(!config.retry.empty_response);
    assert_eq!(config.stored().len(), 7);
    assert_eq!(base.pool.strategy, Strategy::LeastLoaded);
}

#[test]
fn null_and_what_is_no_longer_stored_return_to_the_default() {
    let base = config("", NONE);
    let changed = with(
        &base,
        json!({"retry.max_attempts": 3, "simple.max_prompt_chars": 7}),
    );
    let again = with(&changed, json!({"retry.max_attempts": null}));
    assert_eq!(*again, *base);
    assert_eq!(again.origin("retry.max_attempts"), Origin::Default);
    assert!(again.stored().is_empty());
}

#[test]
fn a_field_has_one_source_as_a_whole() {
    let stored = json!({"aliases": {"fast": "google/a"}, "egress.health_check.timeout": "7s",
        "egress.health_check.concurrency": 3});
    let file = config(
        "aliases: { smart: google/b }\negress: { health_check: { timeout: 8s } }",
        NONE,
    );
    let file = with(&file, stored.clone());
    assert_eq!(file.aliases.keys().collect::<Vec<_>>(), ["smart"]);
    assert_eq!(file.egress.health_check.timeout, Duration::from_secs(8));
    assert_eq!(file.egress.health_check.concurrency, 3);
    let variable = config("", &[("KEYMUX__ALIASES__SMART", "google/b")]);
    let variable = with(&variable, stored.clone());
    assert_eq!(variable.aliases.keys().collect::<Vec<_>>(), ["smart"]);
    let neither = with(&config("", NONE), stored);
    assert_eq!(neither.aliases["fast"].0, ["google/a"]);
    assert_eq!(neither.origin("aliases"), Origin::Stored);
}

#[test]
fn what_the_file_leaves_open_may_be_stored() {
    let stored =
        json!({"egress.health_check.url": "https://x.ai", "aliases": {"fast": "google/a"}});
    let yaml = "egress: { health_check: { url: \"${UNSET}\" } }\naliases: null";
    let config = with(&config(yaml, NONE), stored);
    assert!(config.egress.health_check.url.is_some());
    assert_eq!(config.aliases.len(), 1);
}

#[test]
fn a_wrong_value_is_named_with_its_setting_and_what_was_expected() {
    for (stored, expected) in [
        (
            json!({"retry.max_attempts": 0}),
            "retry.max_attempts: \"0\" is out of range; expected 1 to 100",
        ),
        (
            json!({"retry.max_attempts": 2.5}),
            "retry.max_attempts: \"2.5\" is not a whole number; expected 1 to 100",
        ),
        (
            json!({"retry.delay": 30}),
            "retry.delay: \"30\" is not a duration such as 250ms, 30s, 5m, 1h30m or 30d; expected 0s to 10m",
        ),
        (
            json!({"pool.strategy": "randm"}),
            "pool.strategy: \"randm\" is not least_loaded, round_robin, random, fill_first or selected_first; did you mean \"random\"?",
        ),
        (
            json!({"retry.empty_response": "maybe"}),
            "retry.empty_response: \"maybe\" is not true or false",
        ),
        (
            json!({"server.cors_origins": "${A}"}),
            "server.cors_origins: a text is not what belongs here; expected a list",
        ),
        (
            json!({"server.cors_origins": ["a", null]}),
            "server.cors_origins[1]: \"\" is empty",
        ),
        (
            json!({"server.trusted_proxies": ["10.0.0.0/8", "here"]}),
            "server.trusted_proxies[1]: \"here\" is not a CIDR such as 10.0.0.0/8, 192.168.1.7 or fd00::/8",
        ),
        (
            json!({"logs.level": {}}),
            "logs.level: a mapping is not what belongs here; expected one value",
        ),
        (
            json!({"egress.sources": [{"url": "https://x.ai", "refrsh": "1m"}]}),
            "egress.sources[0].refrsh: unknown field; did you mean \"refresh\"?",
        ),
    ] {
        check("", stored, &[&format!("stored setting: {expected}")]);
    }
}

#[test]
fn settings_are_checked_against_each_other_and_against_the_file() {
    let low = "stored setting: shedding.low: low is 60 and high is 50; expected low up to high";
    check("", json!({"shedding.low": 60}), &[low]);
    check(
        "shedding: { high: 50 }",
        json!({"shedding.low": 60}),
        &[low],
    );
    check(
        "shedding: { low: 30 }",
        json!({"shedding.high": 20}),
        &["stored setting: shedding.high: low is 30 and high is 20; expected low up to high"],
    );
    with(
        &config("", NONE),
        json!({"shedding.low": 60, "shedding.high": 70}),
    );
    check(
        "",
        json!({"aliases": {"a": "b", "b": "a"}}),
        &[
            "stored setting: aliases.a: leads back to itself",
            "stored setting: aliases.b: leads back to itself",
        ],
    );
}

#[test]
fn a_value_is_checked_even_while_the_file_hides_it() {
    check(
        "retry: { max_attempts: 6 }",
        json!({"retry.max_attempts": 0}),
        &["stored setting: retry.max_attempts: \"0\" is out of range; expected 1 to 100"],
    );
}

#[test]
fn what_is_no_run_time_setting_is_refused() {
    let fixed = "is no run-time setting; it is set in the file or the environment";
    for name in [
        "server.listen",
        "server.auth",
        "admin.password",
        "database.url",
        "clients",
        "providers.google.base_url",
        "logs.status_file",
    ] {
        check(
            "",
            json!({name: "x"}),
            &[&format!("stored setting: {name}: {fixed}")],
        );
    }
    for (name, expected) in [
        (
            "retry.max_attemps",
            "retry.max_attemps: unknown setting; did you mean \"retry.max_attempts\"?",
        ),
        (
            "aliases.fast",
            "aliases.fast: unknown setting; did you mean \"aliases\"?",
        ),
        ("retry", "retry: unknown setting"),
        ("", ": unknown setting"),
        ("AIzaSyHUNTER2hunter2HUNTER2", "AIza…TER2: unknown setting"),
    ] {
        let expected = expected.strip_prefix(": ").unwrap_or(expected);
        check(
            "",
            json!({name: 1}),
            &[&format!("stored setting: {expected}")],
        );
    }
}

#[test]
fn a_stored_text_refers_to_nothing() {
    let folder = Folder::new().with("secret.txt", "hunter2");
    let path = format!("file:{}", folder.path("secret.txt"));
    let base = folder.load(&[("A", "hunter2")]).unwrap();
    let config = with(&base, json!({"aliases": {"a": path, "b": "${A}"}}));
    assert_eq!(config.aliases["a"].0, [path]);
    assert_eq!(config.aliases["b"].0, ["${A}"]);
    check(
        "",
        json!({"egress.sources": [{"file": "/etc/passwd"}]}),
        &[
            "stored setting: egress.sources[0].file: a file of this machine can be named in keymux.yaml only; expected url",
        ],
    );
}

#[test]
fn a_list_of_proxies_comes_from_one_place() {
    let one = "stored setting: egress.sources[0]: expected one of url, file and preset";
    for source in [
        json!({}),
        json!({"url": "https://x.ai", "preset": "monosans-http"}),
    ] {
        check("", json!({"egress.sources": [source]}), &[one]);
    }
    let preset = json!({"egress.sources": [{"preset": "monosans-socks5"}]});
    assert_eq!(with(&config("", NONE), preset).egress.sources.len(), 1);
}

#[test]
fn a_start_leaves_out_what_does_not_fit_and_nothing_else() {
    let base = config("shedding: { high: 40 }", NONE);
    let stored = json!({"retry.max_attempts": 3, "pool.max_failures": 0, "gone.for_good": true, "shedding.low": 45,
        "shedding.enabled": true, "aliases": {"a": "a"}, "simple.max_prompt_chars": 7});
    let (config, problems) = base.with_stored_leniently(&values(stored));
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "stored setting: gone.for_good: unknown setting",
            "stored setting: pool.max_failures: \"0\" is out of range; expected 1 to 1000",
            "stored setting: aliases.a: leads back to itself",
            "stored setting: shedding.low: low is 45 and high is 40; expected low up to high",
        ]
    );
    let kept: Vec<&String> = config.stored().keys().collect();
    assert_eq!(
        kept,
        [
            "retry.max_attempts",
            "shedding.enabled",
            "simple.max_prompt_chars"
        ]
    );
    assert_eq!(
        (config.retry.max_attempts, config.pool.max_failures),
        (3, 3)
    );
}

#[test]
fn reloading_reads_the_file_again_and_keeps_what_is_stored() {
    let folder = Folder::new().with("keymux.yaml", "retry: { delay: 1s }");
    let base = folder.load(&[("KEYMUX__RETRY__HEARTBEAT", "5s")]).unwrap();
    let before = with(&base, json!({"retry.max_attempts": 3, "shedding.low": 40}));
    fs::write(
        folder.path("keymux.yaml"),
        "retry: { delay: 2s }\nshedding: { high: 35 }",
    )
    .unwrap();
    fs::write(folder.path(".env"), "KEYMUX__RETRY__DEADLINE=9s").unwrap();
    let after = before.reload().unwrap();
    assert_eq!(after.retry.delay, Duration::from_secs(2));
    assert_eq!(after.retry.heartbeat, Duration::from_secs(5));
    assert_eq!(after.retry.deadline, Duration::from_secs(9));
    assert_eq!(after.retry.max_attempts, 3);
    let warnings: Vec<String> = after.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.contains(
            &"stored setting: shedding.low: low is 40 and high is 35; expected low up to high; left out".to_owned()
        ),
        "{warnings:?}"
    );
    fs::write(folder.path("keymux.yaml"), "retry: { dely: 2s }").unwrap();
    assert!(after.reload().is_err());
    fs::remove_file(folder.path("keymux.yaml")).unwrap();
    let error = after.reload().unwrap_err().to_string();
    assert!(
        error.starts_with("keymux.yaml: cannot be read: "),
        "{error}"
    );
}

#[test]
fn a_secret_file_is_read_again_when_the_file_is_and_not_for_a_setting() {
    let folder = Folder::new().with("key.txt", "AIzaFirst");
    let yaml = format!(
        "providers: {{ google: {{ keys: [\"file:{}\"] }} }}",
        folder.path("key.txt")
    );
    let folder = folder.with("keymux.yaml", &yaml);
    let first = folder.load(NONE).unwrap();
    let folder = folder.with("key.txt", "AIzaSecond");
    let key = |config: &Config| {
        config.providers["google"].keys[0]
            .value
            .key
            .expose()
            .to_owned()
    };
    let changed = with(&first, json!({"retry.max_attempts": 3}));
    assert_eq!(key(&changed), "AIzaFirst");
    assert_eq!(key(&changed.reload().unwrap()), "AIzaSecond");
    fs::remove_file(folder.path("key.txt")).unwrap();
    assert_eq!(key(&with(&changed, json!({}))), "AIzaFirst");
    assert!(changed.reload().is_err());
}

#[test]
fn what_only_a_restart_takes_over_is_named() {
    let folder = Folder::new();
    let variables = [
        ("KEYMUX_MASTER_KEY", "one"),
        ("DATABASE_URL", "postgres://me:pw@db/a"),
    ];
    let before = folder.load(&variables).unwrap();
    let folder = folder.with(
        "keymux.yaml",
        "server: { listen: localhost:1, workers: 3, auth: open, max_body: 1MiB }\nretry: { delay: 1s }",
    );
    let variables = [
        ("KEYMUX_MASTER_KEY", "two"),
        ("KEYMUX_MASTER_KEY_PREVIOUS", "one"),
        ("DATABASE_URL", "postgres://me:new@db/a"),
    ];
    let after = folder.load(&variables).unwrap();
    assert_eq!(
        before.restart_needed(&after),
        [
            "server.listen",
            "server.workers",
            "database.url",
            "KEYMUX_MASTER_KEY",
            "KEYMUX_MASTER_KEY_PREVIOUS"
        ]
    );
    assert!(after.restart_needed(&after.reload().unwrap()).is_empty());
}
