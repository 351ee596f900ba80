//! Keys and their proxies: a key keeps to one as long as that lives, and the keys are shared out over all.

use std::collections::BTreeMap;

use fake_upstream::{FakeProxy, ProxyFault};

use super::{KEYS, ask_with_every_key, behind, http, name, standing_for};
use crate::support::{Operator, TestGateway, eventually};

/// The exit of each key's requests so far.
fn exits(gateway: &TestGateway) -> BTreeMap<String, String> {
    let mut exits = BTreeMap::new();
    for call in gateway.upstream.seen() {
        let exit = call.peer.ip().to_string();
        let before = exits.insert(call.key.unwrap(), exit.clone());
        assert!(before.is_none_or(|before| before == exit), "a key hops");
    }
    exits
}

async fn ask_again(gateway: &TestGateway) -> BTreeMap<String, String> {
    gateway.upstream.clear_seen();
    ask_with_every_key(gateway).await;
    ask_with_every_key(gateway).await;
    let exits = exits(gateway);
    assert_eq!(exits.len(), KEYS);
    exits
}

#[tokio::test]
async fn a_key_keeps_to_its_proxy_and_only_the_keys_of_one_that_dies_move() {
    let proxies: Vec<FakeProxy> = (1..=4).map(http).collect();
    let gateway = behind(&proxies.iter().collect::<Vec<_>>()).start().await;
    let before = ask_again(&gateway).await;
    for number in 1..=4 {
        let exit = super::exit(number).to_string();
        assert!(before.values().any(|it| *it == exit), "{exit} is not used");
    }
    // Over a restart too: nothing is stored of it.
    let gateway = gateway.restart().await;
    assert_eq!(ask_again(&gateway).await, before);

    let dead = super::exit(1).to_string();
    proxies[0].set_fault(Some(ProxyFault::ClosedPort));
    proxies[0].cut_connections();
    ask_with_every_key(&gateway).await;
    gateway.upstream.clear_seen();
    ask_with_every_key(&gateway).await;
    for (key, exit) in exits(&gateway) {
        // A key that tries the dead one after its pause has no answer there, and is left for the next key.
        assert_ne!(exit, dead);
        if before[&key] != dead {
            assert_eq!(exit, before[&key], "{key} moved without need");
        }
    }

    proxies[0].set_fault(None);
    let admin = Operator::admin(&gateway).await;
    eventually("it works again", async || {
        ask_with_every_key(&gateway).await;
        let now = standing_for(&admin, &name(&proxies[0])).await;
        (now == "healthy").then_some(())
    })
    .await;
    assert_eq!(ask_again(&gateway).await, before);
}
