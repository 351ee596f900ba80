//! Several master keys at once: those that are known open values; which of them seals, the database tells (`meta.rs`).
//!
//! [`MasterKeys`] also knows where its keys come from. A file is read again when a value turns up under a key that is
//! not known, so that a process that was started before a rotation (`rotate.rs`) goes on through it.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use domain::Secret;

use crate::key_file::KeyFile;
use crate::seal::{Cipher, MasterKeyId, Place, Unopened};
use crate::{Created, MasterKey, MasterKeyError};

/// Known master keys, the newest first.
#[derive(Debug)]
pub(crate) struct KeyRing(Vec<Arc<Cipher>>);

impl KeyRing {
    fn new(keys: &[MasterKey]) -> Self {
        Self(keys.iter().map(|key| Arc::new(Cipher::new(key))).collect())
    }

    /// Decrypts a value that was sealed for that place, under whichever key.
    pub(crate) fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<Secret, Unopened> {
        self.open_and_name(sealed, place).map(|(secret, _)| secret)
    }

    /// The same, and which key it was.
    pub(crate) fn open_and_name(
        &self,
        sealed: &[u8],
        place: Place<'_>,
    ) -> Result<(Secret, &Arc<Cipher>), Unopened> {
        for cipher in &self.0 {
            match cipher.open(sealed, place) {
                Err(Unopened::OtherKey) => {}
                done => return done.map(|secret| (secret, cipher)),
            }
        }
        Err(Unopened::OtherKey)
    }

    /// The key of that id.
    pub(crate) fn key(&self, id: MasterKeyId) -> Option<&Arc<Cipher>> {
        self.0.iter().find(|cipher| cipher.key_id() == id)
    }

    /// The newest key.
    pub(crate) fn newest(&self) -> Option<&Arc<Cipher>> {
        self.0.first()
    }
}

/// The master keys of a [`crate::Store`], and where they come from. It shows none of them.
#[derive(Debug)]
pub struct MasterKeys {
    source: Source,
    /// Read for each value, replaced when the file has changed: never held across I/O.
    ring: RwLock<Arc<KeyRing>>,
}

/// Where master keys come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file, which a rotation replaces.
    File(KeyFile),
    /// Whoever opens the store, who knows of rotations himself.
    Given,
}

impl MasterKeys {
    /// The keys of a file, which is made with a new one and mode 0600 if there is none.
    pub fn of_file(path: &Path) -> Result<(Self, Created), MasterKeyError> {
        let file = KeyFile(path.to_owned());
        let (keys, created) = file.load_or_create()?;
        Ok((Self::new(Source::File(file), &keys), created))
    }

    /// One key to seal under, and older ones under which values may still be sealed.
    pub fn given(current: MasterKey, older: Vec<MasterKey>) -> Result<Self, MasterKeyError> {
        let mut keys = vec![current];
        for key in older {
            if keys.iter().any(|known| known.id() == key.id()) {
                return Err(MasterKeyError::Twice);
            }
            keys.push(key);
        }
        Ok(Self::new(Source::Given, &keys))
    }

    /// How many keys there are. More than one: a rotation is to be made, or to be finished.
    pub fn count(&self) -> usize {
        self.ring().0.len()
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The keys that are known now.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&ring)
    }

    /// Reads the file again, if there is one, and gives all keys that are known then.
    ///
    /// Keys that the file names no more stay known: somebody may hold rows that were read while they were in use.
    pub(crate) fn reread(&self) -> Result<Arc<KeyRing>, MasterKeyError> {
        let Source::File(file) = &self.source else {
            return Ok(self.ring());
        };
        let mut fresh = KeyRing::new(&file.load()?);
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for cipher in &ring.0 {
            if fresh.key(cipher.key_id()).is_none() {
                fresh.0.push(Arc::clone(cipher));
            }
        }
        *ring = Arc::new(fresh);
        Ok(Arc::clone(&ring))
    }

    fn new(source: Source, keys: &[MasterKey]) -> Self {
        let ring = RwLock::new(Arc::new(KeyRing::new(keys)));
        Self { source, ring }
    }
}

/// A single key, which is not rotated.
impl From<MasterKey> for MasterKeys {
    fn from(key: MasterKey) -> Self {
        Self::new(Source::Given, &[key])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::SealedColumn;

    const PLACE: Place<'static> = Place {
        column: SealedColumn::KEY_SECRET,
        provider: "google",
        fingerprint: &[7; 32],
    };

    fn sealed(under: &MasterKey) -> Vec<u8> {
        Cipher::new(under)
            .seal(&Secret::new("AIza-secret"), PLACE)
            .unwrap()
    }

    fn check(keys: &MasterKeys, value: &[u8], expected: Result<&str, Unopened>) {
        let opened = keys.ring().open(value, PLACE);
        let opened = opened.as_ref().map(Secret::expose).map_err(|error| *error);
        assert_eq!(opened, expected);
    }

    #[test]
    fn every_given_key_opens() {
        let [new, old, other] = [(); 3].map(|()| MasterKey::generate());
        let keys = MasterKeys::given(new.clone(), vec![old.clone()]).unwrap();
        check(&keys, &sealed(&new), Ok("AIza-secret"));
        check(&keys, &sealed(&old), Ok("AIza-secret"));
        check(&keys, &sealed(&other), Err(Unopened::OtherKey));
        assert_eq!(keys.count(), 2);
    }

    #[test]
    fn key_that_stands_twice_is_refused() {
        let key = MasterKey::generate();
        let keys = MasterKeys::given(key.clone(), vec![key]);
        assert!(matches!(keys, Err(MasterKeyError::Twice)), "{keys:?}");
    }

    #[test]
    fn keys_of_a_changed_file_are_added_when_it_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let (keys, _) = MasterKeys::of_file(&path).unwrap();
        let old = KeyFile(path.clone()).load().unwrap().remove(0);
        let new = MasterKey::generate();
        KeyFile(path).replace(std::slice::from_ref(&new)).unwrap();
        check(&keys, &sealed(&new), Err(Unopened::OtherKey));
        keys.reread().unwrap();
        check(&keys, &sealed(&new), Ok("AIza-secret"));
        check(&keys, &sealed(&old), Ok("AIza-secret"));
        assert_eq!(keys.ring().newest().unwrap().key_id(), new.id());
    }
}
