//! Files on their way to the provider: resumable uploads in pieces with one key and through one address, uploads in one
//! go, and what they may not do.

use std::time::Duration;

use bytes::Bytes;
use domain::Class;
use fake_upstream::{Rule, gemini};
use serde_json::Value;

use crate::support::{Answer, CLIENT_KEY, Connection, Socket, TestGateway, eventually, request};

const OTHER_KEY: &str = "sk-test-other-0002";
const START: [(&str, &str); 4] = [
    ("x-goog-upload-protocol", "resumable"),
    ("x-goog-upload-command", "start"),
    ("x-goog-upload-header-content-type", "text/plain"),
    ("content-type", "application/json"),
];
/// What a caller shows that goes on with an upload.
const NOTHING: &[(&str, &str)] = &[];
const OWN_KEY: &[(&str, &str)] = &[("x-goog-api-key", CLIENT_KEY)];

/// keymux with so many keys, and a second client.
async fn with_keys(count: usize) -> TestGateway {
    TestGateway::new()
        .keys((1..=count).map(|key| format!("AIza-key-{key}")))
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await
}

/// Begins an upload as the SDKs do.
async fn begin(gateway: &TestGateway, more: &[(&str, &str)]) -> Answer {
    let headers = [&START[..], more].concat();
    let metadata = r#"{"file": {"displayName": "a.txt"}}"#;
    gateway
        .send(request("POST", "/upload/v1beta/files", &headers, metadata))
        .await
}

/// Path and query of the address under which an upload goes on.
fn way_on(begun: &Answer) -> String {
    let url = begun.header("x-goog-upload-url");
    let path = url.strip_prefix("http://keymux.test");
    let path = path.unwrap_or_else(|| panic!("{url:?} does not lead back"));
    path.to_owned()
}

/// Sends one command of an upload.
async fn go_on(
    gateway: &TestGateway,
    path: &str,
    (command, offset): (&str, usize),
    data: impl Into<Bytes>,
    shown: &[(&str, &str)],
) -> Answer {
    let offset = offset.to_string();
    let mut headers = vec![
        ("x-goog-upload-command", command),
        ("x-goog-upload-offset", &*offset),
    ];
    headers.extend_from_slice(shown);
    gateway.send(request("POST", path, &headers, data)).await
}

/// The file's size as the provider tells it, once the upload is over.
fn size(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-goog-upload-status"), "final");
    answer.json()["file"]["sizeBytes"].clone()
}

#[tokio::test]
async fn an_upload_in_pieces_keeps_its_key_out_of_twenty() {
    let gateway = with_keys(20).await;
    for shown in [NOTHING, OWN_KEY] {
        gateway.upstream.clear_seen();
        let begun = begin(&gateway, OWN_KEY).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let path = way_on(&begun);
        let piece = vec![b'a'; 100_000];
        for offset in [0, 100_000, 200_000] {
            let sent = go_on(&gateway, &path, ("upload", offset), piece.clone(), shown).await;
            assert_eq!(
                sent.header("x-goog-upload-status"),
                "active",
                "{}",
                sent.text()
            );
            let told = go_on(&gateway, &path, ("query", 0), "", shown).await;
            let received = (offset + 100_000).to_string();
            assert_eq!(told.header("x-goog-upload-size-received"), received);
        }
        let last = go_on(&gateway, &path, ("upload, finalize", 300_000), "end", shown).await;
        assert_eq!(size(&last), "300003");
        let seen = gateway.upstream.seen();
        assert_eq!(seen.len(), 8);
        assert!(
            seen.iter()
                .all(|call| call.key.is_some() && call.key == seen[0].key)
        );
    }
}

#[tokio::test]
async fn the_way_on_leads_through_the_address_that_the_caller_used() {
    let gateway = with_keys(1).await;
    let begun = begin(&gateway, OWN_KEY).await;
    let path = way_on(&begun);
    assert!(
        path.starts_with("/upload/v1beta/files?upload_id="),
        "{path}"
    );
    let older = begun.header("x-goog-upload-control-url");
    assert_eq!(older, begun.header("x-goog-upload-url"));
    assert!(!format!("{:?}", begun.headers).contains(&gateway.upstream.base_url()));
}

#[tokio::test]
async fn forwarded_addresses_count_only_from_a_trusted_proxy() {
    let forwarded = [
        ("x-goog-api-key", CLIENT_KEY),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "ai.example.com"),
    ];
    for (trusted, expected) in [
        ("[127.0.0.0/8]", "https://ai.example.com/upload/"),
        ("[10.0.0.0/8]", "http://keymux.test/upload/"),
        ("[]", "http://keymux.test/upload/"),
    ] {
        let gateway = TestGateway::new()
            .setting("server.trusted_proxies", trusted)
            .start()
            .await;
        let begun = begin(&gateway, &forwarded).await;
        let url = begun.header("x-goog-upload-url");
        assert!(url.starts_with(expected), "{trusted}: {url}");
    }
}

#[tokio::test]
async fn whoever_shows_another_key_cannot_go_on() {
    let gateway = with_keys(3).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    gateway.upstream.clear_seen();
    let other = [("x-goog-api-key", OTHER_KEY)];
    let refused = go_on(&gateway, &path, ("upload, finalize", 0), "x", &other).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(refused.error()["status"], "PERMISSION_DENIED");
    assert_eq!(gateway.upstream.count(), 0);
    let last = go_on(&gateway, &path, ("upload, finalize", 0), "mine", NOTHING).await;
    assert_eq!(size(&last), "4");
}

#[tokio::test]
async fn whoever_shows_a_wrong_key_cannot_go_on() {
    let gateway = with_keys(3).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    gateway.upstream.clear_seen();
    let wrong = [("x-goog-api-key", "sk-test-nobody-0009")];
    let refused = go_on(&gateway, &path, ("upload, finalize", 0), "x", &wrong).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn an_upload_is_guarded_however_its_id_is_spelled() {
    let gateway = with_keys(3).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    let (before, rest) = path.split_once("upload_id=").unwrap();
    let (first, rest) = rest.split_at(1);
    let escaped = format!("%{:02x}{rest}", first.as_bytes()[0]);
    gateway.upstream.clear_seen();
    for spelled in [
        format!("{before}upload_id={escaped}"),
        format!("{before}upload%5Fid={first}{rest}"),
        format!("{before}%75pload%5fid={escaped}"),
        format!(
            "/p/google{}upload%5Fid={escaped}",
            before.replace("/upload", "/%75pload")
        ),
    ] {
        let other = [("x-goog-api-key", OTHER_KEY)];
        for command in ["query", "cancel", "upload, finalize"] {
            let refused = go_on(&gateway, &spelled, (command, 0), "", &other).await;
            assert_eq!(
                refused.status,
                403,
                "{command} {spelled}: {}",
                refused.text()
            );
        }
    }
    let twice = format!("{path}&upload%5Fid=else");
    let refused = go_on(&gateway, &twice, ("query", 0), "", OWN_KEY).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(gateway.upstream.count(), 0);
    // Whoever began it may spell it as they like.
    let spelled = format!("{before}upload%5Fid={escaped}");
    let last = go_on(&gateway, &spelled, ("upload, finalize", 0), "mine", NOTHING).await;
    assert_eq!(size(&last), "4");
}

#[tokio::test]
async fn an_anonymous_upload_goes_on_without_a_key_and_with_none() {
    let gateway = TestGateway::new()
        .keys(["AIza-key-1", "AIza-key-2", "AIza-key-3"])
        .setting("server.auth", "open")
        .start()
        .await;
    let path = way_on(&begin(&gateway, NOTHING).await);
    let refused = go_on(&gateway, &path, ("upload", 0), "x", OWN_KEY).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let last = go_on(&gateway, &path, ("upload, finalize", 0), "x", NOTHING).await;
    assert_eq!(size(&last), "1");
}

#[tokio::test]
async fn an_unknown_upload_is_a_request_like_any_other() {
    let gateway = with_keys(1).await;
    let path = "/upload/v1beta/files?upload_id=nobodys";
    let refused = go_on(&gateway, path, ("query", 0), "", NOTHING).await;
    assert_eq!((refused.status, gateway.upstream.count()), (401, 0));
    let unknown = go_on(&gateway, path, ("query", 0), "", OWN_KEY).await;
    assert_eq!((unknown.status, gateway.upstream.count()), (404, 1));
    assert_eq!(unknown.error()["status"], "NOT_FOUND");
}

/// Begins an upload, lets keymux end and begin again, and goes on.
async fn check_survival(again: impl AsyncFnOnce(TestGateway) -> TestGateway) {
    let gateway = with_keys(20).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    go_on(&gateway, &path, ("upload", 0), "before ", NOTHING).await;
    let gateway = again(gateway).await;
    let last = go_on(&gateway, &path, ("upload, finalize", 7), "after", NOTHING).await;
    assert_eq!(size(&last), "12");
    let seen = gateway.upstream.seen();
    assert_eq!((seen.len(), &seen[2].key), (3, &seen[0].key));
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    check_survival(TestGateway::restart).await;
}

#[tokio::test]
async fn an_upload_goes_on_after_a_crash() {
    check_survival(TestGateway::crash).await;
}

#[tokio::test]
async fn an_upload_goes_on_at_another_instance() {
    let gateway = with_keys(20).await;
    let beside = gateway.beside().await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    // Its provider is another one, which has not heard of the upload; but it is asked with the right key.
    go_on(&beside, &path, ("upload", 0), "some", NOTHING).await;
    let (began, went_on) = (gateway.upstream.seen(), beside.upstream.seen());
    assert_eq!(went_on.last().unwrap().key, began[0].key);
    let other = [("x-goog-api-key", OTHER_KEY)];
    let refused = go_on(&beside, &path, ("upload", 4), "more", &other).await;
    assert_eq!(refused.status, 403);
}

async fn with_limits() -> TestGateway {
    TestGateway::new()
        .setting("server.max_body", "1KiB")
        .setting("server.max_upload", "64KiB")
        .start()
        .await
}

#[tokio::test]
async fn an_upload_may_be_larger_than_a_body() {
    let gateway = with_limits().await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    let file = vec![b'a'; 64 * 1024];
    let last = go_on(&gateway, &path, ("upload, finalize", 0), file, NOTHING).await;
    assert_eq!(size(&last), "65536");
}

#[tokio::test]
async fn an_upload_that_declares_too_much_is_refused() {
    let gateway = with_limits().await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    gateway.upstream.clear_seen();
    let mut caller = Socket::open(gateway.address).await;
    caller
        .send(format!(
            "POST {path} HTTP/1.1\r\nhost: keymux\r\ncontent-length: 65537\r\n\r\n"
        ))
        .await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(
        answer.text().contains("server.max_upload"),
        "{}",
        answer.text()
    );
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn an_upload_that_grows_too_large_is_refused_and_hurts_no_key() {
    let gateway = with_limits().await;
    let mut caller = Socket::open(gateway.address).await;
    caller.send(raw_upload("transfer-encoding: chunked")).await;
    for _ in 0..5 {
        caller.send_chunk(&[b'a'; 16 * 1024]).await;
    }
    let answer = caller.answer().await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(gateway.health(0), "active");
    let record = gateway.only_record().await;
    assert_eq!(
        (record.status, record.error),
        (413, Some(Class::BadRequest))
    );
    assert_eq!(record.attempts.len(), 1);
}

fn raw_upload(framing: &str) -> String {
    format!(
        "POST /upload/v1beta/files HTTP/1.1\r\nhost: keymux\r\nx-goog-api-key: {CLIENT_KEY}\r\n\
         x-goog-upload-protocol: raw\r\ncontent-type: text/plain\r\n{framing}\r\n\r\n"
    )
}

#[tokio::test]
async fn uploads_in_one_go_pass() {
    let gateway = with_keys(2).await;
    let raw = [
        ("x-goog-api-key", CLIENT_KEY),
        ("x-goog-upload-protocol", "raw"),
        ("content-type", "text/plain"),
    ];
    let sent = request("POST", "/upload/v1beta/files", &raw, "hello");
    assert_eq!(size(&gateway.send(sent).await), "5");
    let multipart = [
        ("x-goog-api-key", CLIENT_KEY),
        ("x-goog-upload-protocol", "multipart"),
        ("content-type", "multipart/related; boundary=cut"),
    ];
    let body = "--cut\r\ncontent-type: application/json\r\n\r\n{\"file\": {\"displayName\": \"b\"}}\r\n\
                --cut\r\ncontent-type: text/csv\r\n\r\na,b\r\n--cut--\r\n";
    let sent = request("POST", "/upload/v1alpha/files", &multipart, body);
    let answer = gateway.send(sent).await;
    assert_eq!(size(&answer), "3");
    assert_eq!(answer.json()["file"]["mimeType"], "text/csv");
}

#[tokio::test]
async fn an_uploaded_file_can_be_looked_at_used_and_deleted() {
    let gateway = with_keys(1).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    let last = go_on(&gateway, &path, ("upload, finalize", 0), "hello", OWN_KEY).await;
    let file = last.json()["file"].clone();
    let uri = file["uri"].as_str().unwrap();
    assert!(
        uri.starts_with(&gateway.upstream.base_url()),
        "{uri} is a name and stays"
    );
    let path = format!("/v1beta/{}", file["name"].as_str().unwrap());
    assert_eq!(gateway.get(&path).await.json(), file);
    let prompt = serde_json::json!({"contents": [{"parts": [{"fileData": {"fileUri": uri}}]}]});
    let model = format!("/v1beta/models/{}:generateContent", crate::support::MODEL);
    let answer = gateway.post(&model, prompt.to_string()).await;
    assert!(answer.said().contains("5 bytes"), "{}", answer.text());
    let deleted = gateway.send(request("DELETE", &path, OWN_KEY, "")).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(gateway.get(&path).await.status, 404);
}

#[tokio::test]
async fn uploads_into_other_collections_pass() {
    let gateway = with_keys(20).await;
    let headers = [&START[..], OWN_KEY].concat();
    let store = gateway.post("/v1beta/fileSearchStores", "{}").await.json();
    let into = format!("{}:upload", store["name"].as_str().unwrap());
    let path = format!("/upload/v1beta/{into}ToFileSearchStore");
    let begun = gateway.send(request("POST", &path, &headers, "{}")).await;
    let path = way_on(&begun);
    assert!(path.contains(&into), "{path}");
    let last = go_on(&gateway, &path, ("upload, finalize", 0), "hello", NOTHING).await;
    assert_eq!(
        (last.status, &last.json()["done"]),
        (200, &Value::Bool(true))
    );
}

#[tokio::test]
async fn the_provider_reads_an_upload_while_the_caller_still_sends() {
    let gateway = with_keys(1).await;
    let mut caller = Socket::open(gateway.address).await;
    caller.send(raw_upload("content-length: 6")).await;
    eventually("the provider has the head", async || {
        (gateway.upstream.count() == 1).then_some(())
    })
    .await;
    caller.send("one").await;
    caller.send("two").await;
    assert_eq!(size(&caller.answer().await), "6");
    assert_eq!(
        gateway.upstream.seen()[0].header("content-length"),
        Some("6")
    );
}

#[tokio::test]
async fn an_upload_may_take_longer_than_a_request_as_long_as_it_moves() {
    let gateway = TestGateway::new()
        .setting("pool.request_timeout", "1s")
        .start()
        .await;
    let mut caller = Socket::open(gateway.address).await;
    caller.send(raw_upload("content-length: 15")).await;
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        caller.send("a").await;
    }
    assert_eq!(size(&caller.answer().await), "15");
}

#[tokio::test]
async fn an_interrupted_upload_is_not_tried_with_another_key() {
    let gateway = with_keys(3).await;
    let mut caller = Socket::open(gateway.address).await;
    caller.send(raw_upload("content-length: 1000")).await;
    caller.send("a beginning").await;
    eventually("the provider has the head", async || {
        (gateway.upstream.count() == 1).then_some(())
    })
    .await;
    drop(caller);
    let record = gateway.only_record().await;
    assert_eq!(record.error, Some(Class::ClientGone));
    assert_eq!(gateway.upstream.count(), 1);
    for key in 0..3 {
        assert_eq!(gateway.health(key), "active");
    }
}

#[tokio::test]
async fn what_was_made_is_found_though_its_maker_hung_up_before_the_answer() {
    let slow = Rule::new().delay_head(Duration::from_millis(300)).times(1);
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let mut caller = Socket::open(gateway.address).await;
    caller.send(raw_upload("content-length: 5")).await;
    caller.send("hello").await;
    eventually("the provider has the head", async || {
        (gateway.upstream.count() == 1).then_some(())
    })
    .await;
    drop(caller);
    eventually("the file is listed", async || {
        let listed = gateway.get("/v1beta/files").await.json();
        let files = listed["files"].as_array().map_or(0, Vec::len);
        (files == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_the_provider_drops_is_not_tried_with_another_key() {
    for rule in [Rule::new().reset(), Rule::new().respond(500, "{}")] {
        let gateway = TestGateway::new()
            .upstream(gemini().rule(rule))
            .keys(["AIza-key-1", "AIza-key-2"])
            .start()
            .await;
        let mut caller = Socket::open(gateway.address).await;
        caller.send(raw_upload("content-length: 5")).await;
        caller.send("hello").await;
        let answer = caller.answer().await;
        assert!(answer.status >= 500, "{}", answer.text());
        assert_eq!(gateway.upstream.count(), 1);
    }
}

/// A pinned key that fails is not asked over and over.
async fn check_pinned(fixture: &str) {
    let gateway = TestGateway::new()
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("retry.deadline", "1s")
        .start()
        .await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    gateway.upstream.clear_seen();
    gateway.upstream.add_rule(Rule::new().fixture(fixture));
    let answer = go_on(&gateway, &path, ("query", 0), "", NOTHING).await;
    assert!(
        matches!(answer.status, 429 | 503),
        "{fixture}: {}",
        answer.text()
    );
    let asked = gateway.upstream.count();
    assert!(asked <= 5, "{fixture}: asked {asked} times");
    let seen = gateway.upstream.seen();
    assert!(seen.iter().all(|call| call.key == seen[0].key), "{fixture}");
}

#[tokio::test]
async fn an_upload_whose_key_is_out_of_quota_ends() {
    check_pinned("gemini/errors/429_per_day.json").await;
}

#[tokio::test]
async fn an_upload_whose_key_is_unpaid_ends() {
    check_pinned("gemini/errors/402_prepay_depleted.json").await;
}

#[tokio::test]
async fn an_upload_whose_key_is_leaked_ends() {
    check_pinned("gemini/errors/403_key_leaked.json").await;
}

#[tokio::test]
async fn an_upload_can_be_cancelled() {
    let gateway = with_keys(1).await;
    let path = way_on(&begin(&gateway, OWN_KEY).await);
    let mut caller = Connection::open(gateway.address).await;
    let cancel = [("x-goog-upload-command", "cancel")];
    let answer = caller.send(request("POST", &path, &cancel, "")).await;
    assert_eq!(answer.header("x-goog-upload-status"), "cancelled");
}

#[tokio::test]
async fn an_uploads_id_opens_no_other_door() {
    let gateway = with_keys(2).await;
    let begun = begin(&gateway, OWN_KEY).await;
    let way_on = way_on(&begun);
    let (_, query) = way_on.split_once('?').unwrap();
    let path = format!("/v1beta/models/gemini-3.8-flash:generateContent?{query}");
    let answer = gateway.send(request("POST", &path, NOTHING, "{}")).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
}
