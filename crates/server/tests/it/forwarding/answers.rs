//! What comes back: statuses, headers and bodies as they are, but for links that lead here again.

use fake_upstream::{Rule, gemini};
use serde_json::json;

use super::{call, last_seen, open};
use crate::support::{CLIENT_KEY, MODEL, generate_path, prompt, request};

#[tokio::test]
async fn statuses_headers_and_bodies_of_answers_pass() {
    let shared = [
        ("content-type", "text/plain; charset=x"),
        ("x-gemini-service-tier", "priority"),
        ("x-of-next-month", "1"),
        ("warning", "one"),
        ("warning", "two"),
        ("etag", "\"abc\""),
        ("retry-after", "7"),
    ];
    for status in [
        200, 201, 202, 206, 300, 304, 400, 404, 405, 409, 412, 416, 418, 422,
    ] {
        let body = if status == 304 { "" } else { "as it \0 came" };
        let rule = Rule::new().respond_with(status, &shared, body);
        let gateway = open().upstream(gemini().rule(rule)).start().await;
        let answer = gateway.get("/v1beta/corpora/x").await;
        assert_eq!((answer.status, &*answer.text()), (status, body));
        for (name, value) in shared.iter().filter(|(name, _)| *name != "warning") {
            assert_eq!(answer.header(name), *value, "{status}");
        }
        let warnings: Vec<_> = answer.headers.get_all("warning").iter().collect();
        assert_eq!(warnings, ["one", "two"], "{status}");
        assert_eq!(gateway.upstream.count(), 1, "{status}");
        assert_eq!(gateway.health(0), "active", "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_content_passes() {
    let gateway = open().start().await;
    for (status, method) in [(204, "DELETE"), (200, "DELETE"), (200, "POST")] {
        gateway.upstream.remove_rules();
        gateway.upstream.clear_seen();
        gateway.upstream.add_rule(Rule::new().respond(status, ""));
        let answer = gateway.send(call(method, "/v1beta/corpora/x", "")).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{method}");
        assert_eq!(gateway.upstream.count(), 1, "{method}");
    }
}

#[tokio::test]
async fn redirects_are_passed_on_and_not_followed() {
    let elsewhere = "https://storage.example/video.mp4?signature=1";
    let gateway = open().start().await;
    for path in ["/v1beta/files/x:download?alt=media", "/v1beta/corpora/x"] {
        gateway.upstream.remove_rules();
        gateway.upstream.clear_seen();
        let rule = Rule::new().respond_with(302, &[("location", elsewhere)], "moved");
        gateway.upstream.add_rule(rule);
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (302, elsewhere));
        assert_eq!(gateway.upstream.count(), 1);

        gateway.upstream.remove_rules();
        let inside = format!("{}/v1beta/files/y", gateway.upstream.base_url());
        let rule = Rule::new().respond_with(302, &[("location", &inside)], "");
        gateway.upstream.add_rule(rule);
        let answer = gateway.get(path).await;
        assert_eq!(
            answer.header("location"),
            "http://keymux.test/v1beta/files/y"
        );
    }
}

#[tokio::test]
async fn download_links_lead_back_and_a_files_uri_stays() {
    let gateway = open().start().await;
    let google = gateway.upstream.base_url();
    let body = json!({
        "name": "operations/x", "done": true, "uri": format!("{google}/v1beta/files/x"),
        "video": format!("{google}/v1beta/files/x:download?alt=media"),
    });
    let rule = Rule::new().respond(200, body.to_string());
    gateway.upstream.add_rule(rule);
    let answer = gateway.get("/v1beta/operations/x").await.json();
    assert_eq!(answer["uri"], body["uri"]);
    let link = "http://keymux.test/v1beta/files/x:download?alt=media";
    assert_eq!(answer["video"], link);
}

#[tokio::test]
async fn downloads_pass_byte_for_byte_and_in_parts() {
    let mut random = fastrand::Rng::with_seed(9);
    let file: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(2 << 20)
        .collect();
    let headers = [
        ("content-type", "video/mp4"),
        ("content-range", "bytes 0-1/2"),
    ];
    let rule = Rule::new().respond_with(206, &headers, file.clone());
    let gateway = open().upstream(gemini().rule(rule)).start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("range", "bytes=0-1"),
        ("accept-encoding", "gzip"),
    ];
    let path = "/v1beta/files/x:download?alt=media";
    let answer = gateway.send(request("GET", path, &headers, "")).await;
    assert_eq!((answer.status, &*answer.body), (206, &*file));
    assert_eq!(answer.header("content-range"), "bytes 0-1/2");
    assert_eq!(answer.header("content-length"), file.len().to_string());
    let seen = last_seen(&gateway);
    assert_eq!(seen.header("range"), Some("bytes=0-1"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn compressed_answers_are_not_asked_for() {
    let gateway = open().start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("accept-encoding", "gzip, br, zstd"),
        ("accept", "*/*"),
    ];
    let path = generate_path(MODEL);
    gateway
        .send(request("POST", &path, &headers, prompt("hi")))
        .await;
    let seen = last_seen(&gateway);
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("accept"), Some("*/*"));
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let events = [
        "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}]}\r\n\r\n",
        ": a comment\r\n\r\n",
        "data: {\"ofNextMonth\": true,\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
    ];
    let body = events.concat();
    let kind = [("content-type", "text/event-stream")];
    let rule = Rule::new().respond_with(200, &kind, body.clone());
    let gateway = open().upstream(gemini().rule(rule)).start().await;
    assert_eq!(gateway.stream().await.text(), body);
}

#[tokio::test]
async fn resources_that_tell_of_a_failure_pass_as_they_are() {
    let gateway = open().start().await;
    for (path, name) in [
        ("/v1beta/models/veo-3/operations/x", "operation_error"),
        ("/v1beta/models/veo-3/operations/x", "operation_pending"),
        (
            "/v1beta/models/veo-3/operations/x",
            "operation_done_filtered",
        ),
        ("/v1beta/files/x", "file_failed"),
        ("/v1beta/files/x", "file_processing"),
        ("/v1beta/batches/x", "batch_running"),
        ("/v1beta/batches/x", "batch_done"),
    ] {
        gateway.upstream.remove_rules();
        gateway.upstream.clear_seen();
        let rule = Rule::new().fixture(&format!("gemini/{name}.json"));
        gateway.upstream.add_rule(rule);
        let answer = gateway.get(path).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(gateway.upstream.count(), 1, "{name}");
        assert_eq!(gateway.health(0), "active", "{name}");
        let file = format!(
            "{}/../../fixtures/providers/gemini/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        assert_eq!(answer.body, std::fs::read(file).unwrap(), "{name}");
    }
}
