//! What a type must do to stand in a section: [`Leaf`] for what is one text, [`Value`] for anything.
//! Lists, maps and optional values are here; numbers, durations and the like are in `leaves/`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::reader::Reader;
use crate::section::Section;
use crate::shown::nearest;
use crate::tree::{Content, Node};
use crate::{Origin, Shape};

/// A value read from a node of the tree.
pub(crate) trait Value: Sized + PartialEq {
    /// It may be absent, and an unset `${VARIABLE}` makes it so.
    const OPTIONAL: bool = false;

    /// What it looks like.
    fn shape() -> Shape;

    /// Its fields, where it has any.
    fn section() -> Option<&'static Section> {
        None
    }

    /// Reads it; none after a problem was reported.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// The field at that path below it as a person would write it, or itself at the empty path; secrets are masked.
    fn listed(&self, path: &[&str]) -> Json;

    /// Whether the field at that path is the same in both.
    fn is_same(&self, other: &Self, _path: &[&str]) -> bool {
        self == other
    }

    /// Whether it lies between two values written as in the file.
    fn is_within(&self, _low: &str, _high: &str) -> bool {
        true
    }
}

/// A value that is one text.
pub(crate) trait Leaf: Sized + PartialEq {
    /// It is never shown.
    const SECRET: bool = false;

    /// What it looks like.
    fn shape() -> Shape;

    /// The value as a person would write it; secrets are masked.
    fn listed(&self) -> Json;

    /// The error continues a sentence that begins with the bad value.
    fn parse(text: &str) -> Result<Self, String>;

    /// Whether it lies between two values written as in the file.
    fn is_within(&self, _low: &str, _high: &str) -> bool {
        true
    }
}

/// [`Leaf::is_within`] for types that have an order.
pub(crate) fn is_between<T: Leaf + PartialOrd>(value: &T, low: &str, high: &str) -> bool {
    let low = T::parse(low).is_ok_and(|low| low <= *value);
    low && T::parse(high).is_ok_and(|high| *value <= high)
}

/// The error of a text that is none of the names.
pub(crate) fn not_among(text: &str, names: &[&str]) -> String {
    let is_word = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let hint = nearest(text, names.iter().copied()).filter(|_| is_word);
    let hint = hint.map(|name| format!("; did you mean \"{name}\"?"));
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!(
        "is not {} or {last}{}",
        others.join(", "),
        hint.unwrap_or_default()
    )
}

impl<T: Leaf> Value for T {
    fn shape() -> Shape {
        T::shape()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text::<T>(node)?;
        match T::parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                reader.refuse(node, T::SECRET, &reason);
                None
            }
        }
    }

    fn listed(&self, _path: &[&str]) -> Json {
        Leaf::listed(self)
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        Leaf::is_within(self, low, high)
    }
}

impl<T: Value> Value for Option<T> {
    const OPTIONAL: bool = true;

    fn shape() -> Shape {
        T::shape()
    }

    fn section() -> Option<&'static Section> {
        T::section()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_null() {
            return Some(None);
        }
        T::read(node, reader).map(Some)
    }

    fn listed(&self, path: &[&str]) -> Json {
        self.as_ref().map_or(Json::Null, |value| value.listed(path))
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        self.as_ref().is_none_or(|value| value.is_within(low, high))
    }
}

/// Items that cannot be read are reported and left out, so that the others are checked too.
impl<T: Value> Value for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn section() -> Option<&'static Section> {
        T::section()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let items = reader.items(node)?;
        Some(reader.each_item(&items, T::read))
    }

    fn listed(&self, _path: &[&str]) -> Json {
        self.iter().map(|item| item.listed(&[])).collect()
    }
}

/// Entries that cannot be read are reported and left out, so that the others are checked too.
impl<T: Value> Value for BTreeMap<String, T> {
    fn shape() -> Shape {
        Shape::Mapping(Box::new(T::shape()))
    }

    fn section() -> Option<&'static Section> {
        T::section()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let map = reader.any_mapping(node)?;
        let Content::Map(entries) = &map.content else {
            return None;
        };
        let mut values = Self::new();
        for entry in entries {
            if let Some(value) = reader.named_entry(&entry.key, &entry.node) {
                values.insert(entry.key.clone(), value);
            }
        }
        Some(values)
    }

    fn listed(&self, _path: &[&str]) -> Json {
        let entries = self.iter();
        entries
            .map(|(name, value)| (name.clone(), value.listed(&[])))
            .collect()
    }
}

/// An item of a list and where it was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// Where it was set.
    pub origin: Origin,
    /// The item.
    pub value: T,
}

impl<T: Value> Value for Placed<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn section() -> Option<&'static Section> {
        T::section()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(|value| Self {
            origin: node.origin.clone(),
            value,
        })
    }

    fn listed(&self, path: &[&str]) -> Json {
        self.value.listed(path)
    }
}
