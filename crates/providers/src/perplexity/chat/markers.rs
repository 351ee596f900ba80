//! Finds the markers `[n]` that cite sources in a text, as it comes, and keeps nothing of the text.
//! Positions are in characters, as OpenAI's clients count.

use serde::Serialize;

use super::sources::{Source, Sources};

/// Markers that are remembered; a longer answer's last ones are not annotated.
const MOST: usize = 512;

/// A marker's number has no more digits.
const DIGITS: u8 = 4;

/// Where in the text which source is cited.
#[derive(Debug)]
struct Marker {
    start: usize,
    end: usize,
    number: u64,
}

/// A marker that has begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    start: usize,
    number: u64,
    digits: u8,
}

/// The finder of one text's markers.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// Characters read.
    at: usize,
    begun: Option<Begun>,
    found: Vec<Marker>,
}

/// A citation in OpenAI's shape.
#[derive(Debug, Serialize)]
pub(super) struct Annotation<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url_citation: Citation<'a>,
}

#[derive(Debug, Serialize)]
struct Citation<'a> {
    start_index: usize,
    end_index: usize,
    title: &'a str,
    url: &'a str,
}

impl Markers {
    /// Reads on in the text.
    pub(super) fn push(&mut self, text: &str) {
        for character in text.chars() {
            self.step(character);
            self.at += 1;
        }
    }

    fn step(&mut self, character: char) {
        self.begun = match (character, self.begun) {
            ('[', _) => Some(Begun {
                start: self.at,
                number: 0,
                digits: 0,
            }),
            ('0'..='9', Some(begun)) if begun.digits < DIGITS => Some(Begun {
                number: begun.number * 10 + u64::from(u32::from(character) - u32::from('0')),
                digits: begun.digits + 1,
                ..begun
            }),
            (']', Some(begun)) if begun.digits > 0 => {
                self.found(begun);
                None
            }
            _ => None,
        };
    }

    fn found(&mut self, begun: Begun) {
        if self.found.len() < MOST {
            self.found.push(Marker {
                start: begun.start,
                end: self.at + 1,
                number: begun.number,
            });
        }
    }

    /// The markers whose sources are known.
    pub(super) fn annotations<'a>(&self, sources: &'a Sources) -> Vec<Annotation<'a>> {
        let cited = |marker: &Marker| Some(annotation(marker, sources.get(marker.number)?));
        self.found.iter().filter_map(cited).collect()
    }
}

fn annotation<'a>(marker: &Marker, source: &'a Source) -> Annotation<'a> {
    Annotation {
        kind: "url_citation",
        url_citation: Citation {
            start_index: marker.start,
            end_index: marker.end,
            title: &source.title,
            url: &source.url,
        },
    }
}
