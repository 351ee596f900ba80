//! Embeddings in the other encoding than they came in: arrays of numbers, or base64 of little-endian 32-bit floats.
//! What is neither stays as it is.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::Vectors;
use crate::json::{Edge, Kind, Scanner, Visitor, Want};
use crate::members::gathered;
use crate::splice::{Piece, replaced};

/// The pieces of a document whose embeddings are written as asked for; none where they are so already.
pub(super) fn rewritten(chunks: &[Bytes], vectors: Vectors) -> Option<Vec<Piece>> {
    let mut scanner = Scanner::default();
    let mut finder = Finder::default();
    for chunk in chunks {
        scanner.push(chunk, &mut finder);
        finder.read += chunk.len();
    }
    if !scanner.is_done() {
        return None;
    }
    let replacements: Vec<_> = finder
        .found
        .into_iter()
        .filter_map(|(kind, at)| {
            let written = gathered(chunks, &at, usize::MAX)?;
            let vector = match (vectors, kind) {
                (Vectors::Base64, Kind::Array) => to_base64(&written),
                (Vectors::Floats, Kind::String) => to_floats(&written),
                _ => None,
            };
            Some((at, vector?))
        })
        .collect();
    (!replacements.is_empty()).then(|| replaced(replacements, finder.read))
}

fn to_base64(array: &[u8]) -> Option<String> {
    let vector: Vec<f32> = serde_json::from_slice(array).ok()?;
    let bytes: Vec<u8> = vector.into_iter().flat_map(f32::to_le_bytes).collect();
    Some(format!("\"{}\"", STANDARD.encode(bytes)))
}

/// None where it is no base64, or holds what JSON has no number for.
fn to_floats(text: &[u8]) -> Option<String> {
    let text: String = serde_json::from_slice(text).ok()?;
    let bytes = STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    let vector: Vec<f32> = floats.iter().copied().map(f32::from_le_bytes).collect();
    let is_written = rest.is_empty() && vector.iter().all(|number| number.is_finite());
    is_written.then(|| serde_json::to_string(&vector).ok())?
}

/// Containers that are open tell the place: the document, its data, an embedding's object.
const ITEM: usize = 3;

/// Finds the values of `data[*].embedding`.
#[derive(Debug, Default)]
struct Finder {
    read: usize,
    depth: usize,
    is_data: bool,
    is_embedding: bool,
    from: usize,
    kind: Option<Kind>,
    found: Vec<(Kind, Range<usize>)>,
}

impl Visitor for Finder {
    fn edge(&mut self, edge: Edge, at: usize) {
        if self.depth != ITEM || !self.is_embedding {
            return;
        }
        let at = self.read + at;
        if edge == Edge::Value {
            self.from = at;
        } else if let Some(kind) = self.kind.take() {
            self.found.push((kind, self.from..at));
        }
    }

    fn name(&mut self, name: &[u8]) {
        self.is_data = self.depth == 1 && name == b"data";
        self.is_embedding = self.depth == ITEM && name == b"embedding";
    }

    fn begin(&mut self, kind: Kind) -> Want {
        let is_entered = match (self.depth, kind) {
            (0 | 2, Kind::Object) => true,
            (1, Kind::Array) => self.is_data,
            _ => false,
        };
        if is_entered {
            self.depth += 1;
            return Want::Enter;
        }
        self.kind = (self.depth == ITEM && self.is_embedding).then_some(kind);
        Want::Skip
    }

    fn value(&mut self, _text: &[u8], _whole: bool) {}

    fn leave(&mut self, _end: usize) {
        self.depth = self.depth.saturating_sub(1);
    }
}
