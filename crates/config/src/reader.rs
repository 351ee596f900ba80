//! Turns the tree into values: knows the path it is at, the environment for `${…}`, and what it has found so far.
//! The types decide what they want (`value.rs`); this gives them texts, items and fields, and words the problems.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::files::Files;
use crate::findings::{Findings, SetField};
use crate::interpolate::{interpolate, sole_reference};
use crate::layers::from_variable;
use crate::section::Field;
use crate::shown::{HIDDEN, entry_name, nearest, safe_name, safe_value};
use crate::tree::{Content, Entry, Node, Style};
use crate::value::{Leaf, Value};
use crate::{Env, Origin};

/// Reads one tree.
pub(crate) struct Reader<'a> {
    env: &'a Env,
    stored: Option<&'a BTreeMap<String, Node>>,
    pub(crate) files: Files,
    path: String,
    lists: usize,
    bounds: Option<(&'static str, &'static str)>,
    pub(crate) findings: Findings,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(env: &'a Env) -> Self {
        Self {
            env,
            stored: None,
            files: Files::default(),
            path: String::new(),
            lists: 0,
            bounds: None,
            findings: Findings::default(),
        }
    }

    /// With values that stand where the tree says nothing, by the paths of their fields.
    pub(crate) fn with_stored(mut self, stored: &'a BTreeMap<String, Node>) -> Self {
        self.stored = Some(stored);
        self
    }

    /// The mapping, after every name in it that is none of the fields was reported.
    pub(crate) fn mapping<'n>(
        &mut self,
        node: &'n Node,
        fields: &[Field],
    ) -> Option<Cow<'n, Node>> {
        let map = self.any_mapping(node)?;
        if let Content::Map(entries) = &map.content {
            for entry in entries {
                if fields.iter().all(|field| field.name != entry.key) {
                    self.refuse_unknown(entry, fields);
                }
            }
        }
        Some(map)
    }

    /// The mapping, whatever its names are. A variable's value may be one in YAML's flow style.
    pub(crate) fn any_mapping<'n>(&mut self, node: &'n Node) -> Option<Cow<'n, Node>> {
        match &node.content {
            Content::Map(_) => Some(Cow::Borrowed(node)),
            Content::Scalar { text, .. }
                if node.is_override() && text.trim_start().starts_with('{') =>
            {
                let parsed = from_variable(text, &node.origin, &self.path, &mut self.findings)?;
                self.any_mapping(&parsed)
                    .map(|map| Cow::Owned(map.into_owned()))
            }
            _ => {
                self.refuse_shape(node, "a mapping of fields");
                None
            }
        }
    }

    /// The items of a list. A variable's value may be one in YAML's flow style, or separated by commas.
    pub(crate) fn items<'n>(&mut self, node: &'n Node) -> Option<Cow<'n, [Node]>> {
        match &node.content {
            Content::List(items) => return Some(Cow::Borrowed(items)),
            Content::Scalar { text, .. }
                if node.is_override() && text.trim_start().starts_with('[') =>
            {
                let parsed = from_variable(text, &node.origin, &self.path, &mut self.findings)?;
                return self
                    .items(&parsed)
                    .map(|items| Cow::Owned(items.into_owned()));
            }
            Content::Scalar { text, .. } if node.is_override() || is_reference(node) => {
                let text = self.interpolated(node, text, true)?;
                return Some(Cow::Owned(comma_separated(&text, &node.origin)));
            }
            _ => self.refuse_shape(node, "a list"),
        }
        None
    }

    /// Reads every item with `read`, leaving out what cannot be read.
    pub(crate) fn each_item<T>(
        &mut self,
        items: &[Node],
        read: impl Fn(&Node, &mut Self) -> Option<T>,
    ) -> Vec<T> {
        let (length, bounds) = (self.path.len(), self.bounds.take());
        self.lists += 1;
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.extend(["[", &index.to_string(), "]"]);
            if item.is_null() {
                self.refuse(item, true, "is empty");
            } else {
                values.extend(read(item, self));
            }
            self.path.truncate(length);
        }
        self.lists -= 1;
        self.bounds = bounds;
        values
    }

    /// The value of an entry of a mapping with free names.
    pub(crate) fn named_entry<T: Value>(&mut self, name: &str, node: &Node) -> Option<T> {
        let bounds = self.bounds.take();
        let value = self.within(entry_name(name), |reader| {
            if node.is_null() {
                reader.refuse(node, true, "is empty");
                return None;
            }
            let value = T::read(node, reader);
            reader.note(node, true);
            value
        });
        self.bounds = bounds;
        value
    }

    /// The field's value; its default where it is not set, and also, after a problem was reported, where it is wrong.
    pub(crate) fn field<T: Value>(&mut self, map: &Node, field: &Field) -> Option<T> {
        let outer = std::mem::replace(&mut self.bounds, field.bounds);
        let value = self.within(field.name, |reader| {
            let set = map.get(field.name);
            let set = set.filter(|node| !(T::OPTIONAL && reader.refers_to_nothing(node)));
            match set.or_else(|| reader.stored_value()) {
                Some(node) => reader.set_field(node, field),
                None => reader.default_of(field, &map.origin),
            }
        });
        self.bounds = outer;
        value
    }

    /// What is stored for the current path; whole fields only, so that nothing inside of a list is meant.
    fn stored_value(&self) -> Option<&'a Node> {
        let stored = self.stored.filter(|_| self.lists == 0)?;
        stored.get(&self.path)
    }

    /// Reads a value for a field by itself, and lists it.
    pub(crate) fn alone(&mut self, path: &str, node: &Node, field: &Field) -> Option<Json> {
        let outer = std::mem::replace(&mut self.bounds, field.bounds);
        let listed = self.within(path, |reader| (field.read_listed)(node, reader));
        self.bounds = outer;
        listed
    }

    fn set_field<T: Value>(&mut self, node: &Node, field: &Field) -> Option<T> {
        let value = T::read(node, self).filter(|value| self.is_in_bounds(value, node));
        // Lists can be long, and what is inside of them is not noted.
        if self.lists > 0 && value.is_some() {
            return value;
        }
        let mut aside = Self::new(self.env);
        let default = aside.default_of::<T>(field, &Origin::Default);
        let changed = value.is_some() && value != default;
        self.note(node, changed);
        value.or(default)
    }

    fn default_of<T: Value>(&mut self, field: &Field, place: &Origin) -> Option<T> {
        let Some(text) = field.default else {
            let path = self.path.clone();
            let text = format!("is missing; expected {}", (field.shape)());
            self.findings.problem(place, &path, text);
            return None;
        };
        T::read(&Node::of_default(text), self)
    }

    fn is_in_bounds<T: Value>(&mut self, value: &T, node: &Node) -> bool {
        let Some((low, high)) = self.bounds else {
            return true;
        };
        let is_within = value.is_within(low, high);
        if !is_within {
            self.refuse(node, false, "is out of range");
        }
        is_within
    }

    fn note(&mut self, node: &Node, changed: bool) {
        if self.lists == 0 && node.origin != Origin::Default {
            let origin = node.origin.clone();
            self.findings
                .set_fields
                .insert(self.path.clone(), SetField { origin, changed });
        }
    }

    fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    /// The text of a scalar, with `${…}` and `file:/…` resolved.
    pub(crate) fn text<T: Leaf>(&mut self, node: &Node) -> Option<String> {
        let Content::Scalar { text, style } = &node.content else {
            self.refuse_shape(node, "one value");
            return None;
        };
        if T::SECRET && node.origin == Origin::Stored && text.contains('…') {
            self.refuse(node, true, MASKED);
            return None;
        }
        let text = self.interpolated(node, text, T::SECRET)?;
        if *style == Style::Verbatim || !text.starts_with("file:/") {
            return Some(text);
        }
        match self.files.content(&text["file:".len()..]) {
            Ok(text) => Some(text),
            Err(error) => {
                self.refuse(node, false, &format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn interpolated(&mut self, node: &Node, text: &str, secret: bool) -> Option<String> {
        if !node.has_references() {
            return Some(text.to_owned());
        }
        match interpolate(text, self.env) {
            Ok(text) => Some(text),
            Err(reason) => {
                self.refuse(node, secret, &reason);
                None
            }
        }
    }

    /// The whole value is one variable, which is not set or empty.
    fn refers_to_nothing(&self, node: &Node) -> bool {
        let Content::Scalar { text, .. } = &node.content else {
            return false;
        };
        let name = sole_reference(text).filter(|_| node.has_references());
        name.is_some_and(|name| self.env.get_filled(name).is_none())
    }

    /// Reports what is wrong with the value at the current path: `reason` continues a sentence about it.
    pub(crate) fn refuse(&mut self, node: &Node, secret: bool, reason: &str) {
        let shown = match &node.content {
            Content::Scalar { text, .. } if text.is_empty() => "\"\"".to_owned(),
            Content::Scalar { text, .. } if !secret || sole_reference(text).is_some() => {
                safe_value(text)
            }
            Content::Scalar { .. } => HIDDEN.to_owned(),
            Content::List(_) => "the list".to_owned(),
            Content::Map(_) => "the mapping".to_owned(),
        };
        let bounds = self
            .bounds
            .map(|(low, high)| format!("; expected {low} to {high}"));
        let text = format!("{shown} {reason}{}", bounds.unwrap_or_default());
        self.findings.problem(&node.origin, &self.path, text);
    }

    /// Reports a text, list or mapping where another of them belongs; its content may be secret.
    fn refuse_shape(&mut self, node: &Node, expected: &str) {
        let found = match &node.content {
            Content::Scalar { .. } => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        };
        let text = format!("{found} is not what belongs here; expected {expected}");
        self.findings.problem(&node.origin, &self.path, text);
    }

    fn refuse_unknown(&mut self, entry: &Entry, fields: &[Field]) {
        let name = safe_name(&entry.key);
        let meant = nearest(&entry.key, fields.iter().map(|field| field.name));
        let expected = || {
            let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
            format!("expected one of {}", known.join(", "))
        };
        let hint = meant.map_or_else(expected, |meant| format!("did you mean \"{meant}\"?"));
        let text = format!("unknown field; {hint}");
        self.within(&name, |reader| {
            reader
                .findings
                .problem(&entry.key_origin, &reader.path.clone(), text);
        });
    }
}

/// [`crate::section::Field::read_listed`] of a field of that type.
pub(crate) fn read_listed<T: Value>(node: &Node, reader: &mut Reader<'_>) -> Option<Json> {
    let value = T::read(node, reader)?;
    reader.is_in_bounds(&value, node).then(|| value.listed(&[]))
}

const MASKED: &str =
    "is masked, and does not say which stored value it stands for; expected the whole value";

/// A scalar written as the mapping that it is short for.
pub(crate) fn written_out<'n>(node: &'n Node, field: &str) -> Cow<'n, Node> {
    if !matches!(node.content, Content::Scalar { .. }) || is_flow_mapping(node) {
        return Cow::Borrowed(node);
    }
    let entry = Entry {
        key: field.to_owned(),
        key_origin: node.origin.clone(),
        node: node.clone(),
    };
    Cow::Owned(Node::map(node.origin.clone(), vec![entry]))
}

fn is_flow_mapping(node: &Node) -> bool {
    matches!(&node.content, Content::Scalar { text, .. } if text.starts_with('{'))
        && node.is_override()
}

/// The scalar is one `${NAME}` of the file.
fn is_reference(node: &Node) -> bool {
    matches!(&node.content, Content::Scalar { text, .. } if sole_reference(text).is_some())
        && node.has_references()
}

/// The items of a list that is separated by commas.
pub(crate) fn comma_separated(text: &str, origin: &Origin) -> Vec<Node> {
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    items
        .map(|item| Node::scalar(origin.clone(), item, Style::Verbatim))
        .collect()
}
