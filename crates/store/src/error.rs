//! What can go wrong in the store, as its callers need to tell it apart.
//! Texts name tables, rows and files; never a secret, never the database URL.

use domain::UserId;
use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, TransactionError};

use crate::MasterKeyError;
use crate::seal::{SealedColumn, Unopened};

/// The driver's error beneath a [`StoreError`].
type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that is supported.
    #[error("database url is not usable: {0}")]
    Url(&'static str),
    /// No connection, or it was lost; it may come back.
    #[error("database is not reachable")]
    Unreachable(#[source] Source),
    /// Another writer kept its lock for too long; the same call may succeed later.
    #[error("database is busy")]
    Busy(#[source] Source),
    /// No room on the disk.
    #[error("database disk is full")]
    Full(#[source] Source),
    /// A row of the same identity exists.
    #[error("it exists already")]
    Duplicate,
    /// No administrator would be left who can log in.
    #[error("it is the last administrator that is enabled")]
    LastAdmin,
    /// A user who is to be deleted still has something.
    #[error("they still own {keys} keys and {clients} client keys")]
    InUse {
        /// Their provider keys.
        keys: u64,
        /// Their client keys.
        clients: u64,
    },
    /// Something was to belong to a user who is not, or no longer, there.
    #[error("there is no user {0}")]
    NoSuchUser(UserId),
    /// Something stored cannot be read.
    #[error("database holds what cannot be read: {what}")]
    Corrupt {
        /// Which row and column, and what is wrong with it.
        what: String,
    },
    /// The database is sealed under a master key that is not known here.
    #[error(
        "master key is not the one that this database is sealed under; every instance needs the newest one, also after `keymux rotate-master-key` was run elsewhere"
    )]
    WrongMasterKey,
    /// The master key's file could not be read again, or not be replaced.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// Anything else: a defect of this program or a database that was changed by hand.
    #[error("database refused a statement")]
    Refused(#[source] Source),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// Why a value of that column cannot be read or written.
    pub(crate) fn sealed(column: SealedColumn, error: Unopened) -> Self {
        match error {
            Unopened::OtherKey => Self::WrongMasterKey,
            error => Self::corrupt(format!("{column}: {error}")),
        }
    }
}

/// The kinds that a driver's code is sorted into.
enum Kind {
    Unreachable,
    Busy,
    Full,
    Duplicate,
    Corrupt,
    Refused,
}

impl Kind {
    fn with(self, source: Source) -> StoreError {
        match self {
            Self::Unreachable => StoreError::Unreachable(source),
            Self::Busy => StoreError::Busy(source),
            Self::Full => StoreError::Full(source),
            Self::Duplicate => StoreError::Duplicate,
            Self::Corrupt => StoreError::corrupt(source.to_string()),
            Self::Refused => StoreError::Refused(source),
        }
    }

    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::of_database(error.as_ref()),
            // A peer that hangs up instead of answering is reported as one that breaks the protocol.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unreachable,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt,
            _ => Self::Refused,
        }
    }

    fn of_database(error: &dyn sqlx::error::DatabaseError) -> Self {
        if error.is_unique_violation() {
            return Self::Duplicate;
        }
        let code = error.code().unwrap_or_default();
        match code.parse::<i32>() {
            Ok(code) if code_is_sqlite(error) => Self::of_sqlite(code),
            _ => Self::of_postgres(&code),
        }
    }

    /// Primary result codes are the low byte: <https://www.sqlite.org/rescode.html>.
    fn of_sqlite(code: i32) -> Self {
        match code & 0xff {
            5 | 6 => Self::Busy,
            8 | 10 | 14 => Self::Unreachable,
            11 | 26 => Self::Corrupt,
            13 => Self::Full,
            _ => Self::Refused,
        }
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn of_postgres(code: &str) -> Self {
        match code {
            "40001" | "40P01" | "55P03" => Self::Busy,
            "53100" => Self::Full,
            "53300" | "3D000" | "57P01" | "57P02" | "57P03" => Self::Unreachable,
            _ if code.starts_with("08") || code.starts_with("28") => Self::Unreachable,
            "XX001" | "XX002" => Self::Corrupt,
            _ => Self::Refused,
        }
    }
}

fn code_is_sqlite(error: &dyn sqlx::error::DatabaseError) -> bool {
    error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Kind::of(&error).with(Box::new(error))
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let kind = match &error {
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Kind::of(inner),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Kind::Unreachable,
            DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => Kind::Corrupt,
            _ => Kind::Refused,
        };
        kind.with(Box::new(error))
    }
}

impl From<TransactionError<StoreError>> for StoreError {
    fn from(error: TransactionError<StoreError>) -> Self {
        match error {
            TransactionError::Connection(error) => error.into(),
            TransactionError::Transaction(error) => error,
        }
    }
}
