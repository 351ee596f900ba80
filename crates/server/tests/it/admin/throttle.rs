//! Who guesses passwords waits: five failures in fifteen minutes for an address and a name. That the wait ends is told
//! in `admin/throttle.rs` of the program, where time is an argument.

use futures_util::future::join_all;

use crate::support::{ADMIN, Answer, MEMBERS_PASSWORD, Operator, PASSWORD, TestGateway, log_in};

/// Behind a proxy that is trusted, so that callers have addresses.
async fn start() -> TestGateway {
    TestGateway::new()
        .setting("server.trusted_proxies", "[127.0.0.1/32]")
        .start()
        .await
}

async fn log_in_from(gateway: &TestGateway, from: &str, name: &str, password: &str) -> Answer {
    log_in(
        gateway.address,
        name,
        password,
        &[("x-forwarded-for", from)],
    )
    .await
}

async fn fail(gateway: &TestGateway, from: &str, name: &str, times: usize) {
    for _ in 0..times {
        let answer = log_in_from(gateway, from, name, "a-wrong-guess").await;
        answer.refused(401, "wrong_credentials");
    }
}

#[tokio::test]
async fn the_sixth_try_waits_even_with_the_right_password() {
    let gateway = start().await;
    fail(&gateway, "203.0.113.5", ADMIN, 5).await;
    let answer = log_in_from(&gateway, "203.0.113.5", ADMIN, PASSWORD).await;
    answer.refused(429, "too_many_requests");
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((800..=900).contains(&wait), "{wait}");
    let admin = log_in_from(&gateway, "203.0.113.6", ADMIN, PASSWORD).await;
    let token = admin.expect(200).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let admin = Operator {
        address: gateway.address,
        token,
    };
    let lines = admin
        .rows("/api/activity_logs?action=LOGIN_THROTTLED")
        .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["details"], "\"admin\" from 203.0.113.5");
}

#[tokio::test]
async fn another_address_and_another_name_are_not_held_up() {
    let gateway = start().await;
    log_in_from(&gateway, "203.0.113.9", ADMIN, PASSWORD)
        .await
        .expect(200);
    let admin = Operator::admin(&gateway).await;
    admin.make_user("mei", "member").await;
    fail(&gateway, "203.0.113.5", ADMIN, 5).await;
    for (from, name, password, status) in [
        ("203.0.113.5", ADMIN, PASSWORD, 429),
        ("1.2.3.4, 203.0.113.5", ADMIN, PASSWORD, 429),
        ("203.0.113.5, 198.51.100.1", ADMIN, PASSWORD, 200),
        ("203.0.113.5", "mei", MEMBERS_PASSWORD, 200),
        ("203.0.113.6", ADMIN, PASSWORD, 200),
    ] {
        let answer = log_in_from(&gateway, from, name, password).await;
        assert_eq!(answer.status, status, "{from} {name}: {}", answer.text());
    }
}

#[tokio::test]
async fn unknown_names_are_held_up_alike() {
    let gateway = start().await;
    fail(&gateway, "203.0.113.5", "nobody", 5).await;
    let answer = log_in_from(&gateway, "203.0.113.5", "nobody", PASSWORD).await;
    answer.refused(429, "too_many_requests");
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address() {
    let gateway = start().await;
    for host in 1..=5 {
        fail(&gateway, &format!("2001:db8::{host}"), ADMIN, 1).await;
    }
    let answer = log_in_from(&gateway, "2001:db8::99", ADMIN, PASSWORD).await;
    answer.refused(429, "too_many_requests");
    log_in_from(&gateway, "2001:db8:0:1::1", ADMIN, PASSWORD)
        .await
        .expect(200);
}

#[tokio::test]
async fn forwarded_addresses_count_only_behind_a_trusted_proxy() {
    let gateway = TestGateway::new().start().await;
    for host in 1..=5 {
        fail(&gateway, &format!("203.0.113.{host}"), ADMIN, 1).await;
    }
    let answer = log_in_from(&gateway, "203.0.113.6", ADMIN, PASSWORD).await;
    answer.refused(429, "too_many_requests");
}

#[tokio::test]
async fn a_success_begins_the_count_anew() {
    let gateway = start().await;
    for _ in 0..2 {
        fail(&gateway, "203.0.113.5", ADMIN, 4).await;
        log_in_from(&gateway, "203.0.113.5", ADMIN, PASSWORD)
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn guesses_at_the_same_time_are_no_more_than_guesses_one_by_one() {
    let gateway = start().await;
    let guess = |number: usize| {
        let gateway = &gateway;
        async move {
            let password = format!("guess-number-{number}");
            log_in_from(gateway, "203.0.113.5", ADMIN, &password)
                .await
                .status
        }
    };
    let statuses = join_all((0..24).map(guess)).await;
    let told = statuses.iter().filter(|&&status| status == 401).count();
    assert!((1..=5).contains(&told), "{statuses:?}");
    // On a busy machine some find too many others waiting.
    let is_refused = |status: &u16| [401, 429, 503].contains(status);
    assert!(statuses.iter().all(is_refused), "{statuses:?}");
}
