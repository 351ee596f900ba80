//! The paths of Google's API in the spellings that clients use.

use wire::gemini::Framing;

use super::*;

fn read(request: &str) -> Operation<'_> {
    let (method, path) = request.split_once(' ').unwrap();
    operation(&method.parse().unwrap(), path)
}

fn check(request: &str, place: Place, endpoint: &str, model: Option<&str>) {
    let seen = read(request);
    assert_eq!((seen.place, seen.endpoint), (place, endpoint), "{request}");
    assert_eq!(seen.model.as_deref(), model, "{request}");
}

#[test]
fn models_are_read_in_all_their_spellings() {
    let m = Some("gemini-3.8-flash");
    let place = Place::Model;
    check(
        "POST /v1/models/gemini-3.8-flash:generateContent",
        place,
        "generateContent",
        m,
    );
    check(
        "POST /v1beta/models/gemini-3.8-flash%3AcountTokens",
        place,
        "countTokens",
        m,
    );
    check(
        "POST /v1beta/models/models/gemini-3.8-flash:predict",
        place,
        "predict",
        m,
    );
    check(
        "POST /v1beta/models/models%2Fgemini-3.8-flash:predict",
        place,
        "predict",
        m,
    );
    check(
        "POST /v1alpha/models/gemini-3.8-flash:newMethod",
        place,
        "other",
        m,
    );
    check(
        "GET /v1beta/models/gemini-3.8-flash",
        place,
        "models.get",
        m,
    );
    check("GET /v1beta/models", place, "models.list", None);
    check("GET /v1beta/models?pageSize=3", place, "models.list", None);
    let tuned = Some("tunedModels/a");
    check(
        "POST /v1beta/tunedModels/a:generateContent",
        place,
        "generateContent",
        tuned,
    );
    let dynamic = Some("dynamic/a");
    check(
        "POST /v1/dynamic/a:streamGenerateContent",
        place,
        "streamGenerateContent",
        dynamic,
    );
}

#[test]
fn other_parts_of_the_api_are_told_apart() {
    for (request, place, endpoint) in [
        (
            "GET /v1beta/models/veo/operations/x",
            Place::Resource,
            "operations",
        ),
        ("GET /v1beta/operations/x", Place::Resource, "operations"),
        (
            "GET /v1beta/fileSearchStores/a/upload/operations/x",
            Place::Resource,
            "operations",
        ),
        (
            "GET /v1beta/tunedModels/a/permissions",
            Place::Resource,
            "tunedModels",
        ),
        (
            "POST /v1beta/tunedModels/a:transferOwnership",
            Place::Resource,
            "tunedModels",
        ),
        ("GET /v1beta/files", Place::Resource, "files"),
        ("POST /v1beta/files:register", Place::Resource, "files"),
        ("POST /upload/v1beta/files", Place::Resource, "files.upload"),
        (
            "GET /v1beta/files/x:download?alt=media",
            Place::Resource,
            "files.download",
        ),
        (
            "GET /download/v1beta/files/x:download",
            Place::Resource,
            "files.download",
        ),
        ("GET /v1beta/batches/x", Place::Resource, "batches"),
        (
            "PATCH /v1beta/cachedContents/x",
            Place::Resource,
            "cachedContents",
        ),
        ("POST /v1alpha/auth_tokens", Place::Resource, "auth_tokens"),
        ("GET /v1beta/somethingNew/x", Place::Resource, "other"),
        ("GET /", Place::Resource, "other"),
        (
            "POST /v1beta/interactions",
            Place::Interactions,
            "interactions",
        ),
        ("GET /v1/agents/x", Place::Interactions, "agents"),
        (
            "POST /v1beta/openai/chat/completions",
            Place::OpenAi,
            "openai.chat.completions",
        ),
        (
            "GET /v1beta/openai/models/x",
            Place::OpenAi,
            "openai.models",
        ),
        ("GET /v1beta/openai/modelsx", Place::OpenAi, "openai.other"),
        (
            "POST /v1beta/openai/chat%2Fcompletions",
            Place::OpenAi,
            "openai.chat.completions",
        ),
        (
            "POST /v1beta/openai/completions",
            Place::OpenAi,
            "openai.completions",
        ),
        (
            "GET /v1beta/openai/responses/x",
            Place::OpenAi,
            "openai.responses",
        ),
        (
            "GET /v1beta/openai/files/x/content",
            Place::OpenAi,
            "openai.files",
        ),
        ("POST /v1beta/openai", Place::OpenAi, "openai.other"),
        (
            "GET /ws/google.ai.generativelanguage.v1beta.X",
            Place::Live,
            "live",
        ),
    ] {
        check(request, place, endpoint, None);
    }
}

#[test]
fn what_makes_something_is_known() {
    for (request, creates) in [
        ("POST /v1beta/models/m:generateContent", false),
        ("POST /v1beta/models/m:embedContent", false),
        ("POST /v1beta/models/m:predictLongRunning", true),
        ("POST /v1beta/models/m:batchGenerateContent", true),
        ("POST /v1beta/models/m:asyncBatchEmbedContent", true),
        ("POST /v1beta/models/m:somethingNew", true),
        ("GET /v1beta/models/m", false),
        ("POST /v1beta/interactions", true),
        ("POST /v1beta/interactions/x/cancel", false),
        ("POST /v1beta/cachedContents", true),
        ("GET /v1beta/cachedContents", false),
        ("POST /v1beta/tunedModels", true),
        ("POST /upload/v1beta/files", true),
        ("POST /v1beta/fileSearchStores/x:importFile", true),
        ("POST /v1beta/batches/x:cancel", false),
        ("DELETE /v1beta/files/x", false),
        ("POST /v1alpha/auth_tokens", true),
        ("POST /v1beta/openai/chat/completions", false),
        ("POST /v1beta/openai/batches", true),
        ("POST /v1beta/openai/batches/x/cancel", false),
        ("POST /v1beta/openai/responses", true),
        ("GET /v1beta/openai/responses/x", false),
        ("POST /v1beta/openai/somethingNew", true),
    ] {
        assert_eq!(read(request).creates, creates, "{request}");
    }
}

#[test]
fn answers_and_transfers_are_known() {
    let generate = read("POST /v1/models/m:streamGenerateContent");
    assert_eq!(
        (generate.answer, generate.stream),
        (Content::Generate, true)
    );
    assert_eq!(read("POST /v1/interactions").answer, Content::Interaction);
    assert_eq!(read("GET /v1/interactions/x").answer, Content::Any);
    assert_eq!(read("POST /upload/v1beta/files").transfer, Transfer::Upload);
    assert_eq!(
        read("GET /v1beta/files/x:download").transfer,
        Transfer::Download
    );
    assert_eq!(read("GET /v1beta/files/x").transfer, Transfer::None);
    assert_eq!(read("GET /v1alpha/files/x").version, "v1alpha");
}

#[test]
fn what_a_model_makes_in_openais_shape_is_read_as_such() {
    for (request, answer) in [
        ("POST /v1beta/openai/chat/completions", Content::OpenAi),
        ("POST /v1beta/openai/completions/", Content::OpenAi),
        ("POST /v1beta/openai/embeddings", Content::OpenAi),
        ("POST /v1beta/openai/images/generations", Content::OpenAi),
        ("POST /v1beta/openai/responses?x=y", Content::OpenAi),
        ("GET /v1beta/openai/chat/completions", Content::Any),
        ("DELETE /v1beta/openai/responses/x", Content::Any),
        ("POST /v1beta/openai/responses/x/cancel", Content::Any),
        ("GET /v1beta/openai/models", Content::Any),
        ("GET /v1beta/openai/files/x/content", Content::Any),
        ("POST /v1beta/openai/somethingNew", Content::Any),
    ] {
        assert_eq!(read(request).answer, answer, "{request}");
    }
}

#[test]
fn framing_follows_the_content_type() {
    let stream = read("POST /v1/models/m:streamGenerateContent");
    let unary = read("POST /v1/interactions");
    assert_eq!(
        stream.framing(Some("text/event-stream; charset=utf-8")),
        Framing::Sse
    );
    assert_eq!(stream.framing(Some("application/json")), Framing::JsonArray);
    assert_eq!(unary.framing(Some("Text/Event-Stream")), Framing::Sse);
    assert_eq!(unary.framing(None), Framing::Json);
}
