//! Perplexity behind OpenAI's dialect: requests by table, answers by snapshot, any split of a stream, hostile input, and
//! a verdict for every fixture.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "the rows of a table are values"
)]

#[path = "perplexity/answers.rs"]
mod answers;
#[path = "perplexity/embeddings.rs"]
mod embeddings;
#[path = "perplexity/hostile.rs"]
mod hostile;
#[path = "perplexity/messages.rs"]
mod messages;
#[path = "perplexity/requests.rs"]
mod requests;
#[path = "perplexity/splits.rs"]
mod splits;
#[path = "perplexity/verdicts.rs"]
mod verdicts;

use providers::Translate;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

/// A fixture, by its path below the fixtures.
fn fixture(file: &str) -> Vec<u8> {
    std::fs::read(format!("{FIXTURES}/{file}")).unwrap()
}

/// What a body becomes that comes in these chunks.
fn translated<'a>(
    mut translator: Box<dyn Translate>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in chunks {
        translator.push(chunk, &mut out);
    }
    translator.finish(&mut out);
    out
}
