//! Users by name and by id: the API shows owners by name.

use std::collections::HashMap;

use domain::UserId;
use store::{Store, StoreError};

use super::error::ApiError;
use super::who::Who;

/// Every user's name.
#[derive(Debug)]
pub(crate) struct Names {
    by_id: HashMap<UserId, String>,
}

impl Names {
    pub(super) async fn load(store: &Store) -> Result<Self, StoreError> {
        let users = store.users().await?.into_iter();
        Ok(Self {
            by_id: users.map(|user| (user.id, user.username)).collect(),
        })
    }

    /// The name of a user.
    pub(super) fn of(&self, id: Option<UserId>) -> Option<String> {
        self.by_id.get(&id?).cloned()
    }

    /// The user of a name.
    pub(super) fn id_of(&self, name: &str) -> Option<UserId> {
        let found = self.by_id.iter().find(|(_, known)| *known == name);
        found.map(|(&id, _)| id)
    }

    /// The owner of something that is made: whom the maker names; for a member themselves, and nobody else.
    pub(super) fn owner(&self, who: &Who, asked: Option<&str>) -> Result<Option<UserId>, ApiError> {
        let Some(name) = asked else {
            return Ok(who.only());
        };
        let Some(owner) = self.id_of(name) else {
            let text = format!("there is no user {name:?}");
            return Err(ApiError::invalid("owner", text));
        };
        if who.may_touch(Some(owner)) {
            return Ok(Some(owner));
        }
        Err(ApiError::forbidden(
            "members make things for themselves only",
        ))
    }
}
