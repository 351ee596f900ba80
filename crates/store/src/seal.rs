//! Encryption at rest: XChaCha20-Poly1305 under one master key, one random nonce for each value.
//!
//! A sealed value is `version (1) | key id (4) | nonce (24) | ciphertext and tag`. The key id tells which master key
//! it was sealed under, so that a rotation can go through rows while both keys are in use. A value is bound to its
//! column and row by associated data: moved elsewhere, it does not open. Several keys at once are in `key_ring.rs`.

use chacha20poly1305::aead::{AeadCore as _, AeadInPlace as _, KeyInit as _, OsRng};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use domain::{Fingerprint, Secret};
use zeroize::{Zeroize as _, Zeroizing};

use crate::master_key::MasterKey;

const VERSION: u8 = 1;
/// Where the key id is in a sealed value, as SQL counts bytes.
pub(crate) const KEY_ID_POSITION: usize = 2;
/// The length of a key id in bytes.
pub(crate) const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// Which master key a value was sealed under: the first bytes of a hash of the key, no secret.
pub(crate) type MasterKeyId = [u8; KEY_ID_BYTES];

/// Seals and opens values under one master key.
pub(crate) struct Cipher {
    aead: XChaCha20Poly1305,
    key_id: MasterKeyId,
}

/// A column of sealed values. Only those of the list below exist, so that none is forgotten by a rotation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedColumn {
    /// Table and column with a point between them: what a value is bound to.
    name: &'static str,
    /// The table, which has its rows by a number called `id`.
    pub(crate) table: &'static str,
    /// The column, which may be null.
    pub(crate) column: &'static str,
    /// SQL for the provider of a row.
    pub(crate) provider: &'static str,
    /// SQL for the identity of a row.
    pub(crate) fingerprint: &'static str,
}

macro_rules! sealed_columns {
    ($($name:ident = $table:literal, $column:literal, of $provider:literal, $fingerprint:literal;)*) => {
        impl SealedColumn {
            $(pub(crate) const $name: Self = Self {
                name: concat!($table, ".", $column),
                table: $table,
                column: $column,
                provider: $provider,
                fingerprint: $fingerprint,
            };)*
            /// What a rotation goes through.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

// A new column is one line here.
sealed_columns! {
    KEY_SECRET = "keys", "secret", of "provider", "fingerprint";
    KEY_EGRESS = "keys", "egress", of "provider", "fingerprint";
}

impl SealedColumn {
    /// The single value that tells the key of the database; a rotation reseals it first, see `meta.rs`.
    pub(crate) const CANARY: Self = Self {
        name: "meta.sealed",
        table: "meta",
        column: "sealed",
        provider: "''",
        fingerprint: "''",
    };
}

impl std::fmt::Display for SealedColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a sealed value belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Its table and column.
    pub(crate) column: SealedColumn,
    /// The provider of the row; empty where rows have none.
    pub(crate) provider: &'a str,
    /// The row's identity.
    pub(crate) fingerprint: &'a [u8],
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unopened {
    /// Not of this form.
    #[error("it is no sealed value")]
    Malformed,
    /// Another master key.
    #[error("it was sealed under another master key")]
    OtherKey,
    /// Changed, or moved from another row.
    #[error("it was changed, or belongs to another row")]
    Forged,
}

impl MasterKey {
    /// The id that values sealed under this key carry.
    pub(crate) fn id(&self) -> MasterKeyId {
        let mut labelled = Zeroizing::new(b"keymux master key id\0".to_vec());
        labelled.extend_from_slice(self.bytes());
        let [a, b, c, d, ..] = Fingerprint::of(&labelled).0;
        [a, b, c, d]
    }
}

impl Cipher {
    /// A cipher under that key.
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            aead: XChaCha20Poly1305::new(master.bytes().into()),
            key_id: master.id(),
        }
    }

    /// The id of its key.
    pub(crate) fn key_id(&self) -> MasterKeyId {
        self.key_id
    }

    /// Encrypts a value for its place.
    pub(crate) fn seal(&self, secret: &Secret, place: Place<'_>) -> Result<Vec<u8>, Unopened> {
        let plain = secret.expose().as_bytes();
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = &mut sealed[HEADER_BYTES..];
        let tag = self
            .aead
            .encrypt_in_place_detached(&nonce, &place.bytes(), body)
            .map_err(|_| Unopened::Malformed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts a value that was sealed for that place.
    pub(crate) fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<Secret, Unopened> {
        let (nonce, body, tag) = self.parts(sealed)?;
        let mut plain = body.to_vec();
        self.aead
            .decrypt_in_place_detached(&nonce, &place.bytes(), &mut plain, &tag)
            .map_err(|_| Unopened::Forged)?;
        String::from_utf8(plain).map(Secret::new).map_err(|error| {
            error.into_bytes().zeroize();
            Unopened::Malformed
        })
    }

    fn parts<'a>(&self, sealed: &'a [u8]) -> Result<(XNonce, &'a [u8], Tag), Unopened> {
        let (&version, rest) = sealed.split_first().ok_or(Unopened::Malformed)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(Unopened::Malformed)?;
        let (nonce, rest) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Unopened::Malformed)?;
        let (body, tag) = rest
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(Unopened::Malformed)?;
        if version != VERSION {
            return Err(Unopened::Malformed);
        }
        if *key_id != self.key_id {
            return Err(Unopened::OtherKey);
        }
        Ok(((*nonce).into(), body, (*tag).into()))
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(…)")
    }
}

impl Place<'_> {
    /// Unambiguous: the column holds no NUL, and the fingerprint has its length before it.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.column.name.len() + self.provider.len() + 34);
        bytes.extend_from_slice(self.column.name.as_bytes());
        bytes.push(0);
        bytes.push(self.fingerprint.len() as u8);
        bytes.extend_from_slice(self.fingerprint);
        bytes.extend_from_slice(self.provider.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place {
        column: SealedColumn::KEY_SECRET,
        provider: "google",
        fingerprint: &[7; 32],
    };

    fn check(
        change: impl FnOnce(&mut Vec<u8>),
        place: Place<'_>,
        expected: Result<&str, Unopened>,
    ) {
        let cipher = Cipher::new(&MasterKey::from_text(&"ab".repeat(32)).unwrap());
        let mut sealed = cipher.seal(&Secret::new("AIza-secret"), PLACE).unwrap();
        change(&mut sealed);
        let opened = cipher.open(&sealed, place);
        assert_eq!(
            opened.as_ref().map(Secret::expose).map_err(|e| *e),
            expected
        );
    }

    #[test]
    fn value_opens_in_its_place_only() {
        check(|_| (), PLACE, Ok("AIza-secret"));
        for place in [
            Place {
                column: SealedColumn::KEY_EGRESS,
                ..PLACE
            },
            Place {
                provider: "xai",
                ..PLACE
            },
            Place {
                fingerprint: &[8; 32],
                ..PLACE
            },
        ] {
            check(|_| (), place, Err(Unopened::Forged));
        }
    }

    #[test]
    fn changed_value_does_not_open() {
        check(|sealed| sealed[0] = 2, PLACE, Err(Unopened::Malformed));
        check(|sealed| sealed[1] ^= 1, PLACE, Err(Unopened::OtherKey));
        check(|sealed| sealed[5] ^= 1, PLACE, Err(Unopened::Forged));
        check(
            |sealed| sealed[HEADER_BYTES] ^= 1,
            PLACE,
            Err(Unopened::Forged),
        );
        check(
            |sealed| *sealed.last_mut().unwrap() ^= 1,
            PLACE,
            Err(Unopened::Forged),
        );
        check(
            |sealed| sealed.truncate(HEADER_BYTES + 3),
            PLACE,
            Err(Unopened::Malformed),
        );
        check(Vec::clear, PLACE, Err(Unopened::Malformed));
    }

    #[test]
    fn same_secret_is_never_sealed_alike() {
        let cipher = Cipher::new(&MasterKey::generate());
        let secret = Secret::new("AIza-secret");
        let sealed = || cipher.seal(&secret, PLACE).unwrap();
        assert_ne!(sealed(), sealed());
    }
}
