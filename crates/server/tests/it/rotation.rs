//! `keymux rotate-master-key` beside a running instance: requests go on, what is added meanwhile is used, and only the
//! new key opens the database afterwards. What a crash leaves is told in the contract of the store.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fake_upstream::{FakeUpstream, gemini};

use crate::support::{Connection, Machine, eventually, generate_as};

const FIRST: &str = "AIzaSyTESTrotation-00000000000000000001";
const SECOND: &str = "AIzaSyTESTrotation-00000000000000000002";
const CLIENT: &str = "sk-test-rotation-0001";
const FILE: &str = "data/master.key";
const WRONG: &str = "master key is not the one that this database is sealed under; every instance needs the newest one";

async fn generate(connection: &mut Connection) -> u16 {
    connection.send(generate_as(CLIENT)).await.status
}

/// A machine with one key in its store.
async fn machine(upstream: &FakeUpstream) -> Machine {
    let machine = Machine::in_front_of(upstream)
        .env("KEYMUX_CLIENT_KEYS", CLIENT)
        .env("KEYMUX__POOL__STRATEGY", "round_robin");
    let ended = machine.run_with(&["keys", "import"], FIRST).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    machine
}

/// Callers that go on until `stop`; gives how many answers were good, and how many were not.
async fn traffic(address: SocketAddr, stop: &AtomicBool, good: &AtomicUsize) -> usize {
    let mut connection = Connection::open(address).await;
    let mut bad = 0;
    while !stop.load(Ordering::Relaxed) {
        if generate(&mut connection).await == 200 {
            good.fetch_add(1, Ordering::Relaxed);
        } else {
            bad += 1;
        }
    }
    bad
}

#[tokio::test]
async fn requests_go_on_while_the_master_key_is_rotated() {
    let upstream = gemini().start().await;
    let machine = machine(&upstream).await;
    let mut program = machine.serve().await;
    let old = fs::read_to_string(machine.path(FILE)).unwrap();

    let (stop, good) = (AtomicBool::new(false), AtomicUsize::new(0));
    let rotate = async {
        let ended = machine.run(&["rotate-master-key"]).await;
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        let done = "1 of 1\ndone: every secret is encrypted under the new key in ./data/master.key; \
            back it up with the database\n";
        assert_eq!(ended.stdout, done);
        // The running instance learns of it by a key that it cannot open with what it has.
        machine.run_with(&["keys", "import"], SECOND).await;
        eventually("the key that was added afterwards is used", async || {
            (upstream.count_for_key(SECOND) > 0).then_some(())
        })
        .await;
        stop.store(true, Ordering::Relaxed);
    };
    let (bad, ()) = tokio::join!(traffic(program.address, &stop, &good), rotate);
    assert_eq!(bad, 0);
    assert!(good.load(Ordering::Relaxed) > 0 && upstream.count_for_key(FIRST) > 0);

    let new = fs::read_to_string(machine.path(FILE)).unwrap();
    assert!(new != old && new.lines().count() == 1);
    assert!(program.stop().await.success());
    let mut program = machine.serve().await;
    assert!(
        program.summary.contains("google: 2 keys (2 usable)\n"),
        "{}",
        program.summary
    );
    let mut connection = Connection::open(program.address).await;
    assert_eq!(generate(&mut connection).await, 200);
    assert!(program.stop().await.success());

    fs::write(machine.path(FILE), &old).unwrap();
    let refused = machine.run(&["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains(WRONG), "{}", refused.stderr);
    for key in [&old, &new] {
        assert!(!refused.stderr.contains(key.trim()));
    }
}

#[tokio::test]
async fn a_master_key_of_the_environment_is_rotated_with_the_previous_one() {
    const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let machine = Machine::new().env("KEYMUX_MASTER_KEY", OLD);
    machine.run_with(&["keys", "import"], FIRST).await;
    let refused = machine.run(&["rotate-master-key"]).await;
    let advice = "put a new one there and this one into KEYMUX_MASTER_KEY_PREVIOUS, restart";
    assert!(refused.stderr.contains(advice), "{}", refused.stderr);

    let machine = machine.env("KEYMUX_MASTER_KEY", NEW);
    let refused = machine.run(&["rotate-master-key"]).await;
    assert!(refused.stderr.contains(WRONG), "{}", refused.stderr);

    let machine = machine.env("KEYMUX_MASTER_KEY_PREVIOUS", OLD);
    let exported = machine.run(&["keys", "export"]).await;
    assert_eq!(exported.stdout, format!("{FIRST}\n"), "{}", exported.stderr);
    let rotated = machine.run(&["rotate-master-key"]).await;
    assert!(
        rotated
            .stdout
            .ends_with("KEYMUX_MASTER_KEY_PREVIOUS can go\n"),
        "{rotated:?}"
    );

    let machine = machine.env("KEYMUX_MASTER_KEY_PREVIOUS", "");
    let exported = machine.run(&["keys", "export"]).await;
    assert_eq!(exported.stdout, format!("{FIRST}\n"), "{}", exported.stderr);
    assert!(!machine.path(FILE).exists());
}

#[tokio::test]
async fn a_rotation_that_cannot_be_says_what_to_do() {
    let upstream = gemini().start().await;
    let machine = machine(&upstream).await;
    let check = async |expected: &str| {
        let refused = machine.run(&["rotate-master-key"]).await;
        assert_eq!(
            (refused.code, &*refused.stdout),
            (Some(1), ""),
            "{expected}"
        );
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    };
    let file = machine.path(FILE);
    let key = fs::read_to_string(&file).unwrap();
    fs::create_dir(machine.path("data/master.key.new")).unwrap();
    check("data/master.key cannot be replaced by this user, whose it must be").await;
    fs::write(&file, format!("{key}what is this\n")).unwrap();
    check("data/master.key must hold 32 bytes a line").await;
    fs::write(&file, key).unwrap();
    fs::rename(machine.path("data/keymux.db"), machine.path("elsewhere.db")).unwrap();
    check("is `database.url` that of the running instances?").await;
}
