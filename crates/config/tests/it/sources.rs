//! Which source wins, and where a value is said to come from.

use config::{Origin, load};

use crate::support::{Folder, NONE, Variables, asking_for, config, loaded, no_env};

fn origin_of(config: &config::Config, path: &str) -> String {
    config.origin(path).to_string()
}

#[test]
fn without_any_source_there_are_the_defaults() {
    let config = Folder::new().load(NONE).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.database.url.expose(), "sqlite:./data/keymux.db");
    assert_eq!(
        config.providers.keys().collect::<Vec<_>>(),
        ["gigachat", "google", "perplexity", "xai"]
    );
    assert!(
        config
            .providers
            .values()
            .all(|provider| provider.keys.is_empty())
    );
    assert!(config.file.is_none() && config.warnings.is_empty() && config.clients.is_empty());
    assert_eq!(config.origin("pool.max_failures"), Origin::Default);
}

#[test]
fn each_source_wins_over_the_one_before() {
    let folder = Folder::new();
    let attempts = |folder: &Folder, variables: Variables<'_>| {
        let config = folder.load(variables).unwrap();
        (
            config.retry.max_attempts,
            origin_of(&config, "retry.max_attempts"),
        )
    };
    assert_eq!(attempts(&folder, NONE), (5, "built-in default".to_owned()));
    let folder = folder.with("keymux.yaml", "# first\nretry:\n  max_attempts: 6\n");
    assert_eq!(attempts(&folder, NONE), (6, "keymux.yaml:3".to_owned()));
    let folder = folder.with(".env", "KEYMUX__RETRY__MAX_ATTEMPTS=7\n");
    let variable = "environment KEYMUX__RETRY__MAX_ATTEMPTS".to_owned();
    assert_eq!(attempts(&folder, NONE), (7, variable.clone()));
    assert_eq!(
        attempts(&folder, &[("KEYMUX__RETRY__MAX_ATTEMPTS", "8")]),
        (8, variable)
    );
    let empty = [("KEYMUX__RETRY__MAX_ATTEMPTS", "")];
    assert_eq!(attempts(&folder, &empty), (6, "keymux.yaml:3".to_owned()));
}

#[test]
fn convenience_variables_are_read_when_the_same_thing_is_not_in_the_file() {
    let variables = [
        ("GEMINI_API_KEYS", "AIzaA, AIzaB,,"),
        ("GEMINI_API_KEY", "AIzaC"),
        ("XAI_API_KEY", "xai-1"),
        ("KEYMUX_CLIENT_KEYS", "sk-one,sk-two"),
        ("DATABASE_URL", "postgres://me:pw@db/keymux"),
        ("REDIS_URL", "redis://cache"),
        ("PORT", "9001"),
        ("KEYMUX_ADMIN_PASSWORD", "${not} a reference"),
        ("KEYMUX_MASTER_KEY", "master"),
        ("KEYMUX_MASTER_KEY_PREVIOUS", "older, oldest,"),
    ];
    let without = config("providers: { google: { keys: [] } }", &variables);
    let keys = &without.providers["google"].keys;
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[1].value.key.expose(), "AIzaB");
    assert_eq!(keys[1].origin.to_string(), "environment GEMINI_API_KEYS");
    assert_eq!(without.providers["xai"].keys.len(), 1);
    assert_eq!(without.clients[1].value.name, "env-2");
    assert_eq!(without.database.url.expose(), "postgres://me:pw@db/keymux");
    assert_eq!(
        without.redis.url.as_ref().unwrap().expose(),
        "redis://cache"
    );
    assert_eq!(without.server.listen.to_string(), "127.0.0.1:9001");
    assert_eq!(
        without.admin.password.as_ref().unwrap().expose(),
        "${not} a reference"
    );
    assert_eq!(without.master_key.as_ref().unwrap().expose(), "master");
    let older: Vec<&str> = without
        .older_master_keys
        .iter()
        .map(domain::Secret::expose)
        .collect();
    assert_eq!(older, ["older", "oldest"]);

    let with = config(
        "providers: { google: { keys: [AIzaF] } }\nclients: [{ name: f, key: sk-f }]\n\
         database: { url: sqlite:f.db }\nredis: { url: redis://f }\nserver: { listen: localhost:1 }\n\
         admin: { password: f }",
        &variables,
    );
    assert_eq!(with.providers["google"].keys[0].value.key.expose(), "AIzaF");
    assert_eq!(
        (with.providers["google"].keys.len(), with.clients.len()),
        (1, 1)
    );
    assert_eq!(with.database.url.expose(), "sqlite:f.db");
    assert_eq!(with.redis.url.as_ref().unwrap().expose(), "redis://f");
    assert_eq!(with.server.listen.port(), 1);
    assert_eq!(with.admin.password.as_ref().unwrap().expose(), "f");
}

#[test]
fn every_kind_of_field_can_be_set_by_a_variable() {
    let config = config(
        "aliases: { Fast: google/a }\nproviders: { my-own: { kind: gemini, base_url: \"http://localhost:1\" } }",
        &[
            ("KEYMUX__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            (
                "KEYMUX__SERVER__CORS_ORIGINS",
                "[\"https://a\", 'https://b']",
            ),
            ("KEYMUX__ADMIN__PASSWORD", "{not: yaml, #x"),
            ("KEYMUX__PROVIDERS__MY_OWN__HTTP2", "false"),
            (
                "KEYMUX__PROVIDERS__GOOGLE__BASE_URL",
                "http://127.0.0.1:9000/",
            ),
            (
                "KEYMUX__PROVIDERS__GOOGLE__KEYS",
                "[AIzaA, { key: AIzaB, weight: 7 }]",
            ),
            (
                "KEYMUX__PROVIDERS__NEW",
                "{ kind: gemini, base_url: 'https://n.example' }",
            ),
            ("KEYMUX__PROVIDERS__NEW__KEYS", "AIzaN"),
            ("KEYMUX__ALIASES__FAST", "[google/b, google/c]"),
            ("KEYMUX__SHEDDING", "{ low: 1 }"),
            ("KEYMUX__SERVER__METRICS_TOKEN", "null"),
        ],
    );
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.cors_origins, ["https://a", "https://b"]);
    assert_eq!(
        config.admin.password.as_ref().unwrap().expose(),
        "{not: yaml, #x"
    );
    assert!(!config.providers["my-own"].http2);
    assert_eq!(
        config.providers["google"].base_url.as_str(),
        "http://127.0.0.1:9000"
    );
    assert_eq!(config.providers["google"].keys[1].value.weight, 7);
    assert_eq!(config.providers["new"].keys[0].value.key.expose(), "AIzaN");
    assert_eq!(config.aliases["Fast"].0, ["google/b", "google/c"]);
    assert_eq!((config.shedding.low, config.shedding.high), (1, 50));
    assert_eq!(config.server.metrics_token, None);
}

#[test]
fn references_in_the_file_are_resolved() {
    let folder = Folder::new().with("key.txt", "  AIzaFromFile\n");
    let yaml = format!(
        "server: {{ listen: \"127.0.0.1:${{P}}\" }}\nadmin: {{ username: \"$${{P}}\", password: \"${{UNSET}}\" }}\n\
         pool:\n  max_failures: ${{N}}\nproviders:\n  google:\n    keys: [\"file:{}\"]\n  xai:\n    keys: ${{LIST}}",
        folder.path("key.txt")
    );
    let variables = [("P", "81"), ("N", "9"), ("LIST", "xai-1, ${P}")];
    let config = folder.with("keymux.yaml", &yaml).load(&variables).unwrap();
    assert_eq!(config.server.listen.port(), 81);
    assert_eq!(config.admin.username, "${P}");
    assert_eq!(config.admin.password, None);
    assert_eq!(config.origin("admin.password"), Origin::Default);
    assert_eq!(config.pool.max_failures, 9);
    assert_eq!(
        config.providers["google"].keys[0].value.key.expose(),
        "AIzaFromFile"
    );
    assert_eq!(config.providers["xai"].keys[1].value.key.expose(), "${P}");
}

#[test]
fn an_unset_variable_is_an_error_where_a_value_is_needed() {
    for (yaml, expected) in [
        (
            "admin: { username: \"${UNSET}\" }",
            "admin.username: \"${UNSET}\" needs the variable UNSET, which is not set",
        ),
        (
            "admin: { password: \"a${UNSET}\" }",
            "admin.password: (hidden) needs the variable UNSET, which is not set",
        ),
        (
            "providers: { google: { keys: [\"${UNSET}\"] } }",
            "providers.google.keys[0].key: \"${UNSET}\" needs the variable UNSET, which is not set",
        ),
        (
            "admin: { username: \"file:/nowhere\" }",
            "admin.username: \"file:/nowhere\" cannot be read: ",
        ),
    ] {
        let errors = loaded(yaml, NONE).expect_err(yaml).to_string();
        assert!(
            errors.starts_with(&format!("keymux.yaml:1: {expected}")),
            "{errors}"
        );
    }
}

#[test]
fn the_sqlite_file_follows_the_data_folder_until_it_is_set() {
    let moved = config("server: { data_dir: /var/lib/keymux }", NONE);
    assert_eq!(
        moved.database.url.expose(),
        "sqlite:/var/lib/keymux/keymux.db"
    );
    let set = config(
        "server: { data_dir: /var/lib/keymux }\ndatabase: { url: sqlite:x.db }",
        NONE,
    );
    assert_eq!(set.database.url.expose(), "sqlite:x.db");
}

#[test]
fn a_file_that_was_asked_for_is_read_from_anywhere() {
    let elsewhere = Folder::new().with("k.yaml", "retry: { max_attempts: 9 }");
    let here = Folder::new().with("keymux.yaml", "nonsense: 1");
    let config = load(&asking_for(&elsewhere.path("k.yaml"), &here), &no_env()).unwrap();
    assert_eq!(config.retry.max_attempts, 9);
    assert_eq!(
        config.file.as_ref().unwrap().display().to_string(),
        elsewhere.path("k.yaml")
    );
}

#[test]
fn anchors_may_be_used() {
    let config = config(
        "pool: { request_timeout: &t 7s, stream_idle_timeout: *t }",
        NONE,
    );
    assert_eq!(config.pool.request_timeout, config.pool.stream_idle_timeout);
    assert_eq!(config.pool.request_timeout.as_secs(), 7);
}
