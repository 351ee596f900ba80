//! One document: held back to its end where something may have to change in it, and then spliced.

use bytes::Bytes;

use super::choices::{self, Calls};
use super::{Vectors, vectors};
use crate::splice::splice;

/// A document that takes more memory than this passes as it is.
const MOST_HELD: usize = 32 * 1024 * 1024;

/// What a slice takes besides its bytes.
const SLICE: usize = size_of::<Bytes>();

/// What a document passes through.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) mends_finish: bool,
    pub(super) vectors: Option<Vectors>,
    held: Vec<Bytes>,
    held_bytes: usize,
    passes: bool,
}

impl Document {
    pub(super) fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let is_asked = self.mends_finish || self.vectors.is_some();
        self.held_bytes = self.held_bytes.saturating_add(chunk.len() + SLICE);
        self.passes |= !is_asked || self.held_bytes > MOST_HELD;
        if self.passes {
            out.append(&mut self.held);
            out.push(chunk);
        } else {
            self.held.push(chunk);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Bytes>) {
        let mut document = std::mem::take(&mut self.held);
        if self.mends_finish {
            let mended = choices::mended(&document, &mut Calls::default(), choices::Kind::Document);
            if let Some(mended) = mended {
                document = splice(&document, mended.pieces);
            }
        }
        let written = self
            .vectors
            .and_then(|vectors| vectors::rewritten(&document, vectors));
        match written {
            Some(pieces) => out.extend(splice(&document, pieces)),
            None => out.append(&mut document),
        }
    }
}
