//! The configuration before it has types: mappings, lists and scalars that remember where they stand.
//! Made by `yaml.rs` and `layers.rs`, turned into values by `reader.rs`.

use crate::Origin;

/// A value of the tree and where it was set.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Scalar { text: String, style: Style },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// How a scalar is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `null`, `~` and the empty text mean that there is no value.
    Plain,
    /// Always text.
    Quoted,
    /// Text in which `${…}` and `file:` mean nothing: it came from outside the file.
    Verbatim,
}

/// One field of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_origin: Origin,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn scalar(origin: Origin, text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self {
            origin,
            content: Content::Scalar { text, style },
        }
    }

    pub(crate) fn list(origin: Origin, items: Vec<Self>) -> Self {
        Self {
            origin,
            content: Content::List(items),
        }
    }

    pub(crate) fn map(origin: Origin, entries: Vec<Entry>) -> Self {
        Self {
            origin,
            content: Content::Map(entries),
        }
    }

    /// A default as sections declare it: a scalar, or the empty list or mapping.
    pub(crate) fn of_default(text: &str) -> Self {
        match text {
            "[]" => Self::list(Origin::Default, Vec::new()),
            "{}" => Self::map(Origin::Default, Vec::new()),
            text => Self::scalar(Origin::Default, text, Style::Plain),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, style: Style::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The node is the value of a variable `KEYMUX__…`, whose text may be YAML.
    pub(crate) fn is_override(&self) -> bool {
        let is_env = matches!(self.origin, Origin::Env { .. });
        is_env && self.style() == Some(Style::Plain)
    }

    /// `${…}` has its meaning: the scalar stands in the file.
    pub(crate) fn has_references(&self) -> bool {
        let is_file = matches!(self.origin, Origin::File { .. });
        is_file && self.style() != Some(Style::Verbatim)
    }

    fn style(&self) -> Option<Style> {
        match self.content {
            Content::Scalar { style, .. } => Some(style),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The field of that name, unless it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(entries) = &self.content else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(&entry.node)
    }

    /// The value at that path, unless it is null or an empty list.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Self> {
        let node = path.iter().try_fold(self, |node, key| node.get(key))?;
        let is_empty = matches!(&node.content, Content::List(items) if items.is_empty());
        (!is_empty).then_some(node)
    }

    /// How many values it is made of.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.content {
            Content::Scalar { .. } => 0,
            Content::List(items) => items.iter().map(Self::count).sum(),
            Content::Map(entries) => entries.iter().map(|entry| entry.node.count()).sum(),
        }
    }

    /// Takes over what `over` says; mappings are merged field by field, and null says nothing.
    pub(crate) fn overlay(&mut self, over: Self) {
        if over.is_null() {
            return;
        }
        match (&mut self.content, over.content) {
            (Content::Map(mine), Content::Map(theirs)) => {
                self.origin = over.origin;
                for entry in theirs {
                    match mine.iter_mut().find(|known| known.key == entry.key) {
                        Some(known) => {
                            known.node.overlay(entry.node);
                            known.key_origin = entry.key_origin;
                        }
                        None => mine.push(entry),
                    }
                }
            }
            (mine, theirs) => {
                *mine = theirs;
                self.origin = over.origin;
            }
        }
    }
}
