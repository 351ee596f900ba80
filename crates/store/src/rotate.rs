//! A new master key: every sealed value is sealed anew, in small steps, while other instances read and write.
//!
//! 1. The new key is written to the file, before the old one: [`Store::rotate_master_key`].
//! 2. In the same transaction it becomes the database's current key (`meta.rs`): from now on everybody seals under it.
//! 3. Values go over, a page a transaction; which are left, their key ids tell. No step raises the revision.
//! 4. Once none is left and the disk has it all, the old key leaves the file.
//!
//! Every step holds the lock of changes and begins from what it finds: rotations may stop anywhere, and meet.

use domain::{Action, Event, UnixMs};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend};

use crate::batch::batches;
use crate::handle::Store;
use crate::key_file::KeyFile;
use crate::key_ring::Source;
use crate::seal::{Cipher, MasterKeyId, SealedColumn};
use crate::sealed_rows::{count_left, is_any_left, is_empty, page, write};
use crate::{MasterKey, StoreError, meta};

/// A commit waits for the disk even where the server is told not to.
const PATIENT_COMMIT: &str = "SELECT set_config('synchronous_commit', 'on', true) \
    WHERE current_setting('synchronous_commit') = 'off'";
/// The same of SQLite, and its usual way (`connect.rs`).
const FULL: &str = "PRAGMA synchronous = FULL";
const NORMAL: &str = "PRAGMA synchronous = NORMAL";

/// A rotation that is under way. Dropped, it leaves everything readable, and the next one goes on with it.
#[derive(Debug)]
pub struct Rotation {
    store: Store,
    next: Step,
    is_resumed: bool,
    done: u64,
    total: u64,
    /// Of this pass: values that did not open, as `keys.secret of row 7`.
    unreadable: Vec<String>,
}

/// How far a rotation is, in sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Sealed anew by this rotation.
    pub done: u64,
    /// Those, and what is left.
    pub total: u64,
}

/// A rotation that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key is given, not a file, and no other one with it.
    #[error("there is only one master key, and nothing to go over to")]
    OneKey,
    /// Nothing speaks for this being the database that the file belongs to.
    #[error(
        "nothing is sealed in this database, so there is nothing to rotate; is it the right one?"
    )]
    Empty,
    /// The database, or the file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Goes on after this row of this column.
    Reseal {
        column: usize,
        after: i64,
    },
    /// Looks whether all is done.
    Verify,
    /// Takes the keys before this one out of the file.
    Retire(MasterKeyId),
    Over,
}

const FIRST: Step = Step::Reseal {
    column: 0,
    after: i64::MIN,
};

impl Store {
    /// Begins to seal everything under a new master key, or goes on with what an earlier rotation left.
    ///
    /// In a file the new key is made here; keys that were given must hold it, before the old one.
    pub async fn rotate_master_key(&self) -> Result<Rotation, RotateError> {
        let change = self.change().await?;
        let current = change.cipher().await?;
        let (to, is_resumed) = match self.master_keys().source() {
            Source::File(file) => self.key_of_file(file, &current, change.txn()).await?,
            Source::Given => self.given_key(&current)?,
        };
        let ring = self.master_keys().ring();
        let to = ring.key(to).ok_or(StoreError::WrongMasterKey)?;
        let total = count_left(change.txn(), to.key_id()).await?;
        let is_given = matches!(self.master_keys().source(), Source::Given);
        let is_over = is_given && is_resumed && total == 0;
        if to.key_id() != current.key_id() {
            meta::move_canary(change.txn(), to).await?;
            change.keep().await?;
        }
        Ok(Rotation {
            store: self.clone(),
            next: if is_over { Step::Over } else { FIRST },
            is_resumed,
            done: 0,
            total,
            unreadable: Vec::new(),
        })
    }

    /// The first key of the file, and whether it was there: a file of one key gets another one.
    async fn key_of_file(
        &self,
        file: &KeyFile,
        current: &Cipher,
        txn: &DatabaseTransaction,
    ) -> Result<(MasterKeyId, bool), RotateError> {
        let mut keys = file.load().map_err(StoreError::from)?;
        if !keys.iter().any(|key| key.id() == current.key_id()) {
            return Err(StoreError::WrongMasterKey.into());
        }
        let is_resumed = keys.len() > 1;
        if !is_resumed {
            if is_empty(txn).await? {
                return Err(RotateError::Empty);
            }
            keys.insert(0, another_than(current));
            file.replace(&keys).map_err(StoreError::from)?;
        }
        self.master_keys().reread().map_err(StoreError::from)?;
        Ok((keys[0].id(), is_resumed))
    }

    /// The first of the given keys, and whether the database has gone over to it already.
    fn given_key(&self, current: &Cipher) -> Result<(MasterKeyId, bool), RotateError> {
        let ring = self.master_keys().ring();
        match ring.newest() {
            Some(newest) if self.master_keys().count() > 1 => {
                Ok((newest.key_id(), newest.key_id() == current.key_id()))
            }
            _ => Err(RotateError::OneKey),
        }
    }
}

impl Rotation {
    /// Whether an earlier rotation had begun what this one goes on with.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.done,
            total: self.total.max(self.done),
        }
    }

    /// Values that could not be opened before and cannot be opened now, as `keys.secret of row 7`.
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
    }

    /// Takes one step, of some milliseconds; none when there is none left.
    ///
    /// After an error the same step can be tried again. Pause between steps: other writers want their turn.
    pub async fn step(&mut self, now: UnixMs) -> Result<Option<Progress>, StoreError> {
        self.next = match self.next {
            Step::Reseal { column, after } => self.reseal(column, after).await?,
            Step::Verify => self.verify_on_disk(now).await?,
            Step::Retire(all_but) => self.retire(all_but).await?,
            Step::Over => return Ok(None),
        };
        Ok(Some(self.progress()))
    }

    async fn reseal(&mut self, column: usize, after: i64) -> Result<Step, StoreError> {
        let Some(&sealed) = SealedColumn::ALL.get(column) else {
            return Ok(Step::Verify);
        };
        let reached = self.reseal_page(sealed, after).await?;
        let next_column = Step::Reseal {
            column: column + 1,
            after: i64::MIN,
        };
        Ok(reached.map_or(next_column, |after| Step::Reseal { column, after }))
    }

    /// Seals the next values of a column under the database's current key; gives the last row that it looked at.
    ///
    /// That key is the one of this rotation, unless a later rotation has overtaken it: then it helps that one.
    async fn reseal_page(
        &mut self,
        column: SealedColumn,
        after: i64,
    ) -> Result<Option<i64>, StoreError> {
        let change = self.store.change().await?;
        let to = change.cipher().await?;
        let ring = self.store.master_keys().ring();
        let rows = page(change.txn(), column, after, to.key_id()).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let last = last.id;
        let (mut resealed, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in &rows {
            match row.reseal(column, &ring, &to) {
                Ok(sealed) => resealed.push((row.id, sealed)),
                Err(_) => unreadable.push(format!("{column} of row {}", row.id)),
            }
        }
        for batch in batches(&resealed) {
            write(change.txn(), column, batch).await?;
        }
        change.keep().await?;
        self.done += resealed.len() as u64;
        self.unreadable.append(&mut unreadable);
        Ok(Some(last))
    }

    /// [`Rotation::verify`], whose commit reaches the disk with all that was committed before it.
    async fn verify_on_disk(&mut self, now: UnixMs) -> Result<Step, StoreError> {
        let store = self.store.clone();
        if store.backend() == DbBackend::Postgres {
            return self.verify(now).await;
        }
        // SQLite's usual commit survives a crash of the program only. There is one connection that writes.
        let writer = store.writer();
        writer.execute_unprepared(FULL).await?;
        let verified = self.verify(now).await;
        writer.execute_unprepared(NORMAL).await?;
        verified
    }

    /// Writes down that the rotation is done, if it is: else it begins from the first row again.
    async fn verify(&mut self, now: UnixMs) -> Result<Step, StoreError> {
        let change = self.store.change().await?;
        let txn = change.txn();
        if self.store.backend() == DbBackend::Postgres {
            txn.execute_unprepared(PATIENT_COMMIT).await?;
        }
        let to = change.cipher().await?;
        let ring = self.store.master_keys().ring();
        if is_any_left(txn, &ring, &to).await? {
            self.unreadable.clear();
            return Ok(FIRST);
        }
        let next = match self.store.master_keys().source() {
            Source::Given => Step::Over,
            // Somebody else who went on with the same rotation was faster.
            Source::File(file) if file.load()?.len() == 1 => return Ok(Step::Over),
            Source::File(_) => Step::Retire(to.key_id()),
        };
        change.log(&event(self.done), now).await?;
        change.keep().await?;
        Ok(next)
    }

    /// Takes all keys but this one out of the file, unless another rotation has begun.
    async fn retire(&self, all_but: MasterKeyId) -> Result<Step, StoreError> {
        let Source::File(file) = self.store.master_keys().source() else {
            return Ok(Step::Over);
        };
        // The lock of changes is also that of the file.
        let change = self.store.change().await?;
        let current = change.cipher().await?.key_id();
        let keys = file.load()?;
        if keys.len() > 1 && current == all_but && keys[0].id() == all_but {
            file.replace(&keys[..1])?;
        }
        Ok(Step::Over)
    }
}

fn another_than(known: &Cipher) -> MasterKey {
    loop {
        let key = MasterKey::generate();
        if key.id() != known.key_id() {
            return key;
        }
    }
}

/// The line of the activity log.
fn event(resealed: u64) -> Event {
    Event {
        actor: "cli".to_owned(),
        owner: None,
        action: Action::RotateMasterKey,
        resource: "master_key",
        resource_id: None,
        provider: None,
        details: format!(
            "every secret is sealed under a new master key; {resealed} were sealed anew"
        ),
    }
}
