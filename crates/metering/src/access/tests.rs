//! Lists as operators write them, and what they let through.

use super::*;

fn set(entries: &[&str]) -> BTreeSet<String> {
    entries.iter().map(ToString::to_string).collect()
}

fn models(entries: &[&str]) -> Access {
    Access::of(&ClientLimits {
        allowed_models: set(entries),
        ..ClientLimits::default()
    })
    .unwrap()
}

fn check_model(entry: &str, provider: &str, model: &str, allowed: bool) {
    let seen = models(&["another", entry]).allows_model(provider, model);
    assert_eq!(seen, allowed, "{entry}: {model} at {provider}");
}

#[test]
fn empty_lists_allow_everything() {
    let access = Access::of(&ClientLimits::default()).unwrap();
    assert!(access.allows_provider("google"));
    assert!(access.allows_model("google", "gemini-3.8-flash"));
    assert!(access.allows_endpoint("other"));
    assert!(access.allows_ip("203.0.113.9".parse().unwrap()));
}

#[test]
fn models_are_allowed_by_id_by_prefix_and_with_their_provider() {
    for (entry, provider, model, allowed) in [
        ("gemini-3.8-flash", "google", "gemini-3.8-flash", true),
        ("gemini-3.8-flash", "other", "gemini-3.8-flash", true),
        ("gemini-3.8-flash", "google", "gemini-3.8-flash-lite", false),
        ("gemini-3.8-flash", "google", "gemini-3.8", false),
        ("gemini-3.8-flash", "google", "Gemini-3.8-Flash", false),
        ("gemini-*", "google", "gemini-4-argon", true),
        ("gemini-*", "google", "gemini-", true),
        ("gemini-*", "google", "gemma-4", false),
        ("*", "google", "anything", true),
        ("google/gemini-4-argon", "google", "gemini-4-argon", true),
        ("google/gemini-4-argon", "other", "gemini-4-argon", false),
        ("google/*", "google", "gemma-4", true),
        ("google/*", "google2", "gemma-4", false),
        ("google/gemini-*", "google", "gemini-4-argon", true),
        ("google/gemini-*", "google", "gemma-4", false),
        // No part of a provider's name opens it.
        ("gemini-*", "gemini-backup", "gemma-4", false),
        ("google*", "google", "gemma-4", false),
        ("models/gemini-*", "google", "gemini-4-argon", true),
        ("gemini-4-argon", "google", "models/gemini-4-argon", true),
        // The model's own id has a slash.
        ("openai/gpt-6-luna", "perplexity", "openai/gpt-6-luna", true),
        (
            "perplexity/openai/*",
            "perplexity",
            "openai/gpt-6-luna",
            true,
        ),
        ("perplexity/openai/*", "perplexity", "xai/grok-4.7", false),
        ("tunedModels/*", "google", "tunedModels/mine", true),
    ] {
        check_model(entry, provider, model, allowed);
    }
}

#[test]
fn models_of_a_provider_that_is_not_allowed_are_not_allowed() {
    let access = Access::of(&ClientLimits {
        allowed_providers: set(&["google"]),
        allowed_models: set(&["grok-*"]),
        ..ClientLimits::default()
    })
    .unwrap();
    assert!(access.allows_provider("google") && !access.allows_provider("xai"));
    assert!(!access.allows_model("xai", "grok-4.7"));
}

#[test]
fn endpoints_are_allowed_by_name_and_by_prefix() {
    let access = Access::of(&ClientLimits {
        allowed_endpoints: set(&["generateContent", "models.*"]),
        ..ClientLimits::default()
    })
    .unwrap();
    for (endpoint, allowed) in [
        ("generateContent", true),
        ("streamGenerateContent", false),
        ("models.list", true),
        ("models.get", true),
        ("models", false),
        ("openai.models", false),
    ] {
        assert_eq!(access.allows_endpoint(endpoint), allowed, "{endpoint}");
    }
}

fn check_address(entry: &str, address: &str, allowed: bool) {
    let access = Access::of(&ClientLimits {
        allowed_ips: set(&["198.51.100.1", entry]),
        ..ClientLimits::default()
    })
    .unwrap();
    let seen = access.allows_ip(address.parse().unwrap());
    assert_eq!(seen, allowed, "{address} in {entry}");
}

#[test]
fn addresses_are_allowed_alone_and_by_cidr() {
    for (entry, address, allowed) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("192.168.1.7", "192.168.1.7", true),
        ("192.168.1.7", "192.168.1.8", false),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fe80::1", false),
        ("::1", "::1", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("::ffff:10.0.0.0/104", "10.1.1.1", true),
        ("::ffff:10.0.0.0/104", "11.1.1.1", false),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1", true),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "::ffff:10.0.0.1", false),
    ] {
        check_address(entry, address, allowed);
    }
}

fn check_error(set_entry: impl Fn(&mut ClientLimits, BTreeSet<String>), entry: &str, error: &str) {
    let mut limits = ClientLimits::default();
    set_entry(&mut limits, set(&[entry]));
    assert_eq!(Access::of(&limits).unwrap_err().to_string(), error);
}

#[test]
fn malformed_entries_are_named() {
    for entry in ["10.0.0.0/33", "localhost", "", "10.0.0.1:80", "*"] {
        check_error(
            |limits, entries| limits.allowed_ips = entries,
            entry,
            &format!(
                "allowed_ips: `{entry}` is not an address or a CIDR such as 10.0.0.0/8, 192.168.1.7 or fd00::/8"
            ),
        );
    }
    check_error(
        |limits, entries| limits.allowed_models = entries,
        "gemini-*-flash",
        "allowed_models: `gemini-*-flash` has a `*` that is not its last character",
    );
    check_error(
        |limits, entries| limits.allowed_providers = entries,
        "google ",
        "allowed_providers: `google ` has a space or a control character",
    );
    check_error(
        |limits, entries| limits.allowed_endpoints = entries,
        "",
        "allowed_endpoints: `` is empty",
    );
}
