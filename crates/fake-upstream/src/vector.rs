//! Embedding vectors made of the text alone, so that equal texts have equal vectors, and the forms
//! in which providers send them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Values between -0.05 and 0.05, as Google's have.
pub(crate) fn vector(text: &str, dimensions: usize) -> Vec<f64> {
    let seed = Sha256::digest(text.as_bytes());
    let value = |i: usize| {
        let mixed = u64::from(seed[i % seed.len()]) * 31 + i as u64 * 17;
        (mixed % 1000) as f64 / 10_000.0 - 0.05
    };
    (0..dimensions).map(value).collect()
}

/// The same vector at length 1, as OpenAI's are.
pub(crate) fn unit(text: &str, dimensions: usize) -> Vec<f32> {
    let values = vector(text, dimensions);
    let length = values.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
    values.iter().map(|v| (v / length) as f32).collect()
}

/// Little-endian 32-bit floats in base64: `encoding_format: "base64"` of OpenAI's dialect.
pub(crate) fn base64_floats(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Signed bytes in base64, the largest value at 127: Perplexity's `base64_int8`.
pub(crate) fn base64_int8(values: &[f32]) -> String {
    let largest = values.iter().fold(1e-9_f32, |most, v| most.max(v.abs()));
    let byte = |v: &f32| ((v / largest * 127.0).round() as i8).cast_unsigned();
    STANDARD.encode(values.iter().map(byte).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_vectors_have_length_one_and_encode_to_their_size() {
        let values = unit("a", 8);
        let length: f32 = values.iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
        assert_eq!(STANDARD.decode(base64_floats(&values)).unwrap().len(), 32);
        assert_eq!(STANDARD.decode(base64_int8(&values)).unwrap().len(), 8);
    }
}
