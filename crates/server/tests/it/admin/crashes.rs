//! `kill -9` while administrators write: what was acknowledged is there after the restart, and every change is there with
//! its line of the activity log or not at all. Each change of a thing counts up in its name, so that the lines about
//! it can be counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Answer, Connection, MEMBERS_PASSWORD, Machine, Operator, PASSWORD, eventually,
    on_postgres, request,
};

/// What is changed together.
const SETTINGS: [&str; 2] = ["retry.max_attempts", "pool.max_failures"];
/// Keys of one paste.
const PASTED: usize = 40;

/// What has a row, a name and lines about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Key,
    Client,
    User,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Key, Self::Client, Self::User];

    fn resource(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Client => "allowed_keys",
            Self::User => "users",
        }
    }

    fn name_field(self) -> &'static str {
        match self {
            Self::Key => "label",
            Self::Client => "name",
            Self::User => "username",
        }
    }

    fn new_body(self, name: &str) -> Value {
        match self {
            Self::Key => {
                json!({"provider": "google", "key": format!("AIza-{name}"), "label": name})
            }
            Self::Client => json!({"name": name}),
            Self::User => json!({"username": name, "password": MEMBERS_PASSWORD}),
        }
    }

    fn method_of_change(self) -> &'static str {
        match self {
            Self::Client => "PUT",
            Self::Key | Self::User => "PATCH",
        }
    }
}

/// What was acknowledged of one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    version: usize,
    is_deleted: bool,
    /// Its deletion was asked for, and no answer came.
    is_in_doubt: bool,
}

/// Everything that was acknowledged.
#[derive(Debug, Default)]
struct Acknowledged {
    things: BTreeMap<(Kind, i64), Known>,
    pastes: Vec<String>,
    setting: usize,
    /// The setting that was asked for last.
    asked_setting: usize,
    count: usize,
}

/// Somebody who writes, until keymux is killed.
struct Writer<'a> {
    connection: Connection,
    token: String,
    acknowledged: &'a Mutex<Acknowledged>,
}

impl Writer<'_> {
    async fn send(&mut self, method: &str, path: &str, body: Value) -> Option<Answer> {
        let bearer = format!("Bearer {}", self.token);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request(method, path, &[("authorization", &bearer)], body);
        let answer = self.connection.try_send(request).await?;
        assert!(
            (200..300).contains(&answer.status),
            "{path}: {}",
            answer.text()
        );
        self.lock().count += 1;
        Some(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged.lock().unwrap()
    }

    /// Makes things, changes them, and deletes some.
    async fn write_things(&mut self, kind: Kind) -> Option<()> {
        let all = format!("/api/{}", kind.resource());
        loop {
            let base = format!("{:012x}", fastrand::u64(..1 << 48));
            let made = self
                .send("POST", &all, kind.new_body(&format!("{base}-v0")))
                .await?;
            let id = made.json()["id"].as_i64().unwrap();
            self.lock().things.insert((kind, id), Known::default());
            let path = format!("{all}/{id}");
            for version in 1..=3 {
                let body = json!({kind.name_field(): format!("{base}-v{version}")});
                self.send(kind.method_of_change(), &path, body).await?;
                self.lock().things.get_mut(&(kind, id)).unwrap().version = version;
            }
            if fastrand::bool() {
                self.lock().things.get_mut(&(kind, id)).unwrap().is_in_doubt = true;
                self.send("DELETE", &path, Value::Null).await?;
                self.lock().things.get_mut(&(kind, id)).unwrap().is_deleted = true;
            }
        }
    }

    /// Changes two settings at once, to the same number.
    async fn write_settings(&mut self) -> Option<()> {
        loop {
            let next = self.lock().asked_setting % 100 + 1;
            self.lock().asked_setting = next;
            let body = json!({SETTINGS[0]: next, SETTINGS[1]: next});
            self.send("PUT", "/api/settings", body).await?;
            self.lock().setting = next;
        }
    }

    /// Pastes keys, each time under a label of its own.
    async fn paste(&mut self) -> Option<()> {
        loop {
            let label = format!("paste-{:012x}", fastrand::u64(..1 << 48));
            let keys: Vec<String> = (0..PASTED).map(|n| format!("AIza-{label}-{n}")).collect();
            let body = json!({"provider": "google", "keys": keys, "label": label});
            self.send("POST", "/api/keys/bulk_add", body).await?;
            self.lock().pastes.push(label);
        }
    }
}

/// Writes on several connections until keymux is killed, which is soon.
async fn write_until_killed(machine: &Machine, token: &str, acknowledged: &Mutex<Acknowledged>) {
    let program = machine.serve().await;
    let admin = Operator {
        address: program.address,
        token: token.to_owned(),
    };
    check(&admin, acknowledged).await;
    let open = async || Writer {
        connection: Connection::open(admin.address).await,
        token: token.to_owned(),
        acknowledged,
    };
    let (mut settings, mut pasting) = (open().await, open().await);
    let things = Kind::ALL.map(|kind| {
        let writer = open();
        async move { writer.await.write_things(kind).await }
    });
    let goal = acknowledged.lock().unwrap().count + fastrand::usize(5..60);
    let kill = async {
        until_written(goal, acknowledged).await;
        program.kill();
    };
    tokio::join!(
        join_all(things),
        settings.write_settings(),
        pasting.paste(),
        kill
    );
}

/// Waits until so much is acknowledged. That may take its time on a slow machine, as long as there is more and more.
async fn until_written(goal: usize, acknowledged: &Mutex<Acknowledged>) {
    let count = || acknowledged.lock().unwrap().count;
    let mut seen = count();
    while seen < goal {
        seen = eventually("something more is written", async || {
            let now = count();
            (now > seen).then_some(now)
        })
        .await;
    }
}

/// Whether everything is as it was acknowledged, and no change without its line.
async fn check(admin: &Operator, acknowledged: &Mutex<Acknowledged>) {
    let lines = admin.rows("/api/activity_logs?limit=500").await;
    let keys = admin.rows("/api/keys?limit=500").await;
    let clients = admin.rows("/api/allowed_keys?limit=500").await;
    let users = admin.rows("/api/users").await;
    let settings = setting_values(admin).await;
    let mut known = acknowledged.lock().unwrap();
    check_settings(&settings, &known, &lines);
    check_pastes(&keys, &known, &lines);
    for (kind, rows) in [
        (Kind::Key, keys),
        (Kind::Client, clients),
        (Kind::User, users),
    ] {
        check_things(kind, &rows, &mut known, &lines);
    }
}

async fn setting_values(admin: &Operator) -> [Value; 2] {
    let all = admin.get("/api/settings").await.expect(200).json();
    SETTINGS.map(|name| {
        let items = all["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["name"] == name).unwrap();
        item["value"].clone()
    })
}

fn check_settings(values: &[Value; 2], known: &Acknowledged, lines: &[Value]) {
    let about = |name: &str| -> Vec<&Value> {
        let all = lines.iter().filter(|line| line["resource"] == "settings");
        all.filter(|line| line["resource_id"] == name).collect()
    };
    let [attempts, failures] = SETTINGS.map(about);
    assert_eq!(
        attempts.len(),
        failures.len(),
        "one of two settings was told of"
    );
    let Some(newest) = attempts.first() else {
        assert_eq!(known.setting, 0, "an acknowledged setting is gone");
        return;
    };
    assert_eq!(values[0], values[1], "one of two settings was changed");
    let is_acknowledged = values[0] == known.setting || values[0] == known.asked_setting;
    assert!(is_acknowledged, "{} after {known:?}", values[0]);
    assert_eq!(
        newest["details"],
        format!("{} = {}", SETTINGS[0], values[0])
    );
}

fn check_pastes(keys: &[Value], known: &Acknowledged, lines: &[Value]) {
    let mut pasted: BTreeMap<&str, usize> = BTreeMap::new();
    let labels = keys.iter().filter_map(|key| key["label"].as_str());
    for label in labels.filter(|label| label.starts_with("paste-")) {
        *pasted.entry(label).or_default() += 1;
    }
    assert!(
        pasted.values().all(|&count| count == PASTED),
        "a paste is partly in: {pasted:?}"
    );
    for label in &known.pastes {
        assert!(
            pasted.contains_key(label.as_str()),
            "an acknowledged paste is gone"
        );
    }
    let told = lines
        .iter()
        .filter(|line| line["action"] == "IMPORT")
        .count();
    assert_eq!(told, pasted.len(), "pastes and lines about them");
}

/// The version in a name such as `0123-v2`; none: no writer made it.
fn version_in(name: &Value) -> Option<usize> {
    let (_, version) = name.as_str()?.split_once("-v")?;
    version.parse().ok()
}

fn check_things(kind: Kind, rows: &[Value], known: &mut Acknowledged, lines: &[Value]) {
    let versions: BTreeMap<i64, usize> = rows
        .iter()
        .filter_map(|row| Some((row["id"].as_i64()?, version_in(&row[kind.name_field()])?)))
        .collect();
    let mut told: BTreeMap<i64, [usize; 3]> = BTreeMap::new();
    for line in lines
        .iter()
        .filter(|line| line["resource"] == kind.resource())
    {
        let actions = ["ADD", "UPDATE", "DELETE"];
        let place = actions.iter().position(|action| line["action"] == *action);
        let id = line["resource_id"].as_str().and_then(|id| id.parse().ok());
        if let (Some(place), Some(id)) = (place, id) {
            told.entry(id).or_default()[place] += 1;
        }
    }
    for (id, version) in &versions {
        let expected = Some(&[1, *version, 0]);
        assert_eq!(
            told.get(id),
            expected,
            "{kind:?} {id}: its version and its lines"
        );
    }
    for (id, counts) in told.iter().filter(|(id, _)| !versions.contains_key(id)) {
        assert_eq!(
            (counts[0], counts[2]),
            (1, 1),
            "{kind:?} {id} is gone: its lines"
        );
    }
    let own = known.things.iter_mut().filter(|((own, _), _)| *own == kind);
    for ((_, id), thing) in own {
        thing.follow(versions.get(id).copied(), *id);
    }
}

impl Known {
    /// What is there must be what was acknowledged, or one step on.
    fn follow(&mut self, found: Option<usize>, id: i64) {
        let Some(version) = found else {
            assert!(
                self.is_deleted || self.is_in_doubt,
                "{id} is gone: {self:?}"
            );
            self.is_deleted = true;
            return;
        };
        assert!(!self.is_deleted, "{id} is back: {self:?}");
        let one_more = self.version..=self.version + 1;
        assert!(
            one_more.contains(&version),
            "{id} has version {version}: {self:?}"
        );
        (self.version, self.is_in_doubt) = (version, false);
    }
}

async fn check_rounds(machine: Machine, rounds: usize) {
    let acknowledged = Mutex::default();
    let program = machine.serve().await;
    let token = Operator::log_in(program.address, ADMIN, PASSWORD)
        .await
        .token;
    program.kill();
    for _ in 0..rounds {
        write_until_killed(&machine, &token, &acknowledged).await;
    }
    let program = machine.serve().await;
    let admin = Operator {
        address: program.address,
        token,
    };
    check(&admin, &acknowledged).await;
    let known = acknowledged.lock().unwrap();
    assert!(known.pastes.len() > 1 && known.setting > 0, "{known:?}");
    for kind in Kind::ALL {
        assert!(known.things.keys().any(|(own, _)| *own == kind), "{kind:?}");
    }
}

fn machine() -> Machine {
    Machine::new()
        .env("KEYMUX__SERVER__LISTEN", "127.0.0.1:0")
        .env("KEYMUX__ADMIN__PASSWORD", PASSWORD)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9_and_nothing_is_there_in_part() {
    check_rounds(machine(), 6).await;
}

#[tokio::test]
async fn the_same_holds_on_postgresql() {
    on_postgres(async |url| check_rounds(machine().env("DATABASE_URL", url), 3).await).await;
}
