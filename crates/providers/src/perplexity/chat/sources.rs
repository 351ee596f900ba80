//! What the web search found, by number: the markers `[n]` of an answer's text refer to it.
//! A stream finds several times, and some of it twice; what is kept of it is bounded.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Sources of one answer; more are left out.
const MOST: usize = 256;

/// One page, as the Sonar API listed it.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub(super) title: String,
    pub(super) url: String,
    date: Option<String>,
    last_updated: Option<String>,
    snippet: Option<String>,
    source: Option<String>,
}

/// The sources of one answer.
#[derive(Debug)]
pub(super) struct Sources {
    by_number: BTreeMap<u64, Source>,
    /// Bytes that may still be kept, snippets apart.
    room: usize,
    /// Bytes of snippets that may still be kept.
    snippet_room: usize,
}

impl Sources {
    /// No sources yet. Of those that come at most `room` bytes are kept, half of them snippets: snippets that do not fit
    /// are left out, and so are sources that do not fit without.
    pub(super) fn new(room: usize) -> Self {
        Self {
            by_number: BTreeMap::new(),
            room: room / 2,
            snippet_room: room / 2,
        }
    }

    /// Takes a list of results in; tells whether there was anything new.
    pub(super) fn add(&mut self, results: &Value) -> bool {
        let before = self.by_number.len();
        for result in results.as_array().into_iter().flatten() {
            self.add_one(result);
        }
        self.by_number.len() > before
    }

    /// A result without a number, or with one that another page has, gets the next.
    fn add_one(&mut self, result: &Value) {
        if self.by_number.len() >= MOST {
            return;
        }
        let Some(source) = Source::read(result) else {
            return;
        };
        let given = result.get("id").and_then(Value::as_u64);
        let number = match given.map(|number| (number, self.by_number.get(&number))) {
            Some((number, None)) => number,
            Some((_, Some(known))) if known.url == source.url => return,
            _ => self.next(),
        };
        if let Some(source) = self.fit(source) {
            self.by_number.insert(number, source);
        }
    }

    fn next(&self) -> u64 {
        let last = self.by_number.last_key_value();
        last.map_or(1, |(number, _)| number.saturating_add(1))
    }

    fn fit(&mut self, mut source: Source) -> Option<Source> {
        self.room = self.room.checked_sub(source.size())?;
        let length = source.snippet.as_ref().map_or(0, String::len);
        match self.snippet_room.checked_sub(length) {
            Some(room) => self.snippet_room = room,
            None => source.snippet = None,
        }
        Some(source)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Source> {
        self.by_number.get(&number)
    }

    /// URLs in the order of their numbers; none where nothing was found.
    pub(super) fn citations(&self) -> Option<Vec<&str>> {
        let urls = self.by_number.values().map(|source| source.url.as_str());
        (!self.by_number.is_empty()).then(|| urls.collect())
    }

    /// The sources in the order of their numbers; none where nothing was found.
    pub(super) fn results(&self) -> Option<Vec<&Source>> {
        (!self.by_number.is_empty()).then(|| self.by_number.values().collect())
    }
}

impl Source {
    /// A result with a URL; without one there is nothing to cite.
    fn read(result: &Value) -> Option<Self> {
        let text = |name: &str| result.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            url: text("url").filter(|url| !url.is_empty())?,
            title: text("title").unwrap_or_default(),
            date: text("date"),
            last_updated: text("last_updated"),
            snippet: text("snippet"),
            source: text("source"),
        })
    }

    /// Bytes of its texts, but for the snippet.
    fn size(&self) -> usize {
        let optional = [&self.date, &self.last_updated, &self.source];
        let optional: usize = optional.into_iter().flatten().map(String::len).sum();
        self.title.len() + self.url.len() + optional
    }
}
