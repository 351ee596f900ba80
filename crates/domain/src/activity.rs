//! What was changed, by whom and when: the activity log of people and of keymux itself.

use std::fmt::Display;

use crate::{UnixMs, UserId};

/// One line of the activity log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its row; rows grow with time.
    pub id: i64,
    /// When.
    pub at: UnixMs,
    /// What happened.
    pub event: Event,
}

/// What happened, before it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who: a user's name, `client:` and a client key's name, `keymux` for the program itself, `cli`.
    pub actor: String,
    /// Whose thing it was, where it belongs to somebody: they may read the line.
    pub owner: Option<UserId>,
    /// What was done.
    pub action: Action,
    /// The kind of thing it was done to, as in the API's paths: `keys`, `allowed_keys`, `users`, `settings`, …
    pub resource: &'static str,
    /// Which one, where it was one.
    pub resource_id: Option<String>,
    /// Of which provider, where that means something.
    pub provider: Option<String>,
    /// A sentence for people: what exactly, and why. Never a secret.
    pub details: String,
}

impl Event {
    /// A line that says who did what to which kind of thing, and no more.
    pub fn new(actor: impl Into<String>, action: Action, resource: &'static str) -> Self {
        Self {
            actor: actor.into(),
            owner: None,
            action,
            resource,
            resource_id: None,
            provider: None,
            details: String::new(),
        }
    }

    /// The same, about something of that user's, who may read it.
    #[must_use]
    pub fn of(mut self, owner: impl Into<Option<UserId>>) -> Self {
        self.owner = owner.into();
        self
    }

    /// The same, about that one thing.
    #[must_use]
    pub fn about(mut self, id: impl Display) -> Self {
        self.resource_id = Some(id.to_string());
        self
    }

    /// The same, about something of that provider's.
    #[must_use]
    pub fn at(mut self, provider: &str) -> Self {
        self.provider = Some(provider.to_owned());
        self
    }

    /// The same, with its sentence.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// What was done. Words of rows and of the API never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word, for example `ADD`.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The action of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.word() == word)
            }
        }
    };
}

actions! {
    /// Something was made.
    Add = "ADD",
    /// Something was changed.
    Update = "UPDATE",
    /// Something was deleted.
    Delete = "DELETE",
    /// Several things were made at once.
    Import = "IMPORT",
    /// Secrets were handed out in bulk.
    Export = "EXPORT",
    /// A secret was shown.
    Reveal = "REVEAL",
    /// A key became its owner's selected one.
    Select = "SELECT",
    /// A key was its owner's selected one no longer.
    Unselect = "UNSELECT",
    /// None of an owner's keys worked.
    FailoverExhausted = "FAILOVER_EXHAUSTED",
    /// What spoke against a key was forgotten.
    Reset = "RESET",
    /// A key was tried by hand.
    Test = "TEST",
    /// keymux took a key out of use.
    Retire = "RETIRE",
    /// A retired key works again.
    Recover = "RECOVER",
    /// Somebody logged in.
    Login = "LOGIN",
    /// Somebody tried to log in, in vain, until they were slowed down.
    LoginThrottled = "LOGIN_THROTTLED",
    /// Somebody logged out.
    Logout = "LOGOUT",
    /// An address was banned.
    Ban = "BAN",
    /// A ban was lifted.
    Unban = "UNBAN",
    /// The configuration file was read again.
    Reload = "RELOAD",
    /// Secrets were sealed under a new master key.
    RotateMasterKey = "ROTATE_MASTER_KEY",
    /// A bulk job was cancelled.
    Cancel = "CANCEL",
}
