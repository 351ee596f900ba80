//! `GET /api/request_logs`: what each filter finds, alone and with others; pages to the end; what is refused.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Attempt, AttemptOutcome, Class, ClientId, KeyId, RequestRecord, UnixMs};
use serde_json::Value;

use super::past::{now, numbers, record, row_of};
use crate::support::{Operator, TestGateway};

const LIST: &str = "/api/request_logs";

/// Seven requests that differ in everything that is asked for, an hour from one to the next.
fn seven(last: UnixMs) -> Vec<RequestRecord> {
    let at = |hours: u32| last - Duration::from_secs(3600) * hours;
    vec![
        record(at(6), 1),
        RequestRecord {
            client: Some(ClientId(901)),
            key: Some(KeyId(71)),
            model: Some("gemini-2.5-Pro".into()),
            ..record(at(5), 2)
        },
        RequestRecord {
            client: Some(ClientId(901)),
            status: 429,
            error: Some(Class::RateLimited),
            attempts: vec![Attempt {
                elsewhere: None,
                key: Some(KeyId(72)),
                egress: "direct".into(),
                status: Some(429),
                outcome: AttemptOutcome {
                    class: Class::RateLimited,
                    reason: "per_minute_100%_used".into(),
                },
                latency_us: 5,
                chosen: "random of 3".into(),
            }],
            key: Some(KeyId(72)),
            ..record(at(4), 3)
        },
        RequestRecord {
            client: Some(ClientId(902)),
            provider: Some("xai".into()),
            model: Some("grok-4".into()),
            endpoint: "models.list",
            ..record(at(3), 4)
        },
        RequestRecord {
            status: 503,
            error: Some(Class::Overloaded),
            key: Some(KeyId(71)),
            ..record(at(2), 5)
        },
        RequestRecord {
            status: 499,
            error: Some(Class::ClientGone),
            model: None,
            provider: None,
            ..record(at(1), 6)
        },
        RequestRecord {
            error: Some(Class::Truncated),
            stream: true,
            ..record(at(0), 7)
        },
    ]
}

/// An instant as a parameter of a query.
fn instant(time: UnixMs) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn each_filter_finds_what_it_says_alone_and_with_others() {
    let gateway = TestGateway::new().start().await;
    let last = now() - Duration::from_secs(60);
    let written = seven(last);
    gateway
        .running
        .store()
        .write_records(&written)
        .await
        .unwrap();
    let admin = Operator::admin(&gateway).await;
    let hours = |count: u32| instant(last - Duration::from_secs(3600) * count);
    let check = async |query: &str, expected: &[u16]| {
        let page = admin.read(&format!("{LIST}?{query}")).await;
        assert_eq!(numbers(&page), expected, "{query}");
        assert_eq!(page["next_cursor"], Value::Null, "{query}");
    };
    let all = [7, 6, 5, 4, 3, 2, 1];
    check("", &all).await;
    check("client=901", &[3, 2]).await;
    check("client=903", &[]).await;
    check("provider=google", &[7, 5, 3, 2, 1]).await;
    check("provider=xai", &[4]).await;
    check("model=gemini-2.5-Pro", &[2]).await;
    check("model=gemini-2.5", &[]).await;
    check("key=71", &[5, 2]).await;
    check("status=429", &[3]).await;
    check("status=2xx", &[7, 4, 2, 1]).await;
    check("status=4xx", &[6, 3]).await;
    check("status=5xx", &[5]).await;
    check("status=499", &[6]).await;
    check("failed=true", &[7, 5, 3]).await;
    check("failed=false", &all).await;
    check("q=PRO", &[2]).await;
    check("q=grok", &[4]).await;
    check("q=list", &[4]).await;
    check("q=overloaded", &[5]).await;
    check("q=100%25", &[3]).await;
    check("q=_used", &[3]).await;
    check("q=%25", &[3]).await;
    check("q='", &[]).await;
    check("q=", &all).await;
    check(&format!("from={}", hours(2)), &[7, 6, 5]).await;
    check(&format!("to={}", hours(2)), &[4, 3, 2, 1]).await;
    check(&format!("from={}&to={}", hours(4), hours(2)), &[4, 3]).await;
    check("client=901&status=4xx", &[3]).await;
    check("client=901&failed=true&q=per_minute", &[3]).await;
    check("key=71&provider=google&status=5xx", &[5]).await;
    check("model=gemini-past&failed=true", &[7, 5, 3]).await;
    check("provider=xai&failed=true", &[]).await;
    check(&format!("q=gemini&status=2xx&to={}", hours(1)), &[2, 1]).await;
    check("key=71&client=902", &[]).await;
}

#[tokio::test]
async fn times_beyond_what_an_id_can_hold_are_before_or_after_everything() {
    let gateway = TestGateway::new().start().await;
    let written = seven(now() - Duration::from_secs(60));
    gateway
        .running
        .store()
        .write_records(&written)
        .await
        .unwrap();
    let admin = Operator::admin(&gateway).await;
    for (query, expected) in [
        ("to=2099-12-31T00:00:00Z", 7),
        ("to=9999-12-30T00:00:00Z", 7),
        ("from=2099-12-31T00:00:00Z", 0),
        ("from=9999-12-30T00:00:00Z", 0),
        ("from=1970-01-01T00:00:00Z", 7),
        ("from=0000-01-01T00:00:00Z", 7),
        ("to=0000-01-01T00:00:00Z", 0),
    ] {
        let page = admin.read(&format!("{LIST}?{query}")).await;
        assert_eq!(numbers(&page).len(), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_lead_to_the_end_without_a_row_twice_or_lost_while_new_ones_come() {
    let gateway = TestGateway::new().start().await;
    let store = gateway.running.store();
    let end = now() - Duration::from_secs(60);
    let mut written = row_of(120, end);
    for record in written.iter_mut().step_by(3) {
        record.status = 503;
    }
    store.write_records(&written).await.unwrap();
    let admin = Operator::admin(&gateway).await;
    for (query, expected) in [
        ("limit=7", (0..120).rev().collect::<Vec<u16>>()),
        (
            "limit=7&status=503",
            (0..120).rev().filter(|n| n % 3 == 0).collect(),
        ),
        ("limit=40&q=past", (0..120).rev().collect()),
        ("limit=120", (0..120).rev().collect()),
    ] {
        let (mut seen, mut cursor, mut newer) = (Vec::new(), String::new(), 0);
        loop {
            // Meanwhile requests go on: newer ones, which belong to the pages before.
            newer += 1;
            let fresh = record(end + Duration::from_secs(newer), 4000);
            store.write_records(&[fresh]).await.unwrap();
            let page = admin.read(&format!("{LIST}?{query}&cursor={cursor}")).await;
            seen.extend(numbers(&page).into_iter().filter(|&number| number != 4000));
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{query}");
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
        store.delete_oldest_records(10_000).await.unwrap();
        store.write_records(&written).await.unwrap();
    }
}

#[tokio::test]
async fn a_value_that_is_wrong_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("sort=time", "sort"),
        ("status=9xx", "status"),
        ("status=xx", "status"),
        ("status=%C3%A9x", "status"),
        ("status=99", "status"),
        ("status=600", "status"),
        ("status=%2B429", "status"),
        ("failed=perhaps", "failed"),
        ("format=xml", "format"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("client=mine", "client"),
        ("key=AIza", "key"),
        ("modell=x", "modell"),
        ("model=a&model=b", "model"),
        ("format=csv&limit=0", "limit"),
        ("format=jsonl&cursor=nonsense", "cursor"),
        ("format=csv&sort=time", "sort"),
        ("format=csv&status=abc", "status"),
    ] {
        assert_eq!(
            admin
                .get(&format!("{LIST}?{query}"))
                .await
                .refused(422, "invalid"),
            field,
            "{query}"
        );
    }
}
