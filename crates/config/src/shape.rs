//! What values look like: the closed list from which the reference, the forms of settings and the JSON Schema follow.
//! Not here: how a value is read; that is for its type (`value.rs`, `leaves/`).

use std::fmt;

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// `30s`, `1h30m`, `0s`.
    Duration {
        /// A word that may stand instead of a duration.
        or: Option<&'static str>,
    },
    /// `512`, `64KB`, `100MiB`.
    Size,
    /// Any text that is not empty.
    Text,
    /// A text that is only shown masked.
    Secret,
    /// A path on the machine that keymux runs on.
    Path,
    /// An IP address and a port.
    Address,
    /// An IP address or a range of them.
    Cidr,
    /// A date or an instant.
    Instant,
    /// An absolute http or https URL.
    HttpUrl,
    /// The URL of a proxy, of which credentials are only shown masked.
    ProxyUrl,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A model's name, or a list of them.
    Models,
    /// A list of values that look like this.
    List(Box<Self>),
    /// A mapping of names to values that look like this.
    Mapping(Box<Self>),
    /// A mapping with fields of its own.
    Fields {
        /// The field whose value may stand for the whole mapping.
        short: Option<&'static str>,
    },
}

impl Shape {
    /// Its name in the admin API, for example `duration`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Duration { .. } => "duration",
            Self::Size => "size",
            Self::Text => "text",
            Self::Secret => "secret",
            Self::Path => "path",
            Self::Address => "address",
            Self::Cidr => "cidr",
            Self::Instant => "instant",
            Self::HttpUrl => "url",
            Self::ProxyUrl => "proxy_url",
            Self::Choice(_) => "choice",
            Self::Models => "models",
            Self::List(_) => "list",
            Self::Mapping(_) => "mapping",
            Self::Fields { .. } => "fields",
        }
    }

    /// The names that may be chosen: of a choice all that it takes, of a duration the words that stand instead of one.
    pub fn choices(&self) -> &[&'static str] {
        match self {
            Self::Choice(names) => names,
            Self::Duration { or: Some(word) } => std::slice::from_ref(word),
            _ => &[],
        }
    }

    /// What the elements of a list or mapping look like.
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(element) | Self::Mapping(element) => Some(element),
            _ => None,
        }
    }
}

/// As the reference and messages call it.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Integer => "whole number",
            Self::Boolean => "true | false",
            Self::Duration { or: Some(word) } => return write!(f, "duration | {word}"),
            Self::Secret => "secret text",
            Self::Address => "address and port",
            Self::Cidr => "CIDR",
            Self::HttpUrl => "http(s) URL",
            Self::ProxyUrl => "proxy URL",
            Self::Choice(names) => &names.join(" | "),
            Self::Models => "model, or list of models",
            Self::List(element) => return write!(f, "list of {element}"),
            Self::Mapping(element) => return write!(f, "mapping of names to {element}"),
            Self::Fields { short: None } => "mapping",
            Self::Fields { short: Some(field) } => {
                return write!(f, "mapping or just its `{field}`");
            }
            other => other.name(),
        };
        f.write_str(text)
    }
}
