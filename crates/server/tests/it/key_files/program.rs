//! The real program, on a disk that is full, killed in the middle of its work, and what it prints.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use fake_upstream::gemini;

use crate::support::{Machine, Program, eventually};

const KEY: &str = "AIzaSyTESTkeyfiles-0000000000000001";
const OTHER: &str = "AIzaSyTESTkeyfiles-0000000000000002";

/// A machine with a folder of key files.
async fn machine() -> (Machine, fake_upstream::FakeUpstream) {
    let upstream = gemini().start().await;
    let machine = Machine::in_front_of(&upstream)
        .env("KEYMUX__PROVIDERS__GOOGLE__KEYS_DIR", "keys")
        .env("KEYMUX_CLIENT_KEYS", "sk-test-operator-0001");
    fs::create_dir(machine.path("keys")).unwrap();
    (machine, upstream)
}

async fn logs(program: &Program, text: &str) {
    eventually(&format!("the log has {text:?}"), async || {
        program.stderr().contains(text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_key_files_is_printed_with_file_and_line_and_never_a_key() {
    let (machine, _upstream) = machine().await;
    let keys = format!("{KEY}\n# c\nbroken\n{OTHER}-\u{e9}\n");
    fs::write(machine.path("keys/team.txt"), &keys).unwrap();
    fs::write(machine.path("keys/key.json"), "{\"key\": 1}").unwrap();
    fs::create_dir(machine.path("keys/sub")).unwrap();
    let checked = machine.run(&["check-config"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    for expected in [
        "warning: keys/team.txt:3: too short for a key; left out\n",
        "warning: keys/team.txt:4: has characters that no key has; left out\n",
        "warning: keys/key.json: it looks like JSON; expected keys separated by lines, spaces or commas; not read\n",
        "note: keys/sub: left out: it is a folder; only files directly in keys_dir are read\n",
        ": 0 provider keys and 1 in 1 key files, ",
    ] {
        assert!(
            checked.stdout.contains(expected),
            "{expected:?}: {}",
            checked.stdout
        );
    }

    let mut program = machine.serve().await;
    assert!(
        program.summary.contains("google: 1 keys (1 usable)\n"),
        "{}",
        program.summary
    );
    logs(&program, "it looks like JSON").await;
    let log = program.stderr();
    let of_line = |line: usize| {
        let is_it = |text: &&str| {
            text.contains("malformed entry") && text.contains(&format!("line={line}"))
        };
        log.lines().filter(is_it).count()
    };
    assert_eq!((of_line(3), of_line(4)), (1, 1), "{log}");
    assert!(log.contains("file=keys/team.txt"), "{log}");
    assert!(
        !log.contains("broken") && !log.contains(KEY) && !log.contains(OTHER),
        "{log}"
    );

    let listed = machine.run(&["keys", "list"]).await;
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert!(
        listed.stdout.contains(" file team.txt "),
        "{}",
        listed.stdout
    );
    assert!(
        listed.stderr.contains("keys/team.txt:3: too short"),
        "{}",
        listed.stderr
    );
    let other = machine.run(&["keys", "list", "--provider", "xai"]).await;
    assert!(!other.stderr.contains("team.txt"), "{}", other.stderr);

    fs::remove_file(machine.path("keys/team.txt")).unwrap();
    logs(&program, "key files: 1 disabled").await;
    let listed = machine.run(&["keys", "list"]).await;
    assert!(
        listed.stdout.contains(" no file any more "),
        "{}",
        listed.stdout
    );
    assert!(program.stop().await.success());
}

#[tokio::test]
async fn a_full_disk_leaves_the_file_and_says_so_once() {
    let (machine, _upstream) = machine().await;
    let padding = "#".repeat(79) + "\n";
    let text = format!("{KEY}, {OTHER}\n{}", padding.repeat(64 * 1024));
    fs::write(machine.path("keys/team.txt"), &text).unwrap();
    let mut program = machine.serve_on_a_small_disk(4 * 1024).await;
    assert!(
        program.summary.contains("google: 2 keys (2 usable)\n"),
        "{}",
        program.summary
    );
    let said = "key file not brought into one key a line: File too large";
    logs(&program, said).await;
    // Something else happens in the folder meanwhile.
    fs::write(machine.path("keys/more.txt"), format!("{KEY}3\n")).unwrap();
    logs(&program, "key files: 1 new").await;
    assert_eq!(
        program.stderr().matches(said).count(),
        1,
        "{}",
        program.stderr()
    );
    assert!(program.stop().await.success());
    assert_eq!(
        fs::read_to_string(machine.path("keys/team.txt")).unwrap(),
        text
    );
    assert_eq!(names(&machine.path("keys")), set(&["more.txt", "team.txt"]));

    // The disk has room again.
    let program = machine.serve().await;
    let tidy = text.replace(", ", "\n");
    eventually("it is rewritten", async || {
        (fs::read_to_string(machine.path("keys/team.txt")).unwrap() == tidy).then_some(())
    })
    .await;
    drop(program);
}

const FILES: usize = 60;
const KEYS_EACH: usize = 12;

fn key(file: usize, number: usize) -> String {
    format!("AIzaSyTESTkilled-{file:06}-{number:08}")
}

#[tokio::test]
async fn killed_at_any_instant_it_loses_no_key() {
    let (machine, _upstream) = machine().await;
    let folder = machine.path("keys");
    let files: Vec<BTreeSet<String>> = (0..FILES)
        .map(|file| (0..KEYS_EACH).map(|number| key(file, number)).collect())
        .collect();
    for round in 0..5 {
        for (file, keys) in files.iter().enumerate() {
            let mut text = format!("# file {file}\n");
            for key in keys {
                let _ = write!(text, "{key}, ");
            }
            fs::write(folder.join(format!("{file}.txt")), text).unwrap();
        }
        let program = machine.serve().await;
        eventually("it has begun to rewrite", async || {
            let is_own = |name: &String| name.starts_with(".keymux-");
            names(&folder).iter().any(is_own).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        program.kill();
        for (file, keys) in files.iter().enumerate() {
            let text = fs::read_to_string(folder.join(format!("{file}.txt"))).unwrap();
            assert!(text.starts_with(&format!("# file {file}\n")), "{text:?}");
            let words = text.lines().skip(1).flat_map(|line| line.split(", "));
            let found: BTreeSet<String> = words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            assert_eq!(found, *keys, "round {round}, file {file}");
        }
    }
    let mut program = machine.serve().await;
    let usable = format!("google: {0} keys ({0} usable)\n", FILES * KEYS_EACH);
    assert!(program.summary.contains(&usable), "{}", program.summary);
    eventually("every file is rewritten", async || {
        let is_tidy = |file| {
            let text = fs::read_to_string(folder.join(format!("{file}.txt"))).unwrap();
            text.lines().count() == KEYS_EACH + 1
        };
        (0..FILES).all(is_tidy).then_some(())
    })
    .await;
    assert!(program.stop().await.success());
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
