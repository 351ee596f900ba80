//! `keymux keys`: list, import, test and export the keys of the store. A running instance takes changes over within
//! a second.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use config::Config;
use domain::{Class, Key, KeyDraft, KeyHealth, KeySource, KeyState};
use store::Store;

use super::{block_on, complain, say};
use crate::clock::Clock;
use crate::{boot, key_text, probe, upstreams};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show the keys, masked, with what is known of them.
    List {
        /// Only of this provider.
        #[arg(long)]
        provider: Option<String>,
    },
    /// Add keys from a file, or from standard input.
    Import {
        /// Keys separated by lines, spaces or commas; `#` begins a comment.
        file: Option<PathBuf>,
        /// The provider that they are for.
        #[arg(long, default_value = "google")]
        provider: String,
    },
    /// Ask the provider, with each key in turn, whether it works; one that does is used again. Costs no quota.
    Test {
        /// Only the key with this id.
        id: Option<i64>,
        /// Only of this provider.
        #[arg(long)]
        provider: Option<String>,
    },
    /// Print the keys themselves, one a line.
    Export {
        /// Only of this provider.
        #[arg(long)]
        provider: Option<String>,
    },
}

pub(super) fn run(command: KeysCommand, config: &Config) -> anyhow::Result<ExitCode> {
    block_on(1, async {
        let (store, _) = boot::open_store(config).await?;
        match command {
            KeysCommand::List { provider } => list(&store, provider.as_deref()).await,
            KeysCommand::Import { file, provider } => import(&store, config, file, &provider).await,
            KeysCommand::Test { id, provider } => {
                test(&store, config, id, provider.as_deref()).await
            }
            KeysCommand::Export { provider } => export(&store, provider.as_deref()).await,
        }
    })
}

async fn keys_of(store: &Store, provider: Option<&str>) -> anyhow::Result<Vec<(Key, KeyState)>> {
    let mut keys = store.load_keys().await?;
    keys.retain(|(key, _)| provider.is_none_or(|name| *key.provider == *name));
    Ok(keys)
}

async fn list(store: &Store, provider: Option<&str>) -> anyhow::Result<ExitCode> {
    let keys = keys_of(store, provider).await?;
    say(&format!(
        "{:>6}  {:<12} {:<12} {:<20} {:<16} state",
        "id", "provider", "key", "label", "project"
    ));
    for (key, state) in &keys {
        say(&format!(
            "{:>6}  {:<12} {:<12} {:<20} {:<16} {}",
            key.id,
            key.provider,
            key.secret.masked(),
            key.label.as_deref().unwrap_or("-"),
            key.project.as_deref().unwrap_or("-"),
            state_of(key, state),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn state_of(key: &Key, state: &KeyState) -> String {
    match state.health {
        _ if !key.enabled => "disabled".to_owned(),
        KeyHealth::Active => "active".to_owned(),
        KeyHealth::Cooling(cooling) => {
            let left = Clock::start().now().until(cooling.until);
            format!(
                "cooling for {} s ({})",
                left.as_secs(),
                cooling.class.name()
            )
        }
        KeyHealth::Retired { reason, .. } => format!("invalid ({})", reason.name()),
    }
}

async fn import(
    store: &Store,
    config: &Config,
    file: Option<PathBuf>,
    provider: &str,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        config.providers.contains_key(provider),
        "there is no provider {provider:?}; known are {}",
        config
            .providers
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    );
    let text = if let Some(path) = &file {
        std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("read standard input")?;
        text
    };
    let read = key_text::read(&text);
    let drafts: Vec<KeyDraft> = read
        .keys
        .iter()
        .map(|key| KeyDraft::plain(provider, key.secret.expose(), KeySource::Admin))
        .collect();
    let malformed = read.malformed;
    let done = store.add_keys(&drafts, Clock::start().now()).await?;
    say(&format!(
        "{} added, {} known already",
        done.added.len(),
        done.duplicates.len()
    ));
    for entry in &malformed {
        complain(&format!("line {}: {}; left out", entry.line, entry.reason));
    }
    Ok(if malformed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn test(
    store: &Store,
    config: &Config,
    id: Option<i64>,
    provider: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let mut keys = keys_of(store, provider).await?;
    keys.retain(|(key, _)| id.is_none_or(|id| key.id.0 == id));
    anyhow::ensure!(!keys.is_empty(), "there is no such key");
    let total = keys.len();
    let mut failed = 0;
    for (number, (key, state)) in keys.iter().enumerate() {
        let settings = config
            .providers
            .get(&*key.provider)
            .filter(|p| p.kind == config::Kind::Gemini);
        let Some(settings) = settings else {
            say(&format!(
                "{}/{total}  key {}: {} cannot be tested in this version",
                number + 1,
                key.id,
                key.provider
            ));
            continue;
        };
        let origin = upstreams::open_origin(settings, config)?;
        let verdict = probe::probe(&origin, key).await;
        failed += usize::from(verdict.class != Class::Ok);
        if verdict.class == Class::Ok && state.health != KeyHealth::Active {
            store.revive_keys(&[key.id], Clock::start().now()).await?;
        }
        say(&format!(
            "{}/{total}  key {} ({}): {}",
            number + 1,
            key.id,
            key.secret.masked(),
            if verdict.class == Class::Ok {
                "works"
            } else {
                verdict.reason
            }
        ));
    }
    say(&format!("{} of {total} work", total - failed));
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn export(store: &Store, provider: Option<&str>) -> anyhow::Result<ExitCode> {
    for (key, _) in keys_of(store, provider).await? {
        say(key.secret.expose());
    }
    Ok(ExitCode::SUCCESS)
}
