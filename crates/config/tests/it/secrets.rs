//! No output carries a secret: neither a configuration's `Debug`, nor what is said of a wrong one.

use config::Env;

use crate::support::{NONE, config, loaded};

const SECRET: &str = "AIzaSyHUNTER2hunter2HUNTER2hunter2";

#[test]
fn debug_shows_no_secret() {
    let yaml = format!(
        "server: {{ metrics_token: {SECRET} }}
admin: {{ password: {SECRET} }}
database: {{ url: \"postgres://me:{SECRET}@db/k\" }}
redis: {{ url: \"redis://:{SECRET}@cache\" }}
clients: [{{ name: a, key: {SECRET} }}]
providers:
  google: {{ keys: [{SECRET}, {{ key: {SECRET}x }}], default_headers: {{ authorization: {SECRET} }} }}
egress: {{ health_check: {{ url: \"https://x/?key={SECRET}\" }} }}"
    );
    let variables = [
        ("KEYMUX_MASTER_KEY", SECRET),
        ("KEYMUX_MASTER_KEY_PREVIOUS", SECRET),
    ];
    let config = config(&yaml, &variables);
    assert!(!format!("{config:?} {config:#?}").contains("HUNTER2"));
    assert!(
        !config
            .warnings
            .iter()
            .any(|warning| warning.to_string().contains("HUNTER2"))
    );
    assert_eq!(
        format!("{:?}", Env::from_iter(variables)),
        "Env(2 variables)"
    );
}

#[test]
fn problems_show_no_secret() {
    for yaml in [
        format!("clients: {SECRET}"),
        format!("clients: [{SECRET}]"),
        format!("clients: [{{ name: a, key: [{SECRET}] }}]"),
        format!("clients: [{{ {SECRET}: 1 }}]"),
        format!("providers: {{ google: {{ keys: {SECRET} }} }}"),
        format!("providers: {{ google: {{ keys: [\"{SECRET}\\n{SECRET}\"] }} }}"),
        format!("providers: {{ google: {{ keys: [{{ {SECRET}: label }}] }} }}"),
        format!("providers: {{ google: {{ keys: [{{ {SECRET}: 1, {SECRET}: 2 }}] }} }}"),
        format!("providers: {{ google: {{ base_url: \"https://me:{SECRET}@x.ai\" }} }}"),
        format!("admin: {{ password: \"${{X}} {SECRET}\" }}"),
        format!("egress: {{ proxies: [\"ftp://me:{SECRET}@x\"] }}"),
        format!("database: {{ url: \"mysql://me:{SECRET}@x\" }}"),
        format!("providers: [\"{SECRET}\", *x]"),
    ] {
        let errors = loaded(&yaml, NONE).expect_err(&yaml).to_string();
        assert!(!errors.contains("HUNTER2"), "{errors}");
    }
}

#[test]
fn problems_of_variables_show_no_secret() {
    for (name, yaml) in [
        (
            "GEMINI_API_KEYS",
            "pool: { max_failures: \"${GEMINI_API_KEYS}\" }",
        ),
        ("KEYMUX__PROVIDERS__GOOGLE__KEYS", "{}"),
        ("KEYMUX__CLIENTS", "{}"),
        ("KEYMUX__ADMIN", "{}"),
        ("DATABASE_URL", "{}"),
        ("KEYMUX_MASTER_KEY_PREVIOUS", "{}"),
    ] {
        for value in [format!("[{{ {SECRET}"), format!("{SECRET} ?")] {
            let errors = loaded(yaml, &[(name, &value)]).expect_err(name).to_string();
            assert!(!errors.contains("HUNTER2"), "{errors}");
        }
    }
}
