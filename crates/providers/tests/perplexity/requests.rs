//! What a chat becomes on its way to the Agent API, field by field.

use providers::perplexity::chat_request;
use serde_json::{Value, json};

/// The request for a chat with these fields and a message.
pub(crate) fn request(model: &str, fields: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let more = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let bytes = chat_request(body.to_string().as_bytes(), model).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A chat with these fields asks for exactly these, beside its model and input.
fn check(model: &str, fields: Value, expected: Value) {
    let mut request = request(model, &fields);
    let members = request.as_object_mut().unwrap();
    members.remove("model");
    members.remove("input");
    assert_eq!(request, expected, "{model}: {fields}");
}

/// A body is refused, for this parameter, with a message that says this.
pub(crate) fn check_refused(body: &str, param: Option<&str>, says: &str) {
    let refused = chat_request(body.as_bytes(), "sonar").unwrap_err();
    assert_eq!(refused.param.as_deref(), param, "{body}: {refused}");
    assert!(refused.to_string().contains(says), "{body}: {refused}");
}

/// The same for a chat with this field and a message.
fn check_field_refused(name: &str, value: Value, says: &str) {
    let mut body = json!({"messages": [{"role": "user", "content": "hi"}]});
    body[name] = value;
    check_refused(&body.to_string(), Some(name), says);
}

fn search() -> Value {
    json!([{"type": "web_search"}])
}

#[test]
fn the_request_of_the_fixture_is_what_a_chat_becomes() {
    let chat = json!({
        "model": "perplexity/sonar",
        "messages": [{"role": "user", "content": "Capital of Norway?"}],
        "instructions": "Be brief.",
        "search_domain_filter": ["example.org"],
        "search_recency_filter": "year",
        "web_search_options": {"search_context_size": "low"},
        "max_tokens": 1024,
        "stream": false,
    });
    let bytes = chat_request(chat.to_string().as_bytes(), "sonar").unwrap();
    let request: Value = serde_json::from_slice(&bytes).unwrap();
    let expected = crate::fixture("perplexity/agent_request.json");
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    assert_eq!(request, expected);
}

#[test]
fn a_full_chat_becomes_a_full_request() {
    let mut chat: Value =
        serde_json::from_slice(&crate::fixture("openai/chat_request_full.json")).unwrap();
    let parts = chat["messages"][1]["content"].as_array_mut().unwrap();
    parts.retain(|part| part["type"] != "input_audio");
    let bytes = chat_request(chat.to_string().as_bytes(), "openai/gpt-6-luna").unwrap();
    let request: Value = serde_json::from_slice(&bytes).unwrap();
    insta::assert_json_snapshot!("full_request", request);
}

#[test]
fn old_names_are_the_sonar_of_today_with_a_preset() {
    for (name, preset) in [
        ("sonar", "fast"),
        ("sonar-pro", "low"),
        ("sonar-reasoning", "low"),
        ("sonar-reasoning-pro", "medium"),
        ("sonar-deep-research", "high"),
    ] {
        assert_eq!(request(name, &json!({}))["model"], "perplexity/sonar");
        check(
            name,
            json!({}),
            json!({"preset": preset, "tools": search()}),
        );
        // A preset searches by itself.
        check(name, json!({"disable_search": true}), json!({}));
        let own = json!({"preset": "xhigh"});
        check(name, own, json!({"preset": "xhigh", "tools": search()}));
    }
}

#[test]
fn models_that_never_searched_do_so_only_when_asked() {
    for model in ["r1-1776", "openai/gpt-6-luna", "perplexity/glm-5.3"] {
        check(model, json!({}), json!({}));
        check(model, json!({"disable_search": false}), json!({}));
        check(model, json!({"search_domain_filter": []}), json!({}));
        let asked = json!({"web_search_options": {}});
        check(model, asked, json!({"tools": search()}));
        let asked = json!({"web_search_options": {}, "disable_search": true});
        check(model, asked, json!({}));
    }
    assert_eq!(request("r1-1776", &json!({}))["model"], "perplexity/sonar");
    check("perplexity/sonar", json!({}), json!({"tools": search()}));
    assert_eq!(request("xai/grok-4.7", &json!({}))["model"], "xai/grok-4.7");
}

#[test]
fn search_fields_become_one_tool() {
    check(
        "perplexity/sonar",
        json!({
            "search_domain_filter": ["a.org", "-b.org"],
            "search_recency_filter": "week",
            "search_after_date_filter": "1/2/2026",
            "search_before_date_filter": "3/4/2026",
            "last_updated_after_filter": "1/3/2026",
            "last_updated_before_filter": "3/5/2026",
            "web_search_options": {
                "search_context_size": "high",
                "search_type": "pro",
                "user_location": {"type": "approximate", "approximate": {
                    "country": "NO", "city": "Oslo", "region": null, "timezone": "Europe/Oslo"
                }},
            },
            "tools": [{"type": "web_search_preview", "search_context_size": "low", "max_tokens": 9}],
        }),
        json!({"tools": [{
            "type": "web_search",
            "search_context_size": "low",
            "max_tokens": 9,
            "filters": {
                "search_domain_filter": ["a.org", "-b.org"],
                "search_recency_filter": "week",
                "search_after_date_filter": "1/2/2026",
                "search_before_date_filter": "3/4/2026",
                "last_updated_after_filter": "1/3/2026",
                "last_updated_before_filter": "3/5/2026",
            },
            "search_type": "web",
            "user_location": {"country": "NO", "city": "Oslo"},
        }]}),
    );
    check(
        "openai/gpt-6-luna",
        json!({"search_recency_filter": "day", "web_search_options": {"search_type": "fast"}}),
        json!({"tools": [
            {"type": "web_search", "filters": {"search_recency_filter": "day"}, "search_type": "fast"}
        ]}),
    );
}

#[test]
fn functions_are_flat_and_stand_behind_the_search() {
    let given = json!({
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "name": "g"},
            {"type": "fetch_url", "max_urls": 2},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": false,
    });
    let expected = json!({
        "tools": [
            {"type": "web_search"},
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
            {"type": "function", "name": "g"},
            {"type": "fetch_url", "max_urls": 2},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": false,
    });
    check("perplexity/sonar", given, expected);
}

#[test]
fn a_choice_needs_something_to_choose_from() {
    check("x/y", json!({"tool_choice": "required"}), json!({}));
    check(
        "x/y",
        json!({"tools": [], "tool_choice": "none"}),
        json!({}),
    );
    let tools = json!([{"type": "function", "name": "f"}]);
    let choice = json!({"type": "allowed_tools", "allowed_tools": {
        "mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]
    }});
    check(
        "x/y",
        json!({"tools": tools, "tool_choice": choice}),
        json!({"tools": tools, "tool_choice": {
            "type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]
        }}),
    );
    let given = json!({"tools": tools, "tool_choice": "none"});
    check("x/y", given.clone(), given);
}

#[test]
fn the_limit_is_named_anew_and_large_enough() {
    let model = "openai/gpt-6-luna";
    for (given, expected) in [
        (
            json!({"max_tokens": 100}),
            json!({"max_output_tokens": 100}),
        ),
        (json!({"max_tokens": 1}), json!({"max_output_tokens": 16})),
        (
            json!({"max_tokens": 100, "max_completion_tokens": 200}),
            json!({"max_output_tokens": 200}),
        ),
        (
            json!({"max_tokens": null, "max_output_tokens": 300}),
            json!({"max_output_tokens": 300}),
        ),
    ] {
        check(model, given, expected);
    }
    let claude = "anthropic/claude-sonnet-5";
    check(claude, json!({}), json!({"max_output_tokens": 8192}));
    let given = json!({"max_tokens": 20});
    check(claude, given, json!({"max_output_tokens": 20}));
}

#[test]
fn effort_and_form_are_those_of_the_agent_api() {
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}});
    for (given, expected) in [
        (
            json!({"reasoning_effort": "low"}),
            json!({"reasoning": {"effort": "low"}}),
        ),
        (
            json!({"reasoning_effort": "max"}),
            json!({"reasoning": {"effort": "xhigh"}}),
        ),
        (
            json!({"reasoning_effort": "low", "reasoning": {"effort": "high", "summary": "auto"}}),
            json!({"reasoning": {"effort": "high", "summary": "auto"}}),
        ),
        (json!({"reasoning_effort": null}), json!({})),
        (
            json!({"response_format": schema}),
            json!({"response_format": schema}),
        ),
        (json!({"response_format": {"type": "text"}}), json!({})),
        (
            json!({"response_format": {"type": "json_object"}}),
            json!({"response_format": {"type": "json_schema", "json_schema": {
                "name": "json_object", "schema": {"type": "object"}
            }}}),
        ),
    ] {
        check("x/y", given, expected);
    }
}

#[test]
fn what_the_agent_api_lacks_is_left_out() {
    check(
        "x/y",
        json!({
            "stop": ["END"], "presence_penalty": 1, "frequency_penalty": 1, "return_images": true,
            "return_related_questions": true, "search_mode": "academic", "logprobs": true,
            "top_logprobs": 2, "n": 1, "seed": 7, "user": "u", "stream_options": {"include_usage": true},
            "logit_bias": {}, "metadata": {}, "temperature": null, "top_k": 3,
        }),
        json!({}),
    );
}

#[test]
fn fields_that_are_not_known_pass_as_they_are() {
    let body = br#"{"messages":[{"role":"user","content":"hi"}],
        "x_new": {"a": [1e999, 12345678901234567890123, "\u00e9"]}, "temperature": 0.30, "stream": true,
        "language_preference": "no", "service_tier": "flex", "prompt_cache_key": "k", "y_null": null}"#;
    let request = String::from_utf8(chat_request(body, "x/y").unwrap()).unwrap();
    assert_eq!(
        request,
        r#"{"model":"x/y","input":[{"type":"message","role":"user","content":"hi"}],"#.to_owned()
            + r#""x_new":{"a": [1e999, 12345678901234567890123, "\u00e9"]},"temperature":0.30,"#
            + r#""language_preference":"no","service_tier":"flex","prompt_cache_key":"k","y_null":null,"#
            + r#""stream":true}"#
    );
}

#[test]
fn a_wrong_field_is_named_with_its_remedy() {
    check_field_refused("n", json!(2), "send 1");
    check_field_refused("n", json!("1"), "whole number");
    check_field_refused("max_tokens", json!(0), "is 0");
    check_field_refused("max_tokens", json!(1e30), "whole number");
    check_field_refused("max_completion_tokens", json!(-5), "is -5");
    check_field_refused("stream", json!("yes"), "true or false");
    check_field_refused("disable_search", json!(1), "true or false");
    check_field_refused("search_domain_filter", json!("a.org"), "list of domains");
    check_field_refused("search_domain_filter", json!([1]), "list of domains");
    check_field_refused("search_recency_filter", json!([]), "a text");
    check_field_refused("web_search_options", json!([]), "an object");
    check_field_refused("tools", json!({}), "a list");
    check_field_refused("functions", json!([]), "\"tools\"");
    check_field_refused("function_call", json!("auto"), "\"tool_choice\"");
    check_field_refused("input", json!("hi"), "\"messages\"");
    check_field_refused("reasoning", json!("low"), "an object");
    check_field_refused("reasoning_effort", json!(3), "a text");
    check_field_refused("response_format", json!("json"), "an object");
    check_field_refused("messages", json!([]), "at least one message");
    check_field_refused("messages", json!("hi"), "a list");
}

#[test]
fn a_body_that_is_no_object_is_refused_without_a_parameter() {
    for body in ["", "[]", "null", "{\"a\":", "{} {}", "\"x\""] {
        check_refused(body, None, "not a JSON object");
    }
    check_refused("{}", Some("messages"), "missing");
}
