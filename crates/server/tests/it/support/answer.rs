//! An answer as a test reads it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body ended where its framing says that it ends.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// What the model said: of one document, of an array, or of events.
    pub(crate) fn said(&self) -> String {
        self.documents().iter().map(words).collect()
    }

    /// The documents of the answer: one, the elements of an array, or the data of events.
    pub(crate) fn documents(&self) -> Vec<Value> {
        if self.header("content-type").starts_with("text/event-stream") {
            let text = self.text().replace("\r\n", "\n");
            let data = text
                .split("\n\n")
                .filter_map(|event| event.strip_prefix("data: "));
            return data
                .map(|data| serde_json::from_str(data).unwrap())
                .collect();
        }
        match self.json() {
            Value::Array(elements) => elements,
            document => vec![document],
        }
    }

    /// The error in the answer, wherever it is.
    pub(crate) fn error(&self) -> Value {
        let documents = self.documents();
        let error = documents
            .iter()
            .rev()
            .find_map(|document| document.get("error"));
        error
            .unwrap_or_else(|| panic!("no error in {:?}", self.text()))
            .clone()
    }
}

fn words(document: &Value) -> String {
    let parts = document["candidates"][0]["content"]["parts"].as_array();
    let parts = parts.into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}
