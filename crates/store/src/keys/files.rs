//! An instance states the keys that it finds in its folders of key files. Files say nothing of a key but that it is
//! there: what operators have set stays. The rules are those of `sync.rs` beside this folder, and, among instances:
//! a key stays while the folder of a running one has it (`key_places.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::{Fingerprint, KeyDraft, KeyId, KeySource, Secret, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::row::{
    ActiveModel, Column, Entity, Identity, Providers, identity, read_fingerprint, row,
};
use crate::batch::batches;
use crate::change::Change;
use crate::handle::Store;
use crate::names::{DisabledBy, Word as _};
use crate::page::each_row;
use crate::sync::{Known, Plan, Synced};
use crate::{StoreError, key_places};

/// What an instance finds in its folders.
#[derive(Clone, Debug, Default)]
pub struct FileKeys {
    /// The instance; none: there is only one.
    pub place: Option<String>,
    /// Every key that is in a file. Of one that is in two, the first place counts.
    pub keys: Vec<FileKey>,
    /// Providers whose folder was read: what it does not name, it does not have.
    pub read: BTreeSet<Arc<str>>,
    /// Providers whose folder cannot be read: their keys stay as they are.
    pub unreadable: BTreeSet<Arc<str>>,
    /// Files, by provider and name, of which nobody knows what is in them: their keys stay as they are.
    pub unreadable_files: BTreeSet<(Arc<str>, Arc<str>)>,
}

/// A key, and the file that it is in.
#[derive(Clone, Debug)]
pub struct FileKey {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The file's name within the folder.
    pub file: Arc<str>,
    /// The key itself.
    pub secret: Secret,
}

/// What a statement has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSync {
    /// In rows.
    pub counts: Synced,
    /// The rows that are new or different.
    pub touched: Vec<KeyId>,
}

/// A page of what the rules look at, without secrets.
const ROWS: &str = "SELECT id, provider, fingerprint, disabled_by, source, file, place FROM keys \
    WHERE id > $1 ORDER BY id LIMIT 2000";

/// The same where no file states anything: what files have stated once.
const ROWS_OF_FILES: &str = "SELECT id, provider, fingerprint, disabled_by, source, file, place FROM keys \
    WHERE id > $1 AND source = 'file' ORDER BY id LIMIT 2000";

type Row = (
    i64,
    String,
    Vec<u8>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
);

/// The file is all that a statement says of a key.
type Rows = HashMap<Identity, Known<Option<String>>>;

/// What to do about the rows.
struct FilePlan {
    plan: Plan,
    /// Rows that an operator has switched off, and that no file names any more.
    forget: Vec<i64>,
    wishes: Vec<(Identity, Option<String>)>,
}

impl FilePlan {
    async fn new(store: &Store, files: &FileKeys) -> Result<Self, StoreError> {
        let wish = |key: &FileKey| {
            let identity = (Arc::clone(&key.provider), key.secret.fingerprint());
            (identity, Some(key.file.to_string()))
        };
        let wishes: Vec<_> = files.keys.iter().map(wish).collect();
        let mut known = known(store, files).await?;
        let plan = Plan::new(&mut known, &wishes, KeySource::File);
        let is_off = |row: &&Known<Option<String>>| {
            let is_of_files = row.source == KeySource::File && row.is_ours;
            let is_off = row.disabled_by == Some(DisabledBy::Operator);
            is_of_files && is_off && row.settings.is_some()
        };
        let forget = known.values().filter(is_off).map(|row| row.id);
        Ok(Self {
            forget: forget.collect(),
            plan,
            wishes,
        })
    }

    fn changes_nothing(&self) -> bool {
        self.plan.changes_nothing() && self.forget.is_empty()
    }
}

impl Store {
    /// Whether [`Change::state_file_keys`] would change anything. Holds nobody up.
    pub async fn differs_from_files(&self, files: &FileKeys) -> Result<bool, StoreError> {
        let plan = FilePlan::new(self, files).await?;
        Ok(!plan.changes_nothing())
    }
}

impl Change {
    /// Makes the keys of an instance's files those that it finds there: new ones are inserted, known ones come back,
    /// those that no file has any more are disabled.
    pub async fn state_file_keys(
        &self,
        files: &FileKeys,
        now: UnixMs,
    ) -> Result<FileSync, StoreError> {
        let FilePlan {
            plan,
            forget,
            wishes,
        } = FilePlan::new(self.store(), files).await?;
        let mut touched = self.insert_from_files(&plan, files, now).await?;
        for ((disabled_by, file), ids) in by_outcome(&plan, &wishes) {
            self.claim(&ids, disabled_by, file, files).await?;
            touched.extend(ids);
        }
        self.let_go_of_files(&plan.disable, &forget).await?;
        touched.extend(plan.disable.iter().chain(&forget));
        touched.sort_unstable();
        Ok(FileSync {
            counts: plan.counts(),
            touched: touched.into_iter().map(KeyId).collect(),
        })
    }

    async fn insert_from_files(
        &self,
        plan: &Plan,
        files: &FileKeys,
        now: UnixMs,
    ) -> Result<Vec<i64>, StoreError> {
        if plan.insert.is_empty() {
            return Ok(Vec::new());
        }
        let cipher = self.cipher().await?;
        let new_row = |key: &FileKey| -> Result<ActiveModel, StoreError> {
            let draft = KeyDraft::plain(&key.provider, key.secret.expose(), KeySource::File);
            let fingerprint = identity(&draft).1;
            Ok(ActiveModel {
                file: Set(Some(key.file.to_string())),
                place: Set(files.place.clone()),
                ..row(&draft, fingerprint, KeySource::File, None, &cipher, now)?
            })
        };
        let mut inserted = Vec::with_capacity(plan.insert.len());
        for batch in batches(&plan.insert) {
            let rows = batch.iter().map(|&index| new_row(&files.keys[index]));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let insert = Entity::insert_many(rows);
            inserted.extend(insert.exec_with_returning_keys(self.txn()).await?);
        }
        Ok(inserted)
    }

    /// Makes rows those of a file; all else that is said of these keys stays.
    async fn claim(
        &self,
        ids: &[i64],
        disabled_by: Option<DisabledBy>,
        file: Option<&str>,
        files: &FileKeys,
    ) -> Result<(), StoreError> {
        let disabled_by = disabled_by.map(|by| by.word().to_owned());
        for batch in batches(ids) {
            Entity::update_many()
                .col_expr(Column::Source, Expr::value(KeySource::File.word()))
                .col_expr(Column::DisabledBy, Expr::value(disabled_by.clone()))
                .col_expr(Column::File, Expr::value(file.map(str::to_owned)))
                .col_expr(Column::Place, Expr::value(files.place.clone()))
                .filter(Column::Id.is_in(batch.iter().copied()))
                .exec(self.txn())
                .await?;
        }
        Ok(())
    }

    /// No file states these rows any more: the first are switched off, the others are off already.
    async fn let_go_of_files(&self, disable: &[i64], forget: &[i64]) -> Result<(), StoreError> {
        let none: Option<String> = None;
        for (ids, off) in [
            (disable, DisabledBy::Source),
            (forget, DisabledBy::Operator),
        ] {
            for batch in batches(ids) {
                Entity::update_many()
                    .col_expr(Column::DisabledBy, Expr::value(off.word()))
                    .col_expr(Column::File, Expr::value(none.clone()))
                    .filter(Column::Id.is_in(batch.iter().copied()))
                    .exec(self.txn())
                    .await?;
            }
        }
        Ok(())
    }
}

/// What a row becomes: off or not, and the file that it is in.
type Outcome<'w> = (Option<DisabledBy>, Option<&'w str>);

/// The updates of a plan, those that set the same together.
fn by_outcome<'w>(
    plan: &Plan,
    wishes: &'w [(Identity, Option<String>)],
) -> Vec<(Outcome<'w>, Vec<i64>)> {
    let mut by_outcome: BTreeMap<(bool, Option<&str>), Vec<i64>> = BTreeMap::new();
    for update in &plan.update {
        let (_, file) = &wishes[update.wish];
        let outcome = (update.disabled_by.is_some(), file.as_deref());
        by_outcome.entry(outcome).or_default().push(update.id);
    }
    let off = |is_off: bool| is_off.then_some(DisabledBy::Operator);
    let all = by_outcome.into_iter();
    all.map(|((is_off, file), ids)| ((off(is_off), file), ids))
        .collect()
}

/// The rows that a statement can change. Read by another connection than a change's, they are up to date all the same:
/// changes follow one another.
async fn known(store: &Store, files: &FileKeys) -> Result<Rows, StoreError> {
    let running: HashSet<String> = key_places::names(store).await?.into_iter().collect();
    let mut providers = Providers::default();
    let mut known = HashMap::with_capacity(files.keys.len());
    let take = |(id, provider, fingerprint, off, source, file, place): Row| {
        let provider = providers.shared(&provider);
        let is_ours = is_ours(
            files,
            &running,
            &provider,
            file.as_deref(),
            place.as_deref(),
        );
        let row = Known {
            id,
            source: KeySource::from_word(&source)?,
            is_ours,
            disabled_by: off.as_deref().map(DisabledBy::from_word).transpose()?,
            settings: file,
        };
        let fingerprint: Fingerprint = read_fingerprint(&fingerprint)?;
        known.insert((provider, fingerprint), row);
        Ok(())
    };
    let text = if files.keys.is_empty() {
        ROWS_OF_FILES
    } else {
        ROWS
    };
    each_row(store, text, |row| row.0, take).await?;
    Ok(known)
}

/// Whether this instance may say of a row that no file has it: it was the one that found it there, or that one runs no
/// more and this one has a folder to judge by; and what it cannot read may still have it.
fn is_ours(
    files: &FileKeys,
    running: &HashSet<String>,
    provider: &Arc<str>,
    file: Option<&str>,
    place: Option<&str>,
) -> bool {
    let is_unknown = |file: &str| {
        let file = (Arc::clone(provider), file.into());
        files.unreadable_files.contains(&file)
    };
    // Asked of every row: mostly there is no such file.
    let is_known = files.unreadable_files.is_empty() || !file.is_some_and(is_unknown);
    let is_own = place == files.place.as_deref() && !files.unreadable.contains(provider);
    let is_gone = || place.is_none_or(|place| !running.contains(place));
    is_known && (is_own || files.read.contains(provider) && is_gone())
}
