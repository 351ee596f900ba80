//! Reading answers as they pass.

use wire::gemini::{AnswerScan, Content, Framing};

use super::nanoseconds;
use crate::run::figures::{Figure, SCAN_LARGE, SCAN_SMALL, SCAN_STREAM};
use crate::run::gateways::Gateway;
use crate::run::results::Results;

/// As much as a read from a socket brings.
const PIECE: usize = 16 * 1024;

pub(super) fn run(results: &mut Results) {
    let mut add = |figure: &'static Figure, framing, body: &str| {
        let nanoseconds = nanoseconds(|| read(framing, body.as_bytes()));
        results.add(figure, Gateway::Keymux, body.len() as f64 / nanoseconds);
    };
    let prose = "The quick brown fox jumps over the lazy dog. ".repeat(12);
    add(
        &SCAN_SMALL,
        Framing::Json,
        &answer(&format!(r#"{{"text": "{prose}"}}"#), true),
    );
    let chunk = answer(
        r#"{"text": "The quick brown fox jumps over the lazy"}"#,
        false,
    );
    let last = answer(r#"{"text": "."}"#, true);
    let stream = format!(
        "data: {chunk}

"
    )
    .repeat(49)
        + "data: "
        + &last
        + "

";
    add(&SCAN_STREAM, Framing::Sse, &stream);
    let image = "iVBORw0KGgoAAAANSUhEUgAA+/ab".repeat(1_000_000 / 28);
    let part = format!(r#"{{"inlineData": {{"mimeType": "image/png", "data": "{image}"}}}}"#);
    add(&SCAN_LARGE, Framing::Json, &answer(&part, true));
}

fn read(framing: Framing, body: &[u8]) -> bool {
    let mut scan = AnswerScan::new(framing, Content::Generate);
    for piece in body.chunks(PIECE) {
        scan.push(piece);
    }
    scan.finish();
    scan.summary().complete
}

fn answer(part: &str, is_last: bool) -> String {
    let finish = if is_last {
        r#", "finishReason": "STOP""#
    } else {
        ""
    };
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{part}], "role": "model"}}{finish}, "index": 0}}], "usageMetadata": {{"promptTokenCount": 9, "candidatesTokenCount": 98, "totalTokenCount": 107, "promptTokensDetails": [{{"modality": "TEXT", "tokenCount": 9}}]}}, "modelVersion": "gemini-3.8-flash", "responseId": "kJ0eadGhM7uIvdIP1qOc2A"}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_a_whole_answer() {
        assert!(read(
            Framing::Json,
            answer(r#"{"text": "x"}"#, true).as_bytes()
        ));
        assert!(!read(
            Framing::Sse,
            format!("data: {}\n\n", answer(r#"{"text": "x"}"#, false)).as_bytes()
        ));
    }
}
