//! What belongs to a project: made with one of twenty keys, reached by that project's keys alone, by whoever made it, also
//! after a crash. `ids.rs`: what is named by an id alone; `lists.rs`: what is listed of it; `together.rs`: what is made at
//! once, and under what name; `vanished.rs`: what is gone.

use fake_upstream::{FakeKey, KeyFault, Rule};
use serde_json::{Value, json};

use crate::support::{Answer, CLIENT_KEY, MODEL, Operator, TestGateway, request};

mod ids;
mod lists;
mod teams;
mod together;
mod vanished;

const OTHER_KEY: &str = "sk-test-other-0002";

/// keymux with twenty keys, each a project of its own, and a second client.
async fn twenty() -> TestGateway {
    TestGateway::new()
        .keys((1..=20).map(|key| format!("AIza-key-{key:02}")))
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await
}

/// One client's calls.
#[derive(Clone, Debug)]
struct Caller<'a> {
    gateway: &'a TestGateway,
    key: String,
}

impl<'a> Caller<'a> {
    fn new(gateway: &'a TestGateway) -> Self {
        Self::with(gateway, CLIENT_KEY)
    }

    fn with(gateway: &'a TestGateway, key: &str) -> Self {
        let key = key.to_owned();
        Self { gateway, key }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [
            ("x-goog-api-key", &*self.key),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.gateway
            .send(request(method, path, &headers, body))
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.ask("POST", path, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Uploads a file in one go. Gives it as the provider shows it.
    async fn upload(&self) -> Value {
        let headers = [
            ("x-goog-api-key", &*self.key),
            ("x-goog-upload-protocol", "raw"),
            ("content-type", "text/plain"),
        ];
        let answer = request("POST", "/upload/v1beta/files", &headers, "a few words");
        let answer = self.gateway.send(answer).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["file"].clone()
    }

    /// Asks the model about files.
    async fn ask_about(&self, files: &[&Value]) -> Answer {
        let data =
            |file: &&Value| json!({"fileData": {"fileUri": file["uri"], "mimeType": "text/plain"}});
        let mut parts: Vec<Value> = files.iter().map(data).collect();
        parts.push(json!({"text": "what is in these?"}));
        let body = json!({"contents": [{"role": "user", "parts": parts}]});
        self.ask(
            "POST",
            &format!("/v1beta/models/{MODEL}:generateContent"),
            &body,
        )
        .await
    }
}

fn name(resource: &Value) -> String {
    resource["name"].as_str().unwrap().to_owned()
}

fn path(resource: &Value) -> String {
    format!("/v1beta/{}", name(resource))
}

#[tokio::test]
async fn files_made_one_after_the_other_are_used_together() {
    let gateway = twenty().await;
    for turn in 0..100 {
        // Callers that ask models in between do not disturb that.
        let caller = Caller::with(&gateway, if turn % 2 == 0 { CLIENT_KEY } else { OTHER_KEY });
        let one = caller.upload().await;
        gateway.generate().await;
        let other = caller.upload().await;
        let answer = caller.ask_about(&[&one, &other]).await;
        assert_eq!(answer.status, 200, "turn {turn}: {}", answer.text());
    }
}

#[tokio::test]
async fn whoever_crashes_right_after_finds_it_again() {
    let gateway = twenty().await;
    let file = Caller::new(&gateway).upload().await;
    let gateway = gateway.crash().await;
    let caller = Caller::new(&gateway);
    for _ in 0..5 {
        let found = caller.get(&path(&file)).await;
        assert_eq!(found.status, 200, "{}", found.text());
    }
    let other = caller.upload().await;
    assert_eq!(caller.ask_about(&[&file, &other]).await.status, 200);
}

#[tokio::test]
async fn another_instance_finds_it() {
    let gateway = twenty().await;
    let beside = gateway.beside().await;
    let file = Caller::new(&gateway).upload().await;
    let maker = gateway.upstream.seen().last().unwrap().key.clone();
    // Its provider is another one, which does not have the file; but it is asked with the right key.
    let answer = Caller::new(&beside).get(&path(&file)).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(beside.upstream.seen().last().unwrap().key, maker);
}

#[tokio::test]
async fn a_throttled_project_is_waited_for_and_never_left() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    let file = caller.upload().await;
    let maker = gateway.upstream.seen().last().unwrap().key.clone().unwrap();
    gateway.upstream.clear_seen();
    gateway.upstream.add_rule(
        Rule::new()
            .key(&maker)
            .fixture("gemini/errors/429_per_minute_requests.json"),
    );
    let refused = caller.ask_about(&[&file]).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.headers.contains_key("retry-after"));
    let again = caller.ask_about(&[&file]).await;
    assert_eq!(again.status, 503, "{}", again.text());
    let seen = gateway.upstream.seen();
    assert_eq!(seen.len(), 1, "it was asked of others, or again");
    assert_eq!(seen[0].key.as_deref(), Some(&*maker));
    // Others are not held up.
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn what_another_made_is_not_there() {
    let gateway = twenty().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    let file = mine.upload().await;
    gateway.upstream.clear_seen();
    for answer in [
        other.get(&path(&file)).await,
        other.ask("DELETE", &path(&file), &Value::Null).await,
        other
            .get(&format!("{}:download?alt=media", path(&file)))
            .await,
        other.get(&path(&file).replace("files/", "files%2F")).await,
        other.ask_about(&[&file]).await,
        other.get("/v1beta/files/never-made").await,
    ] {
        assert_eq!(answer.status, 404, "{}", answer.text());
        assert_eq!(answer.error()["status"], "NOT_FOUND");
    }
    assert_eq!(gateway.upstream.seen().len(), 0);
    assert_eq!(mine.get(&path(&file)).await.status, 200);
}

#[tokio::test]
async fn client_keys_of_one_user_share() {
    let gateway = twenty().await;
    let admin = Operator::admin(&gateway).await;
    admin.make_user("mei", "member").await;
    let one = admin
        .make_client(json!({"name": "one", "owner": "mei"}))
        .await;
    let other = admin
        .make_client(json!({"name": "other-of-mei", "owner": "mei"}))
        .await;
    let (one, other) = (
        Caller::with(&gateway, &one.secret),
        Caller::with(&gateway, &other.secret),
    );
    let file = one.upload().await;
    assert_eq!(other.get(&path(&file)).await.status, 200);
    assert_eq!(Caller::new(&gateway).get(&path(&file)).await.status, 404);
}

#[tokio::test]
async fn an_operator_can_open_it_to_everybody() {
    let gateway = twenty().await;
    let admin = Operator::admin(&gateway).await;
    let file = Caller::new(&gateway).upload().await;
    let other = Caller::with(&gateway, OTHER_KEY);
    assert_eq!(other.get(&path(&file)).await.status, 404);
    admin.set("affinity.isolation", json!("none")).await;
    let found = other.get(&path(&file)).await;
    assert_eq!(found.status, 200, "{}", found.text());
    // What keymux does not know is for the provider to judge.
    let unknown = other.get("/v1beta/files/never-made").await;
    assert_eq!(unknown.status, 403, "{}", unknown.text());
}

/// Two files of one user in two projects.
async fn in_two_projects(gateway: &TestGateway, admin: &Operator) -> (String, Value, Value) {
    admin.make_user("mei", "member").await;
    let mut files: Vec<(String, Value)> = Vec::new();
    for number in 0.. {
        let client = json!({"name": format!("mei-{number}"), "owner": "mei"});
        let client = admin.make_client(client).await;
        let file = Caller::with(gateway, &client.secret).upload().await;
        let key = gateway.upstream.seen().last().unwrap().key.clone().unwrap();
        files.push((key, file));
        if let Some((_, other)) = files.iter().find(|(key, _)| *key != files[0].0) {
            return (client.secret, files[0].1.clone(), other.clone());
        }
        assert!(number < 20, "all went to one project");
    }
    unreachable!()
}

#[tokio::test]
async fn names_of_two_projects_are_refused_by_name() {
    let gateway = twenty().await;
    let admin = Operator::admin(&gateway).await;
    let (secret, one, other) = in_two_projects(&gateway, &admin).await;
    let caller = Caller::with(&gateway, &secret);
    gateway.upstream.clear_seen();
    let refused = caller.ask_about(&[&one, &other]).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let said = refused.error()["message"].as_str().unwrap().to_owned();
    assert!(
        said.contains(&name(&one)) && said.contains(&name(&other)),
        "{said}"
    );
    assert_eq!(gateway.upstream.seen().len(), 0);
    for file in [&one, &other] {
        assert_eq!(caller.ask_about(&[file]).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_made_of_something_is_found_too() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    let other = Caller::with(&gateway, OTHER_KEY);
    let file = caller.upload().await;

    let cache = json!({"model": format!("models/{MODEL}"), "contents": [{"parts": [{"fileData": {"fileUri": file["uri"]}}]}]});
    let cache = caller.made("/v1beta/cachedContents", cache).await;
    let body = json!({"contents": [{"parts": [{"text": "and?"}]}], "cachedContent": cache["name"]});
    let generate = format!("/v1beta/models/{MODEL}:generateContent");
    for _ in 0..5 {
        caller.made(&generate, body.clone()).await;
    }
    assert_eq!(other.ask("POST", &generate, &body).await.status, 404);

    let batch = json!({"batch": {"displayName": "b", "inputConfig": {"fileName": file["name"]}}});
    let batch = caller
        .made(
            &format!("/v1beta/models/{MODEL}:batchGenerateContent"),
            batch,
        )
        .await;
    let done = caller.get(&path(&batch)).await.json();
    let result = done["response"]["responsesFile"].as_str().unwrap();
    let result = caller
        .get(&format!("/v1beta/{result}:download?alt=media"))
        .await;
    assert_eq!(result.status, 200, "{}", result.text());
    assert_eq!(other.get(&path(&batch)).await.status, 404);

    let store = caller
        .made("/v1beta/fileSearchStores", json!({"displayName": "s"}))
        .await;
    let import = json!({"fileName": file["name"]});
    let import = caller
        .made(&format!("{}:importFile", path(&store)), import)
        .await;
    assert_eq!(caller.get(&path(&import)).await.status, 200);
    let body = json!({"contents": [{"parts": [{"text": "search"}]}],
        "tools": [{"fileSearch": {"fileSearchStoreNames": [store["name"]]}}]});
    caller.made(&generate, body.clone()).await;
    assert_eq!(other.ask("POST", &generate, &body).await.status, 404);
}

#[tokio::test]
async fn a_video_is_downloaded_with_the_key_that_made_it() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    for _ in 0..5 {
        let body = json!({"instances": [{"prompt": "a cat"}]});
        let operation = caller
            .made("/v1beta/models/veo-3.1:predictLongRunning", body)
            .await;
        let done = caller.get(&path(&operation)).await.json();
        let sample = &done["response"]["generateVideoResponse"]["generatedSamples"][0];
        let link = sample["video"]["uri"].as_str().unwrap();
        let link = link.strip_prefix("http://keymux.test").unwrap();
        let video = caller.get(link).await;
        assert_eq!(video.status, 200, "{}", video.text());
        assert_eq!(
            Caller::with(&gateway, OTHER_KEY).get(link).await.status,
            404
        );
    }
}

#[tokio::test]
async fn a_conversation_goes_on_where_it_began() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    for stream in [false, true] {
        let mut previous = Value::Null;
        for _ in 0..5 {
            let mut body = json!({"model": MODEL, "input": "hello", "stream": stream});
            if !previous.is_null() {
                body["previous_interaction_id"] = previous.clone();
            }
            let answer = caller.ask("POST", "/v1beta/interactions", &body).await;
            assert_eq!(answer.status, 200, "stream {stream}: {}", answer.text());
            previous = if stream {
                let text = answer.text();
                let id = text
                    .split("\"id\":\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                json!(id.unwrap())
            } else {
                answer.json()["id"].clone()
            };
        }
        let id = previous.as_str().unwrap();
        let path = format!("/v1beta/interactions/{id}");
        assert_eq!(caller.get(&path).await.status, 200);
        assert_eq!(
            Caller::with(&gateway, OTHER_KEY).get(&path).await.status,
            404
        );
    }
}

#[tokio::test]
async fn nothing_hides_what_a_request_names() {
    let gateway = twenty().await;
    let file = Caller::new(&gateway).upload().await;
    let uri = file["uri"].as_str().unwrap();
    let hidden: String = uri.replace("files", "fi\\u006ces");
    let path = format!("/v1beta/models/{MODEL}:generateContent");
    let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
    for (body, encoding, status) in [
        (
            format!(r#"{{"contents":[{{"parts":[{{"fileData":{{"fileUri":"{hidden}"}}}}]}}]}}"#),
            "",
            404,
        ),
        (
            format!(
                r#"{{"x":{deep},"contents":[{{"parts":[{{"fileData":{{"fileUri":"{uri}"}}}}]}}]}}"#
            ),
            "",
            400,
        ),
        ("\u{1f}files/".to_owned(), "gzip", 415),
        (
            format!(
                r#"{{"contents":[{{"parts":[{{"fileData":{{"fileUri":" ./{}"}}}}]}}]}}"#,
                name(&file)
            ),
            "",
            404,
        ),
        (
            format!(
                r#"{{"contents":[{{"parts":[{{"fileData":{{"fileUri":"x/../{}"}}}}]}}]}}"#,
                name(&file)
            ),
            "",
            400,
        ),
        ("{\0\"\0".to_owned(), "", 400),
    ] {
        let mut headers = vec![
            ("x-goog-api-key", OTHER_KEY),
            ("content-type", "application/json"),
        ];
        if !encoding.is_empty() {
            headers.push(("content-encoding", encoding));
        }
        gateway.upstream.clear_seen();
        let answer = gateway
            .send(request("POST", &path, &headers, body.clone()))
            .await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(gateway.upstream.seen().len(), 0, "{body}");
    }
}

#[tokio::test]
async fn no_other_way_leads_to_what_others_made() {
    let gateway = TestGateway::new()
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await;
    let file = Caller::new(&gateway).upload().await;
    gateway
        .upstream
        .set_key(FakeKey::new("AIza-bogus").fault(KeyFault::Invalid));
    gateway.upstream.clear_seen();
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let own = [("x-google-api-key", "AIza-bogus")];
    let of_file = path(&file);
    for (method, path, more, body) in [
        ("GET", "/v1beta/files", &own[..], ""),
        ("GET", "/p/google/v1beta/files", &own[..], ""),
        ("GET", "/p/google/v1beta/files", &upgrade[..], ""),
        ("GET", &format!("/p/google{of_file}"), &upgrade[..], ""),
        ("GET", &format!("/p/google{of_file}"), &[], ""),
        ("GET", "/v1beta/openai/files", &[], ""),
        ("GET", "/v1beta/openai/batches", &[], ""),
        ("GET", "/v1beta/models/veo-3.1/operations", &[], ""),
        ("GET", "/v1beta/files/a%2F..%2Fb", &[], ""),
        ("GET", "/v1beta/files/%00", &[], ""),
        ("POST", "/p/google/batch", &[], "GET /v1beta/files"),
        (
            "POST",
            "/p/google/$rpc/google.ai.FileService/ListFiles",
            &[],
            "[]",
        ),
    ] {
        let headers = [&[("x-goog-api-key", OTHER_KEY)], more].concat();
        let answer = gateway
            .send(request(method, path, &headers, body.to_owned()))
            .await;
        assert_ne!(answer.status, 200, "{method} {path}: {}", answer.text());
        let is_asked_for = path.contains(&name(&file));
        assert!(
            is_asked_for || !answer.text().contains(&name(&file)),
            "{method} {path}"
        );
        let seen = gateway.upstream.seen();
        let is_own = |key: &Option<String>| key.as_deref() == Some("AIza-bogus");
        assert!(
            seen.iter().all(|call| is_own(&call.key)),
            "{method} {path}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn nobody_takes_over_a_name_that_another_has() {
    let gateway = TestGateway::new()
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    let file = mine.upload().await;
    // It has the other's file named where its own things are.
    let batch = json!({"batch": {"displayName": name(&file), "inputConfig": {"requests": {"requests": []}}}});
    let batch = other
        .made(
            &format!("/v1beta/models/{MODEL}:batchGenerateContent"),
            batch,
        )
        .await;
    other.get(&path(&batch)).await;
    let gateway = gateway.crash().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    assert_eq!(other.get(&path(&file)).await.status, 404);
    assert_eq!(mine.get(&path(&file)).await.status, 200);
}

#[tokio::test]
async fn a_callers_own_key_reaches_what_it_made_and_nothing_else() {
    let gateway = TestGateway::new().start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("x-google-api-key", "AIza-own"),
        ("x-goog-upload-protocol", "raw"),
        ("content-type", "text/plain"),
    ];
    let made = gateway
        .send(request("POST", "/upload/v1beta/files", &headers, "x"))
        .await;
    let file = made.json()["file"].clone();
    let found = gateway
        .send(request("GET", &path(&file), &headers[..2], ""))
        .await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(Caller::new(&gateway).get(&path(&file)).await.status, 404);
    let pooled = Caller::new(&gateway).upload().await;
    let refused = gateway
        .send(request("GET", &path(&pooled), &headers[..2], ""))
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test]
async fn operators_see_who_has_what_and_can_forget_it() {
    let gateway = twenty().await;
    let admin = Operator::admin(&gateway).await;
    let file = Caller::new(&gateway).upload().await;
    let rows = admin.rows("/api/resources?collection=files").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["name"], file["name"]);
    assert_eq!(rows[0]["client"], "test");
    assert!(rows[0]["expires_at"].is_string());
    let member = admin.make_member("mei").await;
    assert_eq!(member.rows("/api/resources").await.len(), 0);
    let one = format!("/api/resources?provider=google&name={}", name(&file));
    member.delete(&one).await.refused(403, "forbidden");
    admin.delete(&one).await.expect(204);
    admin.delete(&one).await.expect(404);
    assert_eq!(Caller::new(&gateway).get(&path(&file)).await.status, 404);
}
