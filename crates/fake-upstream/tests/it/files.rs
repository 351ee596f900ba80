//! Files: the resumable protocol and the simple forms, ownership, use in a prompt.

use fake_upstream::{FakeKey, FakeUpstream, gemini};
use http::Uri;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, get, post};

async fn two_projects() -> FakeUpstream {
    gemini()
        .key(FakeKey::new("a").project("p1"))
        .key(FakeKey::new("a2").project("p1"))
        .key(FakeKey::new("b").project("p2"))
        .start()
        .await
}

async fn start(upstream: &FakeUpstream) -> String {
    let metadata = json!({"file": {"displayName": "notes.txt"}});
    let answer = post("/upload/v1beta/files", metadata.to_string())
        .key("a")
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-length", "10")
        .header("x-goog-upload-header-content-type", "text/plain")
        .send(upstream)
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("x-goog-upload-status"), "active");
    assert_eq!(answer.header("x-goog-upload-chunk-granularity"), "8388608");
    let url: Uri = answer.header("x-goog-upload-url").parse().unwrap();
    assert!(url.to_string().starts_with(&upstream.base_url()));
    url.path_and_query().unwrap().to_string()
}

fn step(url: &str, command: &str, offset: usize, body: &'static str) -> Ask {
    post(url, body)
        .header("x-goog-upload-command", command)
        .header("x-goog-upload-offset", &offset.to_string())
}

async fn upload(upstream: &FakeUpstream) -> Value {
    let url = start(upstream).await;
    let chunk = step(&url, "upload", 0, "01234").send_bare(upstream).await;
    assert_eq!(chunk.header("x-goog-upload-status"), "active");
    let last = step(&url, "upload, finalize", 5, "56789")
        .send_bare(upstream)
        .await;
    assert_eq!(last.header("x-goog-upload-status"), "final");
    last.json()["file"].clone()
}

#[tokio::test]
async fn a_resumable_upload_makes_a_file() {
    let upstream = two_projects().await;
    let file = upload(&upstream).await;
    let name = file["name"].as_str().unwrap();
    assert_eq!(file["displayName"], "notes.txt");
    assert_eq!(
        (&file["mimeType"], &file["sizeBytes"]),
        (&json!("text/plain"), &json!("10"))
    );
    assert_eq!(
        (&file["state"], &file["source"]),
        (&json!("ACTIVE"), &json!("UPLOADED"))
    );
    assert_eq!(
        file["uri"],
        format!("{}/v1beta/{name}", upstream.base_url())
    );
    // base64 of the hexadecimal SHA-256 of "0123456789".
    let digest =
        "ODRkODk4NzdmMGQ0MDQxZWZiNmJmOTFhMTZmMDI0OGYyZmQ1NzNlNmFmMDVjMTlmOTZiZWRiOWY4ODJmNzg4Mg==";
    assert_eq!(file["sha256Hash"], digest);
}

#[tokio::test]
async fn a_fast_stand_in_measures_files_and_keeps_none_of_their_bytes() {
    let kept = upload(&two_projects().await).await;
    let upstream = gemini().fast().start().await;
    let url = start(&upstream).await;
    step(&url, "upload", 0, "01234").send_bare(&upstream).await;
    let wrong = step(&url, "upload", 4, "x").send_bare(&upstream).await;
    assert_eq!(wrong.status, 400);
    let last = step(&url, "upload, finalize", 5, "56789");
    let measured = last.send_bare(&upstream).await.json()["file"].clone();
    for member in ["sizeBytes", "sha256Hash", "displayName"] {
        assert_eq!(measured[member], kept[member], "{member}");
    }
    let path = format!(
        "/v1beta/{}:download?alt=media",
        measured["name"].as_str().unwrap()
    );
    assert_eq!(get(&path).key("a").send(&upstream).await.status, 404);
}

#[tokio::test]
async fn an_upload_can_be_queried_and_cancelled() {
    let upstream = two_projects().await;
    let url = start(&upstream).await;
    step(&url, "upload", 0, "01234").send_bare(&upstream).await;
    let query = step(&url, "query", 0, "").send_bare(&upstream).await;
    assert_eq!(query.header("x-goog-upload-size-received"), "5");
    let wrong = step(&url, "upload", 3, "x").send_bare(&upstream).await;
    assert_eq!(wrong.status, 400);
    let cancelled = step(&url, "cancel", 0, "").send_bare(&upstream).await;
    assert_eq!(cancelled.header("x-goog-upload-status"), "cancelled");
    assert_eq!(
        step(&url, "upload", 5, "x")
            .send_bare(&upstream)
            .await
            .status,
        400
    );
    let unknown = "/upload/v1beta/files?upload_id=nope&upload_protocol=resumable";
    assert_eq!(
        step(unknown, "query", 0, "")
            .send_bare(&upstream)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn simple_uploads_make_files_too() {
    let upstream = two_projects().await;
    let raw = post("/upload/v1beta/files?uploadType=media", "0123456789")
        .key("a")
        .header("content-type", "text/csv");
    let file = raw.send(&upstream).await.json()["file"].clone();
    assert_eq!(
        (&file["mimeType"], &file["sizeBytes"]),
        (&json!("text/csv"), &json!("10"))
    );

    let body = "--b\r\nContent-Type: application/json\r\n\r\n{\"file\":{\"displayName\":\"m\"}}\r\n\
        --b\r\nContent-Type: image/png\r\n\r\n\u{1}PNG\r\n\r\n\r\n--b--\r\n";
    let multipart = post("/upload/v1beta/files?uploadType=multipart", body)
        .key("a")
        .header("content-type", "multipart/related; boundary=b");
    let file = multipart.send(&upstream).await.json()["file"].clone();
    assert_eq!(
        (&file["displayName"], &file["mimeType"]),
        (&json!("m"), &json!("image/png"))
    );
    let path = format!(
        "/v1beta/{}:download?alt=media",
        file["name"].as_str().unwrap()
    );
    assert_eq!(
        &get(&path).key("a").send(&upstream).await.body[..],
        b"\x01PNG\r\n\r\n"
    );
}

#[tokio::test]
async fn files_belong_to_the_project_of_the_uploader() {
    let upstream = two_projects().await;
    let file = upload(&upstream).await;
    let name = file["name"].as_str().unwrap();
    let path = format!("/v1beta/{name}");
    assert_eq!(get(&path).key("a2").send(&upstream).await.json(), file);
    let foreign = get(&path).key("b").send(&upstream).await;
    assert_eq!(foreign.status, 403);
    let id = name.strip_prefix("files/").unwrap();
    let message =
        format!("You do not have permission to access the File {id} or it may not exist.");
    assert_eq!(foreign.json()["error"]["message"], message);
    assert_eq!(
        get("/v1beta/files").key("b").send(&upstream).await.json(),
        json!({})
    );
    assert_eq!(
        get(&path)
            .method("DELETE")
            .key("b")
            .send(&upstream)
            .await
            .status,
        403
    );
    assert_eq!(
        get(&path)
            .method("DELETE")
            .key("a")
            .send(&upstream)
            .await
            .json(),
        json!({})
    );
    assert_eq!(get(&path).key("a").send(&upstream).await.status, 403);
}

#[tokio::test]
async fn files_are_listed_in_pages() {
    let upstream = two_projects().await;
    for _ in 0..3 {
        upload(&upstream).await;
    }
    let first = get("/v1beta/files?pageSize=2")
        .key("a")
        .send(&upstream)
        .await
        .json();
    assert_eq!(first["files"].as_array().unwrap().len(), 2);
    let token = first["nextPageToken"].as_str().unwrap();
    let next = format!(
        "/v1beta/files?pageSize=2&pageToken={}",
        token.replace('=', "%3D")
    );
    let last = get(&next).key("a").send(&upstream).await.json();
    assert_eq!(last["files"].as_array().unwrap().len(), 1);
    assert!(last["nextPageToken"].is_null());
}

async fn ask_about(upstream: &FakeUpstream, key: &str, uri: &str) -> Answer {
    let parts = json!([{"text": "What is it?"}, {"fileData": {"fileUri": uri}}]);
    let body = json!({"contents": [{"role": "user", "parts": parts}]});
    let path = "/v1beta/models/gemini-3.8-flash:generateContent";
    post(path, body.to_string()).key(key).send(upstream).await
}

#[tokio::test]
async fn a_prompt_may_use_the_files_of_its_project_alone() {
    let upstream = two_projects().await;
    let file = upload(&upstream).await;
    let uri = file["uri"].as_str().unwrap();
    let said = ask_about(&upstream, "a", uri).await.said();
    assert!(
        said.starts_with("The file notes.txt has 10 bytes."),
        "{said}"
    );
    assert_eq!(ask_about(&upstream, "b", uri).await.status, 403);
    assert_eq!(
        ask_about(&upstream, "b", "https://example.org/a.pdf")
            .await
            .status,
        200
    );
}
