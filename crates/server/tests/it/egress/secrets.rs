//! The credentials of proxies, and the keys that leave through them, are in no log, record, answer or metric.

use fake_upstream::{ProxyFault, gemini, http_proxy, https_proxy, socks5_proxy};

use crate::support::{
    Answer, Connection, MODEL, Machine, generate_path, prompt, request, word_after,
};

const PASSWORD: &str = "proxy-secret-0001";
const USER: &str = "proxy-user-0002";
const KEY: &str = "AIzaSyTESTthroughproxy000000000000001";
const OTHER: &str = "AIzaSyTESTthroughproxy000000000000002";

#[tokio::test]
async fn no_credential_of_a_proxy_is_in_any_log_answer_or_file() {
    let upstream = gemini().tls().start().await;
    let refuses = http_proxy().login(USER, "another-secret-0003").start();
    let dead = socks5_proxy().login(USER, PASSWORD).start();
    dead.set_fault(Some(ProxyFault::Garbage));
    let untrusted = https_proxy().login(USER, PASSWORD).start();
    let good = socks5_proxy().login(USER, PASSWORD).start();
    let wrong = refuses
        .bare_url()
        .replace("://", &format!("://{USER}:{PASSWORD}@"));
    let machine = Machine::new().file("ca.pem", &upstream.ca_pem().unwrap());
    let yaml = format!(
        "server: {{ listen: 127.0.0.1:0 }}\nlogs: {{ level: trace, format: json }}\n\
         admin: {{ password: correct-horse-battery }}\n\
         egress:\n  proxies: [\"{wrong}\", \"{}\", \"{}\"]\n\
         providers:\n  google:\n    kind: gemini\n    models_refresh: 0s\n    base_url: {}\n    ca_file: {}\n    \
         keys: [{KEY}, {{ key: {OTHER}, egress: \"{}\" }}]\n",
        dead.url(),
        untrusted.url(),
        upstream.base_url(),
        machine.path("ca.pem").display(),
        good.url(),
    );
    let machine = machine.file("keymux.yaml", &yaml);
    let mut program = machine.serve().await;
    let client = word_after(&program.summary, "client key ").to_owned();
    let headers = [("x-goog-api-key", client.as_str())];
    let mut places = Vec::new();
    for _ in 0..6 {
        let asked = request("POST", &generate_path(MODEL), &headers, prompt("Hi"));
        let answer = Connection::open(program.address).await.send(asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        places.push(text_of(&answer));
    }
    let admin = crate::support::Operator::log_in(program.address, "admin", "correct-horse-battery");
    let admin = admin.await;
    for path in [
        "/api/egress_proxies",
        "/api/settings",
        "/api/keys",
        "/api/request_logs",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        places.push(text_of(&answer));
    }
    let unknown = [("authorization", "Bearer x")];
    let metrics = request("GET", "/metrics", &unknown, "");
    places.push(text_of(
        &Connection::open(program.address).await.send(metrics).await,
    ));
    assert!(program.stop().await.success());
    let log = program.stderr();
    for reason in ["proxy_credentials", "proxy_garbage", "proxy_tls_failed"] {
        assert!(log.contains(reason), "{reason} is not in {log}");
    }
    places.push(log);
    for (number, place) in places.iter().enumerate() {
        for secret in [PASSWORD, USER, KEY, OTHER] {
            assert!(!place.contains(secret), "{secret} is in {number}: {place}");
        }
    }
    for file in std::fs::read_dir(machine.path("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |secret: &str| {
            bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes())
        };
        assert!(![PASSWORD, KEY, OTHER].into_iter().any(holds));
    }
    for proxy in [&refuses, &dead, &untrusted, &good] {
        assert!(!proxy.saw(KEY.as_bytes()) && !proxy.saw(OTHER.as_bytes()));
    }
    assert!(good.connections() > 0 && upstream.count_for_key(KEY) > 0);
}

fn text_of(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers, answer.text())
}
