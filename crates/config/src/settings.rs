//! The run-time settings as a list: what a form needs to show them, what they are, and where they were set.
//! Setting them is in `stored.rs`; which fields they are is said in `sections/` by the word `live`.

use serde_json::Value as Json;

use crate::reader::Reader;
use crate::section::{Change, Field};
use crate::table::Row;
use crate::tree::{Node, Style};
use crate::value::Value;
use crate::{Config, Env, Origin, Shape, not_yet, table};

/// A run-time setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its path, for example `retry.max_attempts`; [`Form::name`] is the last part of it.
    pub name: &'static str,
    /// The section of `keymux.yaml` that it is in.
    pub section: &'static str,
    /// What can be set.
    pub form: Form,
    /// What is set, as a person would write it. Secrets are masked.
    pub value: Json,
    /// Where it was set.
    pub set_by: Origin,
    /// False: it can be set, but is not acted upon in this version.
    pub has_effect: bool,
}

/// A field as a form shows it. Values are written as in [`Setting::value`].
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The field's name.
    pub name: &'static str,
    /// A sentence about it.
    pub doc: String,
    /// What its value looks like, with its choices and the look of its elements.
    pub shape: Shape,
    /// Its value when nothing is set; none: it has to be set.
    pub default: Option<Json>,
    /// The smallest value.
    pub minimum: Option<Json>,
    /// The largest value.
    pub maximum: Option<Json>,
    /// Where the value, or each element of it, is a mapping: its fields.
    pub fields: Vec<Self>,
}

impl Form {
    /// Its value has secrets in it, which are listed masked and have to be kept safe where they are stored.
    pub fn has_secrets(&self) -> bool {
        is_secret(&self.shape) || self.fields.iter().any(Self::has_secrets)
    }

    pub(crate) fn of(field: &'static Field) -> Self {
        let plain = |text: &str| listed(field, &Node::scalar(Origin::Default, text, Style::Plain));
        let fields = (field.section)().map_or(&[][..], |section| section.fields);
        Self {
            name: field.name,
            doc: field.sentence(),
            shape: (field.shape)(),
            default: field
                .default
                .and_then(|text| listed(field, &Node::of_default(text))),
            minimum: field.bounds.and_then(|(low, _)| plain(low)),
            maximum: field.bounds.and_then(|(_, high)| plain(high)),
            fields: fields.iter().map(Self::of).collect(),
        }
    }
}

impl Config {
    /// Every run-time setting, in the order of the reference.
    pub fn settings(&self) -> Vec<Setting> {
        table::rows(Change::Live)
            .map(|row| self.setting(row))
            .collect()
    }

    fn setting(&self, row: &'static Row) -> Setting {
        Setting {
            name: &row.path,
            section: row.section(),
            form: Form::of(row.field),
            value: self.sections.listed(&row.segments()),
            set_by: self.origin(&row.path),
            has_effect: not_yet::has_effect(&row.path),
        }
    }
}

fn listed(field: &Field, node: &Node) -> Option<Json> {
    let env = Env::default();
    Reader::new(&env).alone(field.name, node, field)
}

fn is_secret(shape: &Shape) -> bool {
    matches!(shape, Shape::Secret | Shape::ProxyUrl) || shape.element().is_some_and(is_secret)
}
