//! Wrong keys: they count for their address, where a key is required too, and nobody finds one by trying. Whoever has a
//! valid one behind the same address is not held up.

use serde_json::json;

use super::{HERE, HOUR, THERE, generate_from, limited};
use crate::support::{CLIENT_KEY, Connection, Operator};

const WRONG_KEY: &str = "sk-test-nobody-0009";

#[tokio::test]
async fn a_wrong_key_counts_for_its_address_in_both_modes() {
    for auth in ["open", "required"] {
        let gateway = limited(2, 5).setting("server.auth", auth).start().await;
        let mut statuses = Vec::new();
        for _ in 0..7 {
            statuses.push(gateway.ask_with(HERE, WRONG_KEY).await.status);
        }
        assert_eq!(statuses, [401, 401, 429, 429, 429, 403, 403], "{auth}");
        assert_eq!(gateway.ask_with(THERE, WRONG_KEY).await.status, 401);
        assert_eq!(gateway.ask_with(HERE, CLIENT_KEY).await.status, 200);
        let metric = "keymux_ip_limited_total{reason=\"wrong_key\"}";
        assert_eq!(gateway.metric(metric).await, 3, "{auth}");
    }
}

#[tokio::test]
async fn a_wrong_key_of_the_account_api_counts_too_and_a_valid_one_passes() {
    let gateway = limited(2, 4)
        .setting("server.auth", "required")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    admin.make_member("mei").await;
    let client = admin.make_client_of("mei").await;
    let path = "/api/v1/provider-keys";
    let ask = async |key: &str| {
        let headers = [("x-forwarded-for", HERE), ("x-api-key", key)];
        let asked = crate::support::request("GET", path, &headers, "");
        gateway.send(asked).await
    };
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(ask(WRONG_KEY).await.status);
    }
    assert_eq!(statuses, [401, 401, 429, 429, 403]);
    let banned = ask(WRONG_KEY).await;
    let detail = banned.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "callers from this address are banned");
    assert_eq!(ask(&client.secret).await.status, 200);
}

#[tokio::test]
async fn a_client_key_that_is_disabled_is_no_guess_and_no_ban() {
    let gateway = limited(1, 2)
        .clients("- { name: off, key: sk-test-off-0003, enabled: false }")
        .start()
        .await;
    for _ in 0..5 {
        let answer = gateway.ask_with(HERE, "sk-test-off-0003").await;
        assert_eq!(answer.status, 401);
        assert!(answer.text().contains("disabled"));
    }
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
}

#[tokio::test]
async fn whoever_tries_a_thousand_keys_finds_none_that_is_short() {
    let gateway = limited(1_000_000, 100_000_000)
        .setting("server.auth", "required")
        .clients(
            "- { name: home, key: sk-test-home-0002 }\n- { name: guest, key: sk-test-guest-0003 }",
        )
        .start()
        .await;
    let long = Operator::admin(&gateway)
        .await
        .make_client(json!({"name": "long"}))
        .await;
    // At home here before anybody guesses.
    assert_eq!(
        gateway.ask_with(HERE, "sk-test-home-0002").await.status,
        200
    );
    let mut caller = Connection::open(gateway.address).await;
    for n in 0..1_000 {
        let guess = format!("sk-guess-{n}");
        let asked = generate_from(HERE, &[("x-goog-api-key", &guess)]);
        assert_eq!(caller.send(asked).await.status, 401);
    }
    for (address, key, status) in [
        (HERE, "sk-test-guest-0003", 401),
        (HERE, "sk-test-home-0002", 200),
        (HERE, &*long.secret, 200),
        (THERE, "sk-test-guest-0003", 200),
        // Elsewhere it may be at home: here it is not.
        (HERE, "sk-test-guest-0003", 401),
    ] {
        let answer = gateway.ask_with(address, key).await;
        assert_eq!(answer.status, status, "{key} from {address}");
    }
    gateway.running.skip(HOUR);
    let later = gateway.ask_with(HERE, "sk-test-guest-0003").await;
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn the_same_wrong_key_a_thousand_times_is_no_guess() {
    let gateway = limited(1_000_000, 100_000_000).start().await;
    let mut caller = Connection::open(gateway.address).await;
    for _ in 0..1_100 {
        let asked = generate_from(HERE, &[("x-goog-api-key", WRONG_KEY)]);
        assert_eq!(caller.send(asked).await.status, 401);
    }
    assert_eq!(gateway.ask_with(HERE, CLIENT_KEY).await.status, 200);
}

#[tokio::test]
async fn one_request_cannot_try_a_hundred_keys() {
    let gateway = limited(1_000, 3_600).start().await;
    let guesses: Vec<String> = (0..20).map(|n| format!("sk-guess-{n}")).collect();
    let mut headers: Vec<(&str, &str)> = guesses.iter().map(|key| ("x-api-key", &**key)).collect();
    headers.push(("x-api-key", CLIENT_KEY));
    let many = gateway.send(generate_from(HERE, &headers)).await;
    assert_eq!(many.status, 401);
    let few = gateway.send(generate_from(HERE, &headers[16..])).await;
    assert_eq!(few.status, 200);
}
