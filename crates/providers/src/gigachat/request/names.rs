//! Names of functions: GigaChat takes Latin letters, digits and `_`, and keeps some names for functions of its own.
//! Whatever else a caller calls a function is renamed, the same way all through a request, and back in the answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// GigaChat's own functions; `web_search` is renamed by Sber's own proxy (gpt2giga) too.
const RESERVED: [&str; 3] = ["text2image", "text2model3d", "web_search"];

/// The names of one request.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By the caller's name, those that had to be changed.
    sent: HashMap<String, String>,
    /// Names that are in use at GigaChat.
    used: HashSet<String>,
    /// Those of them that stand for another.
    given: HashSet<String>,
    /// How often a name was wanted that another has: so that the next free number is found at once.
    next: HashMap<String, u32>,
}

impl Names {
    /// Reserves the names that can be sent as they are, so that no renamed function takes one of them.
    pub(super) fn keep<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.used
            .extend(names.filter(|name| is_fit(name)).map(str::to_owned));
    }

    /// The name to send for the caller's.
    pub(super) fn sent(&mut self, name: &str) -> String {
        if let Some(sent) = self.sent.get(name) {
            return sent.clone();
        }
        if is_fit(name) && !self.given.contains(name) {
            self.used.insert(name.to_owned());
            return name.to_owned();
        }
        let sent = self.free(&plain(name));
        self.given.insert(sent.clone());
        self.sent.insert(name.to_owned(), sent.clone());
        sent
    }

    /// The caller's names by those that were sent.
    pub(super) fn renamed(&self) -> Arc<HashMap<String, String>> {
        let turned = |(name, sent): (&String, &String)| (sent.clone(), name.clone());
        Arc::new(self.sent.iter().map(turned).collect())
    }

    fn free(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let next = self.next.entry(name.clone()).or_insert(2);
        while !is_fit(&name) || self.used.contains(&name) {
            name = format!("{wanted}_{next}");
            *next += 1;
        }
        self.used.insert(name.clone());
        name
    }
}

fn is_fit(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_plain) && !RESERVED.contains(&name)
}

/// The name with `_` in place of what GigaChat does not take.
fn plain(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(fit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_changed_and_never_to_one_that_is_in_use() {
        let mut names = Names::default();
        names.keep(["get_time", "get_time_2", "a"].into_iter());
        for (name, sent) in [
            ("get_time", "get_time"),
            ("get-time", "get_time_3"),
            ("get.time", "get_time_4"),
            ("get-time", "get_time_3"),
            ("text2image", "text2image_2"),
            ("web_search", "web_search_2"),
            ("web-search", "web_search_3"),
            ("поиск", "_____"),
            ("время", "______2"),
            ("", "_2"),
            // Of a function that is no longer declared.
            ("get_time_4", "get_time_4_2"),
            ("b", "b"),
        ] {
            assert_eq!(names.sent(name), sent, "{name}");
        }
        let renamed = names.renamed();
        assert_eq!(renamed["get_time_3"], "get-time");
        assert_eq!(renamed["web_search_2"], "web_search");
        assert!(!renamed.contains_key("get_time"));
    }
}
