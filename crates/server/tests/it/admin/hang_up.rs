//! `SIGHUP`: the configuration file is read again, as a whole or not at all.

use fake_upstream::{FakeUpstream, gemini};
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Answer, Connection, Machine, Operator, PASSWORD, Program, eventually, generate_as,
};

const CLIENT: &str = "sk-of-the-file-0001";

fn yaml(upstream: &FakeUpstream, keys: &[&str], more: &str) -> String {
    format!(
        "server: {{ listen: 127.0.0.1:0 }}\nadmin: {{ password: {PASSWORD} }}\n\
         clients:\n- {{ name: app, key: {CLIENT} }}\n\
         providers:\n  google:\n    kind: gemini\n    base_url: {}\n    models_refresh: 0s\n    keys: [{}]\n{more}",
        upstream.base_url(),
        keys.join(", "),
    )
}

struct Story {
    machine: Machine,
    program: Program,
    upstream: FakeUpstream,
    admin: Operator,
}

impl Story {
    async fn begin(keys: &[&str], more: &str) -> Self {
        let upstream = gemini().start().await;
        let machine = Machine::new().file("keymux.yaml", &yaml(&upstream, keys, more));
        let program = machine.serve().await;
        let admin = Operator::log_in(program.address, ADMIN, PASSWORD).await;
        Self {
            machine,
            program,
            upstream,
            admin,
        }
    }

    /// Writes the file, and has it read; ends when the log says what came of it.
    async fn reload(&self, text: &str, said: &str) -> String {
        let before = self.program.stderr().len();
        std::fs::write(self.machine.path("keymux.yaml"), text).unwrap();
        self.program.hang_up();
        eventually(said, async || {
            let log = self.program.stderr();
            log[before..]
                .contains(said)
                .then(|| log[before..].to_owned())
        })
        .await
    }

    async fn generate(&self) -> Answer {
        Connection::open(self.program.address)
            .await
            .send(generate_as(CLIENT))
            .await
    }

    async fn keys(&self) -> Vec<(String, String)> {
        let rows = self.admin.rows("/api/keys").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |row: &Value| (text(&row["masked_key"]), text(&row["status"]));
        rows.iter().map(row).collect()
    }
}

const READ: &str = "the configuration was read again";
const KEPT: &str = "the configuration stays as it was";

fn key(masked: &str, status: &str) -> (String, String) {
    (masked.to_owned(), status.to_owned())
}

#[tokio::test]
async fn keys_of_the_file_come_and_go() {
    let story = Story::begin(&["AIza-key-000000001", "AIza-key-000000002"], "").await;
    let next = yaml(
        &story.upstream,
        &["AIza-key-000000002", "AIza-key-000000003"],
        "",
    );
    story.reload(&next, READ).await;
    assert_eq!(
        story.keys().await,
        [
            key("AIza…0001", "disabled"),
            key("AIza…0002", "active"),
            key("AIza…0003", "active")
        ]
    );
    for _ in 0..20 {
        assert_eq!(story.generate().await.status, 200);
    }
    assert_eq!(story.upstream.count_for_key("AIza-key-000000001"), 0);
    assert!(story.upstream.count_for_key("AIza-key-000000003") > 0);
    let first = yaml(&story.upstream, &["AIza-key-000000001"], "");
    story.reload(&first, READ).await;
    assert_eq!(story.keys().await[0].1, "active");
}

#[tokio::test]
async fn settings_and_providers_of_the_file_come_and_go() {
    let more = "retry: { max_attempts: 4 }\n";
    let story = Story::begin(&["AIza-key-000000001"], more).await;
    let other = gemini().start().await;
    let more = format!(
        "  second:\n    kind: gemini\n    base_url: {}\n    keys: [AIza-of-the-second]\n\
         aliases: {{ fast: google/gemini-flash-latest }}\npool: {{ request_timeout: 9s }}\n",
        other.base_url(),
    );
    let next = yaml(&story.upstream, &["AIza-key-000000001"], &more);
    story.reload(&next, READ).await;
    let all = story.admin.get("/api/settings").await.json();
    let value = |name: &str| {
        let items = all["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["name"] == name).unwrap();
        (
            item["value"].clone(),
            item["set_by"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        value("pool.request_timeout"),
        (json!("9s"), "file".to_owned())
    );
    assert_eq!(
        value("retry.max_attempts"),
        (json!(5), "default".to_owned())
    );
    assert_eq!(value("aliases").1, "file");
    let providers = story.admin.rows("/api/providers").await;
    let second = providers
        .iter()
        .find(|row| row["name"] == "second")
        .unwrap();
    assert_eq!(
        (&second["in_use"], &second["keys"]["active"]),
        (&json!(true), &json!(1))
    );
    let rows = story.admin.rows("/api/keys?provider=second").await;
    let test = format!("/api/keys/{}/test", rows[0]["id"]);
    let tested = story
        .admin
        .send("POST", &test, None)
        .await
        .expect(200)
        .json();
    assert_eq!((&tested["works"], other.count()), (&json!(true), 1));
    let without = yaml(&story.upstream, &["AIza-key-000000001"], "");
    story.reload(&without, READ).await;
    let providers = story.admin.rows("/api/providers").await;
    assert!(providers.iter().all(|row| row["name"] != "second"));
    assert_eq!(story.generate().await.status, 200);
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_says_why() {
    let story = Story::begin(&["AIza-key-000000001"], "").await;
    let keys = ["AIza-key-000000002"];
    for (more, why) in [
        ("retry: { max_attempts: 0 }\n", "max_attempts"),
        ("retry: { max_atempts: 3 }\n", "max_attempts"),
        ("retry: [\n", "keymux.yaml"),
        (
            "  second:\n    kind: gemini\n    base_url: https://localhost:1\n    ca_file: no-such-file.pem\n",
            "no-such-file.pem",
        ),
        ("server: { auth: open }\n", "server"),
    ] {
        let log = story
            .reload(&yaml(&story.upstream, &keys, more), "configuration ")
            .await;
        assert!(log.contains(KEPT), "{more}: {log}");
        assert!(log.contains(why), "{why}: {log}");
        assert_eq!(story.keys().await, [key("AIza…0001", "active")], "{more}");
        assert_eq!(story.generate().await.status, 200);
    }
    assert_eq!(story.upstream.count_for_key("AIza-key-000000002"), 0);
    let good = yaml(&story.upstream, &keys, "");
    story.reload(&good, READ).await;
    assert_eq!(story.keys().await.len(), 2);
}

#[tokio::test]
async fn what_the_admin_api_made_is_not_touched_by_the_file() {
    let mut story = Story::begin(&["AIza-key-000000001"], "").await;
    story.admin.add_key("AIza-added-0000002").await;
    let settings = json!({"retry.max_attempts": 7});
    story.admin.put("/api/settings", settings).await.expect(200);
    let made = story
        .admin
        .post("/api/allowed_keys", json!({"name": "made"}))
        .await;
    let made = made.expect(201).json();
    let text = yaml(
        &story.upstream,
        &["AIza-key-000000001"],
        "pool: { max_failures: 9 }\n",
    );
    story.reload(&text, READ).await;
    assert_eq!(
        story.keys().await,
        [key("AIza…0001", "active"), key("AIza…0002", "active")]
    );
    let all = story.admin.get("/api/settings").await.json();
    let items = all["items"].as_array().unwrap();
    let item = items
        .iter()
        .find(|item| item["name"] == "retry.max_attempts")
        .unwrap();
    assert_eq!(item["value"], 7);
    story
        .admin
        .get(&format!("/api/allowed_keys/{}", made["id"]))
        .await
        .expect(200);
    assert!(story.program.stop().await.success());
}
