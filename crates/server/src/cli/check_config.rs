//! `keymux check-config`: a wrong configuration never gets here; what is odd about a right one is said.

use std::process::ExitCode;

use config::Config;

use super::say;

/// Prints the JSON Schema of `keymux.yaml`.
pub(super) fn print_schema() -> ExitCode {
    say(&format!("{:#}", config::json_schema()));
    ExitCode::SUCCESS
}

pub(super) fn run(config: &Config) -> ExitCode {
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    let source = match &config.file {
        Some(file) => file.display().to_string(),
        None => "no file; defaults and environment".to_owned(),
    };
    let keys: usize = config
        .providers
        .values()
        .map(|provider| provider.keys.len())
        .sum();
    say(&format!(
        "configuration is right ({source}): {keys} provider keys, {} client keys, listening on {}",
        config.clients.len(),
        config.server.listen
    ));
    ExitCode::SUCCESS
}
