//! The rest of the surface: models, caches, the OpenAI-compatible paths, Interactions, the echo.

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, gemini};
use serde_json::{Value, json};

use crate::support::{Answer, chunks, get, post, read, weather_tool, within};

#[tokio::test]
async fn models_are_listed_in_pages() {
    let upstream = gemini().start().await;
    let mut names: Vec<String> = Vec::new();
    let mut path = "/v1beta/models".to_owned();
    let mut pages = 0;
    loop {
        let page = get(&path).send(&upstream).await.json();
        pages += 1;
        let models = page["models"].as_array().unwrap();
        names.extend(
            models
                .iter()
                .map(|model| model["name"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/v1beta/models?pageToken={}", token.replace('=', "%3D"));
    }
    let listed = names.len();
    names.sort();
    names.dedup();
    assert_eq!((pages, names.len()), (2, listed));
    assert!(listed > 50, "{listed}");
    let whole = get("/v1beta/models?pageSize=1000")
        .send(&upstream)
        .await
        .json();
    assert_eq!(whole["models"].as_array().unwrap().len(), listed);
    assert!(whole["nextPageToken"].is_null());
}

#[tokio::test]
async fn wrong_paging_is_refused() {
    let upstream = gemini().start().await;
    for query in ["pageSize=-1", "pageSize=x", "pageToken=junk"] {
        let answer = get(&format!("/v1beta/models?{query}"))
            .send(&upstream)
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn one_model_is_shown_or_unknown() {
    let upstream = gemini().models(&["m-1"]).start().await;
    let model = get("/v1/models/m-1").send(&upstream).await.json();
    assert_eq!(model["name"], "models/m-1");
    assert_eq!(model["supportedGenerationMethods"][0], "generateContent");
    assert_eq!(get("/v1/models/m-2").send(&upstream).await.status, 404);
}

/// Two keys of two projects, and a cache of 100 tokens that key `a` made.
async fn with_cache() -> (FakeUpstream, Value) {
    let upstream = gemini()
        .key(FakeKey::new("a"))
        .key(FakeKey::new("b"))
        .start()
        .await;
    let body = json!({
        "model": "models/gemini-3.8-flash",
        "contents": [{"parts": [{"text": "x".repeat(400)}]}],
        "ttl": "600s",
    });
    let ask = post("/v1beta/cachedContents", body.to_string()).key("a");
    let made = ask.send(&upstream).await.json();
    (upstream, made)
}

fn path_of(resource: &Value) -> String {
    format!("/v1beta/{}", resource["name"].as_str().unwrap())
}

#[tokio::test]
async fn a_cache_is_shown_to_its_project_alone() {
    let (upstream, made) = with_cache().await;
    assert_eq!(
        get(&path_of(&made)).key("a").send(&upstream).await.json(),
        made
    );
    let foreign = get(&path_of(&made)).key("b").send(&upstream).await.json();
    assert_eq!(
        foreign["error"]["message"],
        "CachedContent not found (or permission denied)"
    );
}

#[tokio::test]
async fn a_cache_is_prolonged_and_deleted() {
    let (upstream, made) = with_cache().await;
    let longer = post(&path_of(&made), r#"{"ttl": "7200s"}"#)
        .method("PATCH")
        .key("a");
    assert_ne!(
        longer.send(&upstream).await.json()["expireTime"],
        made["expireTime"]
    );
    let delete = get(&path_of(&made)).method("DELETE").key("a");
    assert_eq!(delete.send(&upstream).await.json(), json!({}));
    let list = get("/v1beta/cachedContents").key("a").send(&upstream).await;
    assert_eq!(list.json(), json!({}));
}

#[tokio::test]
async fn a_cache_counts_in_the_prompt_of_its_project() {
    let (upstream, made) = with_cache().await;
    let contents = json!([{"parts": [{"text": "hi"}]}]);
    let body = json!({"contents": contents, "cachedContent": made["name"]}).to_string();
    let path = "/v1beta/models/gemini-3.8-flash:generateContent";
    let answer = post(path, body.clone())
        .key("a")
        .send(&upstream)
        .await
        .json();
    assert_eq!(answer["usageMetadata"]["cachedContentTokenCount"], 100);
    assert_eq!(answer["usageMetadata"]["promptTokenCount"], 101);
    assert_eq!(post(path, body).key("b").send(&upstream).await.status, 403);
}

fn chat(stream: bool) -> String {
    let messages =
        json!([{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]);
    json!({"model": "gemini-3.8-flash", "messages": messages, "stream": stream}).to_string()
}

const CHAT: &str = "/v1beta/openai/chat/completions";

#[tokio::test]
async fn chat_completions_answer_whole_and_as_streams() {
    let upstream = gemini().says("Hello").start().await;
    let ask = |stream| post(CHAT, chat(stream)).header("authorization", "Bearer k");
    let whole = ask(false).send(&upstream).await.json();
    assert_eq!(
        whole["choices"][0]["message"]["content"],
        "[system: Be kind] Hello"
    );
    assert_eq!(whole["object"], "chat.completion");
    let usage = &whole["usage"];
    let sum =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);

    let stream = ask(true).send(&upstream).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let text = stream.text();
    let events: Vec<&str> = text
        .split("\n\n")
        .filter_map(|e| e.strip_prefix("data: "))
        .collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let chunks = events[..events.len() - 1]
        .iter()
        .map(|e| serde_json::from_str::<Value>(e).unwrap());
    let said: String = chunks
        .map(|chunk| {
            chunk["choices"][0]["delta"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(said, "[system: Be kind] Hello");
}

#[tokio::test]
async fn openai_paths_refuse_unknown_members_in_an_array() {
    let upstream = gemini().start().await;
    let mut body: Value = serde_json::from_str(&chat(false)).unwrap();
    body["reasoning"] = json!({});
    let ask = post(CHAT, body.to_string()).bearer("k");
    let answer = ask.send(&upstream).await;
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/providers/gemini/errors/openai_compat_400.json"
    );
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    assert_eq!((answer.status.as_u16(), answer.json()), (400, expected));
}

#[tokio::test]
async fn openai_paths_call_tools_with_a_signature_and_usage_in_the_last_chunk() {
    let upstream = gemini().start().await;
    let mut body: Value = serde_json::from_str(&chat(true)).unwrap();
    body["tools"] = json!([weather_tool()]);
    let stream = post(CHAT, body.to_string())
        .bearer("k")
        .send(&upstream)
        .await;
    let events = chunks(&stream);
    let last = events.last().unwrap();
    let call = &last["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "weather");
    assert!(call["extra_content"]["google"]["thought_signature"].is_string());
    assert!(last["usage"]["total_tokens"].is_u64());
}

#[tokio::test]
async fn openai_errors_are_arrays_and_models_are_listed() {
    let upstream = gemini()
        .key(FakeKey::new("k").fault(KeyFault::Expired))
        .start()
        .await;
    let bearer = |ask: crate::support::Ask| ask.header("authorization", "Bearer k");
    let error = bearer(post(CHAT, chat(false))).send(&upstream).await.json();
    assert_eq!(error[0]["error"]["code"], 400);
    upstream.fix_key("k");
    let models = bearer(get("/v1beta/openai/models"))
        .send(&upstream)
        .await
        .json();
    assert!(models["data"].as_array().unwrap().len() > 50);
    let input = json!({"model": "gemini-embedding-001", "input": ["a", "b"], "dimensions": 4});
    let ask = bearer(post("/v1beta/openai/embeddings", input.to_string()));
    let vectors = ask.send(&upstream).await.json();
    assert_eq!(vectors["data"][1]["embedding"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn interactions_are_made_read_and_deleted() {
    let upstream = gemini().says("42").start().await;
    let body = json!({"model": "gemini-3.8-flash", "input": "What?"}).to_string();
    let made = post("/v1beta/interactions", body)
        .send(&upstream)
        .await
        .json();
    assert_eq!(
        (&made["object"], &made["status"]),
        (&json!("interaction"), &json!("completed"))
    );
    assert_eq!(made["steps"][0]["content"][0]["text"], "42");
    let path = format!("/v1beta/interactions/{}", made["id"].as_str().unwrap());
    assert_eq!(get(&path).send(&upstream).await.json(), made);
    assert_eq!(
        get(&path).method("DELETE").send(&upstream).await.status,
        200
    );
    let gone = get(&path).send(&upstream).await;
    assert_eq!(
        (gone.status.as_u16(), &gone.json()["error"]["code"]),
        (404, &json!("not_found"))
    );
}

#[tokio::test]
async fn an_interaction_streams_its_steps() {
    let upstream = gemini().says("42").start().await;
    let body = json!({"model": "gemini-3.8-flash", "input": [{"type": "text", "text": "What?"}], "stream": true});
    let text = post("/v1beta/interactions", body.to_string())
        .send(&upstream)
        .await
        .text();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    let delta = "step.delta";
    let expected = [
        "interaction.created",
        "step.start",
        delta,
        delta,
        delta,
        "step.stop",
        "interaction.completed",
    ];
    assert_eq!(names, expected);
    assert!(text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn unknown_methods_echo_what_arrived() {
    let upstream = gemini().start().await;
    let body: Vec<u8> = (0..=255).collect();
    let answer = post("/v1alpha/things/x:do?a=%20b&c", body)
        .send(&upstream)
        .await;
    assert_eq!(answer.status, 200);
    let digest = "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880";
    let expected = json!({"echo": {
        "method": "POST",
        "path": "/v1alpha/things/x:do",
        "query": "a=%20b&c",
        "bodySha256": digest,
        "bodyLength": 256,
    }});
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn paths_outside_the_api_are_an_html_404() {
    let upstream = gemini().start().await;
    let answer: Answer = get("/elsewhere").send(&upstream).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("Error 404 (Not Found)!!1"));
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let upstream = gemini().says("hi").start().await;
    let stream = tokio::net::TcpStream::connect(upstream.addr())
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's runtime outlives its connections"
    )]
    tokio::spawn(connection);
    for _ in 0..3 {
        let ask = crate::support::generate("x").key("k");
        let response = within(sender.send_request(ask.request())).await.unwrap();
        assert_eq!(within(read(response)).await.said(), "hi");
    }
}
