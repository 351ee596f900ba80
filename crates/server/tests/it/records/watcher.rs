//! Somebody who watches `/api/events`, and reads them one by one.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::support::{Connection, Operator};

const PATIENCE: Duration = Duration::from_secs(60);

/// An open stream of events. Dropping it is a watcher that leaves.
#[derive(Debug)]
pub(crate) struct Watcher {
    body: Incoming,
    unread: String,
    _connection: Connection,
}

impl Watcher {
    pub(crate) async fn open(operator: &Operator) -> Self {
        let mut connection = Connection::open(operator.address).await;
        let response = connection
            .begin(operator.request("GET", "/api/events", None))
            .await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self {
            body: response.into_body(),
            unread: String::new(),
            _connection: connection,
        }
    }

    /// The next event: its name and its data; none: the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let data = field("data: ").unwrap();
                let name = field("event: ").unwrap().to_owned();
                return Some((name, serde_json::from_str(data).unwrap()));
            }
            let read = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            let frame = read.unwrap_or_else(|_| panic!("no event came"))?.ok()?;
            let data = frame.into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Reads on to the first event of that name that fits.
    pub(crate) async fn until(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let search = async {
            loop {
                let (found, data) = self.next().await.unwrap();
                if found == name && fits(&data) {
                    return data;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("no such `{name}` came"))
    }

    /// Reads to the end of the stream.
    pub(crate) async fn end(mut self) {
        let rest = async { while self.next().await.is_some() {} };
        let ended = tokio::time::timeout(PATIENCE, rest).await;
        assert!(ended.is_ok(), "the stream does not end");
    }
}
