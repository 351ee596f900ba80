//! Lists of proxies that the configuration names, read again and again: what each gave when it was last read well, and how
//! that went. Where a list comes from is `reading.rs`; how it is written is `egress/lists/`; which of very many proxies
//! are taken is `choice.rs`. `jobs/read_proxy_lists.rs` reads those that are due, operators all of them at once.

mod choice;
mod reading;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{Placed, ProxySource, ProxyUrl};
use domain::UnixMs;
use futures_util::StreamExt as _;
use tokio::sync::Notify;

use crate::app::App;
use crate::egress::{LeftOut, Listing, Malformed};
use choice::Candidates;

/// Lists that are read at the same time.
const AT_ONCE: usize = 4;
/// A list that fails is asked for at longer and longer intervals, up to this or its own, if that is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The lists of the configuration.
///
/// A mutex around what is known of them: requests never look here.
#[derive(Debug, Default)]
pub(crate) struct ProxySources {
    known: Mutex<Vec<Source>>,
    /// Of how many proxies were chosen that are kept at most.
    chosen_of: AtomicUsize,
    /// Held while lists are read: what is read later is put in force later.
    turn: tokio::sync::Mutex<()>,
    settings: Notify,
}

/// A list, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What it is called: nothing of its URL but the host.
    pub(crate) name: Arc<str>,
    pub(crate) stated: ProxySource,
    /// What it held when it was last read well.
    pub(crate) proxies: Arc<[ProxyUrl]>,
    pub(crate) left_out: LeftOut,
    /// The first entries that are no proxies.
    pub(crate) malformed: Vec<Malformed>,
    /// When it was last read well.
    pub(crate) read_at: Option<UnixMs>,
    /// Why it could not be read the last time.
    pub(crate) problem: Option<String>,
    /// How often in a row that failed.
    failures: u32,
    /// When it is read again.
    pub(crate) next_at: UnixMs,
}

/// Which lists are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of them, because somebody wants that.
    All,
    /// Those whose time has come.
    Due,
}

/// Reads lists, and puts what they hold in force, one after the other as they come.
pub(crate) async fn read(app: &Arc<App>, which: Which) {
    let sources = &app.proxy_sources;
    let _turn = sources.turn.lock().await;
    let config = app.snapshot.load().config.clone();
    let now = app.clock.now();
    let most = config.egress.max_proxies;
    let has_changed = sources.follow(&config.egress.sources, now);
    if has_changed || sources.chosen_of.load(Ordering::Relaxed) != most {
        put_in_force(app).await;
    }
    let allow_link_local = config.server.allow_link_local;
    let asked = sources
        .due(which, now)
        .into_iter()
        .map(|source| async move {
            let read = reading::read(&source.stated, allow_link_local).await;
            (source.name, read)
        });
    let mut asked = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some((name, read)) = asked.next().await {
        if sources.note(&name, read, app.clock.now()) {
            put_in_force(app).await;
        }
    }
}

/// Makes the proxies of the lists those that are used. In a thread of its own: where they are very many that takes a while.
async fn put_in_force(app: &Arc<App>) {
    let app = app.clone();
    let put = move || {
        let config = app.snapshot.load().config.clone();
        let most = config.egress.max_proxies;
        app.proxy_sources.chosen_of.store(most, Ordering::Relaxed);
        let candidates = Candidates {
            sources: app.proxy_sources.list(),
            allow_link_local: config.server.allow_link_local,
            known: app.proxies.list(),
            most,
        };
        app.proxies.set_found(candidates.choose(), app.clock.now());
    };
    if let Err(error) = tokio::task::spawn_blocking(put).await {
        tracing::error!(%error, "proxies of lists could not be put in force");
    }
}

impl ProxySources {
    /// How each list stands, in the order of the configuration.
    pub(crate) fn list(&self) -> Vec<Source> {
        self.lock().clone()
    }

    /// How many lists could not be read the last time.
    pub(crate) fn failing(&self) -> usize {
        let is_failing = |source: &&Source| source.problem.is_some();
        self.lock().iter().filter(is_failing).count()
    }

    /// When the next list is to be read; none: there is none.
    pub(crate) fn next_at(&self) -> Option<UnixMs> {
        self.lock().iter().map(|source| source.next_at).min()
    }

    /// Settings may have changed: whoever reads lists looks at once.
    pub(crate) fn settings_changed(&self) {
        self.settings.notify_one();
    }

    /// Ends when settings may have changed.
    pub(crate) async fn changed_settings(&self) {
        self.settings.notified().await;
    }

    /// Follows the configuration: lists that stay as they were keep what is known of them. Whether any came or went.
    fn follow(&self, stated: &[Placed<ProxySource>], now: UnixMs) -> bool {
        let mut known = self.lock();
        let same = |source: &Source, placed: &Placed<ProxySource>| source.stated == placed.value;
        if known.len() == stated.len() && known.iter().zip(stated).all(|(one, it)| same(one, it)) {
            return false;
        }
        let mut before = std::mem::take(&mut *known);
        for placed in stated {
            let kept = before.iter().position(|source| same(source, placed));
            let mut source = match kept {
                Some(place) => before.swap_remove(place),
                None => Source::new(&placed.value, now),
            };
            source.name = free_name(&placed.value, &known);
            known.push(source);
        }
        true
    }

    fn due(&self, which: Which, now: UnixMs) -> Vec<Source> {
        let known = self.lock();
        let is_due = |source: &&Source| which == Which::All || source.next_at <= now;
        known.iter().filter(is_due).cloned().collect()
    }

    /// Notes how a list was read. Whether its proxies are to be put in force.
    fn note(&self, name: &str, read: Result<Listing, String>, now: UnixMs) -> bool {
        let mut known = self.lock();
        let Some(source) = known.iter_mut().find(|source| *source.name == *name) else {
            return false;
        };
        let is_well = read.is_ok();
        match read {
            Ok(listing) => source.has(listing, now),
            Err(problem) => source.failed(problem),
        }
        source.next_at = now + with_jitter(source.pause());
        is_well
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Source>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    fn new(stated: &ProxySource, now: UnixMs) -> Self {
        Self {
            name: "".into(),
            stated: stated.clone(),
            proxies: Arc::from([]),
            left_out: LeftOut::default(),
            malformed: Vec::new(),
            read_at: None,
            problem: None,
            failures: 0,
            next_at: now,
        }
    }

    /// It was read well. What was left out is told once, until that changes.
    fn has(&mut self, listing: Listing, now: UnixMs) {
        let is_news = self.read_at.is_none() || self.problem.is_some();
        if is_news || listing.left_out != self.left_out || listing.malformed != self.malformed {
            let left_out = listing.left_out;
            tracing::info!(
                source = &*self.name,
                proxies = listing.proxies.len(),
                ?left_out,
                malformed = ?listing.malformed,
                "a list of proxies was read"
            );
        }
        self.proxies = listing.proxies.into();
        self.left_out = listing.left_out;
        self.malformed = listing.malformed;
        self.read_at = Some(now);
        self.problem = None;
        self.failures = 0;
    }

    /// It was not: what it held before stays in force. The reason is told once, until it changes.
    fn failed(&mut self, problem: String) {
        if self.problem.as_deref() != Some(&*problem) {
            let kept = self.proxies.len();
            tracing::warn!(
                source = &*self.name,
                problem,
                kept,
                "a list of proxies could not be read"
            );
        }
        self.problem = Some(problem);
        self.failures = self.failures.saturating_add(1);
    }

    /// The time to the next reading.
    fn pause(&self) -> Duration {
        let usual = self.stated.refresh;
        let doubled = usual.saturating_mul(2u32.saturating_pow(self.failures.saturating_sub(1)));
        doubled.min(LONGEST_PAUSE.max(usual))
    }
}

/// A tenth longer or shorter, so that instances do not all ask at once.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// What a list is called in logs and rows. Of a URL only the host is shown: the rest may hold what gives access to it.
fn name(stated: &ProxySource) -> String {
    if let Some(preset) = stated.preset {
        return preset.name().to_owned();
    }
    if let Some(file) = &stated.file {
        return file.display().to_string();
    }
    let url = stated
        .url
        .as_ref()
        .and_then(|url| url::Url::parse(url.expose()).ok());
    let host = url.as_ref().and_then(url::Url::host_str);
    host.unwrap_or("list").to_owned()
}

/// Lists at one host are told apart by a number.
fn free_name(stated: &ProxySource, others: &[Source]) -> Arc<str> {
    let plain = name(stated);
    let is_free = |name: &str| others.iter().all(|other| *other.name != *name);
    if is_free(&plain) {
        return plain.into();
    }
    let mut numbered = (2..).map(|number: u32| format!("{plain}#{number}"));
    let free = numbered.find(|name| is_free(name));
    free.unwrap_or(plain).into()
}
