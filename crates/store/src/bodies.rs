//! Bodies of requests and answers, for operators who switched their keeping on. They come compressed and redacted:
//! nothing here looks into them. They lie in a table of their own, so that listing records never reads them; they are
//! deleted with their records, in `records/retention.rs`.

use domain::RequestId;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::StoreError;
use crate::batch::insert_all;
use crate::change::begin_write;
use crate::handle::Store;
use crate::names::Word;

/// One body.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "request_bodies")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub request_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub side: String,
    pub encoding: String,
    pub original_len: i64,
    pub truncated: bool,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The bodies of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBodies {
    /// Whose they are.
    pub id: RequestId,
    /// What the caller sent.
    pub request: Option<StoredBody>,
    /// What the caller got.
    pub response: Option<StoredBody>,
}

/// A body as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    /// Compressed, without secrets.
    pub bytes: Vec<u8>,
    /// How it is compressed: a word of the caller's.
    pub encoding: String,
    /// How long it was when it passed.
    pub original_len: u64,
    /// Whether only its beginning is kept.
    pub truncated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Word for Side {
    const WHAT: &'static str = "side";
    const ALL: &'static [Self] = &[Self::Request, Self::Response];

    fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

impl Store {
    /// Writes bodies: all of them or, on an error, none. One that is there already stays as it is.
    pub async fn write_bodies(&self, bodies: &[RecordBodies]) -> Result<(), StoreError> {
        let rows: Vec<ActiveModel> = bodies.iter().flat_map(rows).collect();
        let keep_first = OnConflict::columns([Column::RequestId, Column::Side])
            .do_nothing()
            .to_owned();
        let txn = begin_write(self).await?;
        insert_all(&txn, &rows, &keep_first).await?;
        Ok(txn.commit().await?)
    }

    /// The bodies of one request, as far as there are any.
    pub async fn bodies(&self, id: RequestId) -> Result<RecordBodies, StoreError> {
        let found = Entity::find().filter(Column::RequestId.eq(id.0));
        let mut bodies = RecordBodies {
            id,
            request: None,
            response: None,
        };
        for row in found.all(self.reader()).await? {
            match Side::from_word(&row.side)? {
                Side::Request => bodies.request = Some(body(row)),
                Side::Response => bodies.response = Some(body(row)),
            }
        }
        Ok(bodies)
    }
}

/// Deletes the bodies of all requests before that id.
pub(crate) async fn delete_before<C: ConnectionTrait>(db: &C, id: i64) -> Result<(), StoreError> {
    let old = Entity::delete_many().filter(Column::RequestId.lt(id));
    old.exec(db).await?;
    Ok(())
}

fn rows(bodies: &RecordBodies) -> impl Iterator<Item = ActiveModel> {
    let sides = [
        (Side::Request, &bodies.request),
        (Side::Response, &bodies.response),
    ];
    let row =
        |(side, body): (Side, &Option<StoredBody>)| Some(row(bodies.id, side, body.as_ref()?));
    sides.into_iter().filter_map(row)
}

fn row(id: RequestId, side: Side, body: &StoredBody) -> ActiveModel {
    ActiveModel {
        request_id: Set(id.0),
        side: Set(side.word().to_owned()),
        encoding: Set(body.encoding.clone()),
        original_len: Set(body.original_len as i64),
        truncated: Set(body.truncated),
        bytes: Set(body.bytes.clone()),
    }
}

fn body(row: Model) -> StoredBody {
    StoredBody {
        bytes: row.bytes,
        encoding: row.encoding,
        original_len: row.original_len as u64,
        truncated: row.truncated,
    }
}
