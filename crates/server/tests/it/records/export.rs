//! The request log as a file: all that matches, in both forms, and nothing that a spreadsheet would run.

use std::collections::HashSet;
use std::time::Duration;

use domain::{ClientId, Nanodollars, RequestRecord, Usage};
use serde_json::{Value, json};

use super::past::{now, record, row_of};
use crate::support::{Answer, Connection, Operator, TestGateway};

/// More than one page of what an export reads at once, and than two.
const MANY: u16 = 1_203;

/// The rows of a CSV file, as maps from column to cell.
fn rows(answer: &Answer) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(answer.body.as_ref());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn both_forms_hold_every_row_once_newest_first() {
    let gateway = TestGateway::new().start().await;
    let mut written = row_of(MANY, now() - Duration::from_secs(60));
    for record in written.iter_mut().step_by(2) {
        record.status = 503;
    }
    gateway
        .running
        .store()
        .write_records(&written)
        .await
        .unwrap();
    let ids = |half: bool| {
        let chosen = written
            .iter()
            .rev()
            .filter(|record| !half || record.status == 503);
        chosen
            .map(|record| record.id.to_string())
            .collect::<Vec<_>>()
    };
    let admin = Operator::admin(&gateway).await;
    for (filter, half) in [
        ("", false),
        ("&status=5xx", true),
        ("&status=5xx&q=past", true),
    ] {
        let csv = admin
            .get(&format!("/api/request_logs?format=csv{filter}"))
            .await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(
            csv.header("content-disposition")
                .contains("keymux-requests.csv")
        );
        let found: Vec<String> = rows(&csv).iter().map(|row| row["id"].clone()).collect();
        assert!(
            csv.is_whole && found == ids(half),
            "{filter}: {} rows",
            found.len()
        );
        let jsonl = admin
            .get(&format!("/api/request_logs?format=jsonl{filter}"))
            .await;
        assert_eq!(jsonl.header("content-type"), "application/x-ndjson");
        let found: Vec<Value> = lines(&jsonl).iter().map(|row| row["id"].clone()).collect();
        assert!(
            jsonl.is_whole && found == ids(half),
            "{filter}: {} lines",
            found.len()
        );
    }
}

#[tokio::test]
async fn a_file_without_rows_still_names_its_columns() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let csv = admin.get("/api/request_logs?format=csv").await;
    assert!(
        csv.text().starts_with("id,time,client_id,client,dialect,"),
        "{:?}",
        csv.text()
    );
    assert!(rows(&csv).is_empty());
    let jsonl = admin.get("/api/request_logs?format=jsonl").await;
    assert_eq!((jsonl.status, jsonl.text().as_str()), (200, ""));
}

#[tokio::test]
async fn both_forms_say_the_same_of_a_request() {
    let gateway = TestGateway::new().start().await;
    let usage = Usage {
        prompt: 7,
        output: 5,
        reasoning: 2,
        cached: 3,
        tool: 0,
        total: 12,
    };
    let written = RequestRecord {
        usage: Some(usage),
        cost: Some(Nanodollars(1_500_000)),
        first_byte_us: Some(1_250),
        stream: true,
        ..record(now() - Duration::from_secs(60), 1)
    };
    gateway
        .running
        .store()
        .write_records(&[written])
        .await
        .unwrap();
    let admin = Operator::admin(&gateway).await;
    let csv = rows(&admin.get("/api/request_logs?format=csv").await).remove(0);
    let jsonl = lines(&admin.get("/api/request_logs?format=jsonl").await).remove(0);
    for column in ["id", "time", "dialect", "endpoint", "provider", "model"] {
        assert_eq!(csv[column], jsonl[column].as_str().unwrap(), "{column}");
    }
    for column in [
        "status",
        "stream",
        "attempts",
        "latency_ms",
        "first_byte_ms",
        "cost_usd",
    ] {
        assert_eq!(csv[column], jsonl[column].to_string(), "{column}");
    }
    for (column, count) in [
        ("prompt_tokens", "7"),
        ("reasoning_tokens", "2"),
        ("total_tokens", "12"),
    ] {
        assert_eq!(csv[column], count, "{column}");
    }
    assert_eq!((csv["client"].as_str(), csv["error"].as_str()), ("", ""));
}

#[tokio::test]
async fn names_that_look_like_formulas_are_text_to_a_spreadsheet() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let name = "=HYPERLINK(\"http://evil.test\",\"x\")";
    let client = admin.make_client(json!({"name": name})).await;
    let models = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "a\"b,\n=c",
        "plain",
    ];
    let began = now() - Duration::from_secs(60);
    let records: Vec<RequestRecord> = (0..)
        .zip(models)
        .map(|(number, model)| RequestRecord {
            client: Some(ClientId(client.id)),
            model: Some(model.into()),
            ..record(began, number)
        })
        .collect();
    gateway
        .running
        .store()
        .write_records(&records)
        .await
        .unwrap();
    let csv = rows(&admin.get("/api/request_logs?format=csv").await);
    let shown: Vec<&str> = csv.iter().rev().map(|row| row["model"].as_str()).collect();
    assert_eq!(
        shown,
        [
            "'=1+1",
            "'+1",
            "'-1",
            "'@SUM(A1)",
            "'\t=1",
            "'\r=1",
            "a\"b,\n=c",
            "plain"
        ]
    );
    assert!(csv.iter().all(|row| row["client"] == format!("'{name}")));
    // A program that reads JSON runs nothing, and gets names as they are.
    let jsonl = lines(&admin.get("/api/request_logs?format=jsonl").await);
    let shown: HashSet<&str> = jsonl
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    assert_eq!(shown, models.into());
    assert_eq!(jsonl[0]["client"], name);
}

#[tokio::test]
async fn a_reader_who_leaves_takes_nothing_with_them() {
    let gateway = TestGateway::new().start().await;
    let written = row_of(4_000, now() - Duration::from_secs(60));
    gateway
        .running
        .store()
        .write_records(&written)
        .await
        .unwrap();
    let admin = Operator::admin(&gateway).await;
    for form in ["csv", "jsonl"] {
        // More than there are connections to read by.
        for _ in 0..8 {
            let mut reader = Connection::open(admin.address).await;
            let path = format!("/api/request_logs?format={form}");
            let response = reader.begin(admin.request("GET", &path, None)).await;
            assert_eq!(response.status(), 200);
            drop((response, reader));
        }
        let page = admin.read("/api/request_logs?limit=1").await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
    }
    gateway.stop().await;
}
