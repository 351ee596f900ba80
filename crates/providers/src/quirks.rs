//! Fields of OpenAI's dialect that a provider refuses to see, though its models could answer without them.
//! One row each, with its source. Only what changes no answer worth having is listed; a field that is merely ignored
//! upstream has no row. Who drops them from the request is the server.

use crate::Api;

/// Fields that some models of a provider reject.
struct Row {
    api: Api,
    models: fn(&str) -> bool,
    members: &'static [&'static str],
}

const ROWS: &[Row] = &[
    // xAI's API reference, "Chat completions": reasoning models do not support these (400 "Argument not supported on
    // this model: presencePenalty").
    Row {
        api: Api::Xai,
        models: is_reasoning_grok,
        members: &["stop", "presence_penalty", "frequency_penalty"],
    },
    // xAI's guide to live search: it no longer works on chat completions, which reject the fields.
    Row {
        api: Api::Xai,
        models: any,
        members: &["search_parameters", "web_search_options"],
    },
    // Gemini's API reference: penalties are not supported from Gemini 3 on (400 INVALID_ARGUMENT).
    Row {
        api: Api::Google,
        models: is_gemini_3_or_later,
        members: &["presence_penalty", "frequency_penalty"],
    },
    // Google's endpoint of OpenAI's shape refuses fields that it does not know (400 "Unknown name \"store\": Cannot
    // find field."). These are of OpenAI's own clients, and concern OpenAI's accounting, caching and storage only, or
    // hint at a style; what would change the answer's contract (`n`, `seed`, `logprobs`, …) is left to be refused.
    Row {
        api: Api::Google,
        models: any,
        members: &[
            "logit_bias",
            "verbosity",
            "prediction",
            "store",
            "metadata",
            "user",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "moderation",
        ],
    },
];

/// Members of single messages that a provider rejects, but for those of role `user`.
const OF_MESSAGES: &[(Api, &str)] = &[
    // xAI: 400 "Only messages of role 'user' can have a name." (BerriAI/litellm issue 9720, microsoft/autogen issue 4715).
    (Api::Xai, "name"),
];

/// The members of single messages that this provider rejects, but for those of role `user`.
pub fn rejected_in_messages(api: Api) -> impl Iterator<Item = &'static str> {
    let rows = OF_MESSAGES.iter().filter(move |(own, _)| *own == api);
    rows.map(|(_, member)| *member)
}

/// The fields of a request that this model of this provider rejects: those to drop before it is sent.
///
/// `model` is the provider's own name of it, without a prefix; `has` tells which members the request has.
pub fn rejected(
    api: Api,
    model: &str,
    has: impl Fn(&str) -> bool,
) -> impl Iterator<Item = &'static str> {
    ROWS.iter()
        .filter(move |row| row.api == api && (row.models)(model))
        .flat_map(|row| row.members.iter().copied())
        .filter(move |member| has(member))
}

fn any(_model: &str) -> bool {
    true
}

/// All of grok-4 and what came after it reason, but for variants that say they do not.
fn is_reasoning_grok(model: &str) -> bool {
    let is_family = ["grok-4", "grok-code", "grok-build"]
        .iter()
        .any(|family| model.starts_with(family));
    is_family && !model.contains("non-reasoning")
}

fn is_gemini_3_or_later(model: &str) -> bool {
    let model = model.strip_prefix("models/").unwrap_or(model);
    let Some(version) = model.strip_prefix("gemini-") else {
        return false;
    };
    let major = version.split(['.', '-']).next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| major >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[&str] = &[
        "model",
        "messages",
        "stop",
        "presence_penalty",
        "logit_bias",
        "search_parameters",
        "store",
        "user",
        "seed",
    ];

    fn check(api: Api, model: &str, expected: &[&str]) {
        let seen: Vec<_> = rejected(api, model, |member| SENT.contains(&member)).collect();
        assert_eq!(seen, expected, "{model}");
    }

    #[test]
    fn reasoning_models_of_xai_reject_stops_and_penalties() {
        let all = &["stop", "presence_penalty", "search_parameters"];
        for model in [
            "grok-4",
            "grok-4.6",
            "grok-4.20-reasoning",
            "grok-code-fast-1",
        ] {
            check(Api::Xai, model, all);
        }
        for model in [
            "grok-4.20-non-reasoning",
            "grok-4-fast-non-reasoning",
            "grok-3",
            "other",
        ] {
            check(Api::Xai, model, &["search_parameters"]);
        }
    }

    #[test]
    fn google_rejects_what_it_does_not_know() {
        check(
            Api::Google,
            "models/gemini-3.8-flash",
            &["presence_penalty", "logit_bias", "store", "user"],
        );
        for model in ["gemini-2.5-pro", "gemini-embedding-001", "gemma-3-27b"] {
            check(Api::Google, model, &["logit_bias", "store", "user"]);
        }
        check(
            Api::Google,
            "gemini-10-pro",
            &["presence_penalty", "logit_bias", "store", "user"],
        );
    }

    #[test]
    fn only_xai_takes_no_names_of_speakers() {
        for (api, expected) in [
            (Api::Xai, &["name"][..]),
            (Api::OpenAi, &[]),
            (Api::Google, &[]),
        ] {
            assert_eq!(rejected_in_messages(api).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn others_get_what_was_sent() {
        check(Api::OpenAi, "gpt-5", &[]);
        check(Api::Perplexity, "sonar", &[]);
        check(Api::GigaChat, "GigaChat-2", &[]);
    }
}
