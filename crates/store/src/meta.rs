//! Single values of the database as a whole: its revision, and the canary that shows whether the master key fits.

use domain::Secret;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, QuerySelect as _};

use crate::StoreError;
use crate::handle::Store;
use crate::seal::{Cipher, Place};

/// The name of the row that counts changes of configuration.
pub(crate) const REVISION: &str = "revision";
const CANARY: &str = "canary";
const CANARY_TEXT: &str = "the master key fits";
const CANARY_PLACE: Place<'static> = Place {
    column: "meta.sealed",
    provider: "",
    fingerprint: &[],
};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meta")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub number: i64,
    pub sealed: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// A number that each change of keys, clients or users raises, and nothing else: cheap to ask every second.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let number: Option<i64> = Entity::find_by_id(REVISION)
            .select_only()
            .column(Column::Number)
            .into_tuple()
            .one(self.reader())
            .await?;
        number.ok_or_else(|| StoreError::corrupt("meta has no revision"))
    }
}

/// Fails with [`StoreError::WrongMasterKey`] unless the database was made under this cipher's key.
/// A database without a canary gets one; of two instances that try, the first wins and both are measured by it.
pub(crate) async fn check_canary<C: ConnectionTrait>(
    db: &C,
    cipher: &Cipher,
) -> Result<(), StoreError> {
    if Entity::find_by_id(CANARY).one(db).await?.is_none() {
        put_canary(db, cipher).await?;
    }
    let kept = Entity::find_by_id(CANARY).one(db).await?;
    let sealed = kept.and_then(|row| row.sealed).unwrap_or_default();
    match cipher.open(&sealed, CANARY_PLACE) {
        Ok(text) if text.expose() == CANARY_TEXT => Ok(()),
        _ => Err(StoreError::WrongMasterKey),
    }
}

async fn put_canary<C: ConnectionTrait>(db: &C, cipher: &Cipher) -> Result<(), StoreError> {
    let sealed = cipher
        .seal(&Secret::new(CANARY_TEXT), CANARY_PLACE)
        .map_err(|error| StoreError::corrupt(format!("meta.sealed: {error}")))?;
    let row = ActiveModel {
        name: Set(CANARY.to_owned()),
        number: Set(0),
        sealed: Set(Some(sealed)),
    };
    let keep_first = OnConflict::column(Column::Name).do_nothing().to_owned();
    Entity::insert(row)
        .on_conflict(keep_first)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
