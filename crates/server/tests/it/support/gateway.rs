//! A running keymux in front of a scripted Google: built in a sentence (`builder.rs`), stopped when dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use config::{Env, LoadOptions};
use domain::{KeyHealth, PairId, PairState, RequestRecord};
use fake_upstream::FakeUpstream;
use http::Request;
use http_body_util::Full;
use keymux::Running;
use keypool::KeyStatus;
use tempfile::TempDir;

use super::{
    Answer, Builder, Connection, eventually, generate, generate_as, post, request, stream,
};

/// The client key that every test gateway knows.
pub(crate) const CLIENT_KEY: &str = "sk-test-caller-0001";
/// The model that tests ask.
pub(crate) const MODEL: &str = "gemini-3.8-flash";

/// A running gateway and its provider.
#[derive(Debug)]
pub(crate) struct TestGateway {
    pub(crate) address: SocketAddr,
    pub(crate) upstream: FakeUpstream,
    others: Vec<(&'static str, FakeUpstream)>,
    pub(crate) running: Running,
    pub(crate) data: TempDir,
    yaml: String,
}

impl TestGateway {
    /// keymux with one key, `AIza-key-1`, and one client key, [`CLIENT_KEY`].
    #[expect(
        clippy::new_ret_no_self,
        reason = "tests read as one sentence: new, with this, start"
    )]
    pub(crate) fn new() -> Builder {
        Builder::default()
    }

    /// The provider of that name which stands beside Google's.
    pub(crate) fn provider(&self, name: &str) -> &FakeUpstream {
        let mut others = self.others.iter();
        let found = others.find(|(known, _)| *known == name);
        &found.unwrap().1
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        Connection::open(self.address).await.send(request).await
    }

    /// `GET` with the client key.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[("x-goog-api-key", CLIENT_KEY)], ""))
            .await
    }

    /// `POST` of JSON with the client key.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(post(path, body)).await
    }

    /// Asks the model.
    pub(crate) async fn generate(&self) -> Answer {
        self.send(generate()).await
    }

    /// Asks the model with this client key.
    pub(crate) async fn generate_as(&self, secret: &str) -> Answer {
        self.send(generate_as(secret)).await
    }

    /// Asks the model for a stream of events.
    pub(crate) async fn stream(&self) -> Answer {
        self.send(stream()).await
    }

    /// The state of a key, by its place in the configuration.
    pub(crate) fn key(&self, place: usize) -> KeyStatus {
        let mut keys = self.running.keys("google");
        keys.sort_by_key(|status| status.id);
        keys.swap_remove(place)
    }

    /// A key's health in words: `active`, `cooling 25s`, `retired Invalid`.
    pub(crate) fn health(&self, place: usize) -> String {
        match self.key(place).state.health {
            KeyHealth::Active => "active".to_owned(),
            KeyHealth::Cooling(cooling) => format!("cooling {}s", seconds_left(cooling.until)),
            KeyHealth::Retired { reason, .. } => format!("retired {reason:?}"),
        }
    }

    /// What is known of the pair of a key and a model.
    pub(crate) fn pair(&self, place: usize, model: &str) -> Option<PairState> {
        let project = format!("key:{}", self.key(place).id);
        let pairs = self.running.pairs("google");
        let found = pairs
            .into_iter()
            .find(|(id, _)| id.project == project && id.model == model);
        found.map(|(_, state)| state)
    }

    /// Seconds for which the pair of a key and the model is still cooling; 0: it is not.
    pub(crate) fn pair_cooling(&self, place: usize) -> u64 {
        let cooling = self.pair(place, MODEL).and_then(|pair| pair.cooling);
        cooling.map_or(0, |cooling| seconds_left(cooling.until))
    }

    /// The record of the one request that there has been, once it has been written.
    pub(crate) async fn only_record(&self) -> RequestRecord {
        let mut records = self.records(1).await;
        assert_eq!(records.len(), 1, "ask for the record of one answer");
        records.remove(0)
    }

    /// The record of the request that this is the answer to, once it has been written.
    pub(crate) async fn record_of(&self, answer: &Answer) -> RequestRecord {
        let id = answer.header("x-keymux-request-id").parse().unwrap();
        eventually("the record is written", async || {
            self.running.store().record(id).await.unwrap()
        })
        .await
    }

    /// The newest records, newest first, once there are at least `count`.
    pub(crate) async fn records(&self, count: usize) -> Vec<RequestRecord> {
        eventually("records are written", async || {
            let records = self
                .running
                .store()
                .recent_records(1_000, None)
                .await
                .unwrap();
            (records.len() >= count).then_some(records)
        })
        .await
    }

    /// Whether the store has all that is known of keys and pairs.
    pub(crate) async fn saved(&self) {
        let store = self.running.store();
        eventually("the state is saved", async || {
            let keys = store.load_keys().await.unwrap();
            let pairs = store.load_pairs().await.unwrap();
            let has_key = |status: &KeyStatus| {
                let same =
                    |(key, state): &(domain::Key, _)| key.id == status.id && *state == status.state;
                keys.iter().any(same)
            };
            let all_keys = self.running.keys("google").iter().all(has_key);
            let known = self.running.pairs("google");
            let has_pair = |pair: &(PairId, PairState)| {
                let is_as_new = pair.1
                    == PairState {
                        day: pair.1.day,
                        ..PairState::default()
                    };
                // Of such a pair nothing is kept.
                let is_gone = || pairs.iter().all(|(id, _)| *id != pair.0);
                pairs.contains(pair) || is_as_new && is_gone()
            };
            let all_pairs = known.iter().all(has_pair);
            (all_keys && all_pairs).then_some(())
        })
        .await;
    }

    /// Stops in order.
    pub(crate) async fn stop(self) -> Stopped {
        let (running, left) = self.leave();
        running.stop().await;
        left
    }

    /// Starts another instance on the same data, in front of a provider of its own.
    pub(crate) async fn beside(&self) -> Self {
        self.beside_with(str::to_owned).await
    }

    /// The same, with another configuration.
    pub(crate) async fn beside_with(&self, change: impl Fn(&str) -> String) -> Self {
        let upstream = fake_upstream::gemini().start().await;
        let data = TempDir::new().unwrap();
        let provider = self.upstream.base_url();
        let yaml = change(&self.yaml.replace(&provider, &upstream.base_url()));
        let running = start_on(&yaml, data.path(), self.data.path()).await;
        let running = running.unwrap();
        Self {
            address: running.address,
            upstream,
            others: Vec::new(),
            running,
            data,
            yaml,
        }
    }

    /// Changes the configuration file, and has it read again.
    pub(crate) async fn reconfigure(&mut self, change: impl Fn(&str) -> String) {
        self.yaml = change(&self.yaml);
        std::fs::write(self.data.path().join("keymux.yaml"), &self.yaml).unwrap();
        self.running.reload().await.unwrap();
    }

    /// Stops and starts again on the same data.
    pub(crate) async fn restart(self) -> Self {
        self.stop().await.start().await.unwrap()
    }

    /// Starts a second one on the same data, as after `kill -9`: the first one does nothing to end in order.
    pub(crate) async fn crash(self) -> Self {
        let (running, left) = self.leave();
        std::mem::forget(running);
        left.start().await.unwrap()
    }

    fn leave(self) -> (Running, Stopped) {
        let left = Stopped {
            upstream: self.upstream,
            others: self.others,
            data: self.data,
            yaml: self.yaml,
        };
        (self.running, left)
    }
}

/// What a gateway leaves behind: its data and its configuration, which can be changed before the next start.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) upstream: FakeUpstream,
    pub(super) others: Vec<(&'static str, FakeUpstream)>,
    pub(crate) data: TempDir,
    pub(crate) yaml: String,
}

impl Stopped {
    /// Starts again on the same data.
    pub(crate) async fn start(self) -> anyhow::Result<TestGateway> {
        let running = start(&self.yaml, self.data.path()).await?;
        Ok(TestGateway {
            address: running.address,
            upstream: self.upstream,
            others: self.others,
            running,
            data: self.data,
            yaml: self.yaml,
        })
    }
}

async fn start(yaml: &str, data: &Path) -> anyhow::Result<Running> {
    start_on(yaml, data, data).await
}

/// Starts with the file in `folder`, on the data of another one.
async fn start_on(yaml: &str, folder: &Path, data: &Path) -> anyhow::Result<Running> {
    let file = folder.join("keymux.yaml");
    std::fs::write(&file, yaml).unwrap();
    let data_dir = data.join("data").display().to_string();
    let env: Env = [("KEYMUX__SERVER__DATA_DIR".to_owned(), data_dir)]
        .into_iter()
        .collect();
    let options = LoadOptions {
        file: Some(file),
        dir: folder.to_owned(),
    };
    let config = config::load(&options, &env).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
    keymux::start(config).await
}

fn seconds_left(until: domain::UnixMs) -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let left = (domain::UnixMs(0) + now).until(until);
    // The nearest second: the test reads the clock a moment after keymux did.
    (left + Duration::from_millis(999)).as_secs()
}
