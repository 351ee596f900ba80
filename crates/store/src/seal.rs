//! Encryption at rest: XChaCha20-Poly1305 under the master key, one random nonce for each value.
//!
//! A sealed value is `version (1) | key id (4) | nonce (24) | ciphertext and tag`. The key id tells which master key
//! it was sealed under, so that a rotation can go through rows while both keys are in use. A value is bound to its
//! column and row by associated data: moved elsewhere, it does not open.

use chacha20poly1305::aead::{AeadCore as _, AeadInPlace as _, KeyInit as _, OsRng};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use domain::{Fingerprint, Secret};
use zeroize::{Zeroize as _, Zeroizing};

use crate::master_key::MasterKey;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// Seals and opens values under one master key.
pub(crate) struct Cipher {
    aead: XChaCha20Poly1305,
    key_id: [u8; KEY_ID_BYTES],
}

/// What a sealed value belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Table and column, for example `keys.secret`.
    pub(crate) column: &'static str,
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

impl Cipher {
    /// A cipher under that key.
    pub(crate) fn new(master: &MasterKey) -> Self {
        let mut labelled = Zeroizing::new(b"keymux master key id\0".to_vec());
        labelled.extend_from_slice(master.bytes());
        let digest = Fingerprint::of(&labelled).0;
        let [a, b, c, d, ..] = digest;
        Self {
            aead: XChaCha20Poly1305::new(master.bytes().into()),
            key_id: [a, b, c, d],
        }
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
        let mut bytes = Vec::with_capacity(self.column.len() + self.provider.len() + 34);
        bytes.extend_from_slice(self.column.as_bytes());
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
        column: "keys.secret",
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
                column: "keys.egress",
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
