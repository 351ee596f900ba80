//! What an ordinary answer says, and how it is cut into chunks and padded.
//! The JSON around the text is each provider's own.

use std::time::Duration;

use crate::prompt::Prompt;
use crate::script::Script;

/// The settings of a script that shape ordinary answers.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    text: Option<String>,
    chunks: usize,
    pub(crate) pause: Duration,
    chunk_bytes: Option<usize>,
    pub(crate) answer_bytes: Option<usize>,
}

impl Voice {
    pub(crate) fn of(script: &Script) -> Self {
        Self {
            text: script.text.clone(),
            chunks: script.chunks,
            pause: script.pause,
            chunk_bytes: script.chunk_bytes,
            answer_bytes: script.answer_bytes,
        }
    }

    /// The answer to a prompt: the scripted text, or the prompt quoted. In front of it stand what the
    /// prompt brought along (system instruction, function result, `notes` on its files), behind it
    /// the number of turns when the prompt asks about turns.
    pub(crate) fn answer(&self, prompt: &Prompt, notes: &[String]) -> String {
        let mut parts = Vec::new();
        if !prompt.system.is_empty() {
            parts.push(format!("[system: {}]", prompt.system));
        }
        if let Some((name, response)) = &prompt.function_result {
            parts.push(format!("The function {name} returned {response}."));
        }
        parts.extend(notes.iter().cloned());
        match &self.text {
            Some(text) => parts.push(text.clone()),
            None if prompt.text.is_empty() && !parts.is_empty() => {}
            None => parts.push(quoted(&prompt.text)),
        }
        if prompt.text.contains("turns") {
            parts.push(format!("This conversation has {} turns.", prompt.turns));
        }
        parts.join(" ")
    }

    /// The text when nobody reads the prompt.
    pub(crate) fn plain(&self) -> String {
        self.text
            .clone()
            .unwrap_or_else(|| "This is an answer.".to_owned())
    }

    /// Cuts an answer into the chunks of a stream, at least `at_least` of them. Chunks that the text
    /// does not fill are empty, so that the whole stays the text; an unscripted text is prolonged.
    pub(crate) fn chunks(&self, text: &str, at_least: usize) -> Vec<String> {
        let n = self.chunks.max(at_least);
        let wanted = match (self.chunk_bytes, &self.text) {
            (Some(bytes), _) => bytes * n,
            (None, None) => n,
            (None, Some(_)) => 0,
        };
        let padded = padded(text, wanted);
        let letters: Vec<char> = padded.chars().collect();
        let cut = |i: usize| i * letters.len() / n;
        let even = |i: usize| letters[cut(i)..cut(i + 1)].iter().collect();
        let single = |i: usize| letters.get(i).map(char::to_string).unwrap_or_default();
        if letters.len() < n {
            (0..n).map(single).collect()
        } else {
            (0..n).map(even).collect()
        }
    }
}

/// The text followed by filler until it has `bytes` bytes; unchanged when it has them already.
pub(crate) fn padded(text: &str, bytes: usize) -> String {
    const FILLER: &str = " The quick brown fox jumps over the lazy dog.";
    let missing = bytes.saturating_sub(text.len());
    text.chars()
        .chain(FILLER.chars().cycle().take(missing))
        .collect()
}

/// About four letters make a token.
pub(crate) fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

fn quoted(prompt: &str) -> String {
    let start: String = prompt.chars().take(200).collect();
    format!("You said: {start}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn check(script: &Script, text: &str, at_least: usize, expected: &[&str]) {
        assert_eq!(Voice::of(script).chunks(text, at_least), expected);
    }

    #[test]
    fn a_scripted_text_is_cut_evenly_and_stays_whole() {
        let says = || Script::of(Provider::Gemini).says("x");
        check(&says(), "abcdef", 1, &["ab", "cd", "ef"]);
        check(&says(), "hé", 1, &["h", "é", ""]);
        check(&says().chunks(1, Duration::ZERO), "abcd", 2, &["ab", "cd"]);
    }

    #[test]
    fn chunks_are_padded_to_their_size() {
        let voice = Voice::of(
            &Script::of(Provider::Gemini)
                .chunks(50, Duration::ZERO)
                .chunk_bytes(200),
        );
        let chunks = voice.chunks("hi", 1);
        assert_eq!(chunks.len(), 50);
        assert!(chunks.iter().all(|chunk| chunk.len() == 200));
    }
}
