//! Who has which resource.

use std::time::Duration;

use domain::{ClientId, Resource, ResourceName, UserId};
use store::{Holder, ResourceFilter, ResourcePlace};

use crate::database::{Database, NOW, on_both};

on_both!(
    resource_is_found_until_it_expires_or_goes,
    nobody_takes_over_what_another_has,
    name_of_what_has_expired_is_free_again,
    projects_are_those_of_the_holder,
    list_is_paged_from_the_newest
);

fn resource(name: &str, project: &str, client: Option<i64>) -> Resource {
    Resource {
        provider: "google".into(),
        name: ResourceName::new(name).unwrap(),
        project: project.into(),
        client: client.map(ClientId),
        owner: None,
        created_at: NOW,
        expires_at: None,
    }
}

fn expiring(name: &str, seconds: u64) -> Resource {
    Resource {
        expires_at: Some(NOW + Duration::from_secs(seconds)),
        ..resource(name, "p1", Some(1))
    }
}

async fn resource_is_found_until_it_expires_or_goes(database: &Database) {
    let store = database.open().await;
    let (file, store_of_files) = (
        expiring("files/a", 10),
        resource("fileSearchStores/s", "p1", None),
    );
    store
        .save_resources(&[file.clone(), store_of_files.clone()])
        .await
        .unwrap();
    let names = [
        file.name.clone(),
        store_of_files.name.clone(),
        ResourceName::new("files/b").unwrap(),
    ];
    let again = database.open().await;
    let mut found = again.resources_named("google", &names, NOW).await.unwrap();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(found, [store_of_files.clone(), file.clone()]);
    assert_eq!(again.resources_named("xai", &names, NOW).await.unwrap(), []);

    let later = NOW + Duration::from_secs(10);
    let found = store
        .resources_named("google", &names, later)
        .await
        .unwrap();
    assert_eq!(found, std::slice::from_ref(&store_of_files));
    assert_eq!(store.forget_expired_resources(later, 100).await.unwrap(), 1);
    assert_eq!(store.forget_expired_resources(later, 100).await.unwrap(), 0);
    assert!(
        store
            .forget_resource("google", &store_of_files.name)
            .await
            .unwrap()
    );
    assert!(
        !store
            .forget_resource("google", &store_of_files.name)
            .await
            .unwrap()
    );
    assert_eq!(
        store.resources_named("google", &names, NOW).await.unwrap(),
        []
    );
}

async fn nobody_takes_over_what_another_has(database: &Database) {
    let store = database.open().await;
    let mine = resource("files/a", "p1", Some(1));
    store
        .save_resources(std::slice::from_ref(&mine))
        .await
        .unwrap();
    let theirs = resource("files/a", "p2", Some(2));
    let other = resource("files/b", "p2", Some(2));
    store
        .save_resources(&[theirs, other.clone()])
        .await
        .unwrap();
    let names = [mine.name.clone(), other.name.clone()];
    let mut found = store.resources_named("google", &names, NOW).await.unwrap();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(found, [mine, other]);
}

async fn name_of_what_has_expired_is_free_again(database: &Database) {
    let store = database.open().await;
    let old = expiring("files/daily", 10);
    store
        .save_resources(std::slice::from_ref(&old))
        .await
        .unwrap();
    let new = Resource {
        created_at: NOW + Duration::from_secs(10),
        client: Some(ClientId(2)),
        expires_at: None,
        ..old.clone()
    };
    store
        .save_resources(std::slice::from_ref(&new))
        .await
        .unwrap();
    let names = [old.name.clone()];
    let found = store
        .resources_named("google", &names, new.created_at)
        .await;
    assert_eq!(found.unwrap(), std::slice::from_ref(&new));
    let at = NOW + Duration::from_secs(99);
    store
        .set_expiry("google", &old.name, Some(at))
        .await
        .unwrap();
    let found = store.resources_named("google", &names, NOW).await.unwrap();
    assert_eq!(found[0].expires_at, Some(at));
    assert_eq!(
        store.resources_named("google", &names, at).await.unwrap(),
        []
    );
}

async fn projects_are_those_of_the_holder(database: &Database) {
    let store = database.open().await;
    let owned = Resource {
        owner: Some(UserId(9)),
        ..resource("files/c", "p3", Some(3))
    };
    let all = [
        resource("files/a", "p1", Some(1)),
        resource("files/b", "p2", None),
        resource("files/d", "p1", Some(1)),
        resource("batches/e", "p5", Some(1)),
        owned,
    ];
    store.save_resources(&all).await.unwrap();
    for (client, expected) in [
        (Some(ClientId(3)), Some("p3")),
        (None, Some("p2")),
        (Some(ClientId(7)), None),
    ] {
        let found = store.last_project("google", client, NOW).await.unwrap();
        assert_eq!(found.as_deref(), expected, "{client:?}");
    }
    for (holder, expected) in [
        (Holder::Client(ClientId(1), None), vec!["p1"]),
        (
            Holder::Client(ClientId(1), Some(UserId(9))),
            vec!["p1", "p3"],
        ),
        (Holder::Anonymous, vec!["p2"]),
        (Holder::Anybody, vec!["p1", "p2", "p3"]),
        (Holder::Client(ClientId(4), None), vec![]),
    ] {
        let found = store.projects_with("google", "files", holder, NOW).await;
        assert_eq!(found.unwrap(), expected, "{holder:?}");
    }
}

async fn list_is_paged_from_the_newest(database: &Database) {
    let store = database.open().await;
    let mut all: Vec<Resource> = (0..25u64)
        .map(|number| Resource {
            created_at: NOW + Duration::from_secs(number / 3),
            ..resource(&format!("files/{number:02}"), "p1", Some(1))
        })
        .collect();
    store.save_resources(&all).await.unwrap();
    all.sort_by(|one, other| (other.created_at, &one.name).cmp(&(one.created_at, &other.name)));
    let filter = ResourceFilter {
        collection: Some("files".to_owned()),
        ..ResourceFilter::default()
    };
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .list_resources(&filter, after.as_ref(), 7, NOW)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(ResourcePlace {
            created_at: last.created_at,
            provider: last.provider.to_string(),
            name: last.name.to_string(),
        });
        read.extend(page);
    }
    assert_eq!(read, all);
    let filter = ResourceFilter {
        text: Some("/07".to_owned()),
        ..ResourceFilter::default()
    };
    let found = store.list_resources(&filter, None, 7, NOW).await.unwrap();
    assert_eq!(found.len(), 1);
}
