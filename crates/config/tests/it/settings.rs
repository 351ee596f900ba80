//! The listing of run-time settings: complete, true, and fit to be put back.

use config::{Config, Origin, Setting, Shape, is_setting};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::{NONE, config, loaded, values};

fn setting(config: &Config, name: &str) -> Setting {
    let mut settings = config.settings().into_iter();
    settings.find(|setting| setting.name == name).expect(name)
}

/// Values that the form of a setting offers, besides the default.
fn offered(setting: &Setting) -> Vec<Json> {
    let form = &setting.form;
    let choices = form.shape.choices().iter().map(|name| json!(name));
    let more = match &form.shape {
        Shape::Boolean => vec![json!(true), json!(false)],
        Shape::Secret => vec![json!("https://x.ai")],
        Shape::Duration { or: Some(_) } => vec![json!("1d")],
        Shape::List(of) if **of == Shape::Cidr => vec![json!(["10.0.0.0/8"]), json!([])],
        Shape::List(of) if **of == Shape::Text => vec![json!(["*"]), json!(["a", "b"])],
        Shape::List(of) if **of == Shape::ProxyUrl => {
            vec![json!(["http://10.0.0.9:3128"]), json!([])]
        }
        Shape::Mapping(_) => vec![json!({"a": "b", "c": ["d", "a"]})],
        _ => Vec::new(),
    };
    let bounds = form.minimum.iter().chain(&form.maximum).cloned();
    choices.chain(more).chain(bounds).collect()
}

#[test]
fn what_is_listed_can_be_stored_and_changes_nothing() {
    let base = config("retry: { delay: 90s }\nlogs: { max_size: 3000KB }", NONE);
    let listed = base.settings();
    let all = listed
        .iter()
        .map(|it| (it.name.to_owned(), it.value.clone()));
    let same = base.with_stored(&all.collect()).unwrap();
    assert_eq!(*same, *base);
    for (before, after) in listed.iter().zip(same.settings()) {
        assert_eq!(before.value, after.value, "{}", before.name);
    }
}

#[test]
fn every_offered_value_is_taken_and_listed_as_it_was_offered() {
    let base = config("", NONE);
    for setting in base.settings() {
        let offered = offered(&setting);
        let is_refused_yet = setting.name == "egress.sources";
        assert!(is_refused_yet || !offered.is_empty(), "{}", setting.name);
        for value in offered {
            let other = if setting.name == "shedding.low" {
                "shedding.high"
            } else {
                "shedding.low"
            };
            let at_once = values(json!({setting.name: value, other: value}));
            let alone = values(json!({setting.name: value}));
            let is_paired = setting.name.starts_with("shedding.") && value.is_number();
            let changed = base.with_stored(if is_paired { &at_once } else { &alone });
            let changed = changed.unwrap_or_else(|errors| panic!("{value}: {errors}"));
            let listed = self::setting(&changed, setting.name);
            assert_eq!(listed.value, value, "{}", setting.name);
            assert_eq!(listed.set_by, Origin::Stored);
            assert_eq!(listed.form, setting.form);
            let again = base.with_stored(changed.stored()).unwrap();
            assert_eq!(*again, *changed);
        }
    }
}

#[test]
fn beyond_its_bounds_no_value_is_taken() {
    let base = config("", NONE);
    for setting in base.settings() {
        let (Some(Json::Number(low)), Some(Json::Number(high))) =
            (&setting.form.minimum, &setting.form.maximum)
        else {
            continue;
        };
        for value in [low.as_i64().unwrap() - 1, high.as_i64().unwrap() + 1] {
            let errors = base.with_stored(&values(json!({setting.name: value})));
            let errors = errors.expect_err(setting.name);
            assert_eq!(errors.problems[0].path, setting.name);
            assert_eq!(errors.problems[0].origin, Origin::Stored);
        }
    }
}

#[test]
fn a_setting_says_what_it_takes_and_where_it_was_set() {
    let base = config(
        "retry:\n  max_attempts: 7",
        &[("KEYMUX__RETRY__DELAY", "90s")],
    );
    let attempts = setting(&base, "retry.max_attempts");
    assert_eq!(
        (attempts.section, attempts.form.name),
        ("retry", "max_attempts")
    );
    assert_eq!(attempts.form.shape, Shape::Integer);
    assert_eq!(attempts.form.default, Some(json!(5)));
    assert_eq!(
        (&attempts.form.minimum, &attempts.form.maximum),
        (&Some(json!(1)), &Some(json!(100)))
    );
    assert!(attempts.form.doc.starts_with("Attempts for one request"));
    assert_eq!(
        (&attempts.value, attempts.set_by.kind()),
        (&json!(7), "file")
    );
    assert_eq!(attempts.set_by.to_string(), "keymux.yaml:2");
    let delay = setting(&base, "retry.delay");
    assert_eq!(
        (delay.value, delay.set_by.kind()),
        (json!("1m30s"), "environment")
    );
    assert_eq!(delay.set_by.to_string(), "environment KEYMUX__RETRY__DELAY");
    assert_eq!(delay.form.maximum, Some(json!("10m")));
    assert!(delay.set_by.is_fixed());
    let size = setting(&base, "server.max_upload");
    assert_eq!((size.value, size.set_by.is_fixed()), (json!("2GiB"), false));
    let strategy = setting(&base, "pool.strategy").form.shape;
    assert_eq!((strategy.name(), strategy.choices().len()), ("choice", 5));
    let ban = setting(&base, "ip_limits.ban_for");
    assert_eq!(
        (ban.form.shape.name(), ban.form.shape.choices()),
        ("duration", &["permanent"][..])
    );
    let aliases = setting(&base, "aliases").form.shape;
    assert_eq!(
        (aliases.name(), aliases.element()),
        ("mapping", Some(&Shape::Models))
    );
}

#[test]
fn the_fields_of_an_element_have_forms_of_their_own() {
    let sources = setting(&config("", NONE), "egress.sources").form;
    assert_eq!(sources.shape.element().map(Shape::name), Some("fields"));
    let fields: Vec<(&str, &str)> = sources
        .fields
        .iter()
        .map(|field| (field.name, field.shape.name()))
        .collect();
    assert_eq!(fields[0], ("url", "secret"));
    assert_eq!(fields[4], ("refresh", "duration"));
    let refresh = &sources.fields[4];
    assert_eq!(
        (&refresh.default, &refresh.minimum),
        (&Some(json!("1m")), &Some(json!("1s")))
    );
    assert_eq!(sources.fields[5].fields[0].default, Some(json!("ip")));
    assert!(sources.has_secrets());
    assert!(!setting(&config("", NONE), "aliases").form.has_secrets());
}

#[test]
fn every_setting_has_an_effect() {
    let base = config("", NONE);
    for setting in base.settings() {
        assert!(setting.has_effect, "{}", setting.name);
    }
}

#[test]
fn what_guards_the_machine_is_no_setting() {
    for path in [
        "server.listen",
        "server.data_dir",
        "server.auth",
        "server.i_know_this_is_public",
        "server.metrics_allow",
        "server.metrics_token",
        "server.workers",
        "server.allow_link_local",
        "server.allow_private_images",
        "admin.username",
        "admin.password",
        "database.url",
        "redis.url",
        "clients",
        "providers",
        "providers.google.http2",
        "logs.status_file",
        "server",
        "",
    ] {
        assert!(!is_setting(path), "{path}");
    }
    let names: Vec<&str> = config("", NONE)
        .settings()
        .iter()
        .map(|it| it.name)
        .collect();
    assert!(names.iter().all(|name| is_setting(name)));
    assert_eq!(names.len(), 56);
}

#[test]
fn a_masked_secret_that_comes_back_stands_for_the_one_that_is_stored() {
    let url = "https://me:hunter2@x.ai/ping?key=hunter2";
    let name = "egress.health_check.url";
    let base = config("", NONE)
        .with_stored(&values(json!({name: url})))
        .unwrap();
    let listed = setting(&base, name).value;
    assert_eq!(listed, json!("https://…@x.ai/…"));
    let again = base
        .with_stored(&values(json!({name: listed, "retry.delay": "1s"})))
        .unwrap();
    assert_eq!(
        again.egress.health_check.url.as_ref().unwrap().expose(),
        url
    );
    assert_eq!(again.stored()[name], url);
    let masked = "stored setting: egress.health_check.url: (hidden) is masked, and does not say which stored value it \
        stands for; expected the whole value";
    for (base, value) in [
        (&base, "https://…@other.ai/…"),
        (&config("", NONE), "https://…@x.ai/…"),
    ] {
        let errors = base.with_stored(&values(json!({name: value}))).unwrap_err();
        assert_eq!(errors.to_string(), masked);
    }
}

#[test]
fn a_mask_in_another_setting_stands_for_nothing() {
    let url = "https://me:hunter2@x.ai";
    let base = config("", NONE).with_stored(&values(json!({"egress.health_check.url": url})));
    let stored = values(json!({"aliases": {"a": "https://…@x.ai"}}));
    let config = base.unwrap().with_stored(&stored).unwrap();
    assert_eq!(
        setting(&config, "aliases").value,
        json!({"a": "https://…@x.ai"})
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_listing_and_no_error_shows_the_password_of_a_proxy(
        password in "[a-zA-Z0-9.:/@?#!%&*+=-]{0,6}hunter2[a-zA-Z0-9.:/@?#!%&*+=-]{0,6}",
        scheme in "https?|socks5|ftp",
    ) {
        let url = format!("{scheme}://me:{password}@10.0.0.9:1080");
        let base = config("", NONE);
        for stored in [
            json!({"egress.proxies": [url]}),
            json!({"egress.proxies": url}),
            json!({"egress.proxies": {url.clone(): url}}),
            json!({"egress.sources": [{"url": url}]}),
            json!({"egress.sources": [{"url": url, "file": url, "format": url, "refresh": url, "fields": url}]}),
            json!({"egress.sources": [{url.clone(): 1}]}),
            json!({"egress.sources": [url]}),
            json!({"egress.health_check.url": url}),
            json!({"egress.max_proxies": url}),
            json!({"pool.strategy": url}),
            json!({url.clone(): 1}),
            json!({"aliases": {url.clone(): url.clone(), "a": {}}}),
            json!({"aliases": {url.clone(): {}}}),
            json!({"aliases": {url.clone(): url}}),
        ] {
            let stored = values(stored);
            if let Err(errors) = base.with_stored(&stored) {
                prop_assert!(!errors.to_string().contains("hunter2"), "{}", errors);
                let paths = errors.problems.iter().map(|problem| &problem.path);
                prop_assert!(!paths.into_iter().any(|path| path.contains("hunter2")));
            }
            let (lenient, problems) = base.with_stored_leniently(&stored);
            let shown = format!("{:?} {problems:?} {lenient:?}", lenient.settings());
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
        let yaml = format!("egress: {{ health_check: {{ url: {url:?} }} }}");
        if let Ok(config) = loaded(&yaml, NONE) {
            let shown = format!("{:?} {config:?}", config.settings());
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
