//! Unary answers: what they say, what they count, what is refused.

use fake_upstream::gemini;
use serde_json::{Value, json};

use crate::support::{Answer, ask_model, generate, post};

const PATH: &str = "/v1beta/models/gemini-3.8-flash:generateContent";

async fn check(body: Value) -> Answer {
    let upstream = gemini().start().await;
    post(PATH, body.to_string()).send(&upstream).await
}

fn user(text: &str) -> Value {
    json!({"role": "user", "parts": [{"text": text}]})
}

#[tokio::test]
async fn the_scripted_text_is_answered_on_every_version() {
    let upstream = gemini().says("hi").start().await;
    for version in ["v1", "v1beta", "v1alpha"] {
        let path = format!("/{version}/models/gemini-3.8-flash:generateContent");
        let answer = post(&path, json!({"contents": [user("x")]}).to_string())
            .send(&upstream)
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.said().as_str()),
            (200, "hi"),
            "{version}"
        );
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=UTF-8"
        );
    }
}

#[tokio::test]
async fn usage_adds_up_and_names_the_model() {
    let body = check(json!({"contents": [user("Hello there")]}))
        .await
        .json();
    let count = |name: &str| body["usageMetadata"][name].as_u64().unwrap();
    assert_eq!(count("promptTokenCount"), 3);
    assert!(count("candidatesTokenCount") > 0);
    let sum = count("promptTokenCount") + count("candidatesTokenCount");
    assert_eq!(count("totalTokenCount"), sum);
    assert_eq!(body["modelVersion"], "gemini-3.8-flash");
    assert_eq!(body["candidates"][0]["finishReason"], "STOP");
    assert!(!body["responseId"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn system_instruction_and_history_show_in_the_answer() {
    let body = json!({
        "system_instruction": {"parts": [{"text": "Be kind"}]},
        "contents": [
            user("a"),
            {"role": "model", "parts": [{"text": "b"}]},
            user("How many turns?"),
        ],
    });
    let said = check(body).await.said();
    assert!(
        said.starts_with("[system: Be kind] You said: How many turns?"),
        "{said}"
    );
    assert!(said.ends_with("This conversation has 3 turns."), "{said}");
}

#[tokio::test]
async fn thoughts_come_first_when_asked_for() {
    let config = json!({"thinkingConfig": {"includeThoughts": true}});
    let body = json!({"contents": [user("x")], "generationConfig": config});
    let answer = check(body).await.json();
    let parts = &answer["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0]["thought"], true);
    assert!(parts[1]["thought"].is_null() && parts[1]["thoughtSignature"].is_string());
    assert_eq!(answer["usageMetadata"]["thoughtsTokenCount"], 24);
}

fn weather_tools() -> Value {
    json!([{"functionDeclarations": [{
        "name": "get_weather",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
    }]}])
}

#[tokio::test]
async fn a_declared_function_is_called_with_arguments_of_its_schema() {
    let body = json!({"contents": [user("Weather in Oslo?")], "tools": weather_tools()});
    let answer = check(body).await.json();
    let part = &answer["candidates"][0]["content"]["parts"][0];
    assert_eq!(part["functionCall"]["name"], "get_weather");
    assert_eq!(part["functionCall"]["args"], json!({"city": "Oslo"}));
    assert!(part["thoughtSignature"].is_string());
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn a_function_result_is_quoted() {
    let result = json!({"name": "get_weather", "response": {"output": "7 °C"}});
    let body = json!({
        "contents": [
            user("Weather in Oslo?"),
            {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": result}]},
        ],
        "tools": weather_tools(),
    });
    let said = check(body).await.said();
    assert!(
        said.starts_with(r#"The function get_weather returned {"output":"7 °C"}."#),
        "{said}"
    );
}

#[tokio::test]
async fn structured_output_is_json_of_the_schema() {
    let config = |extra: Value| {
        let mut config = json!({"responseMimeType": "application/json"});
        config
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        json!({"contents": [user("x")], "generationConfig": config})
    };
    let schema = json!({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}});
    let said = check(config(json!({"responseSchema": schema})))
        .await
        .said();
    assert_eq!(
        serde_json::from_str::<Value>(&said).unwrap(),
        json!({"n": 1})
    );
    let free = check(config(json!({}))).await.said();
    assert!(serde_json::from_str::<Value>(&free).unwrap()["answer"].is_string());
}

#[tokio::test]
async fn too_long_an_answer_ends_with_max_tokens() {
    let body = json!({"contents": [user("x")], "generationConfig": {"maxOutputTokens": 1}});
    let answer = check(body).await;
    assert_eq!(answer.said(), "You ");
    assert_eq!(answer.json()["candidates"][0]["finishReason"], "MAX_TOKENS");
}

#[tokio::test]
async fn forbidden_words_block_the_prompt_or_the_answer() {
    let prompt = check(json!({"contents": [user("BLOCK_ME")]})).await.json();
    assert_eq!(
        prompt["promptFeedback"]["blockReason"],
        "PROHIBITED_CONTENT"
    );
    assert!(prompt["candidates"].is_null());
    let answer = check(json!({"contents": [user("UNSAFE")]})).await.json();
    assert_eq!(answer["candidates"][0]["finishReason"], "SAFETY");
    assert!(answer["candidates"][0]["content"].is_null());
}

#[tokio::test]
async fn bad_bodies_are_refused_in_googles_words() {
    let unknown = |at: &str| {
        format!("Invalid JSON payload received. Unknown name \"x\"{at}: Cannot find field.")
    };
    let unspecified = "* GenerateContentRequest.contents: contents is not specified\n";
    let token =
        "Invalid JSON payload received. Unexpected token.\n{\"contents\": oops\n             ^";
    let cases = [
        ("{\"contents\": oops", token.to_owned()),
        ("", unspecified.to_owned()),
        ("{}", unspecified.to_owned()),
        (r#"{"contents": []}"#, unspecified.to_owned()),
        (r#"{"contents": [], "x": 1}"#, unknown("")),
        (
            r#"{"contents": [], "generationConfig": {"x": 1}}"#,
            unknown(" at 'generation_config'"),
        ),
    ];
    let upstream = gemini().start().await;
    for (body, message) in cases {
        let answer = post(PATH, body).send(&upstream).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = &answer.json()["error"];
        assert_eq!(error["message"], message, "{body}");
        assert_eq!(error["status"], "INVALID_ARGUMENT", "{body}");
    }
}

#[tokio::test]
async fn unknown_models_are_404_in_googles_words() {
    let upstream = gemini().start().await;
    let path = "/v1/models/gemini-9-ultra:generateContent";
    let answer = post(path, json!({"contents": [user("x")]}).to_string())
        .send(&upstream)
        .await;
    assert_eq!(answer.status, 404);
    let message = "models/gemini-9-ultra is not found for API version v1, or is not supported for \
        generateContent. Call ListModels to see the list of available models and their supported \
        methods.";
    assert_eq!(answer.json()["error"]["message"], message);
}

#[tokio::test]
async fn aliases_resolve_on_v1beta_and_answer_with_the_model_behind() {
    let upstream = gemini().models(&["gemini-3.8-flash"]).start().await;
    let body = || json!({"contents": [user("x")]}).to_string();
    let ask = |version: &str| {
        post(
            &format!("/{version}/models/gemini-flash-latest:generateContent"),
            body(),
        )
    };
    assert_eq!(
        ask("v1beta").send(&upstream).await.json()["modelVersion"],
        "gemini-3.8-flash"
    );
    assert_eq!(ask("v1").send(&upstream).await.status, 404);
}

#[tokio::test]
async fn answers_are_padded_to_the_size_asked_for() {
    for script in [gemini(), gemini().fast()] {
        let upstream = script.answer_bytes(1000).start().await;
        let size = generate("x").send(&upstream).await.body.len();
        assert!((990..1030).contains(&size), "{size}");
    }
}

#[tokio::test]
async fn tokens_are_counted_for_contents_and_whole_requests() {
    let upstream = gemini().start().await;
    let plain = ask_model("countTokens", "12345678").send(&upstream).await;
    assert_eq!(plain.json()["totalTokens"], 2);
    let path = "/v1beta/models/gemini-3.8-flash:countTokens";
    let nested = json!({"generateContentRequest": {"contents": [user("12345678")]}}).to_string();
    assert_eq!(
        post(path, nested).send(&upstream).await.json()["totalTokens"],
        2
    );
}

#[tokio::test]
async fn equal_texts_have_equal_embeddings() {
    let upstream = gemini().start().await;
    let content =
        |text: &str| json!({"content": {"parts": [{"text": text}]}, "outputDimensionality": 8});
    let single = "/v1beta/models/gemini-embedding-001:embedContent";
    let one = post(single, content("a").to_string())
        .send(&upstream)
        .await
        .json();
    let batch = "/v1beta/models/gemini-embedding-001:batchEmbedContents";
    let body = json!({"requests": [content("a"), content("b")]}).to_string();
    let both = post(batch, body).send(&upstream).await.json();
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 8);
    assert_eq!(one["embedding"], both["embeddings"][0]);
    assert_ne!(both["embeddings"][0], both["embeddings"][1]);
}
