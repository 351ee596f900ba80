//! Keys keep to their proxies, are shared out evenly, and move only when they must.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::UnixMs;
use proptest::prelude::*;
use rustls::ClientConfig;

use super::super::proxy::{Address, ProxyId, Trust};
use super::*;
use crate::egress::{Reach, tls};

static TLS: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| tls::client_config(None, false).unwrap());

fn proxies(count: u64) -> Vec<Arc<Proxy>> {
    let proxy = |number: u64| {
        let url = format!(
            "http://10.{}.{}.1:{}",
            number % 200,
            number / 200,
            1 + number % 65_000
        );
        let address = Address {
            url: url.parse().unwrap(),
            reach: Reach::Private,
            tls: TLS.clone(),
            trust: Trust::Given,
        };
        Arc::new(Proxy::new(ProxyId(number), url, address, UnixMs(0)))
    };
    (0..count).map(proxy).collect()
}

fn ranking(proxies: &[Arc<Proxy>]) -> Ranking {
    Ranking::of(proxies.iter().cloned(), proxies.len(), 0)
}

/// The proxy of each key from 1 on.
fn choices(ranking: &Ranking, keys: u64) -> Vec<Option<ProxyId>> {
    let choose = |key| ranking.first(key, |_| true).map(|proxy| proxy.id);
    (1..=keys).map(choose).collect()
}

#[test]
fn keys_are_shared_out_evenly() {
    let mut shares: HashMap<ProxyId, u32> = HashMap::new();
    for choice in choices(&ranking(&proxies(10)), 10_000) {
        *shares.entry(choice.unwrap()).or_default() += 1;
    }
    assert_eq!(shares.len(), 10);
    assert!(
        shares.values().all(|share| (850..1150).contains(share)),
        "{shares:?}"
    );
}

#[test]
fn of_very_many_proxies_nearly_all_are_used() {
    let all = proxies(5_000);
    let ranking = ranking(&all);
    assert!(ranking.buckets() > 1);
    let mut used: Vec<ProxyId> = choices(&ranking, 50_000).into_iter().flatten().collect();
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 4_900, "{}", used.len());
}

#[test]
fn the_order_in_which_proxies_are_named_does_not_matter() {
    let all = proxies(20);
    let mut turned = all.clone();
    turned.reverse();
    assert_eq!(
        choices(&ranking(&all), 500),
        choices(&ranking(&turned), 500)
    );
}

#[test]
fn without_proxies_there_is_no_choice() {
    assert_eq!(choices(&ranking(&[]), 1), [None]);
    let ranking = ranking(&proxies(3));
    assert!(ranking.first(1, |_| false).is_none());
    let none_of_many = Ranking::of([], 5_000, 0);
    assert_eq!(choices(&none_of_many, 1), [None]);
}

#[test]
fn one_that_is_left_of_very_many_is_found() {
    let all = proxies(5_000);
    let ranking = Ranking::of(all.last().cloned(), all.len(), 0);
    assert!(
        choices(&ranking, 100)
            .iter()
            .all(|it| *it == Some(ProxyId(4_999)))
    );
}

#[test]
fn whoever_is_not_admitted_is_passed_over_for_the_next_in_the_keys_own_order() {
    let all = proxies(300);
    let ranking = ranking(&all);
    let first = ranking.first(7, |_| true).unwrap();
    let second = ranking.first(7, |proxy| proxy.id != first.id).unwrap();
    ranking.set(&first, false);
    assert_eq!(ranking.first(7, |_| true).unwrap().id, second.id);
    let mut asked = 0;
    let found = ranking.first(7, |proxy| {
        asked += 1;
        proxy.id == ProxyId(150)
    });
    assert_eq!(found.unwrap().id, ProxyId(150));
    assert!(asked <= 300 + MOST_ROUNDS, "{asked}");
}

#[test]
fn buckets_stay_while_the_number_goes_up_and_down() {
    for (proxies, before, expected) in [
        (0, 0, 1),
        (1_024, 0, 1),
        (1_025, 0, 2),
        (1_025, 1, 2),
        (1_000, 4, 4),
        (512, 4, 4),
        (511, 4, 1),
        (4_096, 4, 4),
        (4_097, 4, 8),
        (100_000, 1, 256),
    ] {
        assert_eq!(
            bucket_count(proxies, before),
            expected,
            "{proxies} proxies, {before} before"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn only_the_keys_of_a_proxy_that_goes_move_and_come_back_with_it(
        count in prop_oneof![1_u64..40, 1_020_u64..1_040],
        lost in any::<prop::sample::Index>(),
    ) {
        let all = proxies(count);
        let ranking = ranking(&all);
        let lost = lost.get(&all);
        let before = choices(&ranking, 200);
        ranking.set(lost, false);
        let without = choices(&ranking, 200);
        for (before, without) in before.iter().zip(&without) {
            prop_assert_ne!(*without, Some(lost.id));
            if *before != Some(lost.id) {
                prop_assert_eq!(before, without);
            }
        }
        ranking.set(lost, true);
        ranking.set(lost, true);
        prop_assert_eq!(choices(&ranking, 200), before);
    }
}
