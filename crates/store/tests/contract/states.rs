//! States of keys and of (project, model) pairs over a restart.

use std::collections::BTreeMap;

use domain::{
    Class, Cooling, KeyDraft, KeyHealth, KeyId, KeySource, KeyState, PairId, PairState,
    RetiredReason, UnixMs,
};
use store::Store;

use crate::database::{Database, NOW, on_both};

on_both!(
    every_state_of_a_key_comes_back,
    last_state_of_a_key_counts,
    every_state_of_a_pair_comes_back,
    idle_pair_is_forgotten,
    unreadable_state_is_as_none,
);

fn cooling(class: Class, streak: u8) -> Cooling {
    Cooling {
        until: UnixMs::NEVER,
        probe_at: NOW,
        class,
        streak,
    }
}

fn healths() -> Vec<KeyHealth> {
    use RetiredReason::{Failures, Invalid, Restricted, Suspended};
    let retired = [Invalid, Restricted, Suspended, Failures];
    let retired = retired.map(|reason| KeyHealth::Retired { reason, since: NOW });
    let classes = Class::ALL.into_iter().zip(0..);
    let cooling = classes.map(|(class, streak)| KeyHealth::Cooling(cooling(class, streak)));
    let mut healths = vec![KeyHealth::Active];
    healths.extend(retired);
    healths.extend(cooling);
    healths
}

async fn with_keys(database: &Database, keys: usize) -> (Store, Vec<KeyId>) {
    let store = database.open().await;
    let draft = |n| KeyDraft::plain("google", &format!("AIza-{n}"), KeySource::Admin);
    let drafts: Vec<KeyDraft> = (0..keys).map(draft).collect();
    let added = store.add_keys(&drafts, NOW).await.unwrap().added;
    (store, added)
}

/// The states as a restarted process reads them.
async fn key_states(database: &Database) -> Vec<(KeyId, KeyState)> {
    let rows = database.open().await.load_keys().await.unwrap();
    rows.into_iter()
        .map(|(key, state)| (key.id, state))
        .collect()
}

async fn pair_states(database: &Database) -> BTreeMap<PairId, PairState> {
    let pairs = database.open().await.load_pairs().await.unwrap();
    pairs.into_iter().collect()
}

fn pair(model: &str) -> PairId {
    PairId {
        provider: "google".into(),
        project: "key:7".into(),
        model: model.into(),
    }
}

async fn every_state_of_a_key_comes_back(database: &Database) {
    let healths = healths();
    let (store, ids) = with_keys(database, healths.len() + 1).await;
    let state = |(health, failures): (KeyHealth, u16)| KeyState {
        health,
        failures: u16::MAX - failures,
        has_worked: failures % 2 == 0,
    };
    let states = healths.into_iter().zip(0..).map(state);
    let mut saved: Vec<(KeyId, KeyState)> = ids.iter().copied().zip(states).collect();
    store.save_states(&saved, &[], NOW).await.unwrap();
    saved.push((ids[ids.len() - 1], KeyState::default()));
    assert_eq!(key_states(database).await, saved);
}

async fn last_state_of_a_key_counts(database: &Database) {
    let (store, ids) = with_keys(database, 1).await;
    let failed = |failures| KeyState {
        failures,
        ..KeyState::default()
    };
    let retired = KeyState {
        health: KeyHealth::Retired {
            reason: RetiredReason::Invalid,
            since: NOW,
        },
        ..failed(9)
    };
    store
        .save_states(&[(ids[0], retired)], &[], NOW)
        .await
        .unwrap();
    let twice = [
        (ids[0], failed(1)),
        (ids[0], failed(2)),
        (KeyId(404), failed(3)),
    ];
    store.save_states(&twice, &[], NOW).await.unwrap();
    assert_eq!(key_states(database).await, [(ids[0], failed(2))]);
}

async fn every_state_of_a_pair_comes_back(database: &Database) {
    let store = database.open().await;
    let classes = Class::ALL.into_iter().zip(0..);
    let mut saved: Vec<(PairId, PairState)> = classes
        .map(|(class, n)| {
            let state = PairState {
                cooling: (n > 0).then(|| cooling(class, n)),
                day: 20_412,
                day_requests: u32::MAX - u32::from(n),
                day_suspected: n % 2 == 0,
            };
            (pair(class.name()), state)
        })
        .collect();
    let suspected = PairState {
        day_suspected: true,
        ..PairState::default()
    };
    saved.push((pair("suspected"), suspected));
    store.save_states(&[], &saved, NOW).await.unwrap();
    assert_eq!(pair_states(database).await, saved.into_iter().collect());
}

async fn idle_pair_is_forgotten(database: &Database) {
    let store = database.open().await;
    let busy = |day_requests| PairState {
        day: 20_412,
        day_requests,
        ..PairState::default()
    };
    let names: Vec<String> = (0..20).map(|n| format!("model-{n}")).collect();
    let saved: Vec<_> = names.iter().map(|name| (pair(name), busy(5))).collect();
    store.save_states(&[], &saved, NOW).await.unwrap();
    let mut later: Vec<_> = names.iter().map(|name| (pair(name), busy(0))).collect();
    later[3].1 = busy(6);
    later.push((pair("never seen"), busy(0)));
    store.save_states(&[], &later, NOW).await.unwrap();
    assert_eq!(
        pair_states(database).await,
        BTreeMap::from([(pair("model-3"), busy(6))])
    );
}

async fn unreadable_state_is_as_none(database: &Database) {
    let (store, ids) = with_keys(database, 2).await;
    let failed = KeyState {
        failures: 3,
        ..KeyState::default()
    };
    let saved: Vec<_> = ids.iter().map(|id| (*id, failed.clone())).collect();
    store.save_states(&saved, &[], NOW).await.unwrap();
    database
        .execute("UPDATE key_states SET health = 'nonsense' WHERE key_id = 1")
        .await;
    let expected = [(ids[0], KeyState::default()), (ids[1], failed)];
    assert_eq!(key_states(database).await, expected);
}
