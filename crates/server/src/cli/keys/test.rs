//! `keymux keys test`: the check that the running program makes, by hand. Its results are kept where those are; keys that
//! work are brought back, those that do not are left to the running program.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::Config;
use domain::{CheckResult, Class, Key, KeyCheck, KeyHealth, KeyState, Verdict};
use futures_util::StreamExt as _;
use futures_util::stream;
use store::Store;

use crate::cli::say;
use crate::clock::Clock;
use crate::egress::{Proxies, ProxySettings};
use crate::inquiry::Asking;
use crate::snapshot::Provider;
use crate::{checks, upstreams};

/// Results that are written at once: what was found is kept when the command is stopped.
const BATCH: usize = 100;

/// What all keys are tested with.
#[derive(Clone, Copy, Debug)]
struct Means<'a> {
    config: &'a Config,
    model: Option<&'a str>,
    proxies: &'a Proxies,
    clock: &'a Clock,
}

/// What a test found.
struct Tested {
    verdict: Verdict,
    /// None: keys are not regularly checked with that model.
    check: Option<KeyCheck>,
}

pub(super) async fn test(
    store: &Store,
    config: &Config,
    mut keys: Vec<(Key, KeyState)>,
    id: Option<i64>,
    model: Option<&str>,
) -> anyhow::Result<ExitCode> {
    keys.retain(|(key, _)| id.is_none_or(|id| key.id.0 == id));
    anyhow::ensure!(!keys.is_empty(), "there is no such key");
    let mut providers: HashMap<Arc<str>, Arc<Provider>> = HashMap::new();
    for (key, _) in &keys {
        if config.providers.contains_key(&*key.provider) && !providers.contains_key(&key.provider) {
            let provider = upstreams::alone(&key.provider, config)?;
            providers.insert(key.provider.clone(), provider);
        }
    }
    let (total, clock) = (keys.len(), Clock::start());
    let proxies = Proxies::new(&ProxySettings::of(config, None)?, clock.now());
    let with = Means {
        config,
        model,
        proxies: &proxies,
        clock: &clock,
    };
    let tests = keys.iter().map(|(key, state)| {
        let provider = providers.get(&key.provider);
        async move { (key, state, ask(provider, key, state, with).await) }
    });
    let mut tests = stream::iter(tests).buffered(config.health_checks.concurrency);
    let (mut number, mut works) = (0, 0);
    let mut found = Vec::new();
    while let Some((key, state, tested)) = tests.next().await {
        number += 1;
        let told = match &tested {
            None => format!("there is no provider {} in the configuration", key.provider),
            Some(tested) if tested.verdict.class == Class::Ok => "works".to_owned(),
            Some(tested) => tested.verdict.reason.to_owned(),
        };
        say(&format!(
            "{number}/{total}  key {} ({}): {told}",
            key.id,
            key.secret.masked()
        ));
        let Some(tested) = tested else { continue };
        if tested.verdict.class == Class::Ok {
            works += 1;
            if is_brought_back(state) {
                store.revive_keys(&[key.id], clock.now()).await?;
            }
        }
        found.extend(tested.check);
        if found.len() >= BATCH {
            store.save_checks(&std::mem::take(&mut found)).await?;
        }
    }
    store.save_checks(&found).await?;
    say(&format!("{works} of {total} work"));
    Ok(if works == total {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A call that costs nothing does not show that there is money again.
fn is_brought_back(state: &KeyState) -> bool {
    match state.health {
        KeyHealth::Active => false,
        KeyHealth::Cooling(cooling) => cooling.class != Class::Billing,
        KeyHealth::Retired { .. } => true,
    }
}

async fn ask(
    provider: Option<&Arc<Provider>>,
    key: &Key,
    state: &KeyState,
    with: Means<'_>,
) -> Option<Tested> {
    let provider = provider?;
    let Means {
        config,
        model,
        proxies,
        clock,
    } = with;
    let settings = config.providers.get(&*key.provider)?;
    let listed = &settings.health_check;
    let mut listed = listed
        .model
        .iter()
        .chain(&listed.models)
        .map(String::as_str);
    let is_kept = model.is_none_or(|model| listed.clone().any(|listed| listed == model));
    let model = model.or_else(|| listed.next());
    let began = Instant::now();
    let asking = Asking {
        provider,
        key,
        proxies,
        clock,
    };
    let said = asking.check(model).await;
    let verdict = said.finding.verdict;
    let result = CheckResult {
        status: said.status,
        class: verdict.class,
        reason: verdict.reason,
        latency_ms: millis(began.elapsed()),
    };
    let health = if verdict.class == Class::Ok && is_brought_back(state) {
        &KeyHealth::Active
    } else {
        &state.health
    };
    let now = clock.now();
    let planned = checks::rules(config).plan(&result, verdict.delay, health, fastrand::f64(), now);
    let check = KeyCheck {
        key: key.id,
        model: model.unwrap_or_default().into(),
        checked_at: now,
        next_at: planned.at,
        result,
    };
    Some(Tested {
        verdict,
        check: is_kept.then_some(check),
    })
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}
