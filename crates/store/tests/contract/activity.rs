//! The activity log.

use std::time::Duration;

use domain::{Action, Activity, Event, UnixMs, UserId};
use store::{ActivityFilter, Store};

use crate::database::{Database, NOW, on_both};

on_both!(
    every_action_comes_back,
    lines_are_read_newest_first_in_pages,
    filter_takes_what_passes_all_of_it,
    text_is_found_as_it_is_written,
    line_that_is_no_change_does_not_raise_the_revision,
    old_lines_are_deleted_in_steps,
    unreadable_line_is_left_out,
);

fn event(details: &str) -> Event {
    Event {
        actor: "keymux".into(),
        owner: None,
        action: Action::Retire,
        resource: "keys",
        resource_id: None,
        provider: None,
        details: details.into(),
    }
}

fn at(seconds: u64) -> UnixMs {
    NOW + Duration::from_secs(seconds)
}

/// One line a second, with these details.
async fn log(store: &Store, details: &[&str]) {
    for (text, second) in details.iter().zip(0..) {
        store.log(&[event(text)], at(second)).await.unwrap();
    }
}

async fn read(store: &Store, filter: &ActivityFilter) -> Vec<Activity> {
    store.activities(filter, None, 99).await.unwrap()
}

async fn check(store: &Store, filter: ActivityFilter, expected: &[&str]) {
    let lines = read(store, &filter).await;
    let details: Vec<&str> = lines
        .iter()
        .map(|line| line.event.details.as_str())
        .collect();
    assert_eq!(details, expected, "{filter:?}");
}

async fn every_action_comes_back(database: &Database) {
    let store = database.open().await;
    let mut events: Vec<Event> = Action::ALL
        .iter()
        .map(|action| Event {
            action: *action,
            ..event("bare")
        })
        .collect();
    events.push(Event {
        actor: "client:app".into(),
        owner: Some(UserId(7)),
        action: Action::Select,
        resource: "allowed_keys",
        resource_id: Some("12".into()),
        provider: Some("google".into()),
        details: "ключ 🔑 in place of 11".into(),
    });
    store.log(&events, NOW).await.unwrap();
    store.log(&[], NOW).await.unwrap();
    let mut lines = read(&database.open().await, &ActivityFilter::default()).await;
    lines.reverse();
    assert!(lines.iter().all(|line| line.at == NOW));
    assert!(lines.is_sorted_by_key(|line| line.id));
    let lines: Vec<Event> = lines.into_iter().map(|line| line.event).collect();
    assert_eq!(lines, events);
}

async fn lines_are_read_newest_first_in_pages(database: &Database) {
    let store = database.open().await;
    log(&store, &["a", "b", "c", "d", "e"]).await;
    let all = ActivityFilter::default();
    let (mut before, mut pages) = (None, Vec::new());
    loop {
        let page = store.activities(&all, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        let details = page.iter().map(|line| line.event.details.as_str());
        pages.push(details.collect::<String>());
    }
    assert_eq!(pages, ["ed", "cb", "a"]);
}

async fn filter_takes_what_passes_all_of_it(database: &Database) {
    let store = database.open().await;
    let mut other = Event {
        actor: "mei".into(),
        owner: Some(UserId(7)),
        action: Action::Add,
        resource: "allowed_keys",
        resource_id: Some("12".into()),
        provider: Some("xai".into()),
        details: "first of mei".into(),
    };
    log(&store, &["a", "b"]).await;
    store.log(&[other.clone()], at(2)).await.unwrap();
    (other.details, other.action) = ("second of mei".into(), Action::Delete);
    store.log(&[other], at(3)).await.unwrap();

    let none = ActivityFilter::default;
    let (first, second) = ("first of mei", "second of mei");
    check(&store, none(), &[second, first, "b", "a"]).await;
    let of_mei = [
        ActivityFilter {
            owner: Some(UserId(7)),
            ..none()
        },
        ActivityFilter {
            actor: Some("mei".into()),
            ..none()
        },
        ActivityFilter {
            resource: Some("allowed_keys".into()),
            ..none()
        },
        ActivityFilter {
            resource_id: Some("12".into()),
            ..none()
        },
        ActivityFilter {
            provider: Some("xai".into()),
            ..none()
        },
        ActivityFilter {
            text: Some("OF M".into()),
            ..none()
        },
        ActivityFilter {
            from: Some(at(2)),
            ..none()
        },
    ];
    for filter in of_mei {
        check(&store, filter.clone(), &[second, first]).await;
        let action = Some(Action::Delete);
        check(&store, ActivityFilter { action, ..filter }, &[second]).await;
    }
    let to = Some(at(2));
    check(&store, ActivityFilter { to, ..none() }, &["b", "a"]).await;
    let from = Some(at(1));
    check(&store, ActivityFilter { from, to, ..none() }, &["b"]).await;
    let owner = Some(UserId(8));
    check(&store, ActivityFilter { owner, ..none() }, &[]).await;
}

async fn text_is_found_as_it_is_written(database: &Database) {
    let store = database.open().await;
    log(
        &store,
        &[
            "100% of 10",
            "1000 of 10",
            "Under_Score",
            "Ärger",
            "it's \\ 🔑",
        ],
    )
    .await;
    for (text, found) in [
        ("0%", &["100% of 10"][..]),
        ("_", &["Under_Score"]),
        ("uNDER", &["Under_Score"]),
        ("Ärg", &["Ärger"]),
        ("'s \\", &["it's \\ 🔑"]),
        ("🔑", &["it's \\ 🔑"]),
        ("OF 1", &["1000 of 10", "100% of 10"]),
        ("nothing", &[]),
    ] {
        let filter = ActivityFilter {
            text: Some(text.into()),
            ..ActivityFilter::default()
        };
        check(&store, filter, found).await;
    }
}

async fn line_that_is_no_change_does_not_raise_the_revision(database: &Database) {
    let store = database.open().await;
    log(&store, &["a"]).await;
    assert_eq!(store.revision().await.unwrap(), 0);
}

async fn old_lines_are_deleted_in_steps(database: &Database) {
    let store = database.open().await;
    log(&store, &["a", "b", "c", "d"]).await;
    let delete = async || store.delete_activities_before(at(3), 2).await.unwrap();
    assert_eq!(delete().await, 2);
    check(&store, ActivityFilter::default(), &["d", "c"]).await;
    assert_eq!(delete().await, 1);
    assert_eq!(delete().await, 0);
    check(&store, ActivityFilter::default(), &["d"]).await;
}

async fn unreadable_line_is_left_out(database: &Database) {
    let store = database.open().await;
    log(&store, &["a", "b", "c"]).await;
    let damage = "UPDATE activity SET action = 'CONQUER' WHERE details = 'b'";
    database.execute(damage).await;
    check(&store, ActivityFilter::default(), &["c", "a"]).await;
}
