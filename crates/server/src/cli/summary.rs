//! What an operator reads when keymux has started: where it is, what it has, what to try.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::app::App;
use crate::boot::Made;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn summary(app: &App, address: SocketAddr, made: &Made) -> String {
    let snapshot = app.snapshot.load();
    let mut text = format!("keymux {VERSION} is ready on http://{address}\n");
    let mut line = |text_line: String| {
        let _ = writeln!(text, "{}", format!("  {text_line}").trim_end());
    };
    let mut keys = 0;
    for provider in snapshot.providers.iter() {
        let census = provider.pool().census(app.clock.now());
        keys += census.total;
        let mut parts = vec![format!("{} usable", census.active)];
        for (count, state) in [
            (census.cooling, "cooling"),
            (census.invalid, "invalid"),
            (census.disabled, "disabled"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {state}"));
            }
        }
        line(format!(
            "{}: {} keys ({})",
            provider.name,
            census.total,
            parts.join(", ")
        ));
    }
    line(format!("client keys: {}", snapshot.clients.len()));
    line(format!(
        "admin API: http://{address}/docs (user {})",
        snapshot.config.admin.username
    ));
    if keys == 0 {
        line("no provider key yet: set GEMINI_API_KEYS, or run `keymux keys import FILE`".into());
    }
    let has_made = made.client_key.is_some() || made.password.is_some() || made.has_master_key;
    if has_made {
        line(String::new());
        line("made at this first start, and shown only now:".into());
    }
    if let Some(key) = &made.client_key {
        line(format!("  client key      {}", key.expose()));
    }
    if let Some(password) = &made.password {
        let user = &snapshot.config.admin.username;
        line(format!(
            "  admin password  {} (user {user})",
            password.expose()
        ));
    }
    if made.has_master_key {
        let file = snapshot.config.server.data_dir.join("master.key");
        line(format!(
            "  master key      in {}: back it up with the database",
            file.display()
        ));
    }
    let shown = made
        .client_key
        .as_ref()
        .map_or("YOUR-CLIENT-KEY", |key| key.expose());
    line(String::new());
    line("try it:".into());
    line(format!("  curl -H 'x-goog-api-key: {shown}' \\"));
    line("    -H 'content-type: application/json' \\".to_owned());
    line(r#"    -d '{"contents":[{"parts":[{"text":"Say hello"}]}]}' \"#.to_owned());
    line(format!(
        "    http://{address}/v1beta/models/{}:generateContent",
        default_model(app)
    ));
    text
}

fn default_model(app: &App) -> String {
    let snapshot = app.snapshot.load();
    let google = snapshot
        .config
        .providers
        .values()
        .find(|p| p.kind == config::Kind::Gemini);
    google
        .and_then(|provider| provider.default_model.clone())
        .unwrap_or_else(|| "gemini-flash-latest".to_owned())
}
