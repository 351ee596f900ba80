//! How fast keys are added, stated again by their source and by key files, loaded, changed and deleted. Prints to standard
//! output.
//!
//! - `keys [keys] [url]` does so with 100,000 keys, or another number, in SQLite in a temporary folder, or another database.
//! - `keys fill URL [keys]` fills a database as a large installation looks: keys in every state, and who uses them.

mod fill;

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use domain::{KeyDraft, KeyId, KeySource, KeyState, Secret, UnixMs};
use store::{FileKey, FileKeys, KeyPatch, MasterKey, Store};

const NOW: UnixMs = UnixMs(1_763_640_000_000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| {
        let text = arguments.get(at);
        text.map_or(Ok(100_000), |text| text.parse())
    };
    if arguments.first().is_some_and(|first| first == "fill") {
        let url = arguments.get(1).ok_or("the url of a database is missing")?;
        return fill::run(url, number(2)?).await;
    }
    let folder = tempfile::tempdir()?;
    let default = format!("sqlite:{}", folder.path().join("keymux.db").display());
    time(number(0)?, arguments.get(1).unwrap_or(&default)).await
}

/// What each step costs.
async fn time(total: usize, url: &str) -> Result<(), Box<dyn Error>> {
    let secret = |index| format!("AIzaFAKE-{index:030}");
    let draft = |index| KeyDraft::plain("google", &secret(index), KeySource::File);
    let drafts: Vec<KeyDraft> = (0..total).map(draft).collect();
    let worked = KeyState {
        has_worked: true,
        ..KeyState::default()
    };

    let master = MasterKey::generate();
    let store = Store::open(url, master.clone()).await?;
    let began = Instant::now();
    let added = store.add_keys(&drafts, NOW).await?.added;
    say("added", added.len(), began)?;

    let began = Instant::now();
    let synced = store.sync_keys(&drafts, KeySource::File, NOW).await?;
    say("unchanged", synced.unchanged, began)?;

    state_by_files(&store, &drafts).await?;

    let state = |id: KeyId| (id, worked.clone());
    let states: Vec<(KeyId, KeyState)> = added.into_iter().map(state).collect();
    let began = Instant::now();
    store.save_states(&states, &[], NOW).await?;
    say("states saved", states.len(), began)?;
    store.close().await?;

    let began = Instant::now();
    let store = Store::open(url, master).await?;
    say("databases opened", 1, began)?;
    let loaded = store.load_keys().await?;
    say("opened and loaded", loaded.len(), began)?;
    let ids: Vec<KeyId> = loaded.iter().map(|(key, _)| key.id).collect();
    edit(&store, &ids).await
}

/// What it costs when key files are read again, and when one line of one has changed.
async fn state_by_files(store: &Store, drafts: &[KeyDraft]) -> Result<(), Box<dyn Error>> {
    let (provider, file): (Arc<str>, Arc<str>) = ("google".into(), "keys.txt".into());
    let key = |draft: &KeyDraft| FileKey {
        provider: provider.clone(),
        file: file.clone(),
        secret: draft.secret.clone(),
    };
    let mut files = FileKeys {
        keys: drafts.iter().map(key).collect(),
        read: [provider.clone()].into(),
        ..FileKeys::default()
    };
    for what in [
        "taken over by a file",
        "one line less",
        "unchanged in their file",
    ] {
        let began = Instant::now();
        let mut touched = 0;
        if store.differs_from_files(&files).await? {
            let change = store.change().await?;
            touched = change.state_file_keys(&files, NOW).await?.touched.len();
            change.publish().await?;
        }
        say(what, touched, began)?;
        files.keys.truncate(drafts.len() - 1);
    }
    Ok(())
}

async fn edit(store: &Store, ids: &[KeyId]) -> Result<(), Box<dyn Error>> {
    let patch = KeyPatch {
        weight: Some(2),
        egress: Some(Some(Secret::new("http://10.0.0.1:3128"))),
        ..KeyPatch::default()
    };
    let began = Instant::now();
    let change = store.change().await?;
    let updated = change.update_keys(ids, &patch).await?;
    change.publish().await?;
    say("changed", updated as usize, began)?;

    let began = Instant::now();
    let change = store.change().await?;
    let deleted = change.delete_keys(ids).await?;
    change.publish().await?;
    say("deleted", deleted as usize, began)
}

fn say(what: &str, rows: usize, began: Instant) -> Result<(), Box<dyn Error>> {
    let ms = began.elapsed().as_secs_f64() * 1e3;
    Ok(writeln!(std::io::stdout(), "{what}: {rows} in {ms:.1} ms")?)
}
