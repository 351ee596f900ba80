//! What changes leave behind: a line in the activity log, and a secret nowhere but where it is asked for. The program
//! runs as a process of its own, with a log that says all it can.

use std::path::Path;

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, gemini};
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Answer, MEMBERS_PASSWORD, Machine, Operator, PASSWORD, Program, log_in,
};

const OF_THE_FILE: &str = "AIzaSyTRACEconfigured00000000000000000001";
const ADDED: &str = "AIzaSyTRACEadded0000000000000000000000002";
const PASTED: &str = "AIzaSyTRACEpasted000000000000000000000003";
const WRONG_PASSWORD: &str = "a-wrong-guess-that-nobody-may-read";
const NEW_PASSWORD: &str = "a-new-password-that-nobody-may-read";
const DEFAULT_HEADER: &str = "default-header-secret-0001";

async fn serve(upstream: &FakeUpstream) -> (Machine, Program) {
    let yaml = format!(
        "server: {{ listen: 127.0.0.1:0 }}\nadmin: {{ password: {PASSWORD} }}\n\
         logs: {{ level: trace, format: json }}\n\
         providers:\n  google:\n    kind: gemini\n    base_url: {}\n    models_refresh: 0s\n    keys: [{OF_THE_FILE}]\n    \
         default_headers: {{ x-team: {DEFAULT_HEADER} }}\n",
        upstream.base_url(),
    );
    let machine = Machine::new().file("keymux.yaml", &yaml);
    let program = machine.serve().await;
    (machine, program)
}

/// What an operator does, what it is told as, and about what.
struct Day {
    admin: Operator,
    answers: Vec<(String, Answer)>,
    expected: Vec<[&'static str; 3]>,
}

impl Day {
    async fn call(&mut self, method: &str, path: &str, body: Value) -> Value {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = self.admin.send(method, path, body).await;
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {}",
            answer.text()
        );
        let json = if answer.body.is_empty() || path.contains("export") {
            Value::Null
        } else {
            answer.json()
        };
        self.answers.push((format!("{method} {path}"), answer));
        json
    }

    fn told(&mut self, line: [&'static str; 3]) {
        self.expected.push(line);
    }

    async fn keys(&mut self) {
        let key = json!({"provider": "google", "key": ADDED, "label": "billing"});
        let id = self.call("POST", "/api/keys", key).await["id"].clone();
        self.told(["ADD", "keys", "AIza…0002 (billing)"]);
        let path = format!("/api/keys/{id}");
        self.call("PATCH", &path, json!({"weight": 3, "label": null}))
            .await;
        self.told(["UPDATE", "keys", "AIza…0002 (billing): no label, weight 3"]);
        self.call("POST", &format!("{path}/test"), Value::Null)
            .await;
        self.told(["RETIRE", "keys", "AIza…0002: invalid"]);
        self.told(["TEST", "keys", "AIza…0002: api_key_leaked"]);
        self.call("POST", &format!("{path}/reset"), Value::Null)
            .await;
        self.told(["RECOVER", "keys", "AIza…0002: in use again"]);
        self.told(["RESET", "keys", "AIza…0002"]);
        self.call("GET", &path, Value::Null).await;
        self.told(["REVEAL", "keys", "AIza…0002"]);
        let pasted = json!({"provider": "google", "text": format!("{PASTED}\nshort\n{PASTED}")});
        self.call("POST", "/api/keys/bulk_add", pasted).await;
        self.told(["IMPORT", "keys", "1 added, 1 known already, 1 malformed"]);
        for format in ["text", "csv", "jsonl"] {
            self.call(
                "GET",
                &format!("/api/keys/export?format={format}"),
                Value::Null,
            )
            .await;
            self.told(["EXPORT", "keys", "3 keys"]);
        }
        let switch = json!({"ids": [id], "set": {"enabled": false}});
        self.call("POST", "/api/keys/bulk_update", switch).await;
        self.told(["UPDATE", "keys", "1 keys (2): disabled"]);
        self.call("POST", "/api/keys/bulk_reset", json!({"ids": [id]}))
            .await;
        self.told(["RESET", "keys", "1 keys (2)"]);
        self.call("POST", "/api/keys/bulk_delete", json!({"ids": [id]}))
            .await;
        self.told(["DELETE", "keys", "1 keys (2)"]);
        self.call("DELETE", "/api/keys/3", Value::Null).await;
        self.told(["DELETE", "keys", "AIza…0003"]);
    }

    /// Gives the secret of the client key that was made.
    async fn client_keys(&mut self) -> String {
        let made = self
            .call("POST", "/api/allowed_keys", json!({"name": "app"}))
            .await;
        self.told(["ADD", "allowed_keys", "app ("]);
        let path = format!("/api/allowed_keys/{}", made["id"]);
        self.call(
            "PUT",
            &path,
            json!({"name": "chat", "rpm": 3, "enabled": false}),
        )
        .await;
        self.told([
            "UPDATE",
            "allowed_keys",
            "chat: was app, disabled, limits {",
        ]);
        self.call("GET", &path, Value::Null).await;
        self.call("DELETE", &path, Value::Null).await;
        self.told(["DELETE", "allowed_keys", "chat ("]);
        made["key"].as_str().unwrap().to_owned()
    }

    async fn people(&mut self) {
        let mei = json!({"username": "mei", "password": MEMBERS_PASSWORD});
        let id = self.call("POST", "/api/users", mei).await["id"].clone();
        self.told(["ADD", "users", "mei (member)"]);
        let path = format!("/api/users/{id}");
        let changes = json!({"password": NEW_PASSWORD, "role": "admin", "enabled": false});
        self.call("PATCH", &path, changes).await;
        self.told([
            "UPDATE",
            "users",
            "mei is admin now, is disabled, has a new password",
        ]);
        self.call("DELETE", &path, Value::Null).await;
        self.told(["DELETE", "users", "mei"]);
    }

    async fn the_rest(&mut self) {
        let settings = json!({"retry.max_attempts": 3, "pool.strategy": "fill_first"});
        self.call("PUT", "/api/settings", settings).await;
        self.told(["UPDATE", "settings", "pool.strategy = \"fill_first\""]);
        self.told(["UPDATE", "settings", "retry.max_attempts = 3"]);
        self.call("PUT", "/api/settings", json!({"retry.max_attempts": null}))
            .await;
        self.told([
            "UPDATE",
            "settings",
            "retry.max_attempts back to its default",
        ]);
        let price = json!({"input": 1.0, "output": 2.0});
        self.call("PUT", "/api/prices/google?model=m", price).await;
        self.told(["UPDATE", "prices", "m of google: 1 in, 2 out"]);
        self.call("DELETE", "/api/prices/google?model=m", Value::Null)
            .await;
        self.told(["DELETE", "prices", "m of google"]);
        self.call(
            "POST",
            "/api/bans",
            json!({"ip": "203.0.113.9", "reason": "scraping"}),
        )
        .await;
        self.told(["BAN", "bans", "scraping"]);
        self.call("DELETE", "/api/bans/203.0.113.9", Value::Null)
            .await;
        self.told(["UNBAN", "bans", ""]);
        for list in [
            "keys",
            "allowed_keys",
            "users",
            "providers",
            "models",
            "settings",
            "jobs",
            "me",
        ] {
            self.call("GET", &format!("/api/{list}"), Value::Null).await;
        }
        // What is refused quotes what was sent at most in part.
        for (method, path, body) in [
            (
                "POST",
                "/api/keys",
                json!({"provider": "google", "key": OF_THE_FILE}),
            ),
            (
                "POST",
                "/api/keys",
                json!({"provider": "google", "key": [ADDED]}),
            ),
            (
                "POST",
                "/api/keys",
                json!({"provider": "google", "key": format!("{ADDED} {PASTED}")}),
            ),
            (
                "POST",
                "/api/login",
                json!({"username": "mei", "password": [WRONG_PASSWORD]}),
            ),
            (
                "POST",
                "/api/users",
                json!({"username": "bo", "password": [WRONG_PASSWORD]}),
            ),
        ] {
            let answer = self.admin.send(method, path, Some(body)).await;
            assert!(
                (400..500).contains(&answer.status),
                "{path}: {}",
                answer.text()
            );
            self.answers
                .push((format!("refused {method} {path}"), answer));
        }
    }
}

async fn spend(program: &Program) -> (Day, Vec<String>) {
    let login = log_in(program.address, ADMIN, PASSWORD, &[]).await;
    let token = login.json()["access_token"].as_str().unwrap().to_owned();
    let admin = Operator {
        address: program.address,
        token: token.clone(),
    };
    let mut day = Day {
        admin,
        answers: vec![("login".to_owned(), login)],
        expected: vec![["LOGIN", "users", "from 127.0.0.1"]],
    };
    for _ in 0..6 {
        let wrong = log_in(program.address, "mei", WRONG_PASSWORD, &[]).await;
        day.answers.push(("a wrong login".to_owned(), wrong));
    }
    day.told(["LOGIN_THROTTLED", "users", "\"mei\" from 127.0.0.1"]);
    day.keys().await;
    let client = day.client_keys().await;
    day.people().await;
    day.the_rest().await;
    (day, vec![token, client])
}

fn upstream() -> fake_upstream::Script {
    let leaked = FakeKey::new(ADDED).fault(KeyFault::Leaked);
    gemini()
        .key(leaked)
        .key(FakeKey::new(OF_THE_FILE))
        .key(FakeKey::new(PASTED))
}

#[tokio::test]
async fn every_change_is_told_with_who_when_and_what() {
    let upstream = upstream().start().await;
    let (_machine, program) = serve(&upstream).await;
    let (day, _) = spend(&program).await;
    let mut lines = day.admin.rows("/api/activity_logs?limit=20").await;
    lines.reverse();
    let told: Vec<[&str; 3]> = lines
        .iter()
        .map(|line| ["action", "resource", "details"].map(|field| line[field].as_str().unwrap()))
        .collect();
    assert_eq!(told.len(), day.expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(&day.expected) {
        assert_eq!(told[..2], expected[..2], "{told:?}");
        let is_prefix = expected[2].ends_with(['(', '{']);
        let fits = if is_prefix {
            told[2].starts_with(expected[2])
        } else {
            told[2] == expected[2]
        };
        assert!(fits, "{told:?}, not {expected:?}");
    }
    for line in &lines {
        let is_its_own = ["LOGIN_THROTTLED", "RETIRE", "RECOVER"];
        let expected = if is_its_own.iter().any(|action| line["action"] == *action) {
            "keymux"
        } else {
            ADMIN
        };
        assert_eq!(line["actor"], expected, "{line}");
        let at: jiff::Timestamp = line["at"].as_str().unwrap().parse().unwrap();
        assert!(
            jiff::Timestamp::now().duration_since(at).as_secs().abs() < 120,
            "{line}"
        );
    }
    let about = |action: &str, resource: &str| {
        let is_it = |line: &&Value| line["action"] == action && line["resource"] == resource;
        lines.iter().find(is_it).unwrap()["resource_id"].clone()
    };
    assert_eq!(about("ADD", "keys"), "2");
    assert_eq!(about("UPDATE", "settings"), "pool.strategy");
    assert_eq!(about("BAN", "bans"), "203.0.113.9");
    assert_eq!(about("UPDATE", "prices"), "m");
}

/// Where a secret may be: in the one answer that it was asked for with.
fn is_meant(place: &str, secret: &str, client: &str, token: &str) -> bool {
    let shows_keys = place.starts_with("GET /api/keys/export") || place == "GET /api/keys/2";
    match secret {
        OF_THE_FILE | PASTED => place.starts_with("GET /api/keys/export"),
        ADDED => shows_keys,
        _ if secret == client => place == "POST /api/allowed_keys",
        _ if secret == token => place == "login",
        _ => false,
    }
}

#[tokio::test]
async fn no_secret_is_anywhere_but_where_it_is_asked_for() {
    let upstream = upstream().start().await;
    let (machine, mut program) = serve(&upstream).await;
    let (day, made) = spend(&program).await;
    let (token, client) = (&made[0], &made[1]);
    let lines = day.admin.get("/api/activity_logs?limit=500").await;
    let mut places: Vec<(String, Vec<u8>)> =
        vec![("the activity log".to_owned(), lines.body.to_vec())];
    for (name, answer) in &day.answers {
        let text = format!("{:?} {}", answer.headers, answer.text());
        places.push((name.clone(), text.into_bytes()));
    }
    assert!(program.stop().await.success());
    let summary = program.summary.clone();
    let log = program.stderr();
    assert!(log.contains("logins are throttled"), "{log}");
    places.push(("the log".to_owned(), log.into_bytes()));
    let said = program.stdout().replacen(&summary, "", 1);
    places.push(("standard output".to_owned(), said.into_bytes()));
    places.extend(files(&machine.path("data")));
    let master = std::fs::read_to_string(machine.path("data/master.key")).unwrap();
    let secrets = [
        OF_THE_FILE,
        ADDED,
        PASTED,
        PASSWORD,
        MEMBERS_PASSWORD,
        WRONG_PASSWORD,
        NEW_PASSWORD,
        DEFAULT_HEADER,
        token,
        client,
        master.trim(),
    ];
    for (place, bytes) in &places {
        for secret in secrets {
            let is_there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(
                !is_there || is_meant(place, secret, client, token),
                "{secret} is in {place}"
            );
        }
    }
    let met = |secret: &str| {
        let holds = |bytes: &[u8]| {
            bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes())
        };
        places.iter().any(|(_, bytes)| holds(bytes))
    };
    assert!(
        [OF_THE_FILE, ADDED, PASTED, token, client]
            .into_iter()
            .all(met)
    );
}

/// The files of the data folder but the master key; the database is among them.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found: Vec<_> = paths
        .filter(|path| !path.ends_with("master.key"))
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    assert!(
        found
            .iter()
            .any(|(name, bytes)| name.ends_with("keymux.db") && bytes.len() > 10_000)
    );
    found
}
