//! Refusals, and whose fault they are: that of a proxy's exit, by which the provider refuses whoever asks, or that of keys.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use domain::{KeyHealth, KeyId};
use fake_upstream::{FakeProxy, Rule, gemini};
use serde_json::json;

use super::{
    KEYS, ask_with_every_key, behind, came_directly, exit, http, leaving_by, name, no_key_is_hurt,
    standing, standing_for, urls,
};
use crate::support::{Operator, TestGateway, eventually};

const THROTTLED: &str = "gemini/errors/429_per_minute_requests.json";
const DISABLED: &str = "gemini/errors/403_service_disabled.json";
const FORBIDDEN: &str = "gemini/errors/403_caller_no_permission.json";
const REFUSED: &str = "failed: refused_everybody";
/// So many that each of ten proxies is the first of a dozen.
const MANY: usize = 150;
/// Of a proxy that is set aside.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Whoever comes out of the first proxy is refused.
fn refused_from_the_first_exit(fixture: &str) -> Rule {
    Rule::new().peer(exit(1).into()).fixture(fixture)
}

fn many_keys() -> impl Iterator<Item = String> {
    (1..=MANY).map(|number| format!("AIza-key-{number}"))
}

/// Asks until the proxy is set aside for what the provider says by it. Gives how often.
async fn ask_until_blamed(gateway: &TestGateway, admin: &Operator, proxy: &FakeProxy) -> usize {
    let mut asked = 0;
    while standing_for(admin, &name(proxy)).await != REFUSED {
        assert!(asked < 2 * MANY, "nobody is blamed");
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        asked += 1;
    }
    asked
}

fn no_key_of_many_is_hurt(gateway: &TestGateway) {
    for status in gateway.running.keys("google") {
        assert_eq!(status.state.health, KeyHealth::Active, "{}", status.id);
        assert_eq!(status.state.failures, 0, "{}", status.id);
    }
    for (id, pair) in gateway.running.pairs("google") {
        assert_eq!(pair.cooling, None, "{id:?}");
    }
}

async fn check_one_bad_exit_among_ten(fixture: &str) {
    let proxies: Vec<FakeProxy> = (1..=10).map(http).collect();
    let all: Vec<&FakeProxy> = proxies.iter().collect();
    let gateway = behind(&all)
        .upstream(gemini().tls().rule(refused_from_the_first_exit(fixture)))
        .keys(many_keys())
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    ask_until_blamed(&gateway, &admin, &proxies[0]).await;
    no_key_of_many_is_hurt(&gateway);
    // When it is tried again, that costs nobody anything either.
    for _ in 0..3 {
        let uses = gateway.upstream.count_from(IpAddr::V4(exit(1)));
        gateway.running.skip(LONGEST_PAUSE);
        eventually("the proxy is tried again", async || {
            let answer = gateway.generate().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            (gateway.upstream.count_from(IpAddr::V4(exit(1))) > uses).then_some(())
        })
        .await;
        assert_eq!(standing_for(&admin, &name(&proxies[0])).await, REFUSED);
        no_key_of_many_is_hurt(&gateway);
    }
    for proxy in &proxies[1..] {
        let now = standing_for(&admin, &name(proxy)).await;
        assert!(!now.starts_with("failed"), "{now}");
    }
    gateway.saved().await;
    let gateway = gateway.crash().await;
    no_key_of_many_is_hurt(&gateway);
}

#[tokio::test]
async fn one_throttled_exit_among_ten_does_not_cost_a_single_key() {
    check_one_bad_exit_among_ten(THROTTLED).await;
}

#[tokio::test]
async fn one_exit_among_ten_that_is_forbidden_does_not_cost_a_single_key() {
    check_one_bad_exit_among_ten(DISABLED).await;
}

#[tokio::test]
async fn one_exit_among_ten_that_may_not_use_the_model_does_not_cost_a_single_key() {
    check_one_bad_exit_among_ten(FORBIDDEN).await;
}

#[tokio::test]
async fn a_proxy_that_answers_again_is_used_again() {
    let proxies = [http(1), http(2)];
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(gemini().tls().rule(refused_from_the_first_exit(THROTTLED)))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    ask_until_blamed(&gateway, &admin, &proxies[0]).await;
    gateway.upstream.remove_rules();
    gateway.running.skip(LONGEST_PAUSE);
    eventually("it works", async || {
        assert_eq!(gateway.generate().await.status, 200);
        (standing_for(&admin, &name(&proxies[0])).await == "healthy").then_some(())
    })
    .await;
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_proxy_is_acquitted_when_its_accusers_are_refused_elsewhere_too() {
    let proxies = [http(1), http(2)];
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(gemini().tls().rule(refused_from_the_first_exit(THROTTLED)))
        .setting("retry.max_attempts", "100")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let asked = ask_until_blamed(&gateway, &admin, &proxies[0]).await;
    let accusers = refused_by(&gateway, &proxies[0], asked).await;
    assert!(accusers.len() >= 3, "{accusers:?}");
    gateway.upstream.remove_rules();
    for status in gateway.running.keys("google") {
        if accusers.contains(&status.id) {
            let secret = status.cell.key.secret.expose();
            gateway
                .upstream
                .add_rule(Rule::new().key(secret).fixture(THROTTLED));
        }
    }
    eventually("it is used again", async || {
        assert_eq!(gateway.generate().await.status, 200);
        let now = standing_for(&admin, &name(&proxies[0])).await;
        (!now.starts_with("failed")).then_some(())
    })
    .await;
}

/// The keys that were refused by that proxy, by so many requests.
async fn refused_by(gateway: &TestGateway, proxy: &FakeProxy, asked: usize) -> BTreeSet<KeyId> {
    let records = gateway.records(asked).await;
    let attempts = records.iter().flat_map(|record| &record.attempts);
    let refused = attempts.filter(|attempt| *attempt.egress == name(proxy));
    refused.filter_map(|attempt| attempt.key).collect()
}

#[tokio::test]
async fn keys_that_are_refused_wherever_they_go_are_to_blame_and_no_proxy_is() {
    const BAD: usize = 8;
    let proxies = [http(1), http(2), http(3)];
    let mut script = gemini().tls();
    for number in 1..=BAD {
        let bad = Rule::new().key(&format!("AIza-key-{number}"));
        script = script.rule(bad.fixture(DISABLED));
    }
    let gateway = behind(&[&proxies[0], &proxies[1], &proxies[2]])
        .upstream(script)
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut standing = Vec::new();
    for _ in 0..40 {
        ask_with_every_key(&gateway).await;
        standing.clear();
        for proxy in &proxies {
            standing.push(standing_for(&admin, &name(proxy)).await);
        }
        standing.extend((0..BAD).map(|place| gateway.health(place)));
        let (ways, keys) = standing.split_at(proxies.len());
        let are_in = ways.iter().all(|way| !way.starts_with("failed"));
        if are_in && keys.iter().all(|key| key.starts_with("cooling")) {
            break;
        }
    }
    let (ways, keys) = standing.split_at(proxies.len());
    assert!(
        ways.iter().all(|way| !way.starts_with("failed")),
        "{ways:?}"
    );
    assert!(
        keys.iter().all(|key| key.starts_with("cooling")),
        "{keys:?}"
    );
    for place in BAD..KEYS {
        assert_eq!(gateway.health(place), "active", "key {place}");
    }
}

#[tokio::test]
async fn dead_keys_that_have_never_worked_say_nothing_of_their_proxy() {
    let proxies = [http(1), http(2)];
    let dead = |number| Rule::new().key(&format!("AIza-key-{number}"));
    let mut script = gemini().tls();
    for number in 1..KEYS {
        script = script.rule(dead(number).fixture("gemini/errors/400_api_key_invalid.json"));
    }
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(script)
        .start()
        .await;
    eventually("every dead key is out", async || {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut dead = 0..KEYS - 1;
        let is_out = |place| gateway.health(place) == "retired Invalid";
        dead.all(is_out).then_some(())
    })
    .await;
    for proxy in &proxies {
        let now = standing(&gateway, &name(proxy)).await;
        assert!(!now.starts_with("failed"), "{now}");
    }
}

#[tokio::test]
async fn the_only_proxy_is_left_at_once_where_requests_may_leave_directly() {
    let proxy = http(1);
    let gateway = leaving_by(&urls(&[&proxy]), "true")
        .upstream(gemini().tls().rule(refused_from_the_first_exit(THROTTLED)))
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(came_directly(&gateway), 1);
    assert_eq!(standing(&gateway, &name(&proxy)).await, REFUSED);
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn the_only_way_is_never_blamed_and_keys_cool_as_without_it() {
    let proxy = http(1);
    let gateway = behind(&[&proxy])
        .upstream(gemini().tls().rule(refused_from_the_first_exit(THROTTLED)))
        .setting("retry.max_attempts", "100")
        .start()
        .await;
    let answer = eventually("every key has been tried", async || {
        let answer = gateway.generate().await;
        assert_ne!(answer.status, 200);
        let mut all = 0..KEYS;
        all.all(|place| gateway.pair_cooling(place) > 0)
            .then_some(answer)
    })
    .await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    let now = standing(&gateway, &name(&proxy)).await;
    assert!(!now.starts_with("failed"), "{now}");
}

#[tokio::test]
async fn a_check_through_an_exit_that_is_forbidden_is_made_again_elsewhere() {
    let proxies = [http(1), http(2)];
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(gemini().tls().rule(refused_from_the_first_exit(DISABLED)))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut refused = 0;
    for place in 0..KEYS {
        let path = format!("/api/keys/{}/test", gateway.key(place).id);
        let tested = admin.post(&path, json!({})).await.expect(200).json();
        refused += usize::from(tested["works"] == false);
    }
    // Those that came before it was clear that the proxy is to blame.
    assert!((2..=4).contains(&refused), "{refused}");
    assert_eq!(standing_for(&admin, &name(&proxies[0])).await, REFUSED);
    no_key_is_hurt(&gateway);
}
