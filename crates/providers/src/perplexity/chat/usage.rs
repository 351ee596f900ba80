//! What an answer cost, in a chat's words. Only names change: counts of Perplexity's own, and its price, stay as they are.

use crate::perplexity::members::Members;

const NAMES: &[(&str, &str)] = &[
    ("input_tokens", "prompt_tokens"),
    ("output_tokens", "completion_tokens"),
    ("input_tokens_details", "prompt_tokens_details"),
    ("output_tokens_details", "completion_tokens_details"),
];

/// The usage of a response as that of a chat; none where it is null or no object.
pub(super) fn of_chat(usage: &str) -> Option<Members<'_>> {
    let mut usage: Members<'_> = serde_json::from_str(usage).ok()?;
    for (name, _) in &mut usage.0 {
        if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == name) {
            *name = (*ours).to_owned();
        }
    }
    Some(usage)
}
