//! The command line: the program as its operator runs it, by its exit codes and by what it prints. First `serve`, then
//! `check-config` and `healthcheck`, then `keys`.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};

use crate::support::{Answer, Connection, Machine, eventually, generate_as, request, word_after};

const FIRST: &str = "AIzaSyTESTcommandline-0000000000000001";
const SECOND: &str = "AIzaSyTESTcommandline-0000000000000002";
const CLIENT: &str = "sk-test-operator-0001";
const WRONG_CONFIG: i32 = 78;

async fn generate(address: SocketAddr, client: &str) -> Answer {
    let mut connection = Connection::open(address).await;
    connection.send(generate_as(client)).await
}

#[tokio::test]
async fn without_a_file_it_starts_and_says_where_it_is_and_what_it_has() {
    let upstream = gemini().start().await;
    let keys = format!("{FIRST},{SECOND}");
    let machine = Machine::in_front_of(&upstream).env("GEMINI_API_KEYS", keys);
    let program = machine.serve().await;
    let summary = &program.summary;
    for expected in [
        &*format!("is ready on http://{}\n", program.address),
        "google: 2 keys (2 usable)\n",
        "client keys: 1\n",
        "data/master.key: back it up with the database\n",
    ] {
        assert!(summary.contains(expected), "{expected:?}: {summary}");
    }
    let client = word_after(summary, "client key ");
    assert_eq!(generate(program.address, client).await.status, 200);
}

#[test]
fn whoever_has_read_enough_is_told_no_more() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keymux"));
    command.arg("openapi").stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[tokio::test]
async fn what_is_made_at_the_first_start_is_not_shown_at_the_second() {
    let upstream = gemini().start().await;
    let machine = Machine::in_front_of(&upstream).env("GEMINI_API_KEYS", FIRST);
    let mut program = machine.serve().await;
    let first = program.summary.clone();
    let client = word_after(&first, "client key ");
    let password = word_after(&first, "admin password ");
    assert!(program.stop().await.success());

    let program = machine.serve().await;
    let second = &program.summary;
    assert!(!second.contains(client) && !second.contains(password));
    for word in ["made at", "client key ", "admin password", "master key"] {
        assert!(first.contains(word), "{word:?}: {first}");
        assert!(!second.contains(word), "{word:?}: {second}");
    }
    assert_eq!(generate(program.address, client).await.status, 200);
}

#[tokio::test]
async fn the_command_that_it_says_to_try_works() {
    let upstream = gemini().says("hello").start().await;
    let machine = Machine::in_front_of(&upstream).env("GEMINI_API_KEYS", FIRST);
    let program = machine.serve().await;
    let (_, command) = program.summary.split_once("curl ").unwrap();
    // Between quotes: two headers and the body.
    let quoted: Vec<&str> = command.split('\'').skip(1).step_by(2).collect();
    let [key, kind, body] = quoted[..] else {
        panic!("{command}");
    };
    let headers = [key, kind].map(|header| header.split_once(": ").unwrap());
    let url = command.split_whitespace().last().unwrap();
    let base = format!("http://{}", program.address);
    let path = url.strip_prefix(&base).unwrap();
    let request = request("POST", path, &headers, body.to_owned());
    let answer = Connection::open(program.address).await.send(request).await;
    assert_eq!((answer.status, &*answer.said()), (200, "hello"));
}

#[tokio::test]
async fn variables_come_from_the_dotenv_file_too() {
    let upstream = gemini().start().await;
    let text = format!("# mine\nexport GEMINI_API_KEYS=\"{FIRST}\"\nKEYMUX_CLIENT_KEYS={CLIENT}\n");
    let machine = Machine::in_front_of(&upstream).file(".env", &text);
    let program = machine.serve().await;
    assert_eq!(generate(program.address, CLIENT).await.status, 200);
    assert_eq!(upstream.count_for_key(FIRST), 1);
}

#[tokio::test]
async fn client_keys_of_the_environment_are_all_that_there_are() {
    let upstream = gemini().start().await;
    let machine = Machine::in_front_of(&upstream)
        .env("GEMINI_API_KEYS", FIRST)
        .env(
            "KEYMUX_CLIENT_KEYS",
            format!("{CLIENT}, sk-test-second-0002"),
        );
    let program = machine.serve().await;
    let summary = &program.summary;
    assert!(summary.contains("client keys: 2\n"), "{summary}");
    assert!(!summary.contains("client key "), "{summary}");
    assert!(!summary.contains(CLIENT), "{summary}");
    for (client, status) in [
        (CLIENT, 200),
        ("sk-test-second-0002", 200),
        ("sk-test-nobody-0003", 401),
    ] {
        let answer = generate(program.address, client).await;
        assert_eq!(answer.status, status, "{client}");
    }
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_it_has_begun() {
    let slow = Rule::new().delay_head(std::time::Duration::from_millis(500));
    let upstream = gemini().says("hello").rule(slow).start().await;
    let machine = Machine::in_front_of(&upstream)
        .env("GEMINI_API_KEYS", FIRST)
        .env("KEYMUX_CLIENT_KEYS", CLIENT);
    let mut program = machine.serve().await;
    let stop = async {
        eventually("the provider is asked", async || {
            (upstream.count() > 0).then_some(())
        })
        .await;
        program.terminate();
    };
    let (answer, ()) = tokio::join!(generate(program.address, CLIENT), stop);
    assert_eq!((answer.status, &*answer.said()), (200, "hello"));
    assert_eq!(program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn killed_it_knows_at_the_next_start_what_it_knew() {
    let limited = Rule::new()
        .key(FIRST)
        .fixture("gemini/errors/402_prepay_depleted.json");
    let upstream = gemini().rule(limited).start().await;
    let machine = Machine::in_front_of(&upstream)
        .env("GEMINI_API_KEYS", format!("{FIRST},{SECOND}"))
        .env("KEYMUX__POOL__STRATEGY", "fill_first");
    let program = machine.serve().await;
    let client = word_after(&program.summary, "client key ").to_owned();
    assert_eq!(generate(program.address, &client).await.status, 200);
    eventually("the state is saved", async || {
        let listed = machine.run(&["keys", "list"]).await.stdout;
        listed.contains("cooling for ").then_some(())
    })
    .await;
    program.kill();

    let program = machine.serve().await;
    let summary = &program.summary;
    let keys = "google: 2 keys (1 usable, 1 cooling)\n";
    assert!(summary.contains(keys), "{summary}");
    assert_eq!(generate(program.address, &client).await.status, 200);
    assert_eq!(upstream.count_for_key(FIRST), 1);
}

#[tokio::test]
async fn a_taken_address_is_told_at_the_start() {
    let upstream = gemini().start().await;
    let address = upstream.addr().to_string();
    let machine = Machine::new().env("KEYMUX__SERVER__LISTEN", &address);
    let ended = machine.run(&["serve"]).await;
    assert_eq!(ended.code, Some(1));
    let text = format!("listen on {address}: is another program there?");
    assert!(ended.stderr.contains(&text), "{}", ended.stderr);
}

#[tokio::test]
async fn check_config_says_what_a_right_configuration_is() {
    let machine = Machine::new().env("GEMINI_API_KEYS", format!("{FIRST},{SECOND}"));
    let ended = machine.run(&["check-config"]).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let text = "2 provider keys, 0 client keys, listening on 127.0.0.1:8000\n";
    assert!(ended.stdout.ends_with(text), "{}", ended.stdout);
    assert!(!machine.path("data").exists(), "something was made");
}

#[tokio::test]
async fn check_config_prints_a_schema_whatever_the_configuration_is() {
    let machine = Machine::new().file("keymux.yaml", "nonsense: 1");
    let ended = machine.run(&["check-config", "--schema"]).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let schema: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(schema, config::json_schema());
}

#[tokio::test]
async fn check_config_names_place_field_value_and_what_was_expected() {
    let yaml = "pool:\n  max_failure: 3\n  strategy: fastest\nserver:\n  listen: nowhere\n";
    let expected = "\
        keymux.yaml:2: pool.max_failure: unknown field; did you mean \"max_failures\"?\n\
        keymux.yaml:3: pool.strategy: \"fastest\" is not least_loaded, round_robin, random, fill_first or selected_first\n\
        keymux.yaml:5: server.listen: \"nowhere\" is not an address and a port such as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000\n";
    let machine = Machine::new().file("keymux.yaml", yaml);
    for command in ["check-config", "serve", "healthcheck"] {
        let ended = machine.run(&[command]).await;
        assert_eq!(ended.code, Some(WRONG_CONFIG), "{command}");
        assert_eq!((&*ended.stderr, &*ended.stdout), (expected, ""));
    }
}

#[tokio::test]
async fn a_configuration_file_that_was_asked_for_must_be_there() {
    let machine = Machine::new().file("other.yaml", "server: { listen: 127.0.0.1:4321 }\n");
    let ended = machine
        .run(&["check-config", "--config", "none.yaml"])
        .await;
    assert_eq!(ended.code, Some(WRONG_CONFIG));
    let text = "none.yaml: cannot be read: ";
    assert!(ended.stderr.starts_with(text), "{}", ended.stderr);

    let ended = machine
        .run(&["check-config", "--config", "other.yaml"])
        .await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("(other.yaml)"), "{}", ended.stdout);
    assert!(ended.stdout.contains("127.0.0.1:4321"), "{}", ended.stdout);
}

#[tokio::test]
async fn healthcheck_succeeds_while_keymux_is_ready() {
    let upstream = gemini().start().await;
    let machine = Machine::in_front_of(&upstream).env("GEMINI_API_KEYS", FIRST);
    let mut program = machine.serve().await;
    let address = program.address.to_string();
    let near = Machine::new().env("KEYMUX__SERVER__LISTEN", &address);
    let ended = near.run(&["healthcheck"]).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));

    assert!(program.stop().await.success());
    let ended = near.run(&["healthcheck"]).await;
    assert_eq!(ended.code, Some(1));
    let text = format!("keymux at http://{address} is not ready: ");
    assert!(ended.stderr.starts_with(&text), "{}", ended.stderr);
}

#[tokio::test]
async fn healthcheck_fails_where_the_answer_is_no() {
    let upstream = gemini().rule(Rule::new().respond(503, "")).start().await;
    let machine = Machine::new().env("KEYMUX__SERVER__LISTEN", upstream.addr().to_string());
    let ended = machine.run(&["healthcheck"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("status 503"), "{}", ended.stderr);
}

#[tokio::test]
async fn keys_are_imported_from_a_file_or_standard_input_and_counted() {
    let text = format!("# of team a\n{FIRST}, {SECOND}\nshort\n{FIRST} # again\n");
    let machine = Machine::new().file("keys.txt", &text);
    let left_out = "line 3: too short for a key; left out\n";
    for (arguments, input, code, stdout, stderr) in [
        (
            &["keys", "import", "keys.txt"][..],
            "",
            1,
            "2 added, 1 known already\n",
            left_out,
        ),
        (
            &["keys", "import"],
            &*text,
            1,
            "0 added, 3 known already\n",
            left_out,
        ),
        (
            &["keys", "import", "--provider", "google"],
            "AIzaSyTESTcommandline-third;AIzaSyTESTcommandline-fourth",
            0,
            "2 added, 0 known already\n",
            "",
        ),
    ] {
        let ended = machine.run_with(arguments, input).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}");
        assert_eq!((&*ended.stdout, &*ended.stderr), (stdout, stderr));
    }
}

#[tokio::test]
async fn what_names_no_provider_or_no_file_is_refused() {
    let machine = Machine::new();
    for (arguments, expected) in [
        (
            ["keys", "list", "--provider=nobody"],
            "there is no provider \"nobody\"; known are gigachat, google",
        ),
        (
            ["keys", "test", "--provider=nobody"],
            "there is no provider \"nobody\"; known are gigachat, google",
        ),
        (
            ["keys", "import", "--provider=nobody"],
            "there is no provider \"nobody\"; known are gigachat, google",
        ),
        (
            ["keys", "import", "none.txt"],
            "read none.txt: No such file",
        ),
    ] {
        let ended = machine.run_with(&arguments, FIRST).await;
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(machine.run(&["keys", "export"]).await.stdout, "");
}

#[tokio::test]
async fn keys_are_listed_masked_and_exported_whole() {
    let machine = Machine::new();
    let keys = format!("{FIRST}\n{SECOND}\n");
    machine.run_with(&["keys", "import"], &keys).await;
    let listed = machine.run(&["keys", "list"]).await;
    assert_eq!(listed.code, Some(0));
    let rows: Vec<Vec<&str>> = listed
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let heads = [
        "id", "provider", "key", "label", "project", "source", "state", "last", "check",
    ];
    assert_eq!(rows[0], heads);
    let row = |id, key| [id, "google", key, "-", "-", "admin", "active", "-"];
    assert_eq!(rows[1], row("1", "AIza…0001"));
    assert_eq!(rows[2], row("2", "AIza…0002"));
    assert_eq!(rows.len(), 3);
    let nobodys = machine.run(&["keys", "list", "--provider", "xai"]).await;
    assert_eq!(nobodys.stdout.lines().count(), 1);

    let exported = machine.run(&["keys", "export"]).await;
    assert_eq!((exported.code, exported.stdout), (Some(0), keys));
}

#[tokio::test]
async fn keys_are_tested_one_by_one() {
    let leaked = FakeKey::new(SECOND).fault(KeyFault::Leaked);
    let upstream = gemini().key(FakeKey::new(FIRST)).key(leaked).start().await;
    let machine = Machine::in_front_of(&upstream);
    let keys = format!("{FIRST}\n{SECOND}\n");
    machine.run_with(&["keys", "import"], &keys).await;

    let ended = machine.run(&["keys", "test"]).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(1), ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "1/2  key 1 (AIza…0001): works");
    assert!(
        lines[1].starts_with("2/2  key 2 (AIza…0002): "),
        "{lines:?}"
    );
    assert!(lines[1].contains("leaked"), "{lines:?}");
    assert_eq!(lines[2..], ["1 of 2 work"]);
    let listed = machine.run(&["keys", "list"]).await.stdout;
    assert!(
        listed.contains("works with gemini-flash-latest, "),
        "{listed}"
    );
    assert!(listed.contains("api_key_leaked with gemini"), "{listed}");

    upstream.clear_seen();
    let with = ["keys", "test", "1", "--model", "gemini-2.5-pro"];
    assert_eq!(machine.run(&with).await.code, Some(0));
    let asked = &upstream.seen()[0].path_and_query;
    assert!(asked.contains("models/gemini-2.5-pro:"), "{asked}");

    let ended = machine.run(&["keys", "test", "1"]).await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.ends_with("1 of 1 work\n"), "{}", ended.stdout);
    let ended = machine.run(&["keys", "test", "99"]).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, "keymux: there is no such key\n");
}

#[tokio::test]
async fn imported_keys_are_used_by_the_running_program() {
    let upstream = gemini().start().await;
    let machine = Machine::in_front_of(&upstream).env("KEYMUX_CLIENT_KEYS", CLIENT);
    let program = machine.serve().await;
    let summary = &program.summary;
    assert!(summary.contains("no provider key yet"), "{summary}");
    assert_eq!(generate(program.address, CLIENT).await.status, 503);
    let ended = machine.run_with(&["keys", "import"], FIRST).await;
    assert_eq!(ended.code, Some(0));
    eventually("the imported key is used", async || {
        let answer = generate(program.address, CLIENT).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(upstream.count_for_key(FIRST), 1);
}
