//! keymux never stands open to a network by accident: open access and secrets that everyone knows need a word from the operator.

use domain::Secret;

use crate::Origin;
use crate::findings::Findings;
use crate::sections::{Auth, Sections};

/// Secrets that stand in documentation, examples and other programs' defaults.
const WELL_KNOWN: [&str; 24] = [
    "123456",
    "12345678",
    "abc123",
    "admin",
    "admin123",
    "change-me",
    "changeme",
    "default",
    "demo",
    "example",
    "keymux",
    "letmein",
    "password",
    "secret",
    "sk-1234",
    "sk-123456",
    "sk-app-1",
    "sk-changeme",
    "sk-test",
    "test",
    "test-key",
    "test-token",
    "token",
    "your-api-key",
];

/// Refuses open access and well-known secrets on an address that others can reach.
pub(crate) fn check(sections: &Sections, findings: &mut Findings) {
    let server = &sections.server;
    if server.listen.ip().is_loopback() || server.i_know_this_is_public {
        return;
    }
    for (origin, path, what) in exposed(sections, findings) {
        let text = format!(
            "{what} on {}, which others can reach; listen on 127.0.0.1, change it, \
             or set server.i_know_this_is_public: true",
            server.listen
        );
        findings.problem(&origin, &path, text);
    }
}

fn exposed(sections: &Sections, findings: &Findings) -> Vec<(Origin, String, &'static str)> {
    let mut exposed = Vec::new();
    let at = |path: &str| (findings.origin(path), path.to_owned());
    if sections.server.auth == Auth::Open {
        let (origin, path) = at("server.auth");
        exposed.push((origin, path, "open access"));
    }
    for (path, secret) in [
        ("server.metrics_token", &sections.server.metrics_token),
        ("admin.password", &sections.admin.password),
    ] {
        if secret.as_ref().is_some_and(is_well_known) {
            let (origin, path) = at(path);
            exposed.push((origin, path, "a well-known secret"));
        }
    }
    for (index, client) in sections.clients.iter().enumerate() {
        if is_well_known(&client.value.key) {
            let path = format!("clients[{index}].key");
            exposed.push((client.origin.clone(), path, "a well-known secret"));
        }
    }
    exposed
}

fn is_well_known(secret: &Secret) -> bool {
    WELL_KNOWN
        .iter()
        .any(|known| known.eq_ignore_ascii_case(secret.expose()))
}
