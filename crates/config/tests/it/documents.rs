//! The reference and the example say what the program does.

use std::fs;
use std::path::PathBuf;

use config::{json_schema, reference};
use serde_json::{Value as Json, json};

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

#[test]
fn the_schema_describes_each_field_as_it_is_read() {
    let schema = json_schema();
    let field = |path: &str| schema.pointer(path).cloned().unwrap_or(Json::Null);
    let pool = "/properties/pool/anyOf/0";
    assert_eq!(field(&format!("{pool}/additionalProperties")), json!(false));
    let failures = field(&format!("{pool}/properties/max_failures"));
    assert_eq!(
        failures["anyOf"],
        json!([{"type": "integer", "minimum": 1, "maximum": 1000}, {"type": "null"}, {"$ref": "#/$defs/reference"}])
    );
    assert_eq!(failures["default"], 3);
    let status = field(&format!("{pool}/properties/exhausted_status/anyOf/0/enum"));
    assert_eq!(status, json!(["503", "429", 503, 429]));
    let client = "/properties/clients/anyOf/0/items/required";
    assert_eq!(field(client), json!(["name", "key"]));
    let provider = "/properties/providers/anyOf/0/additionalProperties";
    assert_eq!(field(&format!("{provider}/required")), Json::Null);
    let key = field(&format!("{provider}/properties/keys/anyOf/0/items/anyOf/0"));
    assert_eq!(key, json!({"type": "string"}));
}

#[test]
fn the_reference_marks_run_time_settings() {
    let page = reference();
    for row in [
        "| `max_body` | size, 1KiB to 1TiB | `100MiB` | run time |",
        "| `listen` | address and port | `127.0.0.1:8000` | restart |",
        "| `auth` | required \\| open | `required` | reload |",
        "| `timeout` | duration, 1s to 10m | `15s` | run time |",
        "| `refresh` | duration, 1s to 365d | `60s` | run time |",
        "| `rpm` | whole number, 1 to 4294967295 | not set | reload |",
    ] {
        assert!(page.contains(row), "{row}");
    }
}
