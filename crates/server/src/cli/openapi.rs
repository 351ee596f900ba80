//! `keymux openapi`: the description of the admin API, as a running instance serves it.

use std::process::ExitCode;

use super::say;

pub(super) fn run() -> ExitCode {
    say(crate::admin::document());
    ExitCode::SUCCESS
}
