//! A user of the admin API.

use crate::{Secret, UnixMs, UserId};

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub struct User {
    /// Their row.
    pub id: UserId,
    /// The name to log in by.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// False: cannot log in, and their sessions are over.
    pub enabled: bool,
    /// The argon2id hash of the password, with its parameters and salt.
    pub password_hash: Secret,
    /// When they were made.
    pub created_at: UnixMs,
    /// When name, role or password were last set.
    pub updated_at: UnixMs,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Admin,
    /// Own keys, own client keys, own logs.
    Member,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Member];

    /// Its name in the API and in rows: `admin` or `member`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
