//! Which way attempts leave, and how proxies come and go.

use config::{Env, LoadOptions};
use domain::KeyId;
use tempfile::TempDir;

use super::standing::LONGEST_REST;
use super::*;
use crate::egress::Reach;

const NOW: UnixMs = UnixMs(1_800_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn settings(egress: &str, before: Option<&ProxySettings>) -> Arc<ProxySettings> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keymux.yaml");
    std::fs::write(&file, format!("egress: {egress}")).unwrap();
    let options = LoadOptions {
        file: Some(file),
        dir: folder.path().to_owned(),
    };
    let config = config::load(&options, &Env::default()).unwrap();
    ProxySettings::of(&config, before).unwrap()
}

fn with(egress: &str) -> Proxies {
    Proxies::new(&settings(egress, None), NOW)
}

const TWO: &str = "{ proxies: [http://a:1, socks5://b:1], fallback_to_direct: false }";

const LEAVING: Leaving<'_> = Leaving {
    key: LeavingKey::Known(KeyId(1)),
    own: None,
    is_encrypted: true,
    failed: &[],
    avoided: &[],
    preferred: None,
    is_enough: false,
};

fn of(key: i64) -> Leaving<'static> {
    Leaving {
        key: LeavingKey::Known(KeyId(key)),
        ..LEAVING
    }
}

/// The name of the egress, or why there is none.
fn chosen(proxies: &Proxies, leaving: &Leaving<'_>, now: UnixMs) -> String {
    match proxies.choose(leaving, now) {
        Ok(Egress::Direct) => "direct".to_owned(),
        Ok(Egress::Proxy(proxy)) => proxy.name.to_string(),
        Err(why) => why.reason().to_owned(),
    }
}

fn all(proxies: &Proxies) -> Vec<Arc<Proxy>> {
    let all = proxies.list().into_iter();
    all.map(|member| member.proxy).collect()
}

fn found(url: &str) -> Found {
    Found {
        url: url.parse().unwrap(),
        reach: Reach::Public,
        source: "a list".into(),
    }
}

fn names(proxies: &Proxies) -> Vec<String> {
    let all = all(proxies);
    all.iter().map(|proxy| proxy.name.to_string()).collect()
}

#[test]
fn without_proxies_everything_leaves_directly() {
    let proxies = with("{ fallback_to_direct: false }");
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "direct");
    let plain = Leaving {
        is_encrypted: false,
        ..LEAVING
    };
    assert_eq!(chosen(&proxies, &plain, NOW), "direct");
    assert!(proxies.may_leave_directly());
}

#[test]
fn plain_http_leaves_directly_or_not_at_all() {
    let plain = Leaving {
        is_encrypted: false,
        ..LEAVING
    };
    assert_eq!(chosen(&with(TWO), &plain, NOW), "plain_http_not_proxied");
    let url = Secret::new("http://own:1");
    let own = Leaving {
        own: Some(&url),
        ..plain
    };
    let falling_back = with("{ proxies: [http://a:1] }");
    assert_eq!(chosen(&falling_back, &plain, NOW), "direct");
    assert_eq!(chosen(&falling_back, &own, NOW), "plain_http_not_proxied");
}

#[test]
fn a_proxy_that_fails_is_set_aside_for_growing_pauses_and_tried_by_one_at_a_time() {
    let proxies = with("{ proxies: [http://a:1], fallback_to_direct: false }");
    let a = all(&proxies).remove(0);
    let mut now = NOW;
    for pause in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        proxies.failed(&a, "proxy_unreachable", now);
        // Others that were under way with it make the pause no longer.
        proxies.failed(&a, "proxy_unreachable", now);
        let before_end = now + SECOND * pause - Duration::from_millis(1);
        assert_eq!(chosen(&proxies, &LEAVING, before_end), "no_proxy_usable");
        now = now + SECOND * pause;
        assert_eq!(chosen(&proxies, &LEAVING, now), "http://a:1");
        assert_eq!(chosen(&proxies, &LEAVING, now), "no_proxy_usable");
    }
    // Whoever tried it never said how that ended.
    now = now + SECOND * 15;
    assert_eq!(chosen(&proxies, &LEAVING, now), "http://a:1");
    proxies.worked(&a, now);
    assert_eq!(chosen(&proxies, &LEAVING, now), "http://a:1");
    assert_eq!(chosen(&proxies, &LEAVING, now), "http://a:1");
    proxies.failed(&a, "proxy_unreachable", now);
    let until = now + SECOND * 2;
    let reason = "proxy_unreachable";
    assert_eq!(a.standing().state, State::SetAside { until, reason });
    assert_eq!(a.figures().failures, 21);
}

#[test]
fn where_no_proxy_can_be_used_requests_leave_directly_if_they_may() {
    let proxies = with("{ proxies: [http://a:1] }");
    proxies.failed(&all(&proxies)[0], "proxy_unreachable", NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "direct");
    assert!(proxies.may_leave_directly());
    assert!(!with(TWO).may_leave_directly());
}

#[test]
fn one_request_does_not_try_a_proxy_twice_nor_too_many() {
    let proxies = with(TWO);
    let first = proxies.choose(&LEAVING, NOW).unwrap();
    let first = first.proxy().unwrap();
    let failed = [first.id];
    let again = Leaving {
        failed: &failed,
        ..LEAVING
    };
    let second = chosen(&proxies, &again, NOW);
    assert!(second != *first.name && second.contains("://"), "{second}");
    let enough = Leaving {
        is_enough: true,
        ..LEAVING
    };
    assert_eq!(chosen(&proxies, &enough, NOW), "no_proxy_usable");
}

#[test]
fn a_proxy_that_is_avoided_is_used_when_there_is_no_other() {
    let proxies = with(TWO);
    let first = proxies.choose(&LEAVING, NOW).unwrap();
    let first = first.proxy().unwrap();
    let avoided = [first.id];
    let leaving = Leaving {
        avoided: &avoided,
        ..LEAVING
    };
    let second = proxies.choose(&leaving, NOW).unwrap();
    let second = second.proxy().unwrap();
    assert_ne!(second.id, first.id);
    proxies.failed(second, "proxy_hangs", NOW);
    assert_eq!(chosen(&proxies, &leaving, NOW), *first.name);
}

#[test]
fn an_upload_keeps_to_its_proxy_as_long_as_that_can_be_used() {
    let proxies = with(TWO);
    for proxy in all(&proxies) {
        let upload = Leaving {
            preferred: Some(proxy.id),
            ..LEAVING
        };
        assert_eq!(chosen(&proxies, &upload, NOW), *proxy.name);
        proxies.failed(&proxy, "proxy_unreachable", NOW);
        assert_ne!(chosen(&proxies, &upload, NOW), *proxy.name);
        proxies.worked(&proxy, NOW);
    }
}

#[test]
fn a_key_s_own_proxy_is_the_only_one_it_leaves_by() {
    let proxies = with(TWO);
    let url = Secret::new("socks5://me:pw@own:1");
    let own = Leaving {
        own: Some(&url),
        ..LEAVING
    };
    let Ok(Egress::Proxy(proxy)) = proxies.choose(&own, NOW) else {
        unreachable!()
    };
    assert_eq!(&*proxy.name, "socks5://own:1");
    assert!(all(&proxies).iter().all(|other| other.id != proxy.id));
    let failed = [proxy.id];
    let again = Leaving {
        failed: &failed,
        ..own
    };
    assert_eq!(chosen(&proxies, &again, NOW), "own_proxy_unusable");
    proxies.failed(&proxy, "proxy_hangs", NOW);
    assert_eq!(chosen(&proxies, &own, NOW), "own_proxy_unusable");
    assert_eq!(chosen(&proxies, &own, NOW + SECOND * 2), "socks5://own:1");
    let wrong = Secret::new("own:1");
    let wrong = Leaving {
        own: Some(&wrong),
        ..LEAVING
    };
    assert_eq!(chosen(&proxies, &wrong, NOW), "own_proxy_wrong");
}

#[test]
fn a_key_s_own_proxy_is_forgotten_when_nobody_uses_it() {
    let proxies = with("{}");
    let url = Secret::new("http://own:1");
    let own = Leaving {
        own: Some(&url),
        ..LEAVING
    };
    let id = |now| proxies.choose(&own, now).unwrap().proxy().unwrap().clone();
    let first = id(NOW);
    proxies.forget_unused(NOW + FORGET_OWN);
    assert_eq!(id(NOW + FORGET_OWN).id, first.id);
    proxies.forget_unused(NOW + FORGET_OWN * 2 + SECOND);
    assert!(first.is_gone());
    assert_ne!(id(NOW + FORGET_OWN * 3).id, first.id);
}

#[test]
fn proxies_that_stay_keep_what_is_known_of_them() {
    let before = settings(TWO, None);
    let proxies = Proxies::new(&before, NOW);
    let known = all(&proxies);
    proxies.failed(&known[0], "proxy_hangs", NOW);
    let more = "{ proxies: [http://c:1, socks5://b:1, http://a:1], fallback_to_direct: false }";
    proxies.follow(&settings(more, Some(&before)), NOW);
    assert_eq!(
        names(&proxies),
        ["http://c:1", "socks5://b:1", "http://a:1"]
    );
    let now = all(&proxies);
    assert_eq!((now[1].id, now[2].id), (known[1].id, known[0].id));
    assert!(now[2].is_set_aside(NOW));
    for key in 0..50 {
        assert_ne!(chosen(&proxies, &of(key), NOW), "http://a:1");
    }
    let back: Vec<_> = (0..50)
        .map(|key| chosen(&proxies, &of(key), NOW + SECOND * 2))
        .collect();
    assert_eq!(back.iter().filter(|name| *name == "http://a:1").count(), 1);
    proxies.follow(&settings("{ proxies: [http://c:1] }", Some(&before)), NOW);
    assert_eq!(names(&proxies), ["http://c:1"]);
    assert!(known.iter().all(|proxy| proxy.is_gone()));
    proxies.follow(&settings("{}", Some(&before)), NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "direct");
}

#[test]
fn a_proxy_that_has_left_is_not_set_aside_and_does_not_come_back() {
    let before = settings(TWO, None);
    let proxies = Proxies::new(&before, NOW);
    let gone = all(&proxies).remove(0);
    let one = "{ proxies: [socks5://b:1], fallback_to_direct: false }";
    proxies.follow(&settings(one, Some(&before)), NOW);
    proxies.failed(&gone, "proxy_hangs", NOW);
    proxies.worked(&gone, NOW);
    for key in 0..50 {
        assert_eq!(chosen(&proxies, &of(key), NOW), "socks5://b:1");
    }
}

#[test]
fn proxies_are_taken_once_and_told_apart_without_their_credentials() {
    let proxies = with("{ proxies: [http://a:1, http://u:x@a:1, http://v:y@a:1/, http://a:1] }");
    assert_eq!(
        names(&proxies),
        ["http://a:1", "http://a:1#2", "http://a:1#3"]
    );
    let found = ["http://a:1", "http://d:1"].map(found);
    proxies.set_found(found.to_vec(), NOW);
    assert_eq!(names(&proxies).last().unwrap(), "http://d:1");
    assert_eq!(names(&proxies).len(), 4);
    let text = format!("{proxies:?}");
    assert!(!text.contains("u:x") && !text.contains("v:y"), "{text}");
}

#[test]
fn a_check_brings_a_proxy_back_or_keeps_it_out() {
    let proxies = with("{ proxies: [http://a:1], fallback_to_direct: false }");
    let a = all(&proxies).remove(0);
    proxies.checked(&a, Err("proxy_garbage"), NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "no_proxy_usable");
    proxies.checked(&a, Err("proxy_garbage"), NOW + SECOND);
    assert_eq!(
        chosen(&proxies, &LEAVING, NOW + SECOND * 3),
        "no_proxy_usable"
    );
    proxies.checked(&a, Ok(SECOND), NOW + SECOND * 3);
    assert_eq!(chosen(&proxies, &LEAVING, NOW + SECOND * 3), "http://a:1");
    assert_eq!(a.standing().state, State::Healthy);
    assert_eq!(a.standing().checked.unwrap().outcome, Ok(SECOND));
}

#[test]
fn what_is_found_is_used_after_a_check_and_after_a_failure_only_after_another() {
    let proxies = with("{ sources: [{ preset: hookzof-socks5 }], fallback_to_direct: false }");
    proxies.set_found(vec![found("http://a:1")], NOW);
    let a = all(&proxies).remove(0);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "no_proxy_usable");
    proxies.checked(&a, Ok(SECOND), NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "http://a:1");
    proxies.failed(&a, "proxy_hangs", NOW);
    let much_later = NOW + LONGEST_REST * 24;
    assert_eq!(chosen(&proxies, &LEAVING, much_later), "no_proxy_usable");
    proxies.checked(&a, Ok(SECOND), much_later);
    assert_eq!(chosen(&proxies, &LEAVING, much_later), "http://a:1");
}

#[test]
fn an_operator_puts_a_proxy_back_into_use() {
    let proxies = with("{ proxies: [http://a:1], fallback_to_direct: false }");
    let a = all(&proxies).remove(0);
    proxies.failed(&a, "proxy_hangs", NOW);
    proxies.reset(&a, NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "http://a:1");
    assert_eq!(a.standing().state, State::Untested);
    proxies.failed(&a, "proxy_hangs", NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW + SECOND * 2), "http://a:1");
}

#[test]
fn no_more_are_taken_from_lists_than_are_kept_at_most() {
    let proxies = with("{ proxies: [http://a:1, http://b:1], max_proxies: 3 }");
    let lists = ["http://c:1", "http://a:1", "http://d:1"].map(found);
    proxies.set_found(lists.to_vec(), NOW);
    assert_eq!(names(&proxies), ["http://a:1", "http://b:1", "http://c:1"]);
}

#[test]
fn very_many_proxies_at_one_address_are_told_apart_at_once() {
    let proxies = with("{ max_proxies: 100000 }");
    let users = (0..20_000).map(|user| found(&format!("http://u{user}:x@gate:7000")));
    proxies.set_found(users.collect(), NOW);
    assert_eq!(names(&proxies).last().unwrap(), "http://gate:7000#20000");
}

#[test]
fn a_proxy_by_which_everybody_is_refused_is_back_when_it_answers_or_is_acquitted() {
    let proxies = with(TWO);
    let a = all(&proxies).remove(0);
    let is_out = |a: &Proxy| matches!(a.standing().state, State::SetAside { .. });
    proxies.failed(&a, REFUSED_EVERYBODY, NOW);
    proxies.reached(&a, NOW);
    proxies.checked(&a, Ok(SECOND), NOW);
    assert!(is_out(&a));
    proxies.acquit(&a, NOW);
    assert!(!is_out(&a));
    proxies.failed(&a, REFUSED_EVERYBODY, NOW);
    proxies.worked(&a, NOW);
    assert!(!is_out(&a));
    proxies.failed(&a, "proxy_hangs", NOW);
    proxies.acquit(&a, NOW);
    assert!(is_out(&a));
    proxies.reached(&a, NOW);
    assert!(!is_out(&a));
}

#[test]
fn a_proxy_of_a_list_that_refuses_everybody_is_tried_by_one_request_after_a_check() {
    let proxies = with("{ sources: [{ preset: hookzof-socks5 }], fallback_to_direct: false }");
    proxies.set_found(vec![found("http://a:1")], NOW);
    let a = all(&proxies).remove(0);
    proxies.checked(&a, Ok(SECOND), NOW);
    proxies.failed(&a, REFUSED_EVERYBODY, NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "no_proxy_usable");
    proxies.checked(&a, Ok(SECOND), NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "http://a:1");
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "no_proxy_usable");
    proxies.worked(&a, NOW);
    assert_eq!(chosen(&proxies, &LEAVING, NOW), "http://a:1");
}

#[test]
fn a_proxy_has_others_in_its_place_while_they_are_in_use_or_requests_may_leave_directly() {
    let proxies = with(TWO);
    let [a, b] = [0, 1].map(|place| all(&proxies).remove(place));
    assert!(proxies.have_another(&a, NOW));
    proxies.failed(&b, "proxy_hangs", NOW);
    assert!(!proxies.have_another(&a, NOW));
    let alone = with("{ proxies: [http://a:1] }");
    assert!(alone.have_another(&all(&alone)[0], NOW));
    let url = Secret::new("http://own:1");
    let own = Leaving {
        own: Some(&url),
        ..LEAVING
    };
    let own = alone.choose(&own, NOW).unwrap();
    assert!(!alone.have_another(own.proxy().unwrap(), NOW));
}
