//! Models and endpoints that a client key may not use: named in a body, or by a path in disguise.

use serde_json::json;

use super::{Desk, check_refused};
use crate::support::{ClientKey, MODEL, prompt};

const DEAR: &str = "gemini-2.5-pro";

/// A client key that may use [`MODEL`] alone.
async fn cheap_only() -> (Desk, ClientKey) {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"allowed_models": [MODEL]})).await;
    (desk, client)
}

#[tokio::test]
async fn a_body_cannot_name_what_is_not_allowed() {
    let (desk, client) = cheap_only().await;
    for path in [
        "/v1beta/openai/chat/completions",
        "/v1beta/openai/images/generations",
        "/v1beta/interactions",
        "/v1/interactions",
        "/v1beta/cachedContents",
        "/download/v1beta/interactions",
        "/upload/v1beta/interactions",
    ] {
        for body in [
            json!({"model": DEAR}).to_string(),
            json!({"model": format!("models/{DEAR}")}).to_string(),
            json!({"model": MODEL.to_uppercase()}).to_string(),
            json!({"model": MODEL, "agent": "deep-research"}).to_string(),
            json!({"model": MODEL, "batch": {"model": DEAR}}).to_string(),
            json!({"mode\u{6c}": DEAR}).to_string(),
            json!({"model": null}).to_string(),
            json!([{"model": MODEL}]).to_string(),
            format!(r#"{{"model": "{MODEL}", "model": "{DEAR}"}}"#),
            format!(r#"{{"model": "{MODEL}", "mod\u0065l": "{DEAR}"}}"#),
            format!(r#"{{"model": "{MODEL}"}} {{"model": "{DEAR}"}}"#),
            format!("model={MODEL}"),
            String::new(),
        ] {
            let answer = desk.gateway.send(client.post(path, body.clone())).await;
            check_refused(&desk, &answer, 403, &format!("{path} {body}"));
        }
    }
}

#[tokio::test]
async fn a_body_may_name_what_is_allowed() {
    let (desk, client) = cheap_only().await;
    let chat = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]});
    let interaction = json!({"model": format!("models/{MODEL}"), "input": "hi"});
    for (path, body) in [
        ("/v1beta/openai/chat/completions", chat),
        ("/v1beta/interactions", interaction),
    ] {
        let answer = desk.gateway.send(client.post(path, body.to_string())).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let cancel = client.post("/v1beta/batches/mine:cancel", "");
    assert_ne!(desk.gateway.send(cancel).await.status, 403);
}

#[tokio::test]
async fn a_path_in_disguise_names_what_it_names() {
    let (desk, client) = cheap_only().await;
    let body = json!({"model": MODEL, "contents": [{"parts": [{"text": "hi"}]}]}).to_string();
    for path in [
        "models/gemini-2.5-pro:generateContent",
        "models/gemini-2.5-pro%3AgenerateContent",
        "models/gemini-2.5-pro:generate%43ontent",
        "%6Dodels/gemini-2.5-pro:generateContent",
        "models%2Fgemini-2.5-pro:generateContent",
        "//models//gemini-2.5-pro:generateContent",
        "models/models/gemini-2.5-pro:generateContent",
        "models/gemini%2D2.5-pro:streamGenerateContent?alt=sse",
        "models/GEMINI-3.8-FLASH:generateContent",
        "models/gemini-3.8-flash%20:generateContent",
        "models/gemini-2.5-pro:batchGenerateContent",
        "models/gemini-2.5-pro:predictLongRunning",
        "models/gemini-2.5-pro:countTokens",
        "models/gemini-2.5-pro:brandNewMethod",
        "models/a/b:generateContent",
        "tunedModels/mine:generateContent",
        "tunedModels/mine:brandNewMethod",
        "dynamic/x:generateContent",
        "publishers/google/models/gemini-2.5-pro:generateContent",
        "projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent",
        "brandNewThings/x:generateContent",
    ] {
        for before in ["/v1beta/", "/v1/", "/upload/v1beta/", "/download/v1beta/"] {
            let path = format!("{before}{path}");
            let answer = desk.gateway.send(client.post(&path, body.clone())).await;
            check_refused(&desk, &answer, 403, &path);
        }
    }
    let climbing = client.post("/v1beta/models/x/%2E%2e/y:generateContent", body);
    check_refused(&desk, &desk.gateway.send(climbing).await, 400, "climbing");
}

#[tokio::test]
async fn a_disguised_endpoint_is_the_endpoint() {
    let desk = Desk::ordinary().await;
    let client = desk
        .client(json!({"allowed_endpoints": ["models.*", "countTokens"]}))
        .await;
    for path in [
        "/v1beta/models/gemini-3.8-flash:generateContent",
        "/v1beta/models/gemini-3.8-flash%3agenerateContent",
        "/v1beta/models/gemini-3.8-flash:%67enerateContent",
        "/v1beta/mode%6Cs/gemini-3.8-flash:streamGenerateContent",
        "/v1beta/openai%2Fchat/completions",
        "/v1beta/open%61i/chat/completions",
        "/v1beta/models/gemini-3.8-flash:generateContent/",
    ] {
        let answer = desk.gateway.send(client.post(path, prompt("hi"))).await;
        check_refused(&desk, &answer, 403, path);
    }
}
