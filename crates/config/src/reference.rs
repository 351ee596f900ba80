//! Renders the declarations of `sections/` as `docs/CONFIGURATION.md`. The text around the tables is `reference.md`.

use std::fmt::Write;

use crate::Shape;
use crate::layers::{BUILT_IN, convenience};
use crate::section::{Change, Field, Section};
use crate::sections::Sections;
use crate::value::Value;

/// The Markdown reference of every field and variable.
pub fn reference() -> String {
    let mut page = include_str!("reference.md").to_owned();
    page.push_str("\n| variable | sets |\n|---|---|\n");
    for (names, path) in convenience() {
        let names: Vec<String> = names.split(", ").map(|name| format!("`{name}`")).collect();
        page.line(&format!("| {} | `{path}` |", names.join(", ")));
    }
    page.line("| `KEYMUX_MASTER_KEY` | the key that secrets are encrypted with; it has no field |");
    page.line(
        "| `KEYMUX_MASTER_KEY_PREVIOUS` | older ones, until `keymux rotate-master-key` is done; it has no field |",
    );
    for field in Sections::section().map_or(&[][..], |root| root.fields) {
        field_section(&mut page, "##", field.name, field, Change::Reload);
    }
    page.line(&format!(
        "\n## Built-in providers\n\n```yaml\n{}\n```",
        BUILT_IN.trim()
    ));
    page
}

trait Page {
    fn line(&mut self, text: &str);
}

impl Page for String {
    fn line(&mut self, text: &str) {
        self.push_str(text);
        self.push('\n');
    }
}

fn field_section(page: &mut String, marks: &str, path: &str, field: &Field, above: Change) {
    let shape = (field.shape)();
    let inner = match &shape {
        Shape::List(_) => format!("{path}[]"),
        Shape::Mapping(_) => format!("{path}.NAME"),
        _ => path.to_owned(),
    };
    let change = field.change.unwrap_or(above);
    page.line(&format!("\n{marks} {path}\n\n{}", field.sentence()));
    if let Some(section) = (field.section)() {
        fields(page, &inner, section, change);
    } else {
        page.line(&format!("\nA {shape}. Changed at {}.", word(change)));
    }
}

fn fields(page: &mut String, path: &str, section: &Section, above: Change) {
    page.push_str("\n| field | value | default | changed at | |\n|---|---|---|---|---|\n");
    for field in section.fields {
        let default = field
            .default
            .map_or("required".to_owned(), |text| match text {
                "{}" if (field.section)().is_some() => "see below".to_owned(),
                "null" => "not set".to_owned(),
                text => format!("`{text}`"),
            });
        let mut value = (field.shape)().to_string().replace('|', "\\|");
        if let Some((low, high)) = field.bounds {
            let _ = write!(value, ", {low} to {high}");
        }
        let (name, doc) = (field.name, field.sentence());
        let change = word(field.change.unwrap_or(above));
        page.line(&format!(
            "| `{name}` | {value} | {default} | {change} | {doc} |"
        ));
    }
    for field in section
        .fields
        .iter()
        .filter(|field| (field.section)().is_some())
    {
        let path = format!("{path}.{}", field.name);
        field_section(page, "###", &path, field, above);
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Live => "run time",
        Change::Reload => "reload",
        Change::Restart => "restart",
    }
}
