//! The database is away, or refuses: requests go on, records wait, and nothing that was answered is forgotten at a stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_upstream::{Rule, gemini};
use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::past::{beside, charted};
use crate::support::{
    MODEL, Operator, TestGateway, eventually, on_postgres, post, prompt, request,
};

async fn database_is(gateway: &TestGateway, standing: &str) {
    eventually("its standing is told", async || {
        let ready = gateway.get("/ready").await;
        assert_eq!(ready.status, 200);
        (ready.json()["database"] == standing).then_some(())
    })
    .await;
}

/// A number among the metrics.
async fn metric(gateway: &TestGateway, name: &str) -> f64 {
    let text = gateway.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}"))
        .trim()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn while_another_writes_requests_go_on_and_records_wait() {
    let gateway = TestGateway::new().start().await;
    let other = beside(&gateway).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let began = Instant::now();
    let answers = join_all((0..10).map(|_| gateway.generate())).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    database_is(&gateway, "down").await;
    assert_eq!(gateway.generate().await.status, 200);
    assert!(
        gateway
            .running
            .store()
            .recent_records(10, None)
            .await
            .unwrap()
            .is_empty()
    );
    other.execute_unprepared("ROLLBACK").await.unwrap();
    database_is(&gateway, "up").await;
    assert_eq!(gateway.records(11).await.len(), 11);
    assert!((metric(&gateway, "keymux_dropped_records_total").await).abs() < 1e-9);
    assert!((charted(&Operator::admin(&gateway).await, "15m").await - 11.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_record_that_the_database_refuses_is_lost_alone_and_counted() {
    let gateway = TestGateway::new().start().await;
    let other = beside(&gateway).await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON requests WHEN NEW.status = 401 \
                  BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    other.execute_unprepared(refuse).await.unwrap();
    let wrong = [("x-goog-api-key", "sk-wrong")];
    let ask_wrong = || gateway.send(request("GET", "/v1beta/models", &wrong, ""));
    let (one, refused, two, too) = tokio::join!(
        gateway.generate(),
        ask_wrong(),
        gateway.generate(),
        ask_wrong()
    );
    assert_eq!((refused.status, too.status), (401, 401));
    for fine in [&one, &two] {
        gateway.record_of(fine).await;
    }
    eventually("both are counted", async || {
        let dropped = metric(&gateway, "keymux_dropped_records_total").await;
        (dropped >= 2.0).then_some(())
    })
    .await;
    assert_eq!(gateway.records(2).await.len(), 2);
    assert!((charted(&Operator::admin(&gateway).await, "15m").await - 2.0).abs() < 1e-9);
    database_is(&gateway, "up").await;
}

#[tokio::test]
async fn a_stop_writes_what_is_queued_with_its_figures() {
    let gateway = TestGateway::new().start().await;
    let answers = join_all((0..50).map(|_| gateway.generate())).await;
    let stopped = gateway.stop().await;
    let gateway = stopped.start().await.unwrap();
    for answer in &answers {
        let id = answer.header("x-keymux-request-id").parse().unwrap();
        assert!(gateway.running.store().record(id).await.unwrap().is_some());
    }
    assert!((charted(&Operator::admin(&gateway).await, "15m").await - 50.0).abs() < 1e-9);
}

/// A way to PostgreSQL that can be cut and mended.
struct Road {
    is_open: Arc<watch::Sender<bool>>,
    url: String,
}

impl Road {
    /// To the server of that URL.
    #[expect(clippy::disallowed_methods, reason = "ends with the test")]
    async fn to(url: &str) -> Self {
        let (head, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_open = Arc::new(watch::Sender::new(true));
        let gate = Arc::clone(&is_open);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if *gate.borrow() {
                    let far = TcpStream::connect(&server).await.unwrap();
                    tokio::spawn(carry(near, far, gate.subscribe()));
                } else {
                    // What has been read is no reason for a reset: the connection ends in peace.
                    tokio::spawn(async move { near.read(&mut [0; 64]).await });
                }
            }
        });
        Self {
            is_open,
            url: format!("{head}@{address}/{database}"),
        }
    }

    fn cut(&self) {
        self.is_open.send_replace(false);
    }

    fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

/// Carries bytes both ways until the road is cut.
async fn carry(mut near: TcpStream, mut far: TcpStream, mut gate: watch::Receiver<bool>) {
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = gate.wait_for(|is_open| !is_open) => {}
    }
}

#[tokio::test]
async fn while_postgresql_is_away_requests_go_on_and_records_wait() {
    on_postgres(async |url| {
        let road = Road::to(url).await;
        let gateway = TestGateway::new()
            .setting("database.url", &road.url)
            .start()
            .await;
        assert_eq!(gateway.generate().await.status, 200);
        assert_eq!(gateway.records(1).await.len(), 1);
        road.cut();
        let began = Instant::now();
        let answers = join_all((0..10).map(|_| gateway.generate())).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
        database_is(&gateway, "down").await;
        assert_eq!(gateway.generate().await.status, 200);
        road.mend();
        database_is(&gateway, "up").await;
        assert_eq!(gateway.records(12).await.len(), 12);
        assert!((charted(&Operator::admin(&gateway).await, "15m").await - 12.0).abs() < 1e-9);
        gateway.stop().await;
    })
    .await;
}

/// A name of random letters, which nothing compresses.
fn long_name(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}

#[tokio::test]
async fn names_that_no_column_takes_stop_nothing_else_from_being_saved() {
    on_postgres(async |url| {
        let unknown = Rule::new()
            .path_contains("000")
            .fixture("gemini/errors/404_model.json");
        let gateway = TestGateway::new()
            .upstream(gemini().rule(unknown))
            .setting("database.url", url)
            .start()
            .await;
        for name in [format!("000{}", long_name(12_000)), "a%00000b".to_owned()] {
            let path = format!("/v1beta/models/{name}:generateContent");
            let odd = gateway.send(post(&path, prompt("hi"))).await;
            assert_eq!(odd.status, 404, "{}", odd.text());
            let record = gateway.record_of(&odd).await;
            assert!(record.model.unwrap().len() <= 256);
        }
        let fine = gateway.generate().await;
        assert_eq!(fine.status, 200);
        gateway.record_of(&fine).await;
        eventually("the state of the other model is saved", async || {
            let pairs = gateway.running.store().load_pairs().await.unwrap();
            pairs
                .iter()
                .any(|(pair, _)| pair.model == MODEL)
                .then_some(())
        })
        .await;
        database_is(&gateway, "up").await;
        gateway.stop().await;
    })
    .await;
}
