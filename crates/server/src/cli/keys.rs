//! `keymux keys`: list, import, test and export the keys of the store. A running instance takes changes over within
//! a second.

mod list;
mod test;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use config::Config;
use domain::{Key, KeyDraft, KeySource, KeyState};
use store::Store;

use super::{block_on, complain, say};
use crate::clock::Clock;
use crate::{boot, key_text};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show the keys, masked, with where they come from and what is known of them; and what is wrong with key files.
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
    /// Ask the provider whether keys work; those that do are used again. Costs no quota.
    Test {
        /// Only the key with this id.
        id: Option<i64>,
        /// With this model, as the provider names it; left out: the first that the provider's `health_check` names,
        /// or the key alone.
        #[arg(long)]
        model: Option<String>,
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
            KeysCommand::List { provider } => list::list(&store, config, provider.as_deref()).await,
            KeysCommand::Import { file, provider } => import(&store, config, file, &provider).await,
            KeysCommand::Test {
                id,
                model,
                provider,
            } => {
                let keys = keys_of(&store, config, provider.as_deref()).await?;
                test::test(&store, config, keys, id, model.as_deref()).await
            }
            KeysCommand::Export { provider } => export(&store, config, provider.as_deref()).await,
        }
    })
}

/// Those of one provider, or all. A provider that is configured no more may still have some.
async fn keys_of(
    store: &Store,
    config: &Config,
    provider: Option<&str>,
) -> anyhow::Result<Vec<(Key, KeyState)>> {
    let mut keys = store.load_keys().await?;
    keys.retain(|(key, _)| provider.is_none_or(|name| *key.provider == *name));
    if let Some(name) = provider
        && keys.is_empty()
    {
        check_provider(config, name)?;
    }
    Ok(keys)
}

fn check_provider(config: &Config, name: &str) -> anyhow::Result<()> {
    let known = || config.providers.keys().cloned().collect::<Vec<_>>();
    anyhow::ensure!(
        config.providers.contains_key(name),
        "there is no provider {name:?}; known are {}",
        known().join(", ")
    );
    Ok(())
}

async fn import(
    store: &Store,
    config: &Config,
    file: Option<PathBuf>,
    provider: &str,
) -> anyhow::Result<ExitCode> {
    check_provider(config, provider)?;
    let text = if let Some(path) = &file {
        std::fs::read(path).with_context(|| format!("read {}", path.display()))?
    } else {
        let mut text = Vec::new();
        std::io::stdin()
            .read_to_end(&mut text)
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

async fn export(
    store: &Store,
    config: &Config,
    provider: Option<&str>,
) -> anyhow::Result<ExitCode> {
    for (key, _) in keys_of(store, config, provider).await? {
        say(key.secret.expose());
    }
    Ok(ExitCode::SUCCESS)
}
