//! What choosing compares, side by side in memory: a choice among 100,000 keys touches two numbers here instead of two
//! keys scattered over the heap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const CHUNK: usize = 1024;

type Chunk = [AtomicU64; CHUNK];

/// A number for each slot: what the key was given so far, and what it is busy with, by weight.
///
/// It only ever changes by adding and subtracting, so that changes of several threads do not overwrite each other.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    chunks: Vec<Arc<Chunk>>,
}

/// One slot's number, for whoever holds the key.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    chunk: Arc<Chunk>,
    index: usize,
}

impl Scores {
    pub(crate) fn of(&self, slot: u32) -> u64 {
        let slot = slot as usize;
        let chunk = self.chunks.get(slot / CHUNK);
        chunk.map_or(0, |chunk| chunk[slot % CHUNK].load(Ordering::Relaxed))
    }

    /// The number of a slot, made with its neighbours where it is the first of them.
    pub(crate) fn handle(&mut self, slot: u32) -> Score {
        let slot = slot as usize;
        while self.chunks.len() <= slot / CHUNK {
            self.chunks
                .push(Arc::new([const { AtomicU64::new(0) }; CHUNK]));
        }
        Score {
            chunk: self.chunks[slot / CHUNK].clone(),
            index: slot % CHUNK,
        }
    }
}

impl Score {
    pub(crate) fn get(&self) -> u64 {
        self.chunk[self.index].load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: u64) {
        self.chunk[self.index].fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, less: u64) {
        self.chunk[self.index].fetch_sub(less, Ordering::Relaxed);
    }
}
