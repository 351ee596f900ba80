//! Lists in JSON: an array, or an object that holds one. An entry is an object, whose fields are named by the
//! configuration, or a text like a line of the other form. Entries are read one by one, so that a long list is never
//! held as a tree.

use std::fmt;

use config::{ProxyProtocol, ProxyUrl};
use serde::Deserialize;
use serde::de::{self, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

use super::{Flaw, Gathering, NoList, protocol_named, proxy, text};

/// Longer entries are not looked into.
const LONGEST_ENTRY: usize = 16 * 1_024;

pub(super) fn read(list: &[u8], gathering: &mut Gathering<'_>) -> Result<(), NoList> {
    let not_json = |error: serde_json::Error| NoList::NotJson(error.to_string());
    let whole: &RawValue = serde_json::from_slice(list).map_err(not_json)?;
    let array = match whole.get().as_bytes() {
        [b'[', ..] => Some(whole.get()),
        [b'{', ..] => {
            serde_json::from_str::<LongestArray<'_>>(whole.get())
                .map_err(not_json)?
                .0
        }
        _ => None,
    };
    let mut array = Deserializer::from_str(array.ok_or(NoList::NoArray)?);
    array.deserialize_seq(Entries(gathering)).map_err(not_json)
}

/// The longest array that an object holds.
struct LongestArray<'a>(Option<&'a str>);

impl<'de> Deserialize<'de> for LongestArray<'de> {
    fn deserialize<D: de::Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(LongestArray(None))
    }
}

impl<'de> Visitor<'de> for LongestArray<'de> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some((_, value)) = members.next_entry::<IgnoredAny, &RawValue>()? {
            let value = value.get();
            if value.starts_with('[') && self.0.is_none_or(|known| known.len() < value.len()) {
                self.0 = Some(value);
            }
        }
        Ok(self)
    }
}

/// Takes in the entries of an array.
struct Entries<'g, 'a>(&'g mut Gathering<'a>);

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self(gathering) = self;
        let mut place = 0;
        while let Some(entry) = entries.next_element::<&RawValue>()? {
            place += 1;
            if gathering.is_full() {
                gathering.listing.left_out.too_many += 1;
                continue;
            }
            let (shown, read) = read_entry(entry.get(), gathering);
            gathering.take(place, &shown, read);
        }
        Ok(())
    }
}

/// What is shown of an entry, and what it says. Of an object only what was looked at is shown: it may hold a password.
fn read_entry(entry: &str, gathering: &Gathering<'_>) -> (String, Result<ProxyUrl, Flaw>) {
    let reading = gathering.reading;
    if entry.len() > LONGEST_ENTRY {
        return (String::new(), Err(Flaw::Malformed("it is too long")));
    }
    match serde_json::from_str(entry) {
        Ok(Value::String(line)) => {
            let read = text::entry(line.trim(), reading.protocol);
            (line, read)
        }
        Ok(Value::Object(fields)) => {
            let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
            let (host, port) = (field(&reading.fields.host), field(&reading.fields.port));
            let written = |value: Option<&Value>| match value {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => "?".to_owned(),
            };
            let shown = format!("{}:{}", written(host), written(port));
            let read = protocol_of(&fields, &reading.fields.protocol, reading.protocol)
                .and_then(|protocol| proxy(protocol, None, host_of(host)?, port_of(port)?));
            (shown, read)
        }
        _ => {
            let flaw = Flaw::Malformed("it is neither an object nor a text");
            (String::new(), Err(flaw))
        }
    }
}

fn host_of(value: Option<&Value>) -> Result<&str, Flaw> {
    let host = value.and_then(Value::as_str).map(str::trim);
    host.ok_or(Flaw::Malformed("it has no host in the field of its host"))
}

fn port_of(value: Option<&Value>) -> Result<u16, Flaw> {
    match value {
        Some(Value::String(text)) => text::port_of(text.trim()),
        Some(Value::Number(number)) => text::port_of(&number.to_string()),
        _ => Err(Flaw::Malformed("it has no port in the field of its port")),
    }
}

/// What a proxy speaks. Of several that are named, the first that is known.
fn protocol_of(
    fields: &Map<String, Value>,
    name: &str,
    usual: ProxyProtocol,
) -> Result<ProxyProtocol, Flaw> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(usual),
        Some(Value::String(named)) => protocol_named(named).ok_or(Flaw::Unsupported),
        Some(Value::Array(several)) => {
            let mut named = several.iter().filter_map(Value::as_str);
            named.find_map(protocol_named).ok_or(Flaw::Unsupported)
        }
        Some(_) => Err(Flaw::Malformed("the field of what it speaks is no text")),
    }
}
