//! `aliases`: other names for models.

use crate::reader::Reader;
use crate::tree::{Content, Node};
use crate::value::Value;

/// What an alias stands for: at least one model or alias, tried from first to last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(pub Vec<String>);

impl Value for Chain {
    fn kind() -> String {
        "model, or list of models".to_owned()
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
