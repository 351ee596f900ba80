//! The reference and the example say what the program does.

use std::fs;
use std::path::PathBuf;

use config::reference;

use crate::support::{Folder, NONE, config};

fn of_repository(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_reference_is_up_to_date() {
    let fresh = of_repository("docs/CONFIGURATION.md") == reference();
    let command = "cargo run -q -p config --example reference > docs/CONFIGURATION.md";
    assert!(
        fresh,
        "docs/CONFIGURATION.md is out of date; run: {command}"
    );
}

#[test]
fn the_example_is_the_defaults() {
    let example = config(&of_repository("keymux.example.yaml"), NONE);
    let default = Folder::new().load(NONE).unwrap();
    assert_eq!(example.warnings, []);
    assert_eq!(*example, *default);
}

#[test]
fn the_example_shows_every_field_of_every_section() {
    let example = of_repository("keymux.example.yaml");
    let table_rows = reference();
    let fields = table_rows.lines().filter_map(|line| {
        line.strip_prefix("| `")?
            .split('`')
            .next()
            .map(str::to_owned)
    });
    let missing: Vec<String> = fields
        .filter(|field| {
            field
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
        .filter(|field| !example.contains(&format!("{field}:")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
