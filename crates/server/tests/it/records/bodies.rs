//! `logs.bodies`: what is kept of what passes, from when on, how much of it, and that no secret is.

use std::io::Read as _;

use domain::RequestId;
use fake_upstream::{Rule, gemini};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use store::RecordBodies;

use crate::support::{
    Answer, CLIENT_KEY, Connection, MODEL, Operator, RawUpstream, TestGateway, eventually,
    generate_path, post, prompt, request, stream,
};

const MOST: usize = 64 * 1024;

/// The detail of a request once its bodies are there.
async fn kept(gateway: &TestGateway, id: &str) -> Value {
    let admin = Operator::admin(gateway).await;
    eventually("its bodies are kept", async || {
        let answer = admin.get(&format!("/api/request_logs/{id}")).await;
        let detail = (answer.status == 200).then(|| answer.json())?;
        (!detail["response_body"].is_null()).then_some(detail)
    })
    .await
}

fn id_of(answer: &Answer) -> &str {
    answer.header("x-keymux-request-id")
}

fn text<'a>(detail: &'a Value, side: &str) -> &'a str {
    detail[side]["text"].as_str().unwrap()
}

async fn stored(gateway: &TestGateway, answer: &Answer) -> RecordBodies {
    let id: RequestId = id_of(answer).parse().unwrap();
    gateway.running.store().bodies(id).await.unwrap()
}

#[tokio::test]
async fn what_is_kept_follows_the_setting_from_request_to_request() {
    let gateway = TestGateway::new()
        .upstream(gemini().says("hello"))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let path = generate_path(MODEL);
    let unwanted = gateway.generate().await;
    admin.set("logs.bodies", json!("errors")).await;
    let fine = gateway.generate().await;
    let failed = gateway.post(&path, "{}").await;
    assert_eq!(failed.status, 400);
    let detail = kept(&gateway, id_of(&failed)).await;
    assert_eq!(text(&detail, "request_body"), "{}");
    assert_eq!(text(&detail, "response_body"), failed.text());
    admin.set("logs.bodies", json!("all")).await;
    let wanted = gateway.generate().await;
    let detail = kept(&gateway, id_of(&wanted)).await;
    assert_eq!(
        text(&detail, "request_body").as_bytes(),
        prompt("Say hello")
    );
    assert_eq!(text(&detail, "response_body"), wanted.text());
    assert_eq!(detail["response_body"]["original_bytes"], wanted.body.len());
    assert_eq!(detail["response_body"]["truncated"], false);
    admin.set("logs.bodies", json!(null)).await;
    let last = gateway.generate().await;
    // Records are written after bodies: when the last record is there, its bodies would be, too.
    gateway.record_of(&last).await;
    for answer in [&unwanted, &fine, &last] {
        let bodies = stored(&gateway, answer).await;
        assert_eq!((bodies.request, bodies.response), (None, None));
    }
}

#[tokio::test]
async fn a_refusal_by_keymux_is_kept_as_an_error() {
    let gateway = TestGateway::new()
        .setting("logs.bodies", "errors")
        .start()
        .await;
    let headers = [("x-goog-api-key", "sk-wrong-0001")];
    let path = generate_path(MODEL);
    let refused = gateway
        .send(request("POST", &path, &headers, prompt("hi")))
        .await;
    assert_eq!(refused.status, 401);
    let detail = kept(&gateway, id_of(&refused)).await;
    assert_eq!(detail["request_body"], Value::Null);
    assert_eq!(text(&detail, "response_body"), refused.text());
}

#[tokio::test]
async fn of_a_large_body_the_beginning_is_kept_compressed() {
    let script = gemini().answer_bytes(300_000);
    let gateway = TestGateway::new()
        .upstream(script)
        .setting("logs.bodies", "all")
        .start()
        .await;
    let asked = prompt(&"long ".repeat(40_000));
    let path = generate_path(MODEL);
    let answer = gateway.post(&path, asked.clone()).await;
    let detail = kept(&gateway, id_of(&answer)).await;
    for (side, whole) in [("request_body", &asked), ("response_body", &answer.body)] {
        assert_eq!(text(&detail, side).as_bytes(), &whole[..MOST], "{side}");
        assert_eq!(detail[side]["original_bytes"], whole.len(), "{side}");
        assert_eq!(detail[side]["truncated"], true, "{side}");
    }
    let bodies = stored(&gateway, &answer).await;
    for body in [bodies.request.unwrap(), bodies.response.unwrap()] {
        assert_eq!(body.encoding, "gzip");
        assert!(body.bytes.len() < MOST / 4, "{} bytes", body.bytes.len());
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain.len(), MOST);
    }
}

#[tokio::test]
async fn secrets_are_kept_of_neither_side() {
    const POOLED: &str = "AIzaSyPooled0000000000000000000000000000";
    const SHORT: &str = "AIza-key-2";
    const BROUGHT: &str = "own-key-of-caller-1";
    const FOREIGN: &str = "AIzaSyForeign000000000000000000000000000";
    let secrets = [POOLED, SHORT, BROUGHT, FOREIGN, CLIENT_KEY];
    let script = gemini().says(&format!("you said {}, I heard", secrets.join(" and ")));
    let gateway = TestGateway::new()
        .upstream(
            script.rule(
                Rule::new()
                    .key(POOLED)
                    .times(1)
                    .fixture("gemini/errors/500_internal.json"),
            ),
        )
        .keys([POOLED, SHORT])
        .setting("pool.strategy", "fill_first")
        .setting("logs.bodies", "all")
        .start()
        .await;
    let asked = prompt(&format!("repeat after me: {}", secrets.join("\\u0020")));
    let path = format!("/v1beta/models/{MODEL}:streamGenerateContent?alt=sse");
    let headers = [
        ("authorization", &*format!("Bearer {CLIENT_KEY}")),
        ("x-google-api-key", BROUGHT),
    ];
    gateway.upstream.add_rule(
        Rule::new()
            .key(BROUGHT)
            .fixture("gemini/errors/500_internal.json"),
    );
    let answer = gateway.send(request("POST", &path, &headers, asked)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.text().contains(CLIENT_KEY),
        "the caller gets what the model says"
    );
    let detail = kept(&gateway, id_of(&answer)).await;
    assert_eq!(detail["attempts"], 3, "{detail}");
    for side in ["request_body", "response_body"] {
        let kept = text(&detail, side);
        assert!(
            kept.contains("[redacted]") && kept.contains("text"),
            "{kept}"
        );
        for secret in secrets {
            assert!(!kept.contains(secret), "{secret} in the {side}: {kept}");
        }
    }
}

#[tokio::test]
async fn a_secret_at_the_very_end_of_what_is_kept_is_not_kept_by_half() {
    let gateway = TestGateway::new()
        .setting("logs.bodies", "all")
        .start()
        .await;
    let path = generate_path(MODEL);
    let lead = prompt("");
    let start = lead.len() - r#""}]}]}"#.len();
    for visible in [4, 10, 15] {
        let mut words = "x".repeat(MOST - start - visible);
        words.push_str(CLIENT_KEY);
        words.push_str(&"y".repeat(1000));
        let answer = gateway.post(&path, prompt(&words)).await;
        let detail = kept(&gateway, id_of(&answer)).await;
        let kept = text(&detail, "request_body");
        assert!(
            kept.len() > MOST - 100 && kept.len() <= MOST,
            "{}",
            kept.len()
        );
        assert!(
            !kept.contains(&CLIENT_KEY[..4]),
            "{}",
            &kept[kept.len() - 40..]
        );
        assert_eq!(detail["request_body"]["truncated"], true);
    }
}

#[tokio::test]
async fn a_stream_is_kept_as_it_passed_and_of_a_caller_who_leaves_what_it_got() {
    let gateway = TestGateway::new()
        .upstream(gemini().says("one two three four"))
        .setting("logs.bodies", "all")
        .start()
        .await;
    let whole = gateway.stream().await;
    let detail = kept(&gateway, id_of(&whole)).await;
    assert_eq!(text(&detail, "response_body"), whole.text());

    gateway.upstream.add_rule(Rule::new().stall_after_chunks(2));
    let mut caller = Connection::open(gateway.address).await;
    let mut answer = caller.begin(stream()).await;
    let id = answer.headers()["x-keymux-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let first = answer
        .body_mut()
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    drop((answer, caller));
    let detail = kept(&gateway, &id).await;
    assert_eq!(detail["error"], "client_gone");
    let begun = text(&detail, "response_body");
    assert!(begun.as_bytes().starts_with(&first), "{begun}");
    assert!(
        whole.text().starts_with(begun) || begun.len() < whole.body.len(),
        "{begun}"
    );
}

#[tokio::test]
async fn a_secret_cut_by_the_chunks_of_a_stream_is_not_kept() {
    let upstream = RawUpstream::start().await;
    let gateway = TestGateway::new()
        .base_url(format!("http://{}", upstream.address))
        .setting("logs.bodies", "all")
        .start()
        .await;
    let provide = async {
        let mut answer = upstream.next().await;
        answer.begin("text/event-stream").await;
        let (one, two) = CLIENT_KEY.split_at(9);
        let lead = r#"data: {"candidates": [{"content": {"parts": [{"text": ""#;
        answer.chunk(format!("{lead}it is {one}")).await;
        answer
            .chunk(format!(
                "{two}\"}}]}}, \"finishReason\": \"STOP\"}}]}}\r\n\r\n"
            ))
            .await;
        answer.end().await;
    };
    let (answer, ()) = tokio::join!(gateway.stream(), provide);
    assert!(answer.text().contains(CLIENT_KEY), "{}", answer.text());
    let detail = kept(&gateway, id_of(&answer)).await;
    let kept = text(&detail, "response_body");
    assert!(kept.contains("it is [redacted]"), "{kept}");
}

#[tokio::test]
async fn what_is_uploaded_is_never_kept() {
    let gateway = TestGateway::new()
        .setting("logs.bodies", "all")
        .start()
        .await;
    let path = "/upload/v1beta/files?uploadType=media";
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("content-type", "text/plain"),
        ("x-goog-upload-protocol", "raw"),
    ];
    let answer = gateway
        .send(request("POST", path, &headers, "the words of a file"))
        .await;
    let detail = kept(&gateway, id_of(&answer)).await;
    assert_eq!(detail["request_body"], Value::Null, "{detail}");
    assert!(!detail.to_string().contains("the words of a file"));
}

#[tokio::test]
async fn errors_that_the_provider_sends_are_kept_without_its_keys() {
    let refusal = Rule::new().fixture("gemini/errors/400_invalid_argument.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(refusal))
        .setting("logs.bodies", "errors")
        .start()
        .await;
    let path = generate_path(MODEL);
    let answer = gateway.send(post(&path, prompt("hi"))).await;
    let detail = kept(&gateway, id_of(&answer)).await;
    assert_eq!(detail["status"], 400);
    assert_eq!(text(&detail, "response_body"), answer.text());
}
