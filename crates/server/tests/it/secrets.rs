//! Nothing secret in any output: the program itself runs as a process of its own through whatever brings keys to light,
//! and what it logged, counted, answered and stored is searched for every secret that it has seen.

use std::net::SocketAddr;
use std::path::Path;

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, Rule, gemini};

use crate::support::{
    Answer, Connection, MODEL, Machine, Program, generate_path, prompt, request, word_after,
};

const KEYS: [(&str, Option<KeyFault>); 6] = [
    (
        "AIzaSyTESTinvalid0000000000000000000001",
        Some(KeyFault::InvalidDebugInfo),
    ),
    (
        "AIzaSyTESTleaked00000000000000000000002",
        Some(KeyFault::Leaked),
    ),
    (
        "AIzaSyTESTsuspended00000000000000000003",
        Some(KeyFault::Suspended),
    ),
    (
        "AIzaSyTESTdisabled000000000000000000004",
        Some(KeyFault::ServiceDisabled),
    ),
    (
        "AQ.TESTunpaid-000000000000000000000005",
        Some(KeyFault::PrepayDepleted),
    ),
    ("AIzaSyTESTgood000000000000000000000006", None),
];
const BROUGHT: &str = "AIzaSyTESTbrought0000000000000000000007";
const WRONG_KEY: &str = "sk-test-nobodys-key-0008";
const METRICS_TOKEN: &str = "metrics-token-0009";
const DEFAULT_HEADER: &str = "default-header-secret-0010";
const ENV_KEY: &str = "AIzaSyTESTfromenv00000000000000000000011";

async fn start(upstream: &FakeUpstream) -> (Machine, Program) {
    let machine = Machine::new()
        .file("keymux.yaml", &yaml(upstream))
        .env("XAI_API_KEYS", ENV_KEY)
        .env("KEYMUX__PROVIDERS__XAI__MODELS_REFRESH", "0s");
    let program = machine.serve().await;
    (machine, program)
}

fn yaml(upstream: &FakeUpstream) -> String {
    let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    format!(
        "server: {{ listen: 127.0.0.1:0, metrics_token: {METRICS_TOKEN} }}\n\
         logs: {{ level: debug, format: json }}\n\
         pool: {{ strategy: fill_first }}\n\
         providers:\n  google:\n    kind: gemini\n    models_refresh: 0s\n    base_url: {}\n    keys: [{}]\n    \
         default_headers: {{ x-team: {DEFAULT_HEADER} }}\n",
        upstream.base_url(),
        keys.join(", "),
    )
}

fn upstream() -> fake_upstream::Script {
    let mut script = gemini().key(FakeKey::new(BROUGHT).fault(KeyFault::InvalidDebugInfo));
    for (key, fault) in KEYS {
        let key = FakeKey::new(key);
        script = script.key(match fault {
            Some(fault) => key.fault(fault),
            None => key,
        });
    }
    script
}

/// Every answer of a day in the life: what works, and whatever makes a provider quote keys.
async fn live(address: SocketAddr, upstream: &FakeUpstream, client: &str) -> Vec<Answer> {
    let generate = generate_path(MODEL);
    let stream = format!("/v1beta/models/{MODEL}:streamGenerateContent");
    let bearer = format!("Bearer {client}");
    let metrics = format!("Bearer {METRICS_TOKEN}");
    let in_query = format!("{generate}?key={client}");
    let wrong_in_query = format!("{generate}?key={WRONG_KEY}");
    let own = ("x-goog-api-key", client);
    let start = ("x-goog-upload-protocol", "resumable");
    let nowhere = format!("/nowhere?key={client}");
    let calls = [
        ("POST", &*generate, vec![own]),
        ("POST", &stream, vec![own]),
        ("POST", &in_query, vec![]),
        ("POST", &generate, vec![own, ("x-google-api-key", BROUGHT)]),
        ("POST", &generate, vec![("x-goog-api-key", WRONG_KEY)]),
        ("POST", &wrong_in_query, vec![]),
        ("POST", &wrong_in_query, vec![("x-api-key", WRONG_KEY)]),
        ("POST", "/v1beta/models/none:generateContent", vec![own]),
        ("GET", "/v1/models", vec![("authorization", &bearer)]),
        (
            "GET",
            "/v1beta/notYetInvented/x",
            vec![own, ("cookie", client)],
        ),
        ("POST", "/upload/v1beta/files", vec![own, start]),
        (
            "POST",
            "/v1/chat/completions",
            vec![("authorization", &bearer)],
        ),
        ("GET", &*nowhere, vec![own]),
        ("GET", "/metrics", vec![("authorization", &metrics)]),
    ];
    let mut answers = Vec::new();
    let mut caller = Connection::open(address).await;
    for (method, path, headers) in calls {
        let body = if method == "GET" {
            "".into()
        } else {
            prompt("hi")
        };
        answers.push(caller.send(request(method, path, &headers, body)).await);
    }
    for rule in [
        Rule::new().respond_with(200, &[("x-debug", KEYS[5].0)], "{}"),
        Rule::new().respond(
            400,
            format!("{{\"error\": {{\"message\": \"?key={}\"}}}}", KEYS[5].0),
        ),
        Rule::new().reset(),
    ] {
        upstream.add_rule(rule);
        answers.push(
            caller
                .send(request("GET", "/v1beta/models", &[own], ""))
                .await,
        );
        upstream.remove_rules();
    }
    upstream.set_key(FakeKey::new(KEYS[5].0).fault(KeyFault::InvalidDebugInfo));
    for _ in 0..3 {
        answers.push(
            caller
                .send(request("POST", &generate, &[own], prompt("hi")))
                .await,
        );
    }
    answers
}

/// Every file below `folder` but the master key, which is where secrets are, by its name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if !name.ends_with("master.key") {
            files.push((name, std::fs::read(path).unwrap()));
        }
    }
    files
}

fn holds(haystack: &[u8], secret: &str) -> bool {
    let mut windows = haystack.windows(secret.len());
    windows.any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn no_secret_is_in_any_log_answer_metric_or_file() {
    let upstream = upstream().start().await;
    let (machine, mut program) = start(&upstream).await;
    let summary = program.summary.clone();
    let client = word_after(&summary, "client key ").to_owned();
    let password = word_after(&summary, "admin password ").to_owned();
    let answers = live(program.address, &upstream, &client).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [
            200, 200, 200, 200, 401, 401, 401, 404, 200, 200, 200, 400, 404, 200, 200, 400, 503,
            503, 503, 503
        ]
    );
    assert!(program.stop().await.success());
    for key in KEYS.iter().map(|(key, _)| *key).chain([BROUGHT]) {
        assert!(upstream.count_for_key(key) > 0, "{key} was not tried");
    }

    let data = machine.path("data");
    let master = std::fs::read_to_string(data.join("master.key")).unwrap();
    let mut places = files(&data);
    assert!(
        places
            .iter()
            .any(|(name, bytes)| name.ends_with("keymux.db") && bytes.len() > 10_000)
    );
    let log = program.stderr();
    assert!(
        log.contains("\"attempt failed\"") && log.contains("request refused"),
        "{log}"
    );
    assert!(log.contains("[redacted]"), "nothing was quoted: {log}");
    places.push(("the log".to_owned(), log.into_bytes()));
    let later = program.stdout().replacen(&summary, "", 1);
    places.push((
        "standard output after the summary".to_owned(),
        later.into_bytes(),
    ));
    for (number, answer) in answers.iter().enumerate() {
        let text = format!("{:?} {}", answer.headers, answer.text());
        places.push((format!("answer {number}"), text.into_bytes()));
    }
    let mut secrets: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    secrets.extend([BROUGHT, WRONG_KEY, METRICS_TOKEN, DEFAULT_HEADER, ENV_KEY]);
    secrets.extend([&*client, &*password, master.trim()]);
    for (place, bytes) in &places {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{secret} is in {place}");
        }
    }
}

#[tokio::test]
async fn what_was_made_is_shown_once() {
    let upstream = upstream().start().await;
    let (_machine, mut program) = start(&upstream).await;
    let summary = program.summary.clone();
    for lead in ["client key ", "admin password "] {
        let secret = word_after(&summary, lead);
        assert!(secret.len() >= 20, "{summary}");
    }
    let password = word_after(&summary, "admin password ");
    assert_eq!(summary.matches(password).count(), 1, "{summary}");
    assert!(program.stop().await.success());
}
