//! The models that a caller is told of, in the dialect of its credential.

use fake_upstream::gemini;

use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

#[tokio::test]
async fn models_are_listed_in_the_dialect_of_the_credential() {
    let script = gemini().models(&["gemini-3.8-flash", "gemini-embedding-2"]);
    let gateway = TestGateway::new()
        .upstream(script)
        .listing_models()
        .start()
        .await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    for headers in [[("authorization", &*bearer)], [("x-api-key", CLIENT_KEY)]] {
        let answer = gateway
            .send(request("GET", "/v1/models", &headers, ""))
            .await;
        let list = answer.json();
        assert_eq!(list["object"], "list", "{headers:?}");
        let ids: Vec<&str> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap())
            .collect();
        assert_eq!(
            ids,
            ["google/gemini-3.8-flash", "google/gemini-embedding-2"]
        );
        assert_eq!(list["data"][0]["object"], "model");
        assert!(list["data"][0]["created"].is_u64() && list["data"][0]["owned_by"].is_string());
    }
    for (name, value, query) in [
        ("x-goog-api-key", CLIENT_KEY, ""),
        ("x-server-key", CLIENT_KEY, ""),
        ("x-other", "1", "?key=sk-test-caller-0001"),
    ] {
        let path = format!("/v1/models{query}");
        let answer = gateway
            .send(request("GET", &path, &[(name, value)], ""))
            .await;
        assert_eq!(
            answer.json()["models"][0]["name"],
            "models/gemini-3.8-flash"
        );
    }
}

#[tokio::test]
async fn openais_list_has_the_models_of_every_page() {
    let ids: Vec<String> = (0..1_200).map(|n| format!("gemini-{n:04}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let gateway = TestGateway::new()
        .upstream(gemini().models(&ids))
        .listing_models()
        .start()
        .await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let answer = gateway
        .send(request(
            "GET",
            "/v1/models",
            &[("authorization", &bearer)],
            "",
        ))
        .await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 1_200);
    assert_eq!(gateway.upstream.count(), 2);
}

/// `GET /v1/models/{id}` as OpenAI's clients ask it, of a provider that has one model.
async fn openai_model(gateway: &TestGateway, id: &str) -> Answer {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let path = format!("/v1/models/{id}");
    gateway
        .send(request("GET", &path, &[("authorization", &bearer)], ""))
        .await
}

async fn with_one_model() -> TestGateway {
    let script = gemini().models(&["gemini-3.8-flash"]);
    let gateway = TestGateway::new().upstream(script).listing_models();
    gateway.start().await
}

#[tokio::test]
async fn one_model_is_shown_in_openais_dialect() {
    let gateway = with_one_model().await;
    for id in ["gemini-3.8-flash", "google/gemini-3.8-flash"] {
        let model = openai_model(&gateway, id).await.json();
        assert_eq!(model["id"], "google/gemini-3.8-flash", "{id}");
        assert_eq!(model["object"], "model");
    }
}

#[tokio::test]
async fn the_slash_in_a_models_id_may_be_percent_encoded() {
    let gateway = with_one_model().await;
    let model = openai_model(&gateway, "google%2Fgemini-3.8-flash")
        .await
        .json();
    assert_eq!(model["id"], "google/gemini-3.8-flash");
}

#[tokio::test]
async fn an_unknown_model_is_404_each_time_in_openais_dialect() {
    let gateway = with_one_model().await;
    for _ in 0..2 {
        let answer = openai_model(&gateway, "gemini-0").await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        let error = answer.error();
        assert_eq!(error["code"], "model_not_found");
        assert!(error["message"].is_string() && error["type"].is_string());
    }
}
