//! What becomes of each field of a chat. One table: a field that is not in it passes untouched.
//! Sources: the Agent API's request as Perplexity's SDK 0.46 has it, and what its Sonar API took before.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::raw::{read_members, refuse};
use crate::Refused;
use crate::perplexity::members::Members;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It is translated, or checked.
    Read,
    /// It passes; null is as good as absent in OpenAI's dialect, and is left out.
    Passed,
    /// The Agent API has nothing like it.
    Dropped,
    /// Asking for it and not getting it would surprise: the caller is told.
    Refused(&'static str),
}

const FIELDS: &[(&str, Use)] = &[
    ("model", Use::Dropped),
    ("messages", Use::Read),
    ("input", Use::Refused("send \"messages\"")),
    ("tools", Use::Read),
    ("tool_choice", Use::Read),
    ("functions", Use::Refused("send \"tools\"")),
    ("function_call", Use::Refused("send \"tool_choice\"")),
    ("max_tokens", Use::Read),
    ("max_completion_tokens", Use::Read),
    ("max_output_tokens", Use::Read),
    ("reasoning_effort", Use::Read),
    ("reasoning", Use::Read),
    ("response_format", Use::Read),
    ("n", Use::Read),
    // Web search as the Sonar API took it.
    ("disable_search", Use::Read),
    ("web_search_options", Use::Read),
    ("search_domain_filter", Use::Read),
    ("search_recency_filter", Use::Read),
    ("search_after_date_filter", Use::Read),
    ("search_before_date_filter", Use::Read),
    ("last_updated_after_filter", Use::Read),
    ("last_updated_before_filter", Use::Read),
    ("stream", Use::Read),
    ("temperature", Use::Passed),
    ("top_p", Use::Passed),
    ("parallel_tool_calls", Use::Passed),
    ("language_preference", Use::Passed),
    ("service_tier", Use::Passed),
    ("prompt_cache_key", Use::Passed),
    ("preset", Use::Passed),
    ("effort", Use::Passed),
    ("store", Use::Passed),
    // OpenAI's.
    ("audio", Use::Dropped),
    ("frequency_penalty", Use::Dropped),
    ("logit_bias", Use::Dropped),
    ("logprobs", Use::Dropped),
    ("metadata", Use::Dropped),
    ("modalities", Use::Dropped),
    ("moderation", Use::Dropped),
    ("prediction", Use::Dropped),
    ("presence_penalty", Use::Dropped),
    ("prompt_cache_options", Use::Dropped),
    ("prompt_cache_retention", Use::Dropped),
    ("safety_identifier", Use::Dropped),
    ("seed", Use::Dropped),
    ("stop", Use::Dropped),
    ("stream_options", Use::Dropped),
    ("top_k", Use::Dropped),
    ("top_logprobs", Use::Dropped),
    ("user", Use::Dropped),
    ("verbosity", Use::Dropped),
    // The Sonar API's.
    ("enable_search_classifier", Use::Dropped),
    ("image_domain_filter", Use::Dropped),
    ("image_format_filter", Use::Dropped),
    ("media_response", Use::Dropped),
    ("return_images", Use::Dropped),
    ("return_related_questions", Use::Dropped),
    ("search_mode", Use::Dropped),
    ("stream_mode", Use::Dropped),
];

/// The fields of one body, by what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    read: BTreeMap<&'static str, &'a RawValue>,
    rest: Members<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refused> {
        let mut fields = Self::default();
        for (name, value) in read_members(body)?.0 {
            fields.put(name, value)?;
        }
        Ok(fields)
    }

    fn put(&mut self, name: String, value: &'a RawValue) -> Result<(), Refused> {
        let row = FIELDS.iter().find(|(known, _)| *known == name);
        let is_null = value.get() == "null";
        match row.map(|&(known, used)| (known, used)) {
            Some((known, Use::Read)) if is_null => {
                self.read.remove(known);
            }
            Some((known, Use::Read)) => {
                self.read.insert(known, value);
            }
            Some((_, Use::Refused(remedy))) if !is_null => {
                let message = format!("\"{name}\" is not supported for this model: {remedy}");
                return Err(refuse(name, message));
            }
            Some((_, Use::Dropped | Use::Refused(_))) => {}
            Some((_, Use::Passed)) if is_null => {}
            Some((_, Use::Passed)) | None => self.rest.0.push((name, value)),
        }
        Ok(())
    }

    /// The value of a field that is read; absent where it is null.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        self.read.remove(name)
    }

    /// The value of a field that is read, left for another to take.
    pub(super) fn look(&self, name: &str) -> Option<&'a RawValue> {
        self.read.get(name).copied()
    }

    /// The field is there, and passes.
    pub(super) fn has(&self, name: &str) -> bool {
        self.rest.get(name).is_some()
    }

    /// Lets a value pass after it has been read.
    pub(super) fn pass(&mut self, name: &str, value: &'a RawValue) {
        self.rest.0.push((name.to_owned(), value));
    }

    /// What passes untouched.
    pub(super) fn rest(self) -> Members<'a> {
        self.rest
    }
}
