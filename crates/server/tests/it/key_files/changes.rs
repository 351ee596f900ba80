//! Files and folders change, in all the ways in which editors and scripts change them.

use std::fs;
use std::os::unix::fs::symlink;

use fake_upstream::{FakeKey, KeyFault, gemini};

use super::{Keys, ever_seen, follows, in_use, set};
use crate::support::{Operator, TestGateway, eventually};

const A: &str = "AIza-file-a";
const B: &str = "AIza-file-b";
const C: &str = "AIza-file-c";
/// The key that the configuration of every test gateway states.
const CONFIGURED: &str = "AIza-key-1";

#[tokio::test]
async fn keys_of_every_file_are_used_from_the_start() {
    let keys = Keys::new(&[
        ("one.txt", "# team a\nAIza-file-a, AIza-file-b # both\n"),
        ("two", "\u{feff}AIza-file-c\r\nAIza-file-a\r\n"),
        (".hidden", "AIza-hidden-key"),
        ("two~", "AIza-backup-key"),
    ]);
    let gateway = keys
        .gateway()
        .setting("pool.strategy", "round_robin")
        .start()
        .await;
    assert_eq!(in_use(&gateway), set(&[A, B, C]));
    for _ in 0..4 {
        assert_eq!(gateway.generate().await.status, 200);
    }
    for key in [A, B, C, CONFIGURED] {
        assert_eq!(gateway.upstream.count_for_key(key), 1, "{key}");
    }
}

#[tokio::test]
async fn the_pool_follows_every_way_to_edit_a_file() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\n")]);
    let gateway = keys.gateway().start().await;
    keys.append("a.txt", "AIza-file-b\n");
    follows(&gateway, &[A, B]).await;
    keys.rename_over("a.txt", "AIza-file-b\nAIza-file-c\n");
    follows(&gateway, &[B, C]).await;
    keys.write("a.txt", "AIza-file-a\n");
    follows(&gateway, &[A]).await;
    keys.write("new.txt", "AIza-file-c\n");
    follows(&gateway, &[A, C]).await;
    fs::rename(keys.path("new.txt"), keys.path("new.txt.bak")).unwrap();
    follows(&gateway, &[A]).await;
    keys.write("a.txt", "# none for now\n");
    follows(&gateway, &[]).await;
    assert_eq!(ever_seen(&gateway).await, set(&[CONFIGURED, A, B, C]));
}

#[tokio::test]
async fn files_that_are_written_in_pieces_or_emptied_first_end_in_the_right_pool() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\n"), ("b.txt", "AIza-file-b\n")]);
    let gateway = keys.gateway().start().await;
    let id = |gateway: &TestGateway| gateway.key(1).id;
    let before = id(&gateway);
    keys.write("b.txt", "");
    // Something else happens in the folder, and is noticed, while it is empty.
    keys.write("c.txt", "AIza-file-c\n");
    follows(&gateway, &[A, B, C]).await;
    keys.write("a.txt", "AIza-file-a\nAIza-fil");
    keys.append("a.txt", "e-d\n");
    keys.write("b.txt", "AIza-file-b\nAIza-file-e\n");
    follows(&gateway, &[A, B, C, "AIza-file-d", "AIza-file-e"]).await;
    keys.remove("b.txt");
    keys.write("b.txt", "AIza-file-b\n");
    follows(&gateway, &[A, B, C, "AIza-file-d"]).await;
    assert_eq!(id(&gateway), before);
}

#[tokio::test]
async fn a_key_that_comes_back_is_the_one_that_it_was() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-b\n")]);
    let gateway = keys
        .gateway()
        .upstream(
            gemini()
                .key(FakeKey::new(A).fault(KeyFault::Leaked))
                .key(FakeKey::new(B)),
        )
        .keys(["AIza-spare-key"])
        .setting("pool.strategy", "round_robin")
        .start()
        .await;
    let health = |gateway: &TestGateway| {
        let all = gateway.running.keys("google").into_iter();
        let key = all.filter(|status| status.cell.key.secret.expose() == A);
        key.map(|status| (status.id, status.state.health))
            .collect::<Vec<_>>()
    };
    eventually("the leaked key is retired", async || {
        gateway.generate().await;
        let retired = format!("{:?}", health(&gateway)).contains("Retired");
        retired.then_some(())
    })
    .await;
    let before = health(&gateway);
    gateway.saved().await;
    keys.remove("a.txt");
    follows(&gateway, &[]).await;
    keys.write("b.txt", "AIza-file-a\nAIza-file-b\n");
    follows(&gateway, &[A, B]).await;
    assert_eq!(health(&gateway), before);
}

#[tokio::test]
async fn a_folder_that_appears_later_is_read_then_and_one_that_disappears_costs_no_key() {
    let keys = Keys::new(&[]);
    let folder = keys.path("later");
    let gateway = TestGateway::new()
        .provider("keys_dir", &folder.display().to_string())
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let seen = admin.rows("/api/key_files").await;
    assert_eq!((seen.len(), &seen[0]["state"]), (1, &"unreadable".into()));
    assert_eq!(seen[0]["file"], serde_json::Value::Null);
    let error = seen[0]["error"].as_str().unwrap();
    assert!(error.contains("there is no such folder"), "{error}");

    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.txt"), "AIza-file-a\n").unwrap();
    follows(&gateway, &[A]).await;
    // Another folder takes its place, as when a new release of it is put there.
    fs::create_dir(keys.path("next")).unwrap();
    fs::write(keys.path("next/a.txt"), "AIza-file-b\n").unwrap();
    fs::rename(&folder, keys.path("before")).unwrap();
    fs::rename(keys.path("next"), &folder).unwrap();
    follows(&gateway, &[B]).await;

    fs::remove_dir_all(&folder).unwrap();
    eventually("the folder is missed", async || {
        let seen = admin.rows("/api/key_files?state=unreadable").await;
        (!seen.is_empty()).then_some(())
    })
    .await;
    assert_eq!(in_use(&gateway), set(&[B]));
    let gateway = gateway.restart().await;
    assert_eq!(in_use(&gateway), set(&[B]));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_its_keys_and_is_reported() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\n"), ("b.txt", "AIza-file-b\n")]);
    symlink("nowhere", keys.path("c.txt")).unwrap();
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    let reported = async |state: &str, expected: &[(&str, &str)]| {
        eventually("the reports are right", async || {
            let rows = admin.rows(&format!("/api/key_files?state={state}")).await;
            let fits = |(row, (file, error)): (&serde_json::Value, &(&str, &str))| {
                row["file"] == *file && row["error"].as_str().unwrap_or_default().contains(error)
            };
            let all = rows.len() == expected.len() && rows.iter().zip(expected).all(fits);
            all.then_some(())
        })
        .await;
    };
    reported("unreadable", &[("c.txt", "No such file")]).await;
    let wide: Vec<u8> = "AIza-file-a\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    keys.write("a.txt", [b"\xff\xfe".as_slice(), &wide].concat());
    reported(
        "unreadable",
        &[("a.txt", "it is in UTF-16"), ("c.txt", "No such file")],
    )
    .await;
    assert_eq!(in_use(&gateway), set(&[A, B]));

    // Also when nobody has been there who remembers.
    let gateway = gateway.restart().await;
    assert_eq!(in_use(&gateway), set(&[A, B]));

    keys.write("a.txt", "AIza-file-a\nAIza-file-d\n");
    keys.remove("c.txt");
    keys.write("c.txt", "AIza-file-c\n");
    follows(&gateway, &[A, B, C, "AIza-file-d"]).await;
}

#[tokio::test]
async fn a_key_of_two_files_and_the_configuration_stays_while_one_has_it() {
    let both = format!("{CONFIGURED}\nAIza-file-a\n");
    let keys = Keys::new(&[("a.txt", &both), ("b.txt", &both)]);
    let mut gateway = keys
        .gateway()
        .keys([CONFIGURED, "AIza-key-2"])
        .start()
        .await;
    let source = |gateway: &TestGateway, secret: &str| {
        let all = gateway.running.keys("google").into_iter();
        let mut found = all.filter(|status| status.cell.key.secret.expose() == secret);
        let key = found.next().unwrap().cell.key.clone();
        assert!(found.next().is_none());
        (
            key.enabled,
            format!("{:?}", key.source),
            key.file.as_deref().map(str::to_owned),
        )
    };
    let stated =
        |source: &str, file: Option<&str>| (true, source.to_owned(), file.map(str::to_owned));
    assert_eq!(source(&gateway, CONFIGURED), stated("Config", None));
    assert_eq!(source(&gateway, A), stated("File", Some("a.txt")));

    gateway
        .reconfigure(|yaml| yaml.replace(&format!("    - {CONFIGURED}\n"), ""))
        .await;
    assert_eq!(source(&gateway, CONFIGURED), stated("File", Some("a.txt")));
    keys.remove("a.txt");
    eventually("the other file states them", async || {
        let all = [CONFIGURED, A].map(|secret| source(&gateway, secret));
        all.iter()
            .all(|key| *key == stated("File", Some("b.txt")))
            .then_some(())
    })
    .await;
    let line = format!("    - {CONFIGURED}\n    - AIza-key-2\n");
    gateway
        .reconfigure(|yaml| yaml.replace("    - AIza-key-2\n", &line))
        .await;
    keys.remove("b.txt");
    follows(&gateway, &[]).await;
    assert_eq!(source(&gateway, CONFIGURED), stated("Config", None));
    assert!(!source(&gateway, A).0);
}

#[tokio::test]
async fn another_folder_is_followed_after_a_reload_and_none_means_no_key() {
    let first = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-b\n")]);
    let second = Keys::new(&[("z.txt", "AIza-file-b\nAIza-file-c\n")]);
    let mut gateway = first.gateway().start().await;
    let at = |keys: &Keys| keys.0.path().display().to_string();
    gateway
        .reconfigure(|yaml| yaml.replace(&at(&first), &at(&second)))
        .await;
    assert_eq!(in_use(&gateway), set(&[B, C]));
    second.append("z.txt", "AIza-file-d\n");
    follows(&gateway, &[B, C, "AIza-file-d"]).await;
    gateway
        .reconfigure(|yaml| yaml.replace(&at(&second), "null"))
        .await;
    assert_eq!(in_use(&gateway), set(&[]));
    gateway
        .reconfigure(|yaml| yaml.replace("keys_dir: null", &format!("keys_dir: {}", at(&first))))
        .await;
    assert_eq!(in_use(&gateway), set(&[A, B]));
}

#[tokio::test]
async fn what_was_removed_while_keymux_was_down_is_off_at_the_start() {
    let keys = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-b\n")]);
    let gateway = keys.gateway().start().await;
    let stopped = gateway.stop().await;
    keys.write("a.txt", "AIza-file-b\n");
    let gateway = stopped.start().await.unwrap();
    assert_eq!(in_use(&gateway), set(&[B]));
    assert_eq!(ever_seen(&gateway).await, set(&[CONFIGURED, A, B]));
}
