//! `aliases`: other names for models.

use serde_json::Value as Json;

use crate::Shape;
use crate::reader::Reader;
use crate::tree::{Content, Node};
use crate::value::Value;

/// What an alias stands for: at least one model or alias, tried from first to last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(pub Vec<String>);

impl Value for Chain {
    fn shape() -> Shape {
        Shape::Models
    }

    fn listed(&self, _path: &[&str]) -> Json {
        match self.0.as_slice() {
            [model] => model.as_str().into(),
            models => models.into(),
        }
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let is_list = match &node.content {
            Content::Scalar { text, .. } => text.trim_start().starts_with('['),
            Content::List(_) | Content::Map(_) => true,
        };
        if !is_list {
            return String::read(node, reader).map(|model| Self(vec![model]));
        }
        let models = Vec::<String>::read(node, reader)?;
        if models.is_empty() {
            reader.refuse(node, false, "is empty; expected at least one model");
            return None;
        }
        Some(Self(models))
    }
}
