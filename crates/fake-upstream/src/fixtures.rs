//! The canned bodies of `fixtures/providers`, embedded, with the status, content type and headers that
//! the manifest gives them. Not the place where answers are composed: that are the providers' folders.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

/// One canned body.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    /// Further headers, for example `retry-after`.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: &'static [u8],
}

impl Fixture {
    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::from_static(self.body)
    }

    /// The body as text; empty when it is not UTF-8, which no fixture served here is.
    pub(crate) fn text(&self) -> &'static str {
        std::str::from_utf8(self.body).unwrap_or_default()
    }
}

/// Finds a fixture by its name in the manifest, for example `gemini/errors/503_overloaded.json`.
pub(crate) fn find(name: &str) -> Option<&'static Fixture> {
    TABLE.get(name)
}

#[derive(Deserialize)]
struct ManifestRow {
    file: String,
    http_status: u16,
    content_type: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

static TABLE: LazyLock<HashMap<&'static str, Fixture>> = LazyLock::new(|| {
    let manifest: Vec<ManifestRow> = serde_json::from_str(MANIFEST).unwrap_or_default();
    let rows: HashMap<&str, &ManifestRow> = manifest.iter().map(|r| (r.file.as_str(), r)).collect();
    FILES
        .iter()
        .filter_map(|(name, body)| Some((*name, described(body, rows.get(name)?))))
        .collect()
});

fn described(body: &'static [u8], row: &ManifestRow) -> Fixture {
    Fixture {
        status: StatusCode::from_u16(row.http_status).unwrap_or(StatusCode::OK),
        content_type: row.content_type.clone(),
        headers: row.headers.clone(),
        body,
    }
}

const MANIFEST: &str = include_str!("../../../fixtures/providers/manifest.json");

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../fixtures/providers/", $name)))),+]
    };
}

const FILES: &[(&str, &[u8])] = embed![
    "gemini/generate_ok.json",
    "gemini/generate_ok_cached.json",
    "gemini/generate_ok_grounded.json",
    "gemini/stream_ok.sse",
    "gemini/stream_ok_array.json",
    "gemini/stream_thoughts.sse",
    "gemini/stream_function_call.sse",
    "gemini/stream_midstream_error.sse",
    "gemini/stream_first_event_error.sse",
    "gemini/stream_error_bare_json.sse",
    "gemini/stream_truncated.sse",
    "gemini/prompt_blocked.json",
    "gemini/stream_prompt_blocked.sse",
    "gemini/candidate_safety.json",
    "gemini/candidate_recitation.json",
    "gemini/max_tokens.json",
    "gemini/max_tokens_only_thoughts.json",
    "gemini/empty_no_candidates.json",
    "gemini/empty_stop_no_parts.json",
    "gemini/empty_text.json",
    "gemini/function_call.json",
    "gemini/function_call_parallel.json",
    "gemini/thoughts.json",
    "gemini/malformed_function_call.json",
    "gemini/account_limited.json",
    "gemini/continuation.json",
    "gemini/image_output.json",
    "gemini/logprobs.json",
    "gemini/two_candidates.json",
    "gemini/unknown_fields.json",
    "gemini/count_tokens.json",
    "gemini/embed_content.json",
    "gemini/batch_embed_contents.json",
    "gemini/models_list_page1.json",
    "gemini/models_list_page2.json",
    "gemini/file_upload_final.json",
    "gemini/file_processing.json",
    "gemini/file_failed.json",
    "gemini/files_list.json",
    "gemini/cached_content.json",
    "gemini/operation_pending.json",
    "gemini/operation_done_video.json",
    "gemini/operation_done_filtered.json",
    "gemini/operation_error.json",
    "gemini/batch_running.json",
    "gemini/batch_done.json",
    "gemini/auth_token.json",
    "gemini/interactions_ok.json",
    "gemini/interactions_stream.sse",
    "gemini/interactions_stream_error.sse",
    "gemini/errors/400_api_key_invalid.json",
    "gemini/errors/400_api_key_invalid_debuginfo.json",
    "gemini/errors/400_api_key_expired.json",
    "gemini/errors/400_api_key_not_found.json",
    "gemini/errors/400_location.json",
    "gemini/errors/400_invalid_argument.json",
    "gemini/errors/400_generic.json",
    "gemini/errors/400_unknown_field.json",
    "gemini/errors/400_missing_thought_signature.json",
    "gemini/errors/400_token_limit.json",
    "gemini/errors/400_file_not_active.json",
    "gemini/errors/401_access_token_type.json",
    "gemini/errors/402_prepay_depleted.json",
    "gemini/errors/403_consumer_suspended.json",
    "gemini/errors/403_key_leaked.json",
    "gemini/errors/403_service_disabled.json",
    "gemini/errors/403_api_key_service_blocked.json",
    "gemini/errors/403_project_denied.json",
    "gemini/errors/403_unregistered_callers.json",
    "gemini/errors/403_caller_no_permission.json",
    "gemini/errors/403_file_foreign.json",
    "gemini/errors/403_cache_foreign.json",
    "gemini/errors/404_model.json",
    "gemini/errors/404_model_new_users.json",
    "gemini/errors/404_entity.json",
    "gemini/errors/429_per_minute_requests.json",
    "gemini/errors/429_per_day.json",
    "gemini/errors/429_tokens_per_minute.json",
    "gemini/errors/429_multi_violation.json",
    "gemini/errors/429_limit_zero.json",
    "gemini/errors/429_paid_tpm.json",
    "gemini/errors/429_bare.json",
    "gemini/errors/429_prepay_legacy.json",
    "gemini/errors/429_spend_cap.json",
    "gemini/errors/429_stream_array.json",
    "gemini/errors/499_cancelled.json",
    "gemini/errors/500_internal.json",
    "gemini/errors/502_html.html",
    "gemini/errors/503_overloaded.json",
    "gemini/errors/503_high_demand.json",
    "gemini/errors/504_deadline.json",
    "gemini/errors/interactions_400.json",
    "gemini/errors/interactions_429_daily.json",
    "gemini/errors/interactions_429_rate.json",
    "gemini/errors/openai_compat_400.json",
    "openai/chat_content_filter.json",
    "openai/chat_ok.json",
    "openai/chat_stream.sse",
    "openai/chat_stream_error.sse",
    "openai/chat_stream_fragmented_args.sse",
    "openai/chat_stream_reasoning.sse",
    "openai/chat_stream_tool_calls.sse",
    "openai/chat_tool_calls.json",
    "openai/embeddings_base64.json",
    "openai/embeddings_float.json",
    "openai/images.json",
    "openai/models.json",
    "openai/responses_ok.json",
    "openai/responses_stream.sse",
    "openai/responses_stream_function.sse",
    "openai/errors/400_context.json",
    "openai/errors/401_invalid_key.json",
    "openai/errors/404_model.json",
    "openai/errors/429_quota.json",
    "openai/errors/429_rate.json",
    "openai/errors/500.json",
    "openai/errors/503.json",
    "xai/api_key_info.json",
    "xai/chat_ok.json",
    "xai/chat_stream.sse",
    "xai/chat_tool_calls_empty_finish.json",
    "xai/deferred_created.json",
    "xai/models.json",
    "xai/responses_ok.json",
    "xai/errors/400_argument.json",
    "xai/errors/400_bad_key.json",
    "xai/errors/400_bad_key_old.json",
    "xai/errors/401_no_credentials.json",
    "xai/errors/403_credits.json",
    "xai/errors/403_credits_old.json",
    "xai/errors/403_denied.json",
    "xai/errors/403_moderation.json",
    "xai/errors/404_model.json",
    "xai/errors/422.txt",
    "xai/errors/429_credits_old.json",
    "xai/errors/429_rpm.json",
    "xai/errors/429_rps.json",
    "xai/errors/429_zero.json",
    "perplexity/agent_failed_200.json",
    "perplexity/agent_ok.json",
    "perplexity/agent_stream.sse",
    "perplexity/agent_stream_failed.sse",
    "perplexity/embeddings.json",
    "perplexity/models.json",
    "perplexity/sonar_legacy_ok.json",
    "perplexity/sonar_legacy_stream.sse",
    "perplexity/errors/400_max_tokens.json",
    "perplexity/errors/400_model.json",
    "perplexity/errors/401.json",
    "perplexity/errors/401_html.html",
    "perplexity/errors/403_sonar_retired.json",
    "perplexity/errors/403_sonar_retired_alt.json",
    "perplexity/errors/422.json",
    "perplexity/errors/429.json",
    "gigachat/balance.json",
    "gigachat/chat_blacklist.json",
    "gigachat/chat_function_call.json",
    "gigachat/chat_image.json",
    "gigachat/chat_ok.json",
    "gigachat/chat_stream.sse",
    "gigachat/chat_stream_function.sse",
    "gigachat/embeddings.json",
    "gigachat/file_upload.json",
    "gigachat/models.json",
    "gigachat/token_ok.json",
    "gigachat/token_ok_alt.json",
    "gigachat/token_ok_seconds.json",
    "gigachat/tokens_count.json",
    "gigachat/v2_chat_ok.json",
    "gigachat/errors/401.json",
    "gigachat/errors/402.json",
    "gigachat/errors/403.json",
    "gigachat/errors/404.json",
    "gigachat/errors/413.json",
    "gigachat/errors/422.json",
    "gigachat/errors/422_functions.json",
    "gigachat/errors/429.json",
    "gigachat/errors/500.json",
    "gigachat/errors/oauth_400_code1.json",
    "gigachat/errors/oauth_400_code5.json",
    "gigachat/errors/oauth_400_code7.json",
    "gigachat/errors/oauth_401.json",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_is_described_by_the_manifest() {
        let missing: Vec<_> = FILES
            .iter()
            .filter(|(name, _)| find(name).is_none())
            .collect();
        assert!(missing.is_empty(), "not in the manifest: {missing:?}");
    }

    #[test]
    fn every_error_body_of_the_manifest_is_embedded() {
        let rows: Vec<ManifestRow> = serde_json::from_str(MANIFEST).unwrap();
        let of_stand_ins = |row: &&ManifestRow| {
            row.file.contains("/errors/") && !row.file.starts_with("anthropic/")
        };
        for row in rows.iter().filter(of_stand_ins) {
            let fixture = find(&row.file).unwrap_or_else(|| panic!("{} is missing", row.file));
            assert_eq!(fixture.status.as_u16(), row.http_status, "{}", row.file);
        }
    }

    #[test]
    fn bodies_are_text() {
        for (name, body) in FILES {
            assert!(std::str::from_utf8(body).is_ok(), "{name}");
        }
    }
}
