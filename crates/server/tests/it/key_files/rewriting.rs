//! Files are brought into one key a line, while they are used and edited.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::{Keys, follows, in_use, set};
use crate::support::{Operator, eventually};

const UNTIDY: &str = "# team a\nAIza-file-a, 'AIza-file-b' short # both\n\nAIza-file-c\n";
const TIDY: &str = "# team a\nAIza-file-a\nAIza-file-b\nshort # both\n\nAIza-file-c\n";

async fn reads(keys: &Keys, name: &str, text: &str) {
    eventually(&format!("{name} is {text:?}"), async || {
        (keys.read(name) == text).then_some(())
    })
    .await;
}

/// What is in the folder, hidden files too.
fn names(keys: &Keys) -> Vec<String> {
    let entries = fs::read_dir(keys.0.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_gets_one_key_a_line_and_one_that_has_is_not_touched() {
    let keys = Keys::new(&[("a.txt", UNTIDY), ("b.txt", TIDY)]);
    fs::set_permissions(keys.path("a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    let untouched = fs::metadata(keys.path("b.txt")).unwrap();
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    reads(&keys, "a.txt", TIDY).await;
    let row = eventually("it is reported", async || {
        let mut rows = admin.rows("/api/key_files?q=a.txt").await;
        let row = rows.remove(0);
        row["rewritten_at"].is_string().then_some(row)
    })
    .await;
    assert_eq!(row["one_key_per_line"], true);
    assert_eq!(row["malformed"][0]["line"], 4);
    let metadata = fs::metadata(keys.path("a.txt")).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_eq!(
        in_use(&gateway),
        set(&["AIza-file-a", "AIza-file-b", "AIza-file-c"])
    );

    // It goes on as usual, and nothing of it is left at the end.
    keys.append("a.txt", "AIza-file-d AIza-file-e");
    reads(&keys, "a.txt", &format!("{TIDY}AIza-file-d\nAIza-file-e")).await;
    gateway.stop().await;
    assert_eq!(names(&keys), ["a.txt", "b.txt"]);
    let same = fs::metadata(keys.path("b.txt")).unwrap();
    assert_eq!(
        (same.ino(), same.mtime_nsec()),
        (untouched.ino(), untouched.mtime_nsec())
    );
}

#[tokio::test]
async fn who_still_has_the_file_open_loses_nothing() {
    let keys = Keys::new(&[("a.txt", UNTIDY)]);
    let gateway = keys.gateway().start().await;
    let mut writer = fs::OpenOptions::new()
        .append(true)
        .open(keys.path("a.txt"))
        .unwrap();
    reads(&keys, "a.txt", TIDY).await;
    writer.write_all(b"AIza-file-d\n").unwrap();
    reads(&keys, "a.txt", &format!("{UNTIDY}AIza-file-d\n")).await;
    follows(
        &gateway,
        &["AIza-file-a", "AIza-file-b", "AIza-file-c", "AIza-file-d"],
    )
    .await;
    writer.write_all(b"AIza-file-e\n").unwrap();
    let all = [
        "AIza-file-a",
        "AIza-file-b",
        "AIza-file-c",
        "AIza-file-d",
        "AIza-file-e",
    ];
    follows(&gateway, &all).await;
    assert_eq!(
        keys.read("a.txt"),
        format!("{UNTIDY}AIza-file-d\nAIza-file-e\n")
    );
}

#[tokio::test]
async fn a_file_that_may_not_be_replaced_is_left_and_its_keys_are_used() {
    let keys = Keys::new(&[
        ("z.txt", "AIza-file-z,"),
        ("linked", "AIza-file-b,AIza-file-c"),
    ]);
    fs::create_dir(keys.path("..data")).unwrap();
    keys.write("..data/a.txt", "AIza-file-a,");
    symlink("..data/a.txt", keys.path("a.txt")).unwrap();
    fs::hard_link(keys.path("linked"), keys.path("..data/linked")).unwrap();
    let gateway = keys.gateway().start().await;
    let admin = Operator::admin(&gateway).await;
    reads(&keys, "z.txt", "AIza-file-z").await;
    let rows = eventually("they are reported", async || {
        let rows = admin.rows("/api/key_files").await;
        let said = rows[..2].iter().all(|row| row["not_rewritten"].is_string());
        said.then_some(rows)
    })
    .await;
    let why = rows[0]["not_rewritten"].as_str().unwrap();
    assert_eq!(why, "it is a symbolic link, or has several names");
    assert_eq!(rows[0]["one_key_per_line"], false);
    assert_eq!(keys.read("a.txt"), "AIza-file-a,");
    assert_eq!(keys.read("linked"), "AIza-file-b,AIza-file-c");
    assert!(keys.path("a.txt").is_symlink());
    let all = ["AIza-file-a", "AIza-file-b", "AIza-file-c", "AIza-file-z"];
    assert_eq!(in_use(&gateway), set(&all));

    // Kubernetes puts another folder in the place of the hidden one.
    fs::create_dir(keys.path("..next")).unwrap();
    keys.write("..next/a.txt", "AIza-file-new\n");
    fs::rename(keys.path("..data"), keys.path("..before")).unwrap();
    fs::rename(keys.path("..next"), keys.path("..data")).unwrap();
    follows(
        &gateway,
        &["AIza-file-new", "AIza-file-b", "AIza-file-c", "AIza-file-z"],
    )
    .await;
}
