//! Prints the configuration reference: `cargo run -q -p config --example reference > docs/CONFIGURATION.md`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(config::reference().as_bytes())
}
