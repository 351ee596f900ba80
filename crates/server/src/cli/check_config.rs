//! `keymux check-config`: a wrong configuration never gets here; what is odd about a right one, and about the key files
//! that it names, is said.

use std::process::ExitCode;

use config::Config;

use super::say;
use crate::clock::Clock;
use crate::key_files;

/// Prints the JSON Schema of `keymux.yaml`.
pub(super) fn print_schema() -> ExitCode {
    say(&format!("{:#}", config::json_schema()));
    ExitCode::SUCCESS
}

pub(super) fn run(config: &Config) -> ExitCode {
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    let in_files = check_key_files(config);
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
        "configuration is right ({source}): {keys} provider keys{in_files}, {} client keys, listening on {}",
        config.clients.len(),
        config.server.listen
    ));
    ExitCode::SUCCESS
}

/// Says what is wrong with key files. Gives what there is in them, in words.
fn check_key_files(config: &Config) -> String {
    let reports = key_files::inspect(config, Clock::start().now());
    for report in &reports {
        for text in report.complaints() {
            say(&format!("warning: {text}"));
        }
        if let Some(text) = report.why_left_out() {
            say(&format!("note: {text}"));
        }
    }
    if config
        .providers
        .values()
        .all(|provider| provider.keys_dir.is_none())
    {
        return String::new();
    }
    let keys: usize = reports.iter().map(|report| report.keys).sum();
    let files = reports.iter().filter(|report| report.read_at.is_some());
    format!(" and {keys} in {} key files", files.count())
}
