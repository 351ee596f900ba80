//! Renders the declarations of `sections/` as `docs/CONFIGURATION.md`. The text around the tables is `reference.md`.

use std::fmt::Write;

use crate::layers::{BUILT_IN, convenience};
use crate::section::{Field, Section};
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
    for field in Sections::section().map_or(&[][..], |root| root.fields) {
        field_section(&mut page, "##", field.name, field);
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

fn field_section(page: &mut String, marks: &str, path: &str, field: &Field) {
    let kind = (field.kind)();
    let inner = if kind.starts_with("list of ") {
        format!("{path}[]")
    } else if kind.starts_with("mapping of names") {
        format!("{path}.NAME")
    } else {
        path.to_owned()
    };
    page.line(&format!("\n{marks} {path}\n\n{}", sentences(field.doc)));
    if let Some(section) = (field.section)() {
        fields(page, &inner, section);
    } else {
        page.line(&format!("\nA {kind}."));
    }
}

fn fields(page: &mut String, path: &str, section: &Section) {
    page.push_str("\n| field | value | default | |\n|---|---|---|---|\n");
    for field in section.fields {
        let default = field
            .default
            .map_or("required".to_owned(), |text| match text {
                "{}" if (field.section)().is_some() => "see below".to_owned(),
                "null" => "not set".to_owned(),
                text => format!("`{text}`"),
            });
        let mut value = (field.kind)().replace('|', "\\|");
        if let Some((low, high)) = field.bounds {
            let _ = write!(value, ", {low} to {high}");
        }
        let doc = sentences(field.doc);
        page.line(&format!(
            "| `{}` | {value} | {default} | {doc} |",
            field.name
        ));
    }
    for field in section
        .fields
        .iter()
        .filter(|field| (field.section)().is_some())
    {
        field_section(page, "###", &format!("{path}.{}", field.name), field);
    }
}

fn sentences(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}
