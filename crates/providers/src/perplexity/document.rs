//! An answer in one document, gathered until it is whole. It is translated at its end, by who gave the function.

use std::fmt::{self, Debug, Formatter};

use super::fault::Fault;
use crate::Translate;

/// The longest document that is translated. The Agent API's answers are far smaller.
const LARGEST: usize = 64 * 1024 * 1024;

/// The translator of a document by a function that reads it whole and writes what it becomes.
pub(super) struct Document<F> {
    body: Vec<u8>,
    /// The body is longer than [`LARGEST`]: none of it is kept.
    is_too_large: bool,
    translate: F,
}

impl<F> Document<F>
where
    F: Fn(&[u8], &mut Vec<u8>) -> Result<(), Fault> + Send + Sync,
{
    pub(super) fn new(translate: F) -> Self {
        Self {
            body: Vec::new(),
            is_too_large: false,
            translate,
        }
    }
}

impl<F> Translate for Document<F>
where
    F: Fn(&[u8], &mut Vec<u8>) -> Result<(), Fault> + Send + Sync,
{
    fn push(&mut self, chunk: &[u8], _out: &mut Vec<u8>) {
        self.is_too_large |= chunk.len() > LARGEST - self.body.len();
        if self.is_too_large {
            self.body = Vec::new();
        } else {
            self.body.extend_from_slice(chunk);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        let done = if self.is_too_large {
            let message = format!("the provider's answer is larger than {LARGEST} bytes");
            Err(Fault::found(message))
        } else {
            (self.translate)(&self.body, out)
        };
        if let Err(fault) = done {
            out.truncate(start);
            out.extend_from_slice(&fault.to_json());
        }
        self.body = Vec::new();
    }
}

impl<F> Debug for Document<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
