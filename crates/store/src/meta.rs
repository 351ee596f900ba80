//! Single values of the database as a whole: its revision, and the canary, whose key is the database's current one.
//! Instances seal under that key, whichever others they know, so that all of them change over at the same instant.

use std::sync::Arc;

use domain::Secret;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, QuerySelect as _};

use crate::StoreError;
use crate::handle::Store;
use crate::key_ring::{KeyRing, MasterKeys};
use crate::seal::{Cipher, Place, SealedColumn, Unopened};

/// The name of the row that counts changes of configuration.
pub(crate) const REVISION: &str = "revision";
const CANARY: &str = "canary";
const CANARY_TEXT: &str = "the master key fits";
const CANARY_PLACE: Place<'static> = Place {
    column: SealedColumn::CANARY,
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
    /// A number that each [`Change`](crate::Change) raises, and nothing else: cheap to ask every second.
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

/// Gives a database that has no canary one under the newest key; of two instances that try, the first wins.
/// Fails with [`StoreError::WrongMasterKey`] unless the canary opens.
pub(crate) async fn check_canary<C: ConnectionTrait>(
    db: &C,
    keys: &MasterKeys,
) -> Result<(), StoreError> {
    if Entity::find_by_id(CANARY).one(db).await?.is_none() {
        let ring = keys.ring();
        let newest = ring.newest().ok_or(StoreError::WrongMasterKey)?;
        put_canary(db, newest).await?;
    }
    current_cipher(db, keys).await.map(drop)
}

/// The cipher of the database's current key. When the key is not known, it may have come with a rotation:
/// the keys are read again then.
pub(crate) async fn current_cipher<C: ConnectionTrait>(
    db: &C,
    keys: &MasterKeys,
) -> Result<Arc<Cipher>, StoreError> {
    let kept = Entity::find_by_id(CANARY).one(db).await?;
    let sealed = kept.and_then(|row| row.sealed).unwrap_or_default();
    match sealed_under(&keys.ring(), &sealed) {
        Err(Unopened::OtherKey) => sealed_under(&*keys.reread()?, &sealed),
        found => found,
    }
    .map_err(|_| StoreError::WrongMasterKey)
}

/// The cipher that a canary opens with.
fn sealed_under(ring: &KeyRing, canary: &[u8]) -> Result<Arc<Cipher>, Unopened> {
    let (text, cipher) = ring.open_and_name(canary, CANARY_PLACE)?;
    if text.expose() == CANARY_TEXT {
        Ok(Arc::clone(cipher))
    } else {
        Err(Unopened::Forged)
    }
}

/// Makes the cipher's key the current one of the database, which has a canary; to be done in a change.
pub(crate) async fn move_canary<C: ConnectionTrait>(db: &C, to: &Cipher) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(seal_canary(to)?))
        .filter(Column::Name.eq(CANARY))
        .exec(db)
        .await?;
    Ok(())
}

async fn put_canary<C: ConnectionTrait>(db: &C, cipher: &Cipher) -> Result<(), StoreError> {
    let row = ActiveModel {
        name: Set(CANARY.to_owned()),
        number: Set(0),
        sealed: Set(Some(seal_canary(cipher)?)),
    };
    let keep_first = OnConflict::column(Column::Name).do_nothing().to_owned();
    Entity::insert(row)
        .on_conflict(keep_first)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

fn seal_canary(cipher: &Cipher) -> Result<Vec<u8>, StoreError> {
    let sealed = cipher.seal(&Secret::new(CANARY_TEXT), CANARY_PLACE);
    sealed.map_err(|error| StoreError::sealed(SealedColumn::CANARY, error))
}
