//! One entry of a list of names: a name as it is, or the beginning of names with `*` behind it.

/// Names that an entry means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// This one.
    Exact(Box<str>),
    /// Those that begin with it.
    Prefix(Box<str>),
}

impl Pattern {
    /// Reads an entry; says what is wrong with it.
    pub(crate) fn read(entry: &str) -> Result<Self, &'static str> {
        let (name, is_prefix) = match entry.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (entry, false),
        };
        if entry.is_empty() {
            return Err("is empty");
        }
        if name.contains('*') {
            return Err("has a `*` that is not its last character");
        }
        if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("has a space or a control character");
        }
        Ok(if is_prefix {
            Self::Prefix(name.into())
        } else {
            Self::Exact(name.into())
        })
    }

    /// Whether it means a name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::Prefix(prefix) => name.starts_with(&**prefix),
        }
    }

    /// Whether it means `provider/name`, which is not put together for that.
    ///
    /// The provider has to be there in full: `gemini-*` is not to let in everything of a provider called `gemini-backup`.
    pub(crate) fn matches_qualified(&self, provider: &str, name: &str) -> bool {
        let (Self::Exact(text) | Self::Prefix(text)) = self;
        let below_provider = text
            .strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix('/'));
        below_provider.is_some_and(|rest| match self {
            Self::Exact(_) => rest == name,
            Self::Prefix(_) => name.starts_with(rest),
        })
    }
}
