//! GigaChat: tokens, its own rules for chats, one request at a time, files, every fault.

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, Rule, gigachat};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{
    Answer, Ask, check_faults, chunks, eventually, get, post, streamed_text, user, within,
};

const KEY: &str = "Y2xpZW50OnNlY3JldA==";
const UUID: &str = "0d7c6a52-0000-4000-8000-0000000000b7";
const PERSONS: &str = "GIGACHAT_API_PERS";

fn token_request(key: &str, scope: &str) -> Ask {
    post("/api/v2/oauth", format!("scope={scope}"))
        .header("authorization", &format!("Basic {key}"))
        .header("rquid", UUID)
        .header("content-type", "application/x-www-form-urlencoded")
}

async fn token_for(upstream: &FakeUpstream, key: &str, scope: &str) -> String {
    let answer = token_request(key, scope).send(upstream).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn token(upstream: &FakeUpstream) -> String {
    token_for(upstream, KEY, PERSONS).await
}

fn chat_with(members: &Value) -> Ask {
    let mut body = json!({"model": "GigaChat-2-Max", "messages": [user("Привет")]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    post("/api/v1/chat/completions", body.to_string())
}

/// One chat with a fresh token.
async fn chat(upstream: &FakeUpstream, members: Value) -> Answer {
    let token = token(upstream).await;
    chat_with(&members).bearer(&token).send(upstream).await
}

fn train() -> Value {
    json!([{"name": "find_train", "parameters": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "days": {"type": "integer"}},
    }}])
}

#[tokio::test]
async fn a_token_is_good_for_half_an_hour_and_says_so_in_milliseconds() {
    let upstream = gigachat().start().await;
    let answer = token_request(KEY, PERSONS).send(&upstream).await.json();
    let now = jiff::Timestamp::now().as_millisecond();
    let left = answer["expires_at"].as_i64().unwrap() - now;
    assert!((1_700_000..=1_800_000).contains(&left), "{left}");
    let seconds = gigachat().token_expiry_in_seconds().start().await;
    let answer = token_request(KEY, PERSONS).send(&seconds).await.json();
    assert!(answer["expires_at"].as_i64().unwrap() < 100_000_000_000);
}

#[tokio::test]
async fn the_token_endpoint_refuses_with_codes_and_counts() {
    let listed = FakeKey::new(KEY).scope(PERSONS);
    let upstream = gigachat()
        .key(listed)
        .key(FakeKey::new("d3Jvbmc=").fault(KeyFault::ScopeMismatch))
        .key(FakeKey::new("ZGVhZA==").fault(KeyFault::Invalid))
        .start()
        .await;
    let bare = |authorization: &str, id: &str| {
        post("/api/v2/oauth", format!("scope={PERSONS}"))
            .header("authorization", authorization)
            .header("rquid", id)
            .header("content-type", "application/x-www-form-urlencoded")
    };
    let right = format!("Basic {KEY}");
    let cases = [
        (token_request(KEY, "NOBODY"), 400, 1),
        (bare("Bearer x", UUID), 400, 4),
        (bare("Basic a b", UUID), 400, 4),
        (bare(&right, "not-a-uuid"), 400, 3),
        (token_request(KEY, ""), 400, 5),
        (token_request(KEY, "GIGACHAT_API_CORP"), 400, 7),
        (token_request("d3Jvbmc=", PERSONS), 400, 7),
        (token_request("ZGVhZA==", PERSONS), 401, 6),
        (token_request("dW5rbm93bg==", PERSONS), 401, 6),
    ];
    let asked = cases.len();
    for (index, (ask, status, code)) in cases.into_iter().enumerate() {
        let answer = ask.send(&upstream).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (status, &json!(code)),
            "case {index}"
        );
    }
    let json = post("/api/v2/oauth", r#"{"scope": "GIGACHAT_API_PERS"}"#)
        .header("authorization", &right)
        .header("rquid", UUID)
        .header("content-type", "application/json");
    assert_eq!(json.send(&upstream).await.json()["code"], 5);
    assert_eq!(upstream.token_requests(), asked + 1);
}

#[tokio::test]
async fn tokens_expire_all_at_once_or_on_arrival() {
    let upstream = gigachat().start().await;
    let ask = |token: &str| chat_with(&json!({})).bearer(token);
    let first = token(&upstream).await;
    assert_eq!(ask(&first).send(&upstream).await.status, 200);
    upstream.expire_tokens();
    let refused = ask(&first).send(&upstream).await;
    assert_eq!(
        refused.json(),
        json!({"status": 401, "message": "Token has expired"})
    );
    let second = token(&upstream).await;
    assert_eq!(ask(&second).send(&upstream).await.status, 200);
    let unknown = ask("never-given").send(&upstream).await;
    assert_eq!(
        unknown.json(),
        json!({"status": 401, "message": "Unauthorized"})
    );
    let brief = gigachat()
        .token_lifetime(std::time::Duration::ZERO)
        .start()
        .await;
    assert_eq!(chat(&brief, json!({})).await.status, 401);
}

#[tokio::test]
async fn the_record_names_the_key_behind_a_token() {
    let upstream = gigachat().start().await;
    chat(&upstream, json!({})).await;
    assert_eq!(upstream.count_for_key(KEY), 2);
}

#[tokio::test]
async fn an_answer_has_no_id_and_a_versioned_model() {
    let upstream = gigachat().says("Привет!").start().await;
    let answer = chat(&upstream, json!({"model": "GigaChat-Pro"})).await;
    assert!(!answer.header("x-request-id").is_empty());
    let body = answer.json();
    assert_eq!(body["model"], "GigaChat-2-Pro:2.0.28.2");
    assert!(body.get("id").is_none());
    assert_eq!(body["choices"][0]["message"]["content"], "Привет!");
    assert_eq!(body["usage"]["total_tokens"], 4);
}

#[tokio::test]
async fn a_stream_tells_its_usage_in_the_event_that_finishes() {
    let upstream = gigachat().says("Привет!").start().await;
    let stream = chat(&upstream, json!({"stream": true})).await;
    let events = chunks(&stream);
    assert_eq!(streamed_text(&events), "Привет!");
    let (last, others) = events.split_last().unwrap();
    assert_eq!(last["choices"][0]["delta"]["content"], "");
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["usage"]["total_tokens"], 4);
    assert!(others.iter().all(|event| event.get("usage").is_none()));
    assert!(
        events
            .iter()
            .all(|event| event["object"] == "chat.completion")
    );
    assert_eq!(others[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(stream.text().ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_function_is_called_with_an_object() {
    let upstream = gigachat().start().await;
    let members = |stream: bool| json!({"messages": [user("Поезда в Казань?")], "functions": train(), "function_call": "auto", "stream": stream});
    let body = chat(&upstream, members(false)).await.json();
    let choice = &body["choices"][0];
    let expected = json!({"name": "find_train", "arguments": {"to": "Казань", "days": 1}});
    assert_eq!(
        (
            &choice["message"]["function_call"],
            &choice["finish_reason"]
        ),
        (&expected, &json!("function_call"))
    );
    assert!(choice["message"]["functions_state_id"].is_string());
    let events = chunks(&chat(&upstream, members(true)).await);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["choices"][0]["delta"]["function_call"], expected);
}

#[tokio::test]
async fn a_function_result_is_quoted() {
    let upstream = gigachat().start().await;
    let messages = json!([
        {"role": "system", "content": "Кратко."},
        user("Поезда?"),
        user("Ну?"),
        {"role": "assistant", "content": "", "function_call": {"name": "find_train", "arguments": {}}},
        {"role": "function", "name": "find_train", "content": "{\"trains\":[\"102Й\"]}"},
    ]);
    let body = chat(
        &upstream,
        json!({"messages": messages, "functions": train()}),
    )
    .await
    .json();
    let said = body["choices"][0]["message"]["content"].as_str().unwrap();
    let expected = "[system: Кратко.] The function find_train returned {\"trains\":[\"102Й\"]}.";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn its_own_rules_are_kept() {
    let function =
        |parameters: Value| json!({"functions": [{"name": "f", "parameters": parameters}]});
    let message = |message: Value| json!({"messages": [message]});
    let system = json!({"role": "system", "content": "x"});
    let cases = [
        json!({"messages": [user("x"), system]}),
        json!({"messages": [system, system]}),
        json!({"messages": []}),
        message(json!({"role": "user", "content": [{"type": "text", "text": "x"}]})),
        message(json!({"role": "assistant", "content": null})),
        message(json!({"role": "tool", "content": "{}"})),
        message(json!({"role": "function", "name": "f", "content": "seven"})),
        message(json!({"role": "function", "name": "f", "content": "[1]"})),
        message(json!({"role": "assistant", "content": "", "tool_calls": []})),
        message(
            json!({"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}}),
        ),
        message(json!({"role": "user", "content": "x", "attachments": ["a", "b"]})),
        json!({"tools": []}),
        json!({"tool_choice": "auto"}),
        json!({"function_call": "required"}),
        json!({"function_call": {"name": "f"}}),
        json!({"temperature": 0}),
        json!({"top_p": 2}),
        json!({"repetition_penalty": 0}),
        json!({"response_format": {"type": "json_object"}}),
        json!({"functions": [{"name": "имя"}]}),
        function(json!({"type": "object"})),
        function(json!({"type": "object", "properties": {"a": {"anyOf": []}}})),
        function(json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}})),
        function(json!({"type": "object", "properties": {"a": {"type": "string", "enum": [1]}}})),
    ];
    let upstream = gigachat().start().await;
    for members in cases {
        let answer = chat(&upstream, members.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["status"]),
            (422, &json!(422)),
            "{members}"
        );
        assert!(
            answer.json()["message"]
                .as_str()
                .unwrap()
                .starts_with("Invalid params: ")
        );
    }
    let late = chat(&upstream, json!({"messages": [user("x"), system]}))
        .await
        .json();
    assert_eq!(
        late["message"],
        "Invalid params: system message must be the first message"
    );
    let taken = json!({"top_p": 0, "stop": ["x"], "messages": [system, user("a"), user("b")]});
    assert_eq!(chat(&upstream, taken).await.status, 200);
}

#[tokio::test]
async fn structured_answers_and_blocks_have_its_forms() {
    let upstream = gigachat().start().await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let format = json!({"response_format": {"type": "json_schema", "schema": schema}});
    let body = chat(&upstream, format).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "{\"n\":1}");
    let body = chat(&upstream, json!({"messages": [user("BLOCK_ME")]}))
        .await
        .json();
    assert_eq!(body["choices"][0]["finish_reason"], "blacklist");
    upstream.add_rule(Rule::new().finish_reason("error"));
    let body = chat(&upstream, json!({})).await.json();
    assert_eq!(body["choices"][0]["finish_reason"], "error");
}

#[tokio::test]
async fn persons_have_one_request_in_flight_and_companies_ten() {
    let stalling = Rule::new().path_contains("chat").stall_after_chunks(1);
    let upstream = gigachat().rule(stalling).start().await;
    let (token, company) = (
        token(&upstream).await,
        token_for(&upstream, "Y29tcGFueTp4", "GIGACHAT_API_B2B").await,
    );
    let stream = |token: &str| chat_with(&json!({"stream": true})).bearer(token);
    let mut first = within(stream(&token).open(&upstream)).await.unwrap();
    within(first.frame()).await.unwrap().unwrap();
    let second = stream(&token).send(&upstream).await;
    assert_eq!(
        second.json(),
        json!({"status": 429, "message": "Too many requests"})
    );
    assert_eq!(upstream.most_in_flight(KEY), 2);
    let other = within(stream(&company).open(&upstream)).await.unwrap();
    let another = within(stream(&company).open(&upstream)).await.unwrap();
    assert_eq!(
        (other.status().as_u16(), another.status().as_u16()),
        (200, 200)
    );
    upstream.remove_rules();
    drop(first);
    eventually(|| upstream.seen().iter().any(|seen| seen.disconnected)).await;
    assert_eq!(stream(&token).send(&upstream).await.status, 200);
    for _ in 0..3 {
        assert_eq!(stream(&token).send(&upstream).await.status, 200);
    }
    assert_eq!(upstream.most_in_flight(KEY), 2);
}

#[tokio::test]
async fn a_delayed_answer_is_in_flight_all_the_while() {
    let rule = Rule::new()
        .path_contains("chat")
        .stall_before_head()
        .times(1);
    let upstream = gigachat().rule(rule).start().await;
    let token = token(&upstream).await;
    let ask = chat_with(&json!({})).bearer(&token);
    let waiting = ask.open(&upstream);
    tokio::pin!(waiting);
    let refused = async {
        eventually(|| upstream.most_in_flight(KEY) == 1).await;
        chat_with(&json!({})).bearer(&token).send(&upstream).await
    };
    tokio::select! {
        _ = &mut waiting => panic!("nothing is answered"),
        refused = refused => assert_eq!(refused.status, 429),
    }
}

fn form(parts: &str) -> Ask {
    post("/api/v1/files", parts.replace('\n', "\r\n"))
        .header("content-type", "multipart/form-data; boundary=b")
}

fn png_form() -> Ask {
    form(
        "--b\ncontent-disposition: form-data; name=\"file\"; filename=\"dot.png\"\n\
         content-type: image/png\n\n12345\n--b\ncontent-disposition: form-data; name=\"purpose\"\n\n\
         general\n--b--\n",
    )
}

#[tokio::test]
async fn files_belong_to_their_account() {
    let upstream = gigachat().start().await;
    let token = token(&upstream).await;
    let other = token_for(&upstream, "b3RoZXI6eA==", PERSONS).await;
    let file = png_form().bearer(&token).send(&upstream).await.json();
    assert_eq!(
        (&file["bytes"], &file["filename"]),
        (&json!(5), &json!("dot.png"))
    );
    let id = file["id"].as_str().unwrap();
    let attached =
        json!({"messages": [{"role": "user", "content": "Что это?", "attachments": [id]}]});
    let said = chat_with(&attached)
        .bearer(&token)
        .send(&upstream)
        .await
        .json();
    let content = said["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(
        content.starts_with("The file is image/png of 5 bytes."),
        "{content}"
    );
    assert_eq!(
        chat_with(&attached)
            .bearer(&other)
            .send(&upstream)
            .await
            .status,
        404
    );
    let content = get(&format!("/api/v1/files/{id}/content"));
    assert_eq!(content.bearer(&token).send(&upstream).await.text(), "12345");
    let delete = || post(&format!("/api/v1/files/{id}/delete"), "");
    assert_eq!(delete().bearer(&other).send(&upstream).await.status, 404);
    assert_eq!(
        delete().bearer(&token).send(&upstream).await.json()["deleted"],
        true
    );
    assert_eq!(
        get(&format!("/api/v1/files/{id}"))
            .bearer(&token)
            .send(&upstream)
            .await
            .status,
        404
    );
    let nameless = form("--b\ncontent-disposition: form-data; name=\"file\"\n\nx\n--b--\n");
    assert_eq!(nameless.bearer(&token).send(&upstream).await.status, 400);
}

#[tokio::test]
async fn a_picture_is_drawn_into_a_file() {
    let upstream = gigachat().start().await;
    let token = token(&upstream).await;
    let members = json!({"messages": [user("Нарисуй кота")], "function_call": "auto"});
    let body = chat_with(&members)
        .bearer(&token)
        .send(&upstream)
        .await
        .json();
    let content = body["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = content.split('"').nth(1).unwrap();
    let picture = get(&format!("/api/v1/files/{id}/content"))
        .bearer(&token)
        .send(&upstream)
        .await;
    assert!(picture.body.starts_with(b"\x89PNG"), "{content}");
}

#[tokio::test]
async fn models_embeddings_tokens_and_balance() {
    let key = FakeKey::new(KEY).model_fault("GigaChat-2-Max", KeyFault::PrepayDepleted);
    let upstream = gigachat().key(key).start().await;
    let token = token(&upstream).await;
    let read = async |path: &str| get(path).bearer(&token).send(&upstream).await;
    let models = read("/api/v1/models").await.json();
    assert_eq!(
        (&models["data"][0]["type"], &models["data"][5]["type"]),
        (&json!("chat"), &json!("embedder"))
    );
    assert_eq!(
        read("/api/v1/models/nothing").await.json()["message"],
        "No such model"
    );
    let send = async |path: &str, body: Value| {
        post(path, body.to_string())
            .bearer(&token)
            .send(&upstream)
            .await
            .json()
    };
    let texts = json!({"model": "Embeddings", "input": ["12345678", "1"]});
    let vectors = send("/api/v1/embeddings", texts.clone()).await;
    assert_eq!(vectors["data"][0]["usage"]["prompt_tokens"], 2);
    assert_eq!(
        vectors["data"][1]["embedding"].as_array().unwrap().len(),
        1024
    );
    assert_eq!(
        send("/api/v1/tokens/count", texts).await[0]["characters"],
        8
    );
    let balance = read("/api/v1/balance").await.json();
    assert_eq!(
        (
            &balance["balance"][0]["value"],
            &balance["balance"][2]["value"]
        ),
        (&json!(50_000), &json!(0))
    );
    assert_eq!(chat(&upstream, json!({})).await.status, 402);
    assert_eq!(
        chat(&upstream, json!({"model": "GigaChat-2"})).await.status,
        200
    );
    assert_eq!(
        chat(&upstream, json!({"model": "Embeddings"})).await.status,
        404
    );
    let corporate = token_for(&upstream, KEY, "GIGACHAT_API_CORP").await;
    let refused = get("/api/v1/balance")
        .bearer(&corporate)
        .send(&upstream)
        .await;
    assert_eq!(
        refused.json(),
        json!({"status": 403, "message": "Permission denied"})
    );
}

#[tokio::test]
async fn every_fault_has_its_status_and_message() {
    let cases = [
        (KeyFault::TokenExpired, 401, "Token has expired"),
        (KeyFault::Unauthorized, 401, "Unauthorized"),
        (KeyFault::PrepayDepleted, 402, "Payment Required"),
        (KeyFault::NoPermission, 403, "Permission denied"),
        (KeyFault::ModelDenied, 404, "No such model"),
        (KeyFault::TooLong, 413, "Payload too large"),
        (
            KeyFault::NoFunctions,
            422,
            "Requested model does not support functions",
        ),
        (KeyFault::BareQuota, 429, "Too many requests"),
        (KeyFault::Internal, 500, "Internal Server Error"),
        (KeyFault::BadGateway, 502, "<html>"),
        (KeyFault::Overloaded, 503, "Service Unavailable"),
        (KeyFault::Deadline, 504, "<html>"),
    ];
    let upstream = gigachat().start().await;
    let key = FakeKey::new(KEY);
    check_faults(&upstream, &key, cases, async || {
        chat(&upstream, json!({})).await
    })
    .await;
}

#[tokio::test]
async fn it_is_served_over_tls_with_a_root_of_its_own() {
    let upstream = gigachat().tls().start().await;
    assert!(upstream.base_url().starts_with("https://"));
    assert!(upstream.ca_pem().unwrap().contains("BEGIN CERTIFICATE"));
}
