//! A large installation: keys in every state, each with what is known of the models that it was asked for, the client keys
//! and users that ask, and a log of what was done. Request records are the other example's (`records`), whose providers,
//! models, numbers of keys and clients, and master key these are.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::{
    Action, Class, ClientDraft, Cooling, Event, KeyDraft, KeyHealth, KeyId, KeySource, KeyState,
    PairId, PairState, RetiredReason, Role, Secret, UnixMs,
};
use store::{KeyPatch, MasterKey, Store};

use crate::say;

const CLIENTS: usize = 50;
const USERS: usize = 20;
const LINES: usize = 20_000;
/// Keys of one project; every third key is of none.
const OF_A_PROJECT: usize = 5;
const PROVIDERS: [(&str, &[&str]); 3] = [
    (
        "google",
        &[
            "gemini-2.5-flash",
            "gemini-2.5-pro",
            "gemini-2.5-flash-lite",
            "gemini-embedding-001",
        ],
    ),
    ("openai", &["gpt-5-mini", "gpt-5"]),
    ("anthropic", &["claude-sonnet-4-5", "claude-haiku-4-5"]),
];
const HOUR: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Fills a database that has no keys yet.
pub(super) async fn run(url: &str, keys: usize) -> Result<(), Box<dyn Error>> {
    let store = Store::open(url, MasterKey::from_text(&"5".repeat(64))?).await?;
    let now = UnixMs(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64);
    let began = Instant::now();
    let drafts: Vec<KeyDraft> = (0..keys).map(draft).collect();
    let added = store.add_keys(&drafts, now).await?.added;
    say("keys", added.len(), began)?;

    let began = Instant::now();
    let all = || added.iter().copied().zip(drafts.iter());
    let states: Vec<(KeyId, KeyState)> = all()
        .map(|(id, _)| (id, state(id, now)))
        .filter(|(_, state)| *state != KeyState::default())
        .collect();
    let pairs: Vec<(PairId, PairState)> = all()
        .flat_map(|(id, draft)| pairs_of(id, draft, now))
        .collect();
    store.save_states(&states, &pairs, now).await?;
    say("states of pairs", pairs.len(), began)?;

    let began = Instant::now();
    let off: Vec<KeyId> = added.iter().copied().filter(|id| id.0 % 50 == 7).collect();
    let change = store.change().await?;
    let patch = KeyPatch {
        enabled: Some(false),
        ..KeyPatch::default()
    };
    change.update_keys(&off, &patch).await?;
    for user in 0..USERS {
        let name = format!("user-{user:02}");
        change.create_user(&name, Role::Member, "none", now).await?;
    }
    for client in 0..CLIENTS {
        let draft = ClientDraft::plain(&format!("application-{client:02}"), KeySource::Admin);
        let secret = Secret::new(format!("sk-application-{client:04}"));
        change.create_client(&draft, &secret, now).await?;
    }
    change.publish().await?;
    for minute in (0..LINES).rev().step_by(100) {
        let at = now - Duration::from_secs(60 * minute as u64);
        let lines: Vec<Event> = (minute..minute + 100)
            .map(|line| event(line, keys))
            .collect();
        store.log(&lines, at).await?;
    }
    say("lines of the activity log", LINES, began)?;
    Ok(store.close().await?)
}

fn draft(index: usize) -> KeyDraft {
    let (provider, _) = PROVIDERS[[0, 0, 0, 1, 2][index % 5]];
    let project = format!("project-{:05}", index / OF_A_PROJECT);
    KeyDraft {
        label: (index % 4 != 3).then(|| format!("key-{index:06}")),
        project: (index % 3 != 2).then_some(project),
        ..KeyDraft::plain(provider, &format!("AIzaFAKE-{index:030}"), KeySource::Admin)
    }
}

/// One in twenty is cooling, one in thirty out of use.
fn state(id: KeyId, now: UnixMs) -> KeyState {
    let health = match id.0 {
        id if id % 20 == 3 => KeyHealth::Cooling(cooling(id, Class::RateLimited, now)),
        id if id % 30 == 8 => KeyHealth::Retired {
            reason: RetiredReason::Invalid,
            since: now - HOUR * (id % 500) as u32,
        },
        _ => KeyHealth::Active,
    };
    KeyState {
        health,
        has_worked: true,
        ..KeyState::default()
    }
}

fn cooling(id: i64, class: Class, now: UnixMs) -> Cooling {
    let until = now + HOUR + Duration::from_secs((id % 7200) as u64);
    Cooling {
        until,
        probe_at: until,
        class,
        streak: 1,
    }
}

/// Each project was asked for each model today; one pair in seven has used up its day.
fn pairs_of(id: KeyId, draft: &KeyDraft, now: UnixMs) -> Vec<(PairId, PairState)> {
    let models = PROVIDERS.iter().find(|(name, _)| **name == *draft.provider);
    let models = models.map_or(&[][..], |(_, models)| models);
    let project = draft.project.clone().unwrap_or_else(|| format!("key:{id}"));
    let pair = |(at, model): (usize, &&str)| {
        let is_used_up = (id.0 + at as i64) % 7 == 0;
        let id_of_pair = PairId {
            provider: draft.provider.to_string(),
            project: project.clone(),
            model: (*model).to_owned(),
        };
        let state = PairState {
            cooling: is_used_up.then(|| cooling(id.0, Class::QuotaDaily, now)),
            // The Pacific day, as it is in winter.
            day: ((now.0 - 8 * 3_600_000) / DAY_MS) as i32,
            day_requests: 1 + (id.0 % 250) as u32,
            day_suspected: false,
        };
        (id_of_pair, state)
    };
    models.iter().enumerate().map(pair).collect()
}

fn event(line: usize, keys: usize) -> Event {
    let action = [
        Action::Retire,
        Action::Recover,
        Action::Update,
        Action::Test,
    ][line % 4];
    let actor = if line.is_multiple_of(3) {
        "admin"
    } else {
        "keymux"
    };
    Event::new(actor, action, "keys")
        .about(1 + line * 7_919 % keys)
        .at(PROVIDERS[line % 3].0)
        .details("invented")
}
