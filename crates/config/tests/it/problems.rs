//! The text of everything that can be wrong.

use config::load;
use proptest::prelude::*;

use crate::support::{Folder, NONE, Variables, asking_for, loaded, no_env};

fn check(yaml: &str, variables: Variables<'_>, expected: &[&str]) {
    let errors = loaded(yaml, variables).expect_err(yaml).to_string();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines, expected, "{yaml}");
}

#[test]
fn a_bad_value_is_named_with_its_line_and_what_was_expected() {
    for (yaml, expected) in [
        (
            "pool:\n  max_failures: abc",
            "2: pool.max_failures: \"abc\" is not a whole number; expected 1 to 1000",
        ),
        (
            "pool: { max_failures: 0 }",
            "1: pool.max_failures: \"0\" is out of range; expected 1 to 1000",
        ),
        (
            "pool: { max_failures: 99999 }",
            "1: pool.max_failures: \"99999\" is out of range; expected 1 to 1000",
        ),
        (
            "pool: { max_failures: [1] }",
            "1: pool.max_failures: a list is not what belongs here; expected one value",
        ),
        (
            "pool: { recheck_interval: 10 }",
            "1: pool.recheck_interval: \"10\" is not a duration such as 250ms, 30s, 5m, 1h30m or 30d; expected 1s to 365d",
        ),
        (
            "pool: { recheck_interval: 999ms }",
            "1: pool.recheck_interval: \"999ms\" is out of range; expected 1s to 365d",
        ),
        (
            "pool: { strategy: least_load }",
            "1: pool.strategy: \"least_load\" is not least_loaded, round_robin, random, fill_first or selected_first; did you mean \"least_loaded\"?",
        ),
        (
            "pool: { exhausted_status: 500 }",
            "1: pool.exhausted_status: \"500\" is not 503 or 429",
        ),
        (
            "pool: 3",
            "1: pool: a text is not what belongs here; expected a mapping of fields",
        ),
        (
            "server: { listen: 8000 }",
            "1: server.listen: \"8000\" is not an address and a port such as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000",
        ),
        (
            "server: { max_body: big }",
            "1: server.max_body: \"big\" is not a size such as 512, 64KB, 100MiB or 2GiB; expected 1KiB to 1TiB",
        ),
        (
            "server: { trusted_proxies: [10.0.0.0/99] }",
            "1: server.trusted_proxies[0]: \"10.0.0.0/99\" is not a CIDR such as 10.0.0.0/8, 192.168.1.7 or fd00::/8",
        ),
        (
            "server: { cors_origins: \"*\" }",
            "1: server.cors_origins: a text is not what belongs here; expected a list",
        ),
        (
            "retry: { empty_response: maybe }",
            "1: retry.empty_response: \"maybe\" is not true or false",
        ),
        (
            "ip_limits: { ban_for: 0 }",
            "1: ip_limits.ban_for: \"0\" is not \"permanent\" or a duration from 1s up such as 30m or 7d",
        ),
        (
            "aliases: { fast: [] }",
            "1: aliases.fast: the list is empty; expected at least one model",
        ),
        (
            "clients:\n  - name: app",
            "2: clients[0].key: is missing; expected secret text",
        ),
        ("clients:\n  -", "2: clients[0]: \"\" is empty"),
        (
            "clients: [{ name: a, key: sk-x, expires_at: soon }]",
            "1: clients[0].expires_at: \"soon\" is not a date or an instant such as 2027-01-31 or 2027-01-31T18:00:00Z",
        ),
        (
            "providers:\n  mine:\n    kind: openai",
            "2: providers.mine.base_url: is missing; expected http(s) URL",
        ),
        (
            "providers: { google: { base_url: \"x.ai/v1\" } }",
            "1: providers.google.base_url: \"x.ai/v1\" is not an absolute http or https URL",
        ),
        (
            "providers: { google: { keys: [{ key: AIzaX, weight: 101 }] } }",
            "1: providers.google.keys[0].weight: \"101\" is out of range; expected 1 to 100",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
}

#[test]
fn a_proxy_that_cannot_be_used_says_why() {
    for (yaml, expected) in [
        (
            "egress: { proxies: [\"ftp://10.0.0.9\"] }",
            "1: egress.proxies[0]: (hidden) is not a proxy URL such as http://10.0.0.9:3128, https://… or socks5://user:password@10.0.0.9:1080",
        ),
        (
            "egress: { proxies: [\"http://me:100%@10.0.0.9\"] }",
            "1: egress.proxies[0]: (hidden) has a password with a % that is no escape; a % itself is written as %25",
        ),
        (
            "egress: { proxies: [\"http://me:pw@169.254.169.254:80\"] }",
            "1: egress.proxies[0]: \"http://169.254.169.254:80\" is a link-local or metadata address; set server.allow_link_local: true to allow it",
        ),
        (
            "providers: { google: { keys: [{ key: AIzaX, egress: \"socks5://[fe80::1]\" }] } }",
            "1: providers.google.keys[0].egress: \"socks5://[fe80::1]:1080\" is a link-local or metadata address; set server.allow_link_local: true to allow it",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
}

#[test]
fn a_limit_of_a_client_key_that_would_allow_nothing_is_refused() {
    for (yaml, expected) in [
        (
            "clients: [{ name: a, key: sk-x, budget_usd: 0 }]",
            "1: clients[0].budget_usd: \"0\" is out of range; expected 0.000000001 to 1000000000",
        ),
        (
            "clients: [{ name: a, key: sk-x, budget_usd: .inf }]",
            "1: clients[0].budget_usd: \".inf\" is not a number; expected 0.000000001 to 1000000000",
        ),
        (
            "clients: [{ name: a, key: sk-x, budget_usd: inf }]",
            "1: clients[0].budget_usd: \"inf\" is not a number; expected 0.000000001 to 1000000000",
        ),
        (
            "clients: [{ name: a, key: sk-x, max_concurrent: 0 }]",
            "1: clients[0].max_concurrent: \"0\" is out of range; expected 1 to 1000000",
        ),
        (
            "clients: [{ name: a, key: sk-x, allowed_providers: [gogle] }]",
            "1: clients[0].allowed_providers: \"gogle\" is not gigachat, google, perplexity or xai; did you mean \"google\"?",
        ),
        (
            "clients: [{ name: a, key: sk-x, allowed_endpoints: [\"/v1beta/files\"] }]",
            "1: clients[0].allowed_endpoints: \"/v1beta/files\" is not an endpoint's name such as generateContent or files",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
}

#[test]
fn an_unknown_field_is_an_error_with_the_nearest_name() {
    for (yaml, expected) in [
        (
            "pool:\n  max_failure: 3",
            "2: pool.max_failure: unknown field; did you mean \"max_failures\"?",
        ),
        ("pols: {}", "1: pols: unknown field; did you mean \"pool\"?"),
        (
            "clients: [{ name: a, key: sk-x, rpn: 3 }]",
            "1: clients[0].rpn: unknown field; did you mean \"rpm\"?",
        ),
        (
            "simple: { zzz: 3 }",
            "1: simple.zzz: unknown field; expected one of max_prompt_chars",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
}

#[test]
fn text_that_is_no_yaml_is_an_error_with_its_line() {
    for (yaml, expected) in [
        (
            "pool:\n  max_failures: 3\n  max_failures: 4",
            "3: \"max_failures\" is set twice in this mapping",
        ),
        (
            "pool: {}\npool: {}",
            "2: \"pool\" is set twice in this mapping",
        ),
        (
            "- a",
            "1: expected sections such as \"server:\" or \"providers:\"",
        ),
        (
            "pool: {}\n---\nretry: {}",
            "2: a second document begins; expected one",
        ),
        (
            "pool: { max_failures: !!int 3 }",
            "1: tags such as !!str are not read; expected a plain value",
        ),
        ("? [a]\n: b", "1: the name of a field must be plain text"),
        (
            "aliases: &a { x: *a }",
            "1: an alias refers to the value that it is part of",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
    let errors = loaded("pool: {}\nretry: [1", NONE).unwrap_err().to_string();
    assert!(
        errors.starts_with("keymux.yaml:") && errors.contains("not valid YAML: "),
        "{errors}"
    );
}

#[test]
fn neither_depth_nor_aliases_are_without_bounds() {
    let deep = format!("aliases: {}{}", "[".repeat(40), "]".repeat(40));
    check(
        &deep,
        NONE,
        &["keymux.yaml:1: nested deeper than 32 levels"],
    );
    let mut bomb = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 0..8 {
        let copies = vec![format!("*a{level}"); 10].join(", ");
        bomb.push_str(&[&format!("b{level}: &a{} [", level + 1), &copies[..], "]\n"].concat());
    }
    check(
        &bomb,
        NONE,
        &["keymux.yaml:4: aliases repeat more than 10000 values"],
    );
}

#[test]
fn all_problems_are_found_at_once() {
    check(
        "pool: { max_failures: x, strategy: y }\nserver: { auth: open, listen: 0.0.0.0:80 }\nnonsense: 1",
        &[("KEYMUX__RETRY__MAX_ATTEMPTS", "many"), ("PORT", "http")],
        &[
            "keymux.yaml:1: pool.max_failures: \"x\" is not a whole number; expected 1 to 1000",
            "keymux.yaml:1: pool.strategy: \"y\" is not least_loaded, round_robin, random, fill_first or selected_first",
            "keymux.yaml:2: server.auth: open access on 0.0.0.0:80, which others can reach; listen on 127.0.0.1, change it, or set server.i_know_this_is_public: true",
            "keymux.yaml:3: nonsense: unknown field; expected one of server, admin, database, redis, clients, providers, aliases, pool, retry, affinity, health_checks, shedding, ip_limits, egress, simple, logs",
            "environment KEYMUX__RETRY__MAX_ATTEMPTS: \"many\" is not a whole number; expected 1 to 100",
            "environment PORT: server.listen: \"http\" is not a port; expected 0 to 65535",
        ],
    );
}

#[test]
fn a_variable_is_named_where_it_is_wrong() {
    for (name, value, expected) in [
        (
            "KEYMUX__POOL__MAX_FAILURE",
            "3",
            "unknown field; did you mean \"max_failures\"?",
        ),
        (
            "KEYMUX__POOL__STRATEGY__X",
            "3",
            "pool.strategy: a mapping is not what belongs here",
        ),
        (
            "KEYMUX__PROVIDERS__GOOGLE__KEYS",
            "[{ key: AIzaX, wieght: 2 }]",
            "providers.google.keys[0].wieght: unknown field; did you mean \"weight\"?",
        ),
        ("KEYMUX__CLIENTS", "[{", "not valid YAML"),
        (
            "KEYMUX__ALIASES",
            "3",
            "a text is not what belongs here; expected a mapping of fields",
        ),
        (
            "DATABASE_URL",
            "mysql://me:pw@db/x",
            "database.url: (hidden) does not begin with sqlite: or postgres:// or postgresql://",
        ),
        (
            "REDIS_URL",
            "http://cache",
            "redis.url: (hidden) does not begin with redis:// or rediss://",
        ),
    ] {
        let errors = loaded("", &[(name, value)]).expect_err(name).to_string();
        assert!(
            errors.starts_with(&format!("environment {name}: ")),
            "{errors}"
        );
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn a_folder_of_key_files_holds_nothing_but_keys_of_one_provider() {
    let folder = Folder::new();
    let check = |google: &str, xai: &str, expected: Option<&str>| {
        let yaml = format!(
            "server: {{ data_dir: {} }}\nproviders:\n  google: {{ keys_dir: {google} }}\n  xai: {{ keys_dir: {xai} }}\n",
            folder.path("data"),
        );
        std::fs::write(folder.path("keymux.yaml"), yaml).unwrap();
        let loaded = folder.load(NONE).map(drop);
        let text = loaded.map_err(|errors| errors.to_string()).err();
        match expected {
            None => assert_eq!(text, None),
            Some(expected) => assert!(text.as_ref().unwrap().contains(expected), "{text:?}"),
        }
    };
    let at = |name: &str| folder.path(name);
    check(&at("keys"), &at("xai-keys"), None);
    check(&at("keys"), "null", None);
    check(
        &at("keys"),
        &at("data/../keys/"),
        Some(":4: providers.xai.keys_dir: \""),
    );
    check(
        &at("keys"),
        &at("keys"),
        Some("is the folder of provider google too; expected one of its own"),
    );
    check(
        &at("data/."),
        "null",
        Some("is server.data_dir; expected a folder"),
    );
    check(
        &at(""),
        "null",
        Some("is the folder of the configuration file"),
    );
}

#[test]
fn fields_are_checked_against_each_other() {
    for (yaml, expected) in [
        (
            "shedding: { low: 60 }",
            "1: shedding.low: low is 60 and high is 50; expected low up to high",
        ),
        (
            "shedding: { high: 20 }",
            "1: shedding.high: low is 30 and high is 20; expected low up to high",
        ),
        (
            "providers:\n  google: { base_url: \"http://169.254.169.254/x\" }",
            "2: providers.google.base_url: \"http://169.254.169.254/x\" is a link-local or metadata address; set server.allow_link_local: true to allow it",
        ),
        (
            "providers: { Mine: { kind: gemini, base_url: \"https://x.ai\" } }",
            "1: providers.Mine: is not a provider's name; expected lower-case letters, digits, \"-\" and \"_\", at most 32",
        ),
        (
            "providers: { google: { default_headers: { \"a b\": c } } }",
            "1: providers.google.default_headers: \"a b\" or its value is not a header",
        ),
        (
            "providers: { google: { keys: [\"AIza X\"] } }",
            "1: providers.google.keys[0]: (hidden) has spaces or other characters that no key has",
        ),
        (
            "clients: [{ name: a, key: sk-x }, { name: a, key: sk-y }]",
            "1: clients[1].name: \"a\" is the name of two client keys",
        ),
        (
            "clients: [{ name: a, key: sk-x }, { name: b, key: sk-x }]",
            "1: clients[1].key: (hidden) is the key of \"a\" too; expected one of its own",
        ),
        (
            "egress: { health_check: { url: hunter2 } }",
            "1: egress.health_check.url: (hidden) is not an https URL",
        ),
    ] {
        check(yaml, NONE, &[&format!("keymux.yaml:{expected}")]);
    }
}

#[test]
fn aliases_that_lead_back_to_themselves_are_refused() {
    check(
        "aliases:\n  a: b\n  b: [google/x, c]\n  c: a\n  d: a",
        NONE,
        &[
            "keymux.yaml:2: aliases.a: leads back to itself",
            "keymux.yaml:3: aliases.b: leads back to itself",
            "keymux.yaml:4: aliases.c: leads back to itself",
        ],
    );
}

#[test]
fn a_well_known_secret_is_refused_only_where_others_can_reach_it() {
    let clients = "clients: [{ name: a, key: SK-123456 }]\nadmin: { password: admin }\n";
    let errors = loaded(&format!("{clients}server: {{ listen: \"[::]:80\" }}"), NONE).unwrap_err();
    let paths: Vec<&str> = errors
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(paths, ["clients[0].key", "admin.password"]);
    assert!(loaded(clients, NONE).is_ok());
    let knowing = "server: { listen: \"[::]:80\", i_know_this_is_public: true }";
    assert!(loaded(&format!("{clients}{knowing}"), NONE).is_ok());
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let folder = Folder::new();
    let errors = load(&asking_for("/nowhere/k.yaml", &folder), &no_env()).unwrap_err();
    let text = errors.to_string();
    assert!(
        text.starts_with("/nowhere/k.yaml: cannot be read: "),
        "{text}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|[\n\t :{}\\[\\],&*!|>'\"#$-]){0,200}") {
        let _ = loaded(&text, &[("KEYMUX__CLIENTS", &text)]);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(
        lines in prop::collection::vec("( |  |    )?(- |\\? )?(pool|keys|providers|google|clients|a)?(: ?)?([|>][+-]?|&a|\\*a|\\{|\\[|\\}|\\]|\\$\\{A\\}|file:/x|1|~|\"|')?", 0..20),
    ) {
        let _ = loaded(&lines.join("\n"), NONE);
    }
}
