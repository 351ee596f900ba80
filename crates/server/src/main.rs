//! The command line. What the subcommands do is in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    keymux::cli::run()
}
